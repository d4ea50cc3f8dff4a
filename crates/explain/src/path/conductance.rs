//! Conductance: how much of the target's difference between a baseline and the input flows through each value of a
//! layer. Along the straight way of the input, the target's gradient at the layer is multiplied by how the layer's
//! values change from point to point, and summed.
//!
//! Kedar Dhamdhere, Mukund Sundararajan, Qiqi Yan: How Important Is a Neuron? ICLR 2019. The sum over differences of
//! the layer's values is Avanti Shrikumar, Jocelin Su, Anshul Kundaje: Computationally Efficient Measures of Internal
//! Neuron Importance, 2018.
//!
//! Departures: the points are equally spaced and include both ends, so that the layer's changes add up to all of its
//! difference; Captum's default, Gauss-Legendre points, leaves out what happens before the first and after the last.
//! Captum with `riemann_trapezoid` is `gradient=left` here.

use vitrine_graph::Value;
use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, Infill, LocalBoxFuture,
    attribution::check_finite,
    completeness::{Found, Steps, gap, no_influence},
    integrator::{Scalar, add_up, between, follow, walk},
    layers::chosen_layer,
    options::{choices, integer, number, options},
};

choices! {
    /// Which gradient each change of the layer is multiplied by.
    pub enum StepGradient {
        /// The mean of the gradients before and after the change.
        Middle = "middle",
        /// The gradient before it.
        Left = "left",
        /// The gradient after it.
        Right = "right",
    }
}

options! {
    /// Options of [`Conductance`].
    pub struct ConductanceOptions {
        /// Intervals on the way from the baseline to the input. They take one more point than there are intervals, each
        /// one forward and one backward pass.
        steps: usize [integer(1, 1000)] = 50,
        /// Which gradient each change of the layer is multiplied by.
        gradient: StepGradient [StepGradient::kind()] = StepGradient::Middle,
        /// Where the way begins: black, white, grey, mean, blur or noise in pixel space, or zero and value:V in tensor
        /// space, or a file.
        baseline: Infill [ParameterKind::Infill] = Infill::Black,
        /// Largest completeness gap accepted, as a part of the target's difference between input and baseline: while it
        /// is larger, everything is run again with twice the steps, up to 32 times as many. 0 accepts any.
        max_gap: f64 [number(0.0, 1.0)] = 0.0,
    }
}

/// How many channels the note names.
const RANKED: usize = 5;

/// Conductance of a layer (Dhamdhere, Sundararajan, Yan 2019).
///
/// `Attribution::values` has the layer's shape `[channels, height, width]`; the heat map is the sum over the channels,
/// enlarged to the input's size. A note ranks the channels by their sums.
pub struct Conductance;

