//! Local Lipschitz estimate (Alvarez-Melis and Jaakkola 2018): normal noise is added to the input, which is explained
//! anew; the number is the largest ratio of the distance of the attributions to that of the inputs.

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
    /// Options of the local Lipschitz estimate.
    pub struct LipschitzOptions {
        /// How many neighbours are explained.
        samples: usize [integer(1, 1000)] = 10,
        /// Standard deviation of the noise, in the units of what the model sees.
        noise: f64 [number(0.0, 100.0)] = 0.1,
    }
}

const ID: &str = "local-lipschitz";

/// Local Lipschitz estimate.
pub struct LocalLipschitz;

impl Metric for LocalLipschitz {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "local-lipschitz".to_owned(),
            name: "Local Lipschitz estimate".to_owned(),
            group: MetricGroup::Robustness,
            better: Better::Lower,
            range: [Some(0.0), None],
            meaning: "How fast the map can change while the picture changes a little.".to_owned(),
            caveat: "The number has the unit of the map over that of the picture, so only maps of one unit can be \
                 compared."
                .to_owned(),
            reference: Reference {
                authors: "Alvarez-Melis, Jaakkola".to_owned(),
                year: 2018,
                title: "On the Robustness of Interpretability Methods".to_owned(),
                venue: "ICML workshop on Human Interpretability".to_owned(),
            },
            needs: vec![MetricNeed::Method],
            parameters: LipschitzOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        let options = LipschitzOptions::parse(question.context.parameters)?;
        again::cost(question, ID, options.samples)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let options = LipschitzOptions::parse(question.context.parameters)?;
            let normal = Neighbourhood::Normal(options.noise);
            let (found, _, score) = distances(question, ID, options.samples, normal).await?;
            let moved = found.iter().filter(|distance| distance.inputs > 0.0);
            let value = moved.map(|distance| distance.explanations / distance.inputs).reduce(f64::max);
            Ok(Found { value, parameters: options.values(), ..score })
        })
    }
}
