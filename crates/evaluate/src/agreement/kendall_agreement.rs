//! Agreement with the maps of other methods (Krishna et al. 2024), by the rank correlation of Kendall: the mean over the
//! others, each of which is a curve of one point.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::no_options};
use vitrine_protocol::MetricInfo;

use crate::{
    EvaluateError, Metric, Question, agreement,
    metric::{FREE, Found},
    similarity::Similarity,
};

const ID: &str = "kendall-agreement";

/// Rank agreement (Kendall).
pub struct KendallAgreement;

impl Metric for KendallAgreement {
    fn info(&self) -> MetricInfo {
        agreement::info(ID, "Rank agreement (Kendall)", [Some(-1.0), Some(1.0)], "the rank correlation of Kendall")
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        no_options(question.context.parameters)?;
        Ok(FREE)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            no_options(question.context.parameters)?;
            agreement::with_others(question, ID, Similarity::Kendall)
        })
    }
}
