//! Average sensitivity (Yeh et al. 2019): as max-sensitivity, with the mean over the neighbours instead of the largest.

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question, again,
    metric::Found,
    robustness::sensitivity_max::{SensitivityOptions, sensitivities},
    statistics::mean,
};

const ID: &str = "sensitivity-avg";

/// Average sensitivity.
pub struct SensitivityAvg;

impl Metric for SensitivityAvg {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "sensitivity-avg".to_owned(),
            name: "Average sensitivity".to_owned(),
            group: MetricGroup::Robustness,
            better: Better::Lower,
            range: [Some(0.0), None],
            meaning: "How far the map changes on average, as a part of itself, when the picture changes too \
                      little to be seen."
                .to_owned(),
            caveat: "A map that never changes, whatever the picture shows, scores best.".to_owned(),
            reference: Reference {
                authors: "Yeh, Hsieh, Suggala, Inouye, Ravikumar".to_owned(),
                year: 2019,
                title: "On the (In)fidelity and Sensitivity of Explanations".to_owned(),
                venue: "NeurIPS".to_owned(),
            },
            needs: vec![MetricNeed::Method],
            parameters: SensitivityOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        let options = SensitivityOptions::parse(question.context.parameters)?;
        again::cost(question, ID, options.samples)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let (parts, score) = sensitivities(question, ID).await?;
            Ok(Found { value: Some(mean(&parts)), ..score })
        })
    }
}