impl Explainer for Conductance {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "conductance".to_owned(),
            name: "Conductance".to_owned(),
            family: Family::Path,
            summary: "Adds up how much of the answer flows through each place and channel of a layer while the \
                      picture fades in. Use it to find the part of a layer that does the work; the map depends on \
                      what you let count as empty."
                .to_owned(),
            reference: Reference {
                authors: "Kedar Dhamdhere, Mukund Sundararajan, Qiqi Yan".to_owned(),
                year: 2019,
                title: "How Important Is a Neuron?".to_owned(),
                venue: "ICLR".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::SpatialLayer],
            parameters: ConductanceOptions::parameters(),
            promises: vec![Promise::Completeness, Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let passes = ConductanceOptions::parse(context.parameters)?.steps as u64 + 1;
        Ok(Cost { forward_passes: passes, backward_passes: passes })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = ConductanceOptions::parse(context.parameters)?;
    let layer = chosen_layer(context)?;
    let baseline = options.baseline.tensor(context).await?;
    // One more point than intervals, in every round.
    let mut steps = Steps::start(context, options.steps, 1, 1, options.max_gap);
    let (values, ends, gap) = loop {
        let count = steps.count;
        let (mut sum, mut layers, mut gradients, mut scalars) = (None, None, None, Vec::new());
        walk(
            context,
            Scalar::Target,
            [context.input_name, &layer.name],
            count + 1,
            &|range| {
                let positions: Vec<f32> = range.map(|index| index as f32 / count as f32).collect();
                between(&baseline, context.input, &positions)
            },
            &mut |_, seen| {
                scalars.push(seen.scalar);
                let Some(gradient) = seen.gradient else { return Ok(()) };
                let (layers, gradients) = (follow(&mut layers, &seen.at)?, follow(&mut gradients, &gradient)?);
                let changes = layers.shape()[0] - 1;
                if changes == 0 {
                    return Ok(());
                }
                let change = layers.narrow(0, 1, changes)?.sub(&layers.narrow(0, 0, changes)?)?;
                let left = || gradients.narrow(0, 0, changes);
                let right = || gradients.narrow(0, 1, changes);
                let gradient = match options.gradient {
                    StepGradient::Left => left()?,
                    StepGradient::Right => right()?,
                    StepGradient::Middle => left()?.add(&right()?)?.map(|sum| sum.mul_scalar(0.5))?,
                };
                add_up(&mut sum, &gradient.mul(&change)?)
            },
            &mut steps.progress,
        )
        .await?;
        let sum = sum.ok_or_else(|| no_influence(context, &layer.name))?;
        let values = layer.planes(&sum)?.to_vec().await?;
        let scalars = Value::concat(&scalars, 0)?.to_vec().await?;
        let ends = [scalars.last(), scalars.first()].map(|end| end.copied().unwrap_or(f32::NAN));
        check_finite(&values, "A value of the map", "the model's numbers overflow on the way; try another baseline")?;
        let gap = gap(&values, ends[0] - ends[1]);
        if !steps.refine(gap, ends[0] - ends[1]) {
            break (values, ends, gap);
        }
        steps.progress.extend(1);
    };
    let mut notes = Vec::from_iter(options.baseline.note(context));
    notes.extend(steps.note(gap, ends[0] - ends[1]));
    notes.extend(ranking(&values, layer.channels()));
    let found = Found {
        layer: Some(&layer),
        values,
        ends,
        gap: Some(gap),
        backward_passes: steps.progress.done(),
        parameters: options.values(),
        notes,
    };
    Ok(found.attribution(context, &steps.progress))
}

/// The channels through which most flows, in a sentence; nothing where nothing flows.
fn ranking(values: &[f32], channels: usize) -> Option<String> {
    let area = (values.len() / channels.max(1)).max(1);
    let mut sums: Vec<(usize, f32)> = values.chunks(area).map(|channel| channel.iter().sum()).enumerate().collect();
    sums.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    sums.truncate(RANKED);
    sums.retain(|(_, sum)| *sum != 0.0);
    let listed: Vec<String> = sums.iter().map(|(channel, sum)| format!("{channel} ({sum:+.3})")).collect();
    (!listed.is_empty()).then(|| format!("Most flows through the channels {}.", listed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, squared_layer, two_channels};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(Conductance.explain(&question.context())).unwrap()
    }

    /// Class 0 scores 3 times the mean of x minus 4 times the mean of 2 x.
    #[test]
    fn a_linear_rest_gives_gradient_times_difference_and_a_ranking() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let found = explained(&Question::new(two_channels([3.0, -4.0]), &input).target("0").layer("a"));
        let expected: Vec<f32> = input.iter().map(|x| 0.75 * x).chain(input.iter().map(|x| -2.0 * x)).collect();
        assert_close(&found.values, &expected, 1e-5);
        assert!(found.completeness_gap.unwrap().abs() < 1e-5, "{:?}", found.completeness_gap);
        assert_eq!(found.notes.last().unwrap(), "Most flows through the channels 1 (-6.000), 0 (+2.250).");
        assert_eq!((found.forward_passes, found.backward_passes), (51, 51));
    }

    /// The score is the sum of h squared with h = 3 x. In n intervals from zero, h changes by h / n each time, and the
    /// gradient 2 h k / n before each change averages to h (1 - 1/n), after it to h (1 + 1/n): together h squared.
    #[test]
    fn each_gradient_gives_its_own_sum() {
        let input = [1.0, -2.0, 0.5, 4.0];
        for (gradient, factor) in [("left", 0.8), ("right", 1.2), ("middle", 1.0)] {
            let question = Question::new(squared_layer(), &input).target("0").layer("h").with("gradient", gradient);
            let found = explained(&question.with("steps", "5"));
            assert_close(&found.values, &input.map(|x| factor * 9.0 * x * x), 1e-5);
            let gap = (factor - 1.0) * 9.0 * 21.25;
            assert!((found.completeness_gap.unwrap() - gap).abs() < 1e-3, "{gradient}: {:?}", found.completeness_gap);
        }
    }
}
