//! Relevance rank accuracy (Arras, Osman, Samek 2022): of as many leading pixels of the map as the place has, the part
//! that lies on it.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::no_options};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question,
    localisation::inside,
    metric::{FREE, Found, of_map},
    statistics::{largest, wide},
};

const ID: &str = "relevance-rank";

/// Relevance rank accuracy.
pub struct RelevanceRank;

impl Metric for RelevanceRank {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "relevance-rank".to_owned(),
            name: "Relevance rank accuracy".to_owned(),
            group: MetricGroup::Localisation,
            better: Better::Higher,
            range: [Some(0.0), Some(1.0)],
            meaning: "Which part of the leading pixels of the map lies on the place.".to_owned(),
            caveat: "How much more the leading pixels count than the rest is not seen.".to_owned(),
            reference: Reference {
                authors: "Arras, Osman, Samek".to_owned(),
                year: 2022,
                title: "CLEVR-XAI: A benchmark dataset for the ground truth evaluation of neural network explanations"
                    .to_owned(),
                venue: "Information Fusion 81".to_owned(),
            },
            needs: vec![MetricNeed::Mask],
            parameters: Vec::new(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        no_options(question.context.parameters)?;
        Ok(FREE)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let parameters = no_options(question.context.parameters)?;
            let inside = inside(question, ID)?;
            let count = inside.iter().filter(|inside| **inside).count();
            let leading = largest(&wide(&question.map.values), count);
            let hits = leading.iter().filter(|place| inside.get(**place) == Some(&true)).count();
            Ok(of_map(Some(hits as f64 / count.max(1) as f64), parameters))
        })
    }
}
