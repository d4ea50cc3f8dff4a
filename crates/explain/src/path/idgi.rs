//! Important Direction Gradient Integration: from each point of a way to the next, the target's change is shared out by
//! the squares of the gradient, the only direction in which the target changes. What the way does across that direction
//! is noise and counts nothing. The attributions sum to the target's difference with any number of steps.
//!
//! Ruo Yang, Binghui Wang, Mustafa Bilgic: IDGI: A Framework to Eliminate Explanation Noise from Integrated Gradients.
//! CVPR 2023.
//!
//! Departures: the ways are the straight one of integrated gradients and that of Blur IG; guided ones are left out.

use vitrine_graph::Value;
use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, Infill, LocalBoxFuture,
    attribution::check_finite,
    blur_path::BlurPath,
    completeness::{Found, Steps, gap, ignored},
    integrator::{Scalar, add_up, between, follow, walk},
    options::{choices, integer, options},
};

choices! {
    /// The way from showing nothing to the input.
    pub enum Way {
        /// Straight from the baseline.
        Straight = "straight",
        /// From the image out of focus, by a standard deviation of 50 pixels, with widths close to one another near the
        /// sharp end; the baseline is not used.
        Blur = "blur",
    }
}

options! {
    /// Options of [`Idgi`].
    pub struct IdgiOptions {
        /// Steps of the way; they take one more point than there are steps, each one forward and one backward pass.
        steps: usize [integer(1, 1000)] = 50,
        /// The way from showing nothing to the input.
        path: Way [Way::kind()] = Way::Straight,
        /// Where the straight way begins: black, white, grey, mean, blur or noise in pixel space, or zero and value:V in
        /// tensor space, or a file.
        baseline: Infill [ParameterKind::Infill] = Infill::Black,
    }
}

/// Standard deviation of the blur where that way begins, as in Blur IG.
const MAX_SIGMA: f64 = 50.0;

/// Important Direction Gradient Integration (Yang, Wang, Bilgic 2023).
pub struct Idgi;

