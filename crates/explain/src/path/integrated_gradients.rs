//! Integrated Gradients: each input value's difference from a baseline, times the target's gradient with respect to it
//! averaged over the straight way from the baseline to the input. The attributions sum to the difference that the
//! whole input makes to the target.
//!
//! Mukund Sundararajan, Ankur Taly, Qiqi Yan: Axiomatic Attribution for Deep Networks. ICML 2017.
//!
//! Departures from the paper: its sum over right ends is one of five rules, and Gauss-Legendre points are the default,
//! as in Captum. Captum's trapezoid weights sum to 1 - 1 / steps; here the weights of every rule sum to 1, so its
//! trapezoid maps are larger by the factor steps / (steps - 1). The baseline is black in pixel space; the zero tensor
//! that many programs take is the average colour of the training pictures once a mean is subtracted.

use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, Infill, LocalBoxFuture, Rule,
    completeness::{Straight, ignored, straight},
    integrator::{ENDS, Scalar},
    options::{integer, number, options},
};

options! {
    /// Options of [`IntegratedGradients`].
    pub struct IntegratedGradientsOptions {
        /// Points on the way from the baseline to the input, each one forward and one backward pass. More make the
        /// completeness gap smaller.
        steps: usize [integer(1, 1000)] = 50,
        /// Where the points lie and how much each counts.
        rule: Rule [Rule::kind()] = Rule::GaussLegendre,
        /// Where the way begins: an input that shows nothing. Named by colour in pixel space (black, white, grey, mean,
        /// blur, noise), or zero and value:V in tensor space, or a file.
        baseline: Infill [ParameterKind::Infill] = Infill::Black,
        /// Whether the averaged gradient is multiplied by the input's difference from the baseline. Without it the map
        /// shows sensitivity, and the attributions do not sum to the target's difference.
        multiply_by_inputs: bool [ParameterKind::Boolean] = true,
        /// Largest completeness gap accepted, as a part of the target's difference between input and baseline: while it
        /// is larger, everything is run again with twice the steps, up to 32 times as many. 0 accepts any.
        max_gap: f64 [number(0.0, 1.0)] = 0.0,
    }
}

/// Integrated Gradients (Sundararajan, Taly, Yan 2017).
pub struct IntegratedGradients;

