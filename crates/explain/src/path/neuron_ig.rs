//! Neuron Integrated Gradients: integrated gradients of a neuron inside the model instead of the answer: which pixels
//! make this channel of a layer as active as it is.
//!
//! Mukund Sundararajan, Ankur Taly, Qiqi Yan: Axiomatic Attribution for Deep Networks. ICML 2017, applied to a neuron as
//! Captum's `NeuronIntegratedGradients` does.
//!
//! Departures: none but those of integrated gradients. A whole channel is a neuron too: the sum of its values.

use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, Infill, LocalBoxFuture, Rule,
    completeness::{Straight, straight},
    integrator::ENDS,
    neuron::{neuron, passes},
    options::{integer, number, options},
};

options! {
    /// Options of [`NeuronIg`].
    pub struct NeuronIgOptions {
        /// The layer's channel, counted from 0; -1 takes the one that matters most for the target, found by one more
        /// forward and backward pass.
        channel: i64 [integer(-1, 1_000_000)] = -1,
        /// The row of the layer, counted from 0; -1 takes all.
        row: i64 [integer(-1, 100_000)] = -1,
        /// The column of the layer, counted from 0; -1 takes all.
        column: i64 [integer(-1, 100_000)] = -1,
        /// Points on the way from the baseline to the input, each one forward and one backward pass.
        steps: usize [integer(1, 1000)] = 50,
        /// Where the points lie and how much each counts.
        rule: Rule [Rule::kind()] = Rule::GaussLegendre,
        /// Where the way begins: black, white, grey, mean, blur or noise in pixel space, or zero and value:V in tensor
        /// space, or a file.
        baseline: Infill [ParameterKind::Infill] = Infill::Black,
        /// Largest completeness gap accepted, as a part of the neuron's difference between input and baseline: while it
        /// is larger, everything is run again with twice the steps, up to 32 times as many. 0 accepts any.
        max_gap: f64 [number(0.0, 1.0)] = 0.0,
    }
}

/// Neuron Integrated Gradients (Sundararajan, Taly, Yan 2017).
///
/// The predictions of the [`Attribution`] are the neuron's, not the target's.
pub struct NeuronIg;

impl Explainer for NeuronIg {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "neuron-ig".to_owned(),
            name: "Neuron Integrated Gradients".to_owned(),
            family: Family::Path,
            summary: "Shows which pixels make one channel inside the model as active as it is. Use it to learn what \
                      a channel responds to; it says nothing about the answer."
                .to_owned(),
            reference: Reference {
                authors: "Mukund Sundararajan, Ankur Taly, Qiqi Yan".to_owned(),
                year: 2017,
                title: "Axiomatic Attribution for Deep Networks".to_owned(),
                venue: "ICML".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::SpatialLayer],
            parameters: NeuronIgOptions::parameters(),
            // The gap is told; a neuron behind a ReLU has a kink at every place, and steps close it slowly.
            promises: Vec::new(),
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = NeuronIgOptions::parse(context.parameters)?;
        let passes = options.steps + passes(options.channel);
        Ok(Cost { forward_passes: (passes + ENDS) as u64, backward_passes: passes as u64 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = NeuronIgOptions::parse(context.parameters)?;
    let neuron = neuron(context, options.channel, [options.row, options.column]).await?;
    let baseline = options.baseline.tensor(context).await?;
    let way = Straight {
        scalar: neuron.scalar(),
        layer: None,
        baseline: &baseline,
        rule: options.rule,
        steps: options.steps,
        max_gap: options.max_gap,
        before: passes(options.channel),
    };
    let (found, gradient) = straight(context, &way).await?;
    let mut notes = vec![neuron.note()];
    notes.extend(options.baseline.note(context));
    if gradient.is_none() {
        notes.push("It does not depend on the input, so the map is zero.".to_owned());
    }
    let attribution = found.attribution(context, None, options.values(), notes);
    Ok(Attribution { layer: Some(neuron.layer.name), ..attribution })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, squared_layer, two_channels};

    fn explained(question: &Question) -> Result<Attribution, ExplainError> {
        pollster::block_on(NeuronIg.explain(&question.context()))
    }

    /// The layer `a` holds x and 2 x; class 0 scores 3 times the mean of the first minus 4 times that of the second, so
    /// the second matters most.
    #[test]
    fn a_channel_gets_what_each_pixel_adds_to_it() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(two_channels([3.0, -4.0]), &input).target("0").layer("a").with("steps", "2");
        let first = explained(&question.clone().with("channel", "0")).unwrap();
        assert_close(&first.values, &input, 1e-6);
        assert_eq!((first.prediction, first.forward_passes, first.backward_passes), (3.0, 4, 2));
        let strongest = explained(&question).unwrap();
        assert_close(&strongest.values, &input.map(|x| 2.0 * x), 1e-6);
        assert!(strongest.notes[0].contains("channel 1, the one that matters most"), "{:?}", strongest.notes);
        assert_eq!((strongest.forward_passes, strongest.backward_passes), (5, 3));
    }

    /// `squared` holds 9 x squared.
    #[test]
    fn one_place_of_a_channel_depends_on_its_own_pixel() {
        let question = Question::new(squared_layer(), &[1.0, -2.0, 0.5, 4.0]).target("0").layer("squared");
        let found = explained(&question.with("channel", "0").with("row", "0").with("column", "1")).unwrap();
        assert_close(&found.values, &[0.0, 36.0, 0.0, 0.0], 1e-5);
        assert_eq!(found.prediction, 36.0);
        assert!(found.notes[0].contains("channel 0, at row 0 and column 1, of layer \"squared\""), "{:?}", found.notes);
    }

    #[test]
    fn a_channel_that_the_layer_does_not_have_is_refused() {
        let question = Question::new(two_channels([3.0, -4.0]), &[1.0; 4]).target("0").layer("a");
        let error = explained(&question.with("channel", "2")).unwrap_err().to_string();
        assert_eq!(error, "Parameter \"channel\": \"2\" is not a whole number from -1 to 1.");
    }
}
