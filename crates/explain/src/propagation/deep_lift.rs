//! DeepLIFT: how much each input value's difference from a reference adds to the target's difference from its value at the
//! reference, handed back layer by layer. The contributions sum to the target's difference, in one backward walk.
//!
//! Avanti Shrikumar, Peyton Greenside, Anshul Kundaje: Learning Important Features Through Propagating Activation
//! Differences. ICML 2017.
//!
//! Departures from the paper: with `reveal-cancel` that rule holds for every layer, convolutions too, where the authors
//! take rescale for those. A product of two computed values (gates, attention) takes the mean of its derivatives at both
//! ends; so do normalisations and softmax, which no rule of the paper covers.

use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, Infill, LiftRule, LocalBoxFuture,
    attribution::check_finite,
    completeness::{gap, ignored},
    lift::{Recorded, lift},
    observer::Progress,
    options::options,
};

options! {
    /// Options of [`DeepLift`].
    pub struct DeepLiftOptions {
        /// How an activation's difference is shared out.
        rule: LiftRule [LiftRule::kind()] = LiftRule::Rescale,
        /// The reference: an input that shows nothing.
        baseline: Infill [ParameterKind::Infill] = Infill::Black,
    }
}

/// Forward passes: at the input, and at the reference.
const FORWARD_PASSES: u64 = 2;

/// DeepLIFT (Shrikumar, Greenside, Kundaje 2017).
pub struct DeepLift;

