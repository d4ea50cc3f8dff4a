//! Blur Integrated Gradients: the way leads from the image far out of focus to the image. At every width of the blur the
//! target's gradient is multiplied by how the image changes with the width, so the map shows what the model learns as
//! details come in.
//!
//! Shawn Xu, Subhashini Venugopalan, Mukund Sundararajan: Attribution in Scale and Space. CVPR 2020.
//!
//! The blur is cut off at four standard deviations, so it changes by small jumps that no step sees: the attributions sum
//! to the target's difference but for a gap of that size, which is told.
//!
//! Departures: the widths may lie closer to the sharp end and at Gauss-Legendre points, which makes the gap small with
//! few steps; `spacing=even` with `rule=left` is the authors' program (`saliency`), as are the largest width, the
//! difference of widths by which the change is measured, and the zeros (in tensor space) outside the picture.

use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture, Rule,
    blur_path::BlurPath,
    completeness::{along, ignored},
    integrator::{ENDS, Scalar, add_weighted, walk},
    options::{choices, integer, number, options},
};

choices! {
    /// How the blur's widths are spread.
    pub enum Spacing {
        /// As the square of the position: most of them near the sharp image, where most happens.
        Square = "square",
        /// Evenly, as in the paper's program.
        Even = "even",
    }
}

options! {
    /// Options of [`BlurIg`].
    pub struct BlurIgOptions {
        /// Widths of the blur, each one forward and one backward pass.
        steps: usize [integer(1, 1000)] = 50,
        /// Largest standard deviation of the blur, in pixels, where the way begins.
        max_sigma: f64 [number(0.1, 1000.0)] = 50.0,
        /// How the widths are spread.
        spacing: Spacing [Spacing::kind()] = Spacing::Square,
        /// Where the points lie and how much each counts; the left end is the sharp one.
        rule: Rule [Rule::kind()] = Rule::GaussLegendre,
        /// Largest completeness gap accepted, as a part of the target's difference between input and baseline: while it
        /// is larger, everything is run again with twice the steps, up to 32 times as many. 0 accepts any.
        max_gap: f64 [number(0.0, 1.0)] = 0.0,
    }
}

/// Blur Integrated Gradients (Xu, Venugopalan, Sundararajan 2020).
pub struct BlurIg;

impl Explainer for BlurIg {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "blur-ig".to_owned(),
            name: "Blur Integrated Gradients".to_owned(),
            family: Family::Path,
            summary: "Brings the picture into focus and adds up how much each detail that appears moves the answer. \
                      No empty colour has to be chosen, but flat areas get little, since they look the same blurred \
                      and sharp."
                .to_owned(),
            reference: Reference {
                authors: "Shawn Xu, Subhashini Venugopalan, Mukund Sundararajan".to_owned(),
                year: 2020,
                title: "Attribution in Scale and Space".to_owned(),
                venue: "CVPR".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::ImageInput],
            parameters: BlurIgOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let steps = BlurIgOptions::parse(context.parameters)?.steps;
        Ok(Cost { forward_passes: (steps + ENDS) as u64, backward_passes: steps as u64 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = BlurIgOptions::parse(context.parameters)?;
    let path = BlurPath::new(context)?;
    let baseline = path.at(&[options.max_sigma])?;
    // The width at a position from 0 (sharp) to 1, and how fast it grows there.
    let width = |position: f64| match options.spacing {
        Spacing::Even => (options.max_sigma * position, options.max_sigma),
        Spacing::Square => (options.max_sigma * position * position, 2.0 * options.max_sigma * position),
    };
    let mut reached = false;
    let found = along(context, &baseline, [options.steps, 1], options.max_gap, async |steps, progress| {
        let points = options.rule.points(steps);
        let sigmas: Vec<f64> = points.iter().map(|point| width(point.position).0).collect();
        // Negative: towards the sharp image the width falls.
        let weights: Vec<f32> = points.iter().map(|point| -(point.weight * width(point.position).1) as f32).collect();
        let mut sum = None;
        walk(
            context,
            Scalar::Target,
            [context.input_name; 2],
            points.len(),
            &|range| path.at(&sigmas[range]),
            &mut |range, seen| match &seen.gradient {
                Some(gradient) => {
                    let change = path.change(&sigmas[range.clone()])?;
                    add_weighted(&mut sum, &gradient.mul(&change)?, &weights[range])
                }
                None => Ok(()),
            },
            progress,
        )
        .await?;
        reached = sum.is_some();
        Ok(match &sum {
            Some(sum) => sum.to_vec().await?,
            None => vec![0.0; context.input.len()],
        })
    })
    .await?;
    let notes = if reached { Vec::new() } else { vec![ignored(context)] };
    Ok(found.attribution(context, None, options.values(), notes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight, read};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(BlurIg.explain(&question.context())).unwrap()
    }

    /// A linear model's gradient is its weight everywhere, so each pixel gets weight times (sharp minus blurred).
    #[test]
    fn a_linear_model_gives_weight_times_what_the_blur_takes() {
        let input: Vec<f32> = (0..30).map(|index| (index as f32 * 1.7).sin()).collect();
        let question = Question::new(linear(&[1, 5, 6]), &input).with("max-sigma", "3").with("steps", "200");
        let blurred = read(&BlurPath::new(&question.context()).unwrap().at(&[3.0]).unwrap());
        let expected: Vec<f32> =
            (0..30).map(|index| linear_weight(index, 1) * (input[index] - blurred[index])).collect();
        for spacing in ["even", "square"] {
            let found = explained(&question.clone().with("spacing", spacing).with("rule", "middle"));
            assert_close(&found.values, &expected, 0.02);
            assert!(found.completeness_gap.unwrap().abs() < 0.05, "{spacing}: {:?}", found.completeness_gap);
        }
    }

    #[test]
    fn an_input_without_height_and_width_is_refused() {
        let question = Question::new(linear(&[3]), &[1.0; 3]);
        let error = pollster::block_on(BlurIg.explain(&question.context())).unwrap_err().to_string();
        assert_eq!(error, "This method needs an image, and the model's input has shape [3].");
    }
}