impl Explainer for Idgi {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "idgi".to_owned(),
            name: "Important Direction Gradient Integration".to_owned(),
            family: Family::Path,
            summary: "Fades the picture in and gives each change of the answer to the pixels that the answer is most \
                      sensitive to at that moment. Much of the noise of a plain fade goes away, and the values still \
                      add up to the whole change."
                .to_owned(),
            reference: Reference {
                authors: "Ruo Yang, Binghui Wang, Mustafa Bilgic".to_owned(),
                year: 2023,
                title: "IDGI: A Framework to Eliminate Explanation Noise from Integrated Gradients".to_owned(),
                venue: "CVPR".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient],
            parameters: IdgiOptions::parameters(),
            promises: vec![Promise::Completeness, Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let passes = IdgiOptions::parse(context.parameters)?.steps as u64 + 1;
        Ok(Cost { forward_passes: passes, backward_passes: passes })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = IdgiOptions::parse(context.parameters)?;
    let blur = match options.path {
        Way::Straight => None,
        Way::Blur => Some(BlurPath::new(context)?),
    };
    let baseline = options.baseline.tensor(context).await?;
    let mut steps = Steps::start(context, options.steps + 1, 1, 0, 0.0);
    let (mut sum, mut shares, mut last, mut scalars) = (None, None, None, Vec::new());
    walk(
        context,
        Scalar::Target,
        [context.input_name; 2],
        options.steps + 1,
        &|range| {
            let positions = range.map(|index| index as f64 / options.steps as f64);
            match &blur {
                None => {
                    between(&baseline, context.input, &positions.map(|position| position as f32).collect::<Vec<_>>())
                }
                Some(blur) => {
                    blur.at(&positions.map(|position| MAX_SIGMA * (1.0 - position).powi(2)).collect::<Vec<_>>())
                }
            }
        },
        &mut |_, seen| {
            scalars.push(seen.scalar.clone());
            let Some(gradient) = seen.gradient else { return Ok(()) };
            let column = context.per_sample(seen.scalar.len());
            let squares = gradient.map(|gradient| gradient.square())?;
            // Where the gradient vanishes the squares do, and so shall the shares.
            let whole = squares.sum_per_sample()?.map(|sum| sum.clamp_min(1e-30))?.reshape(&column)?;
            let shares = follow(&mut shares, &squares.div(&whole)?)?;
            let targets = follow(&mut last, &seen.scalar.reshape(&column)?)?;
            let changes = targets.len() - 1;
            if changes == 0 {
                return Ok(());
            }
            let change = targets.narrow(0, 1, changes)?.sub(&targets.narrow(0, 0, changes)?)?;
            add_up(&mut sum, &shares.narrow(0, 0, changes)?.mul(&change)?)
        },
        &mut steps.progress,
    )
    .await?;
    let values = match &sum {
        Some(sum) => sum.to_vec().await?,
        None => vec![0.0; context.input.len()],
    };
    check_finite(&values, "A gradient of the target", "the model's numbers overflow on the way; try another baseline")?;
    let scalars = Value::concat(&scalars, 0)?.to_vec().await?;
    let ends = [scalars.last(), scalars.first()].map(|end| end.copied().unwrap_or(f32::NAN));
    let gap = gap(&values, ends[0] - ends[1]);
    let mut notes = Vec::new();
    if blur.is_none() {
        notes.extend(options.baseline.note(context));
    }
    notes.extend(steps.note(gap, ends[0] - ends[1]));
    if sum.is_none() {
        notes.push(ignored(context));
    }
    let found = Found {
        layer: None,
        values,
        ends,
        gap: Some(gap),
        backward_passes: steps.progress.done(),
        parameters: options.values(),
        notes,
    };
    Ok(found.attribution(context, &steps.progress))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight, squares};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(Idgi.explain(&question.context())).unwrap()
    }

    /// A linear model's gradient is its weight w everywhere: the whole difference goes in shares of w squared, to
    /// whatever pixel it is due.
    #[test]
    fn a_linear_model_shares_by_squared_weights() {
        let input = [1.0, -2.0, 0.5, 3.0];
        let found = explained(&Question::new(linear(&[4]), &input).with("steps", "3").with("baseline", "zero"));
        let weights: Vec<f32> = (0..4).map(|i| linear_weight(i, 1)).collect();
        let difference: f32 = weights.iter().zip(input).map(|(weight, x)| weight * x).sum();
        let squares: f32 = weights.iter().map(|weight| weight * weight).sum();
        let expected: Vec<f32> = weights.iter().map(|weight| difference * weight * weight / squares).collect();
        assert_close(&found.values, &expected, 1e-5);
        assert_eq!((found.forward_passes, found.backward_passes), (4, 4));
    }

    /// The sum of squares of 1 and 3, in two steps from (1, 1) times one half: gradients at the points (0.5, 0.5) and
    /// (0.75, 1.75) are in the ratios 1 : 1 and 3 : 7, the target goes 0.5, 3.625, 10.
    #[test]
    fn each_step_is_shared_by_the_gradient_before_it() {
        let question = Question::new(squares(2), &[1.0, 3.0]).target("0").with("steps", "2");
        let found = explained(&question.with("baseline", "value:0.5"));
        let [first, second] = [3.125, 6.375];
        let expected = [first / 2.0 + second * 9.0 / 58.0, first / 2.0 + second * 49.0 / 58.0];
        assert_close(&found.values, &expected, 1e-5);
        assert!(found.completeness_gap.unwrap().abs() < 1e-5, "{:?}", found.completeness_gap);
    }

    /// From zero the gradient of the squares vanishes at the first point, so the first change is lost.
    #[test]
    fn a_vanishing_gradient_gets_nothing_and_leaves_a_gap() {
        let found =
            explained(&Question::new(squares(2), &[1.0, 3.0]).target("0").with("steps", "2").with("baseline", "zero"));
        assert_close(&found.values, &[0.75, 6.75], 1e-5);
        assert!((found.completeness_gap.unwrap() + 2.5).abs() < 1e-5, "{:?}", found.completeness_gap);
    }
}