impl Explainer for DeepLift {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "deep-lift".to_owned(),
            name: "DeepLIFT".to_owned(),
            family: Family::Propagation,
            summary: "Compares every unit with what it does for an empty picture, and hands the difference back. It \
                      sees what gradients miss where units are saturated, and the map depends on what you let count \
                      as empty."
                .to_owned(),
            reference: Reference {
                authors: "Avanti Shrikumar, Peyton Greenside, Anshul Kundaje".to_owned(),
                year: 2017,
                title: "Learning Important Features Through Propagating Activation Differences".to_owned(),
                venue: "ICML".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient],
            parameters: DeepLiftOptions::parameters(),
            promises: vec![Promise::Completeness, Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        DeepLiftOptions::parse(context.parameters)?;
        Ok(Cost { forward_passes: FORWARD_PASSES, backward_passes: 1 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = DeepLiftOptions::parse(context.parameters)?;
    let baseline = options.baseline.tensor(context).await?;
    let mut progress = Progress::start(context.observer, FORWARD_PASSES);
    let graph = context.graph.folded()?;
    let here = Recorded::of(context, &graph, context.input).await?;
    let lifted = lift(context, &graph, &here, &baseline, options.rule).await?;
    let mut notes = Vec::from_iter(options.baseline.note(context));
    let values = match &lifted.contributions {
        Some(contributions) => contributions.to_vec().await?,
        None => {
            notes.push(ignored(context));
            vec![0.0; context.input.len()]
        }
    };
    check_finite(&values, "A contribution", "try another baseline")?;
    progress.advance(FORWARD_PASSES as usize).await?;
    let completeness_gap = gap(&values, here.prediction - lifted.reference_prediction);
    Ok(Attribution {
        map: HeatMap::of_input(&values, context.shape(), context.layout()),
        values,
        shape: context.shape().to_vec(),
        prediction: here.prediction,
        baseline_prediction: Some(lifted.reference_prediction),
        completeness_gap: Some(completeness_gap),
        forward_passes: FORWARD_PASSES,
        backward_passes: 1,
        parameters: options.values(),
        notes,
        ..Attribution::default()
    })
}

#[cfg(test)]
mod tests {
    use vitrine_onnx::{Node, Tensor};

    use super::*;
    use crate::testing::{Question, assert_close, graph, linear, linear_weight, unconnected};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(DeepLift.explain(&question.context())).unwrap()
    }

    /// Class 1 is relu(x1 - x2 + 1): the smaller of two inputs, as the paper writes it, but for the rest.
    fn hinge(bias: f32, input: &[f32]) -> Question {
        let nodes = vec![
            Node::new("Gemm", &["x", "w", "b"], &["h"]),
            Node::new("Relu", &["h"], &["r"]),
            Node::new("MatMul", &["r", "v"], &["y"]),
        ];
        let initializers = vec![
            Tensor::from_f32("w", &[2, 1], &[1.0, -1.0]),
            Tensor::from_f32("b", &[1], &[bias]),
            Tensor::from_f32("v", &[1, 2], &[0.0, 1.0]),
        ];
        Question::new(graph(&[2], nodes, initializers, 2), input).with("baseline", "zero")
    }

    #[test]
    fn a_linear_model_gives_weight_times_difference() {
        let input = [1.0, -2.0, 0.5, 3.0];
        for rule in ["rescale", "reveal-cancel"] {
            let question = Question::new(linear(&[4]), &input).with("baseline", "value:0.25").with("rule", rule);
            let expected: Vec<f32> = (0..4).map(|i| linear_weight(i, 1) * (input[i] - 0.25)).collect();
            assert_close(&explained(&question).values, &expected, 1e-5);
        }
    }

    #[test]
    fn rescale_shares_an_activations_difference_in_proportion() {
        // h goes from 1 to 1 + 2 - 4 = -1, so the ReLU from 1 to 0: a multiplier of 1/2.
        let found = explained(&hinge(1.0, &[2.0, 4.0]));
        assert_close(&found.values, &[1.0, -2.0], 1e-5);
        assert!(found.completeness_gap.unwrap().abs() < 1e-5);
        assert_eq!((found.prediction, found.baseline_prediction), (0.0, Some(1.0)));
    }

    #[test]
    fn reveal_cancel_tells_apart_what_raises_and_what_lowers() {
        // What raises h by 2, alone: 1 to 3, so +2; after the other: 0 to 0. Its half-sum is 1. What lowers it by 4, alone:
        // 1 to 0, so -1; after the other: 3 to 0. Its half-sum is -2.
        let found = explained(&hinge(1.0, &[2.0, 4.0]).with("rule", "reveal-cancel"));
        assert_close(&found.values, &[1.0, -2.0], 1e-5);
        // Where both cancel each other out, rescale sees nothing: h stays at 0 and the ReLU's derivative with it.
        let input = [3.0, 3.0];
        assert_close(&explained(&hinge(0.0, &input).with("rule", "reveal-cancel")).values, &[1.5, -1.5], 1e-5);
    }

    #[test]
    fn pools_and_products_keep_the_sum() {
        // max(x1, x2) x3 for class 1: from max(1, 0) 2 = 2 to max(0, 4) 3 = 12.
        let nodes = vec![
            Node::new("Slice", &["x", "zero", "two", "axis"], &["pair"]),
            Node::new("Slice", &["x", "two", "three", "axis"], &["last"]),
            Node::new("ReduceMax", &["pair"], &["max"]).with("axes", vec![1]),
            Node::new("Mul", &["max", "last"], &["product"]),
            Node::new("MatMul", &["product", "v"], &["y"]),
        ];
        let initializers = vec![
            Tensor::from_i64("zero", &[1], &[0]),
            Tensor::from_i64("two", &[1], &[2]),
            Tensor::from_i64("three", &[1], &[3]),
            Tensor::from_i64("axis", &[1], &[1]),
            Tensor::from_f32("v", &[1, 2], &[0.0, 1.0]),
        ];
        let question = Question::new(graph(&[3], nodes, initializers, 2), &[0.0, 4.0, 3.0]);
        let baseline = ("b.npy".to_owned(), vec![1.0, 0.0, 2.0]);
        let found = explained(&question.with("baseline", "b.npy").infill_files([baseline]));
        // The maximum rises by 3, times the mean 2.5 of the other factor; that one rises by 1, times 2.5. The winner here
        // takes all the rise.
        assert_close(&found.values, &[0.0, 7.5, 2.5], 1e-5);
    }

    #[test]
    fn a_target_that_ignores_the_input_gets_zeros() {
        assert_eq!(explained(&Question::new(unconnected(), &[1.0, 2.0]).target("0")).values, [0.0, 0.0]);
    }
}
