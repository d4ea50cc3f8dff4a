//! Smooth model parameter randomisation test (Hedström, Weber, Lapuschkin, Höhne 2024): as model parameter randomisation,
//! but every map, the original too, is the mean of the maps of noisy copies of the picture, so that noise in the maps does
//! not pass for a change. Departures: ten copies, where the authors take fifty, and those of `randomised`.

use vitrine_explain::{
    Cost, LocalBoxFuture,
    toolkit::{Purpose, Random, integer, number},
};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, MetricNeed};

use crate::{
    EvaluateError, Metric, Question,
    again::{self, Again, Change},
    metric::Found,
    randomisation::{hedstrom, model_parameter_randomisation::by_stages},
    randomised::{Cascade, Stages},
    similarity::Comparison,
};

vitrine_explain::options! {
    /// Options of the smooth randomisation test.
    pub struct SmoothMprtOptions {
        /// Which layers have random weights at a stage.
        order: Cascade [Cascade::kind()] = Cascade::TopDown,
        /// Stages, no more than layers.
        stages: usize [integer(1, 1000)] = 4,
        /// Noisy copies of the picture, each explained once for the model as it is and once at each stage.
        samples: usize [integer(1, 1000)] = 10,
        /// Standard deviation of the noise as a part of the input's range.
        noise: f64 [number(0.0, 10.0)] = 0.1,
        ..comparison: Comparison,
    }
}

const ID: &str = "smooth-mprt";

/// Smooth model parameter randomisation test.
pub struct SmoothMprt;

impl Metric for SmoothMprt {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: ID.to_owned(),
            name: "Smooth model parameter randomisation".to_owned(),
            group: MetricGroup::Randomisation,
            better: Better::Lower,
            range: [Some(-1.0), Some(1.0)],
            meaning:
                "How much of the map, freed from noise, is left when what the model has learnt is replaced by random \
                      numbers: one if all of it."
                    .to_owned(),
            caveat:
                "It judges the smoothed map, and the picture itself and strong channels of untouched layers still show \
                     through in right maps too."
                    .to_owned(),
            reference: hedstrom(),
            needs: vec![MetricNeed::Method],
            parameters: SmoothMprtOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        let options = SmoothMprtOptions::parse(question.context.parameters)?;
        let stages = Stages::of(question, ID, options.order, options.stages)?.count();
        again::cost(question, ID, (stages + 1) * options.samples)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let options = SmoothMprtOptions::parse(question.context.parameters)?;
            let mut stages = Stages::of(question, ID, options.order, options.stages)?;
            let mut again = Again::start(question, ID, self.cost(question)?)?;
            let input = question.context.input.to_vec().await?;
            let original = smoothed(&mut again, question, &options, &input, Change::default()).await?;
            let mut found = Vec::with_capacity(stages.count());
            for stage in 0..stages.count() {
                let change = Change { graph: Some(stages.graph(stage).await?), ..Change::default() };
                let map = smoothed(&mut again, question, &options, &input, change).await?;
                found.push(options.comparison.compare(&original, &map, question.map.width));
            }
            let (value, curve) = by_stages(&found);
            Ok(Found { parameters: options.values(), curves: vec![curve], ..again.found(value) })
        })
    }
}

/// The mean of the maps of noisy copies; the noise is the same whatever else changes.
async fn smoothed(
    again: &mut Again<'_>,
    question: &Question<'_>,
    options: &SmoothMprtOptions,
    input: &[f32],
    mut change: Change,
) -> Result<Vec<f32>, EvaluateError> {
    let least = input.iter().fold(f32::INFINITY, |least, value| least.min(*value));
    let most = input.iter().fold(f32::NEG_INFINITY, |most, value| most.max(*value));
    let deviation = options.noise as f32 * (most - least);
    let mut sum = vec![0.0; question.map.values.len()];
    for number in 0..options.samples {
        let mut random = Random::new(question.context.seed, Purpose::Noise, number as u32);
        change.input = Some(input.iter().map(|value| value + deviation * random.normal()).collect());
        let found = again.explain(&change).await?;
        sum.iter_mut().zip(&found.map.values).for_each(|(sum, value)| *sum += value / options.samples as f32);
    }
    Ok(sum)
}
