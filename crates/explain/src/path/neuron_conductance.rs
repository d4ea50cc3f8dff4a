//! Neuron conductance: how much of what each pixel adds to the answer, on the way from a baseline to the input, flows
//! through one neuron of a layer.
//!
//! Kedar Dhamdhere, Mukund Sundararajan, Qiqi Yan: How Important Is a Neuron? ICLR 2019.
//!
//! Departures: none from the paper's definition for a neuron, a whole channel being the sum over its places. The map
//! sums to the conductance of the neuron, for which there is no other number to compare with, so no gap is given.

use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, Infill, LocalBoxFuture, Rule,
    attribution::check_finite,
    completeness::{Found, Steps, no_influence},
    integrator::{ENDS, Ends, Scalar, add_weighted, between, check_on_the_way, look, positions, weights},
    neuron::{neuron, passes},
    options::{integer, options},
};

options! {
    /// Options of [`NeuronConductance`].
    pub struct NeuronConductanceOptions {
        /// The layer's channel, counted from 0; -1 takes the one that matters most for the target, found by one more
        /// forward and backward pass.
        channel: i64 [integer(-1, 1_000_000)] = -1,
        /// The row of the layer, counted from 0; -1 takes all.
        row: i64 [integer(-1, 100_000)] = -1,
        /// The column of the layer, counted from 0; -1 takes all.
        column: i64 [integer(-1, 100_000)] = -1,
        /// Points on the way from the baseline to the input, each two forward and two backward passes: from the target to
        /// the neuron, and from there to the input.
        steps: usize [integer(1, 1000)] = 50,
        /// Where the points lie and how much each counts.
        rule: Rule [Rule::kind()] = Rule::GaussLegendre,
        /// Where the way begins: black, white, grey, mean, blur or noise in pixel space, or zero and value:V in tensor
        /// space, or a file.
        baseline: Infill [ParameterKind::Infill] = Infill::Black,
    }
}

/// Forward and backward passes of one step.
const PASSES: usize = 2;

/// Conductance of a neuron (Dhamdhere, Sundararajan, Yan 2019).
pub struct NeuronConductance;

impl Explainer for NeuronConductance {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "neuron-conductance".to_owned(),
            name: "Neuron Conductance".to_owned(),
            family: Family::Path,
            summary: "Shows which pixels move the answer by way of one channel inside the model. Use it on a channel \
                      that you know to matter, as most channels carry almost nothing of the answer."
                .to_owned(),
            reference: Reference {
                authors: "Kedar Dhamdhere, Mukund Sundararajan, Qiqi Yan".to_owned(),
                year: 2019,
                title: "How Important Is a Neuron?".to_owned(),
                venue: "ICLR".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::SpatialLayer],
            parameters: NeuronConductanceOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = NeuronConductanceOptions::parse(context.parameters)?;
        let passes = options.steps * PASSES + passes(options.channel);
        Ok(Cost { forward_passes: (passes + ENDS) as u64, backward_passes: passes as u64 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = NeuronConductanceOptions::parse(context.parameters)?;
    let neuron = neuron(context, options.channel, [options.row, options.column]).await?;
    let (input, layer) = (context.input_name, neuron.layer.name.as_str());
    let baseline = options.baseline.tensor(context).await?;
    let before = passes(options.channel);
    let mut progress = Steps::start(context, options.steps, PASSES, before + ENDS, 0.0).progress;
    if before > 0 {
        progress.advance(before).await?;
    }
    let ends = Ends::of(context, Scalar::Target, input, &baseline, &mut progress).await?;
    let points = options.rule.points(options.steps);
    let mut sum = None;
    for batch in points.chunks(context.batch_for(points.len())) {
        let inputs = between(&ends.start, &ends.end, &positions(batch))?;
        let seen = look(context, Scalar::Target, [input, layer], inputs.clone())?;
        let gradient = seen.gradient.ok_or_else(|| no_influence(context, layer))?;
        let through = gradient.mul(&neuron.mask)?;
        let flow = look(context, Scalar::Layer(layer, &through), [input, input], inputs)?;
        if let Some(gradient) = &flow.gradient {
            add_weighted(&mut sum, gradient, &weights(batch))?;
        }
        check_on_the_way(&seen.scalar).await?;
        progress.advance(batch.len() * PASSES).await?;
    }
    let mut notes = vec![neuron.note()];
    notes.extend(options.baseline.note(context));
    let values = match sum {
        Some(sum) => sum.mul(&ends.end.sub(&ends.start)?)?.to_vec().await?,
        None => {
            notes.push("It does not depend on the input, so the map is zero.".to_owned());
            vec![0.0; context.input.len()]
        }
    };
    check_finite(&values, "A gradient of the target", "the model's numbers overflow on the way; try another baseline")?;
    let found = Found {
        layer: None,
        values,
        ends: [ends.at_end, ends.at_start],
        gap: None,
        backward_passes: progress.done() - ENDS as u64,
        parameters: options.values(),
        notes,
    };
    let attribution = found.attribution(context, &progress);
    Ok(Attribution { layer: Some(neuron.layer.name), ..attribution })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, squared_layer, two_channels};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(NeuronConductance.explain(&question.context())).unwrap()
    }

    /// Through the second channel, 2 x, class 0 loses 4 / 4 of it.
    #[test]
    fn a_channel_of_a_linear_model_carries_its_part() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(two_channels([3.0, -4.0]), &input).target("0").layer("a").with("channel", "1");
        let found = explained(&question.with("steps", "3"));
        assert_close(&found.values, &input.map(|x| -2.0 * x), 1e-6);
        assert_eq!((found.forward_passes, found.backward_passes), (8, 6));
    }

    /// The score is the sum of h squared with h = 3 x: through the h of one pixel flows all that it adds, 9 x squared.
    #[test]
    fn one_place_carries_what_its_pixel_adds() {
        let question = Question::new(squared_layer(), &[1.0, -2.0, 0.5, 4.0]).target("0").layer("h");
        let found = explained(&question.with("channel", "0").with("row", "1").with("column", "1"));
        assert_close(&found.values, &[0.0, 0.0, 0.0, 144.0], 1e-5);
    }
}
