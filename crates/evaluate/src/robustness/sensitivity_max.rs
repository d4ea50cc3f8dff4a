//! Max-sensitivity (Yeh et al. 2019), as Captum computes it: the input is moved evenly at random within a small cube and
//! explained anew; the number is the largest distance (Frobenius) of the new attributions from the original over the
//! original's length, or, where that is zero, the distance itself.

use vitrine_explain::{
    Cost, LocalBoxFuture,
    toolkit::{integer, number},
};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question, again,
    metric::Found,
    neighbours::{Neighbourhood, distances},
};

vitrine_explain::options! {
    /// Options of both sensitivities.
    pub struct SensitivityOptions {
        /// How many neighbours are explained.
        samples: usize [integer(1, 1000)] = 10,
        /// How far each number of the input may be moved, up or down, in the units of what the model sees.
        radius: f64 [number(0.0, 100.0)] = 0.02,
    }
}

const ID: &str = "sensitivity-max";

/// Distances of explanations over the length of the original.
pub(crate) async fn sensitivities(
    question: &Question<'_>,
    metric: &'static str,
) -> Result<(Vec<f64>, Found), EvaluateError> {
    let options = SensitivityOptions::parse(question.context.parameters)?;
    let cube = Neighbourhood::Cube(options.radius);
    let (found, length, score) = distances(question, metric, options.samples, cube).await?;
    let length = if length > 0.0 { length } else { 1.0 };
    let parts = found.iter().map(|distance| distance.explanations / length).collect();
    Ok((parts, Found { parameters: options.values(), ..score }))
}

/// Max-sensitivity.
pub struct SensitivityMax;

impl Metric for SensitivityMax {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "sensitivity-max".to_owned(),
            name: "Max-sensitivity".to_owned(),
            group: MetricGroup::Robustness,
            better: Better::Lower,
            range: [Some(0.0), None],
            meaning: "How far the map can change, as a part of itself, when the picture changes too little to be \
                      seen."
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
            Ok(Found { value: parts.into_iter().reduce(f64::max), ..score })
        })
    }
}
