//! Agreement with the maps of other methods (Krishna et al. 2024), by the rank correlation of Spearman: the mean over the
//! others, each of which is a curve of one point.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::no_options};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question, agreement,
    metric::{FREE, Found},
    similarity::Similarity,
};

const ID: &str = "spearman-agreement";

/// Rank agreement (Spearman).
pub struct SpearmanAgreement;

impl Metric for SpearmanAgreement {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "spearman-agreement".to_owned(),
            name: "Rank agreement (Spearman)".to_owned(),
            group: MetricGroup::Agreement,
            better: Better::Neither,
            range: [Some(-1.0), Some(1.0)],
            meaning:
                "How much the map says the same as those of the other methods, by the rank correlation of Spearman."
                    .to_owned(),
            caveat: "Methods ask different questions, so that disagreement is no error and agreement no proof."
                .to_owned(),
            reference: Reference {
                authors: "Krishna, Han, Gu, Wu, Jabbari, Lakkaraju".to_owned(),
                year: 2024,
                title: "The Disagreement Problem in Explainable Machine Learning: A Practitioner's Perspective"
                    .to_owned(),
                venue: "TMLR".to_owned(),
            },
            needs: vec![MetricNeed::OtherMaps],
            parameters: Vec::new(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        no_options(question.context.parameters)?;
        Ok(FREE)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            no_options(question.context.parameters)?;
            agreement::with_others(question, ID, Similarity::Spearman)
        })
    }
}