impl Explainer for IntegratedGradients {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "integrated-gradients".to_owned(),
            name: "Integrated Gradients".to_owned(),
            family: Family::Path,
            summary: "Fades the picture in from an empty one and adds up how much each pixel moves the answer on the \
                      way. All values add up to the whole change of the answer, but the map depends on what you let \
                      count as empty."
                .to_owned(),
            reference: Reference {
                authors: "Mukund Sundararajan, Ankur Taly, Qiqi Yan".to_owned(),
                year: 2017,
                title: "Axiomatic Attribution for Deep Networks".to_owned(),
                venue: "ICML".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient],
            parameters: IntegratedGradientsOptions::parameters(),
            promises: vec![
                Promise::Completeness,
                Promise::ZeroForConstantModel,
                Promise::Linearity,
                Promise::Symmetry,
                Promise::DummyFeature,
                Promise::ImplementationInvariance,
            ],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let steps = IntegratedGradientsOptions::parse(context.parameters)?.steps;
        Ok(Cost { forward_passes: (steps + ENDS) as u64, backward_passes: steps as u64 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = IntegratedGradientsOptions::parse(context.parameters)?;
    let baseline = options.baseline.tensor(context).await?;
    let way = Straight {
        scalar: Scalar::Target,
        layer: None,
        baseline: &baseline,
        rule: options.rule,
        steps: options.steps,
        max_gap: options.max_gap,
        before: 0,
    };
    let (mut found, gradient) = straight(context, &way).await?;
    let mut notes = Vec::from_iter(options.baseline.note(context));
    match &gradient {
        None => notes.push(ignored(context)),
        Some(gradient) if !options.multiply_by_inputs => (found.values, found.gap) = (gradient.to_vec().await?, None),
        Some(_) => {}
    }
    Ok(found.attribution(context, None, options.values(), notes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight, squares, unconnected};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(IntegratedGradients.explain(&question.context())).unwrap()
    }

    #[test]
    fn a_linear_model_gives_weight_times_difference_with_any_rule() {
        let input = [1.0, -2.0, 0.5, 3.0];
        for rule in Rule::ALL {
            let question = Question::new(linear(&[4]), &input)
                .with("rule", rule.id())
                .with("steps", "3")
                .with("baseline", "value:0.25");
            let found = explained(&question);
            let expected: Vec<f32> = (0..4).map(|i| linear_weight(i, 1) * (input[i] - 0.25)).collect();
            assert_close(&found.values, &expected, 1e-5);
            assert!(found.completeness_gap.unwrap().abs() < 1e-5, "{:?}", found.completeness_gap);
            assert_eq!((found.forward_passes, found.backward_passes), (5, 3));
        }
    }

    /// F is the sum of the squares. From zero, the gradient at t x is 2 t x; the rule's mean of t is 1/2, less or more
    /// by 1 / (2 n) for left and right ends.
    #[test]
    fn squares_are_integrated_as_each_rule_says() {
        let input = [1.0, -2.0, 3.0];
        for (rule, steps, factor) in [
            ("gauss-legendre", 1, 1.0),
            ("gauss-legendre", 50, 1.0),
            ("middle", 4, 1.0),
            ("trapezoid", 5, 1.0),
            ("left", 4, 0.75),
            ("right", 4, 1.25),
        ] {
            let question =
                Question::new(squares(3), &input).target("0").with("rule", rule).with("steps", &steps.to_string());
            let found = explained(&question.with("baseline", "zero"));
            assert_close(&found.values, &input.map(|x| factor * x * x), 1e-5);
            let gap = (factor - 1.0) * 14.0;
            assert!(
                (found.completeness_gap.unwrap() - gap).abs() < 1e-4,
                "{rule}: {:?}, not {gap}",
                found.completeness_gap
            );
            assert_eq!(found.prediction, 14.0);
            assert_eq!(found.baseline_prediction, Some(0.0));
            let told = found.notes.iter().any(|note| note.contains("more steps"));
            assert_eq!(told, factor != 1.0, "{rule}: {:?}", found.notes);
        }
    }

    #[test]
    fn without_multiplying_the_map_is_the_averaged_gradient() {
        let question = Question::new(squares(2), &[3.0, -1.0]).target("0").with("multiply-by-inputs", "false");
        let found = explained(&question.with("baseline", "value:1"));
        // The mean of 2 (1 + t (x - 1)) over t is x + 1.
        assert_close(&found.values, &[4.0, 0.0], 1e-5);
        assert_eq!(found.completeness_gap, None);
    }

    /// With left ends the squares' gap is -1 / n of the difference: 8 steps leave 1/8, 32 leave 1/32.
    #[test]
    fn steps_are_doubled_until_the_gap_is_small_enough() {
        let question = Question::new(squares(2), &[3.0, -1.0]).target("0").with("rule", "left").with("steps", "8");
        let found = explained(&question.clone().with("baseline", "zero").with("max-gap", "0.04"));
        assert!((found.completeness_gap.unwrap() + 10.0 / 32.0).abs() < 1e-4, "{:?}", found.completeness_gap);
        assert_eq!((found.forward_passes, found.backward_passes), (2 + 8 + 16 + 32, 8 + 16 + 32));
        assert!(found.notes.is_empty(), "{:?}", found.notes);
        let stopped = explained(&question.with("baseline", "zero").with("max-gap", "0.0001"));
        assert!(stopped.notes[0].contains("with 256 steps"), "{:?}", stopped.notes);
    }

    #[test]
    fn a_target_that_ignores_the_input_gets_zeros_and_a_note() {
        let found = explained(&Question::new(unconnected(), &[1.0, 2.0]).target("0"));
        assert_eq!(found.values, [0.0, 0.0]);
        assert!(found.notes.iter().any(|note| note.contains("does not depend on the input")), "{:?}", found.notes);
    }

    #[test]
    fn an_overflow_is_refused_with_its_place() {
        let question = Question::new(squares(2), &[1e30, 1.0]).target("0");
        let error = pollster::block_on(IntegratedGradients.explain(&question.context())).unwrap_err().to_string();
        assert!(error.starts_with("The target at the input is not a finite number"), "{error}");
    }
}
