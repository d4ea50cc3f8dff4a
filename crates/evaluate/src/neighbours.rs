//! Explanations of inputs near the one at hand: what sensitivity and Lipschitz estimates stand on.

use vitrine_explain::toolkit::{Purpose, Random};

use crate::{
    EvaluateError, Question,
    again::{self, Again, Change},
    metric::Found,
    statistics::norm,
};

/// Where neighbours lie.
#[derive(Clone, Copy)]
pub(crate) enum Neighbourhood {
    /// Every number differs by at most this much, evenly drawn.
    Cube(f64),
    /// Every number differs by a normal one of this deviation.
    Normal(f64),
}

/// How far an explanation of a neighbour is from the original.
pub(crate) struct Distance {
    /// Between the explanations.
    pub(crate) explanations: f64,
    /// Between the inputs.
    pub(crate) inputs: f64,
}

/// Distances to so many neighbours and the length of the original explanation.
pub(crate) async fn distances(
    question: &Question<'_>,
    metric: &'static str,
    samples: usize,
    neighbourhood: Neighbourhood,
) -> Result<(Vec<Distance>, f64, Found), EvaluateError> {
    let cost = again::cost(question, metric, samples)?;
    let mut again = Again::start(question, metric, cost)?;
    let input = question.context.input.to_vec().await?;
    let original = again.original();
    let mut distances = Vec::with_capacity(samples);
    for number in 0..samples {
        let mut random = Random::new(question.context.seed, Purpose::Metrics, number as u32);
        let mut step = || match neighbourhood {
            Neighbourhood::Cube(radius) => radius as f32 * (2.0 * random.uniform() - 1.0),
            Neighbourhood::Normal(deviation) => deviation as f32 * random.normal(),
        };
        let near: Vec<f32> = input.iter().map(|value| value + step()).collect();
        let inputs: Vec<f64> = near.iter().zip(&input).map(|(a, b)| f64::from(a - b)).collect();
        let found = again.explain(&Change { input: Some(near), ..Change::default() }).await?;
        let differences: Vec<f64> = again.beside(&found).iter().zip(&original).map(|(a, b)| a - b).collect();
        distances.push(Distance { explanations: norm(&differences), inputs: norm(&inputs) });
    }
    Ok((distances, norm(&original), again.found(None)))
}
