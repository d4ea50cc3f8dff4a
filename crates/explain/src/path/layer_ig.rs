//! Layer Integrated Gradients: integrated gradients of a layer's values instead of the input's. The way leads straight
//! from what the layer holds at the baseline to what it holds at the input, and the rest of the model runs from there.
//!
//! Mukund Sundararajan, Ankur Taly, Qiqi Yan: Axiomatic Attribution for Deep Networks. ICML 2017, applied to a layer as
//! Captum's `LayerIntegratedGradients` does.
//!
//! Departures: none from Captum but the weights of its trapezoid rule (see integrated gradients). Where a shortcut leads
//! around the layer, what it carries stays that of the input, as in Captum, and the attributions do not sum to the
//! target's whole difference; the gap says by how much.

use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, Infill, LocalBoxFuture, Rule,
    completeness::{Straight, no_influence, straight},
    integrator::{ENDS, Scalar},
    layers::chosen_layer,
    options::{integer, number, options},
};

options! {
    /// Options of [`LayerIg`].
    pub struct LayerIgOptions {
        /// Points on the way from the layer's values at the baseline to those at the input, each one forward and one
        /// backward pass from the layer on.
        steps: usize [integer(1, 1000)] = 50,
        /// Where the points lie and how much each counts.
        rule: Rule [Rule::kind()] = Rule::GaussLegendre,
        /// The input that shows nothing: black, white, grey, mean, blur or noise in pixel space, or zero and value:V in
        /// tensor space, or a file.
        baseline: Infill [ParameterKind::Infill] = Infill::Black,
        /// Largest completeness gap accepted, as a part of the target's difference between input and baseline: while it
        /// is larger, everything is run again with twice the steps, up to 32 times as many. 0 accepts any.
        max_gap: f64 [number(0.0, 1.0)] = 0.0,
    }
}

/// Layer Integrated Gradients (Sundararajan, Taly, Yan 2017).
///
/// `Attribution::values` has the layer's shape `[channels, height, width]`; the heat map is the sum over the channels,
/// enlarged to the input's size.
pub struct LayerIg;

impl Explainer for LayerIg {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "layer-ig".to_owned(),
            name: "Layer Integrated Gradients".to_owned(),
            family: Family::Path,
            summary: "Fades in what a layer of the model sees and adds up how much each of its places moves the \
                      answer. A late layer gives a coarse but calm map; an early one is finer and noisier."
                .to_owned(),
            reference: Reference {
                authors: "Mukund Sundararajan, Ankur Taly, Qiqi Yan".to_owned(),
                year: 2017,
                title: "Axiomatic Attribution for Deep Networks".to_owned(),
                venue: "ICML".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::SpatialLayer],
            parameters: LayerIgOptions::parameters(),
            promises: vec![Promise::Completeness, Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let steps = LayerIgOptions::parse(context.parameters)?.steps;
        Ok(Cost { forward_passes: (steps + ENDS) as u64, backward_passes: steps as u64 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = LayerIgOptions::parse(context.parameters)?;
    let layer = chosen_layer(context)?;
    let baseline = options.baseline.tensor(context).await?;
    let way = Straight {
        scalar: Scalar::Target,
        layer: Some(&layer),
        baseline: &baseline,
        rule: options.rule,
        steps: options.steps,
        max_gap: options.max_gap,
        before: 0,
    };
    let (found, gradient) = straight(context, &way).await?;
    if gradient.is_none() {
        return Err(no_influence(context, &layer.name));
    }
    let notes = Vec::from_iter(options.baseline.note(context));
    Ok(found.attribution(context, Some(&layer), options.values(), notes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, bypassed, two_channels};

    fn explained(question: &Question) -> Result<Attribution, ExplainError> {
        pollster::block_on(LayerIg.explain(&question.context()))
    }

    /// The layer `a` holds x and 2 x, and class 0 scores 3 times the mean of the first minus 4 times that of the second:
    /// the gradients are 3/4 and -1, and from zero the attributions are 3/4 x and -2 x.
    #[test]
    fn a_linear_rest_gives_gradient_times_difference_in_the_layer() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(two_channels([3.0, -4.0]), &input).target("0").layer("a").with("steps", "2");
        let found = explained(&question).unwrap();
        let expected: Vec<f32> = input.iter().map(|x| 0.75 * x).chain(input.iter().map(|x| -2.0 * x)).collect();
        assert_close(&found.values, &expected, 1e-6);
        assert_eq!(found.shape, [2, 2, 2]);
        assert_close(&found.map.values, &input.map(|x| -1.25 * x), 1e-6);
        assert!(found.completeness_gap.unwrap().abs() < 1e-5, "{:?}", found.completeness_gap);
        assert_eq!((found.forward_passes, found.backward_passes), (4, 2));
    }

    /// The score is the sum of 2 x (through the layer) and of x (around it): the layer gets two thirds of the difference.
    #[test]
    fn what_goes_around_the_layer_is_the_gap() {
        let question = Question::new(bypassed(), &[1.0, -2.0, 0.5, 4.0]).target("0").layer("double");
        let found = explained(&question).unwrap();
        assert_close(&found.values, &[2.0, -4.0, 1.0, 8.0], 1e-6);
        assert!((found.completeness_gap.unwrap() + 3.5).abs() < 1e-5, "{:?}", found.completeness_gap);
        assert!(found.notes.iter().any(|note| note.contains("sum to 7.000")), "{:?}", found.notes);
    }

    #[test]
    fn a_layer_that_leads_nowhere_is_refused() {
        let question = Question::new(two_channels([1.0, 1.0]), &[1.0; 4]).target("0").layer("beside");
        let error = explained(&question).unwrap_err().to_string();
        assert!(error.contains("\"beside\" does not influence the logit of 0"), "{error}");
    }
}
