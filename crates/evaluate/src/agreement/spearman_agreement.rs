//! Agreement with the maps of other methods (Krishna et al. 2024), by the rank correlation of Spearman: the mean over the
//! others, each of which is a curve of one point.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::no_options};
use vitrine_protocol::MetricInfo;

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
        agreement::info(ID, "Rank agreement (Spearman)", [Some(-1.0), Some(1.0)], "the rank correlation of Spearman")
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
