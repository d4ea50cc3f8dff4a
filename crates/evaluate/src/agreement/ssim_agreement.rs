//! Agreement with the maps of other methods (Krishna et al. 2024), by structural similarity: the mean over the others,
//! each of which is a curve of one point.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::no_options};
use vitrine_protocol::MetricInfo;

use crate::{
    EvaluateError, Metric, Question, agreement,
    metric::{FREE, Found},
    similarity::Similarity,
};

const ID: &str = "ssim-agreement";

/// Agreement by structural similarity.
pub struct SsimAgreement;

impl Metric for SsimAgreement {
    fn info(&self) -> MetricInfo {
        agreement::info(ID, "Agreement by structural similarity", [Some(-1.0), Some(1.0)], "structural similarity")
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        no_options(question.context.parameters)?;
        Ok(FREE)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            no_options(question.context.parameters)?;
            agreement::with_others(question, ID, Similarity::Ssim)
        })
    }
}
