//! Agreement with the maps of other methods (Krishna et al. 2024), by the part of the leading tenth of pixels that two
//! maps share: the mean over the others, each of which is a curve of one point.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::no_options};
use vitrine_protocol::MetricInfo;

use crate::{
    EvaluateError, Metric, Question, agreement,
    metric::{FREE, Found},
    similarity::Similarity,
};

const ID: &str = "top-k-agreement";

/// Agreement of the leading pixels.
pub struct TopKAgreement;

impl Metric for TopKAgreement {
    fn info(&self) -> MetricInfo {
        agreement::info(
            ID,
            "Agreement of the leading pixels",
            [Some(0.0), Some(1.0)],
            "the part of the leading tenth of pixels that two maps share",
        )
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        no_options(question.context.parameters)?;
        Ok(FREE)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            no_options(question.context.parameters)?;
            agreement::with_others(question, ID, Similarity::TopK)
        })
    }
}
