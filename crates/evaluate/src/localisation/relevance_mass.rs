//! Relevance mass accuracy (Arras, Osman, Samek 2022): the part of the map that lies on the place, negative values
//! counting as much as positive ones.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::no_options};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question,
    localisation::inside,
    metric::{FREE, Found, of_map},
};

const ID: &str = "relevance-mass";

/// Relevance mass accuracy.
pub struct RelevanceMass;

impl Metric for RelevanceMass {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "relevance-mass".to_owned(),
            name: "Relevance mass accuracy".to_owned(),
            group: MetricGroup::Localisation,
            better: Better::Higher,
            range: [Some(0.0), Some(1.0)],
            meaning: "Which part of the map lies on the place, whether it speaks for the class or against it."
                .to_owned(),
            caveat: "What surrounds an object can rightly matter, and counts against the map here.".to_owned(),
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
            let sizes: Vec<f64> = question.map.values.iter().map(|value| f64::from(value.abs())).collect();
            let all: f64 = sizes.iter().sum();
            let within: f64 = sizes.iter().zip(&inside).filter(|(_, inside)| **inside).map(|(value, _)| value).sum();
            Ok(of_map((all > 0.0).then(|| within / all), parameters))
        })
    }
}
