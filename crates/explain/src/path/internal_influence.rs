//! Internal influence: the target's gradient at a layer, averaged over the straight way of the input from a baseline. It
//! says how strongly each of the layer's values would move the answer, whatever it holds.
//!
//! Klas Leino, Shayak Sen, Anupam Datta, Matt Fredrikson, Linyi Li: Influence-Directed Explanations for Deep
//! Convolutional Networks. ITC 2018.
//!
//! Departures: the paper's distribution of interest is any; here it is the way from a baseline, as in Captum's
//! `InternalInfluence`. The map is not multiplied by anything, so there is no difference it sums to.

use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, Infill, LocalBoxFuture, Rule,
    attribution::check_finite,
    completeness::{Found, Steps, no_influence},
    integrator::{ENDS, Ends, Scalar, add_weighted, between, positions, walk, weights},
    layers::chosen_layer,
    options::{integer, options},
};

options! {
    /// Options of [`InternalInfluence`].
    pub struct InternalInfluenceOptions {
        /// Points on the way from the baseline to the input, each one forward and one backward pass.
        steps: usize [integer(1, 1000)] = 50,
        /// Where the points lie and how much each counts.
        rule: Rule [Rule::kind()] = Rule::GaussLegendre,
        /// Where the way begins: black, white, grey, mean, blur or noise in pixel space, or zero and value:V in tensor
        /// space, or a file.
        baseline: Infill [ParameterKind::Infill] = Infill::Black,
    }
}

/// Internal influence (Leino, Sen, Datta, Fredrikson, Li 2018).
///
/// `Attribution::values` has the layer's shape `[channels, height, width]`; the heat map is the sum over the channels,
/// enlarged to the input's size.
pub struct InternalInfluence;

impl Explainer for InternalInfluence {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "internal-influence".to_owned(),
            name: "Internal Influence".to_owned(),
            family: Family::Path,
            summary: "Averages how strongly each place of a layer would move the answer while the picture fades in. \
                      It tells what could matter rather than what does, since it leaves out how active the layer is."
                .to_owned(),
            reference: Reference {
                authors: "Klas Leino, Shayak Sen, Anupam Datta, Matt Fredrikson, Linyi Li".to_owned(),
                year: 2018,
                title: "Influence-Directed Explanations for Deep Convolutional Networks".to_owned(),
                venue: "ITC".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::SpatialLayer],
            parameters: InternalInfluenceOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let steps = InternalInfluenceOptions::parse(context.parameters)?.steps;
        Ok(Cost { forward_passes: (steps + ENDS) as u64, backward_passes: steps as u64 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = InternalInfluenceOptions::parse(context.parameters)?;
    let layer = chosen_layer(context)?;
    let baseline = options.baseline.tensor(context).await?;
    let mut steps = Steps::start(context, options.steps, 1, ENDS, 0.0);
    let input = context.input_name;
    let ends = Ends::of(context, Scalar::Target, input, &baseline, &mut steps.progress).await?;
    let points = options.rule.points(options.steps);
    let mut sum = None;
    walk(
        context,
        Scalar::Target,
        [input, &layer.name],
        points.len(),
        &|range| between(&ends.start, &ends.end, &positions(&points[range])),
        &mut |range, seen| match &seen.gradient {
            Some(gradient) => add_weighted(&mut sum, gradient, &weights(&points[range])),
            None => Ok(()),
        },
        &mut steps.progress,
    )
    .await?;
    let sum = sum.ok_or_else(|| no_influence(context, &layer.name))?;
    let values = layer.planes(&sum)?.to_vec().await?;
    check_finite(&values, "A gradient of the target", "the model's numbers overflow on the way; try another baseline")?;
    let found = Found {
        layer: Some(&layer),
        values,
        ends: [ends.at_end, ends.at_start],
        gap: None,
        backward_passes: options.steps as u64,
        parameters: options.values(),
        notes: Vec::from_iter(options.baseline.note(context)),
    };
    Ok(found.attribution(context, &steps.progress))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, squared_layer, two_channels};

    fn explained(question: &Question) -> Result<Attribution, ExplainError> {
        pollster::block_on(InternalInfluence.explain(&question.context()))
    }

    /// The gradients at `a` are the weights over the four pixels, wherever the input is.
    #[test]
    fn a_linear_rest_gives_its_gradient() {
        let question = Question::new(two_channels([3.0, -4.0]), &[1.0, -2.0, 0.0, 4.0]).target("0").layer("a");
        let found = explained(&question.with("steps", "3")).unwrap();
        assert_close(&found.values, &[0.75, 0.75, 0.75, 0.75, -1.0, -1.0, -1.0, -1.0], 1e-6);
        assert_eq!((found.completeness_gap, found.forward_passes), (None, 5));
    }

    /// The score is the sum of h squared with h = 3 x: the gradient 2 h is 6 t x on the way, 3 x on average.
    #[test]
    fn the_gradient_is_averaged_over_the_way_of_the_input() {
        let input = [1.0, -2.0, 0.5, 4.0];
        let found = explained(&Question::new(squared_layer(), &input).target("0").layer("h")).unwrap();
        assert_close(&found.values, &input.map(|x| 3.0 * x), 1e-5);
    }
}
