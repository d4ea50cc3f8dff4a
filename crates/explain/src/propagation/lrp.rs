//! Layer-wise relevance propagation: the score is handed back layer by layer, each giving every input its share of the
//! output, until it lies on the pixels. What arrives sums to the score, but for what biases and epsilon keep.
//!
//! Sebastian Bach, Alexander Binder, Grégoire Montavon, Frederick Klauschen, Klaus-Robert Müller, Wojciech Samek: On
//! Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation. PLOS ONE 2015.
//!
//! The rules gamma and the composites are those of Montavon et al. (Layer-Wise Relevance Propagation: An Overview, 2019)
//! and of Kohlbrenner et al. (Towards Best Practice in Explaining Neural Network Decisions with LRP, 2020); z-box, w-square
//! and z-plus of Montavon et al. (Deep Taylor Decomposition, 2017). As in Zennit, gamma and z-plus also hold for negative
//! inputs and outputs.
//!
//! What other nodes do: batch normalisations are folded first; activations pass relevance on unchanged; sums, means,
//! pooling by average and resizing share it in proportion; normalisations by a sample's own mean and deviation do too, as
//! if the deviation were a constant; pooling by maximum gives it to the winner; whatever only moves values moves it back. Of a product of two computed values the
//! gate gets none (a sigmoid, the softmax of attention, or the smaller one), as in Ali et al. (XAI for Transformers, 2022);
//! where neither is a gate, each gets half.

use std::collections::HashSet;

use vitrine_graph::{Graph, Run, Unit, Value};
use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, Infill, LocalBoxFuture,
    attribution::check_finite,
    completeness::ignored,
    observer::Progress,
    options::{choices, number, options},
    relevance::{LayerRule, Sharing, Start},
};

choices! {
    /// Which rule each layer with weights gets.
    pub enum Composite {
        /// Positive contributions alone in convolutions, epsilon in fully connected layers. Clean maps without negative
        /// parts from the convolutions; the usual choice.
        EpsilonPlus = "epsilon-plus",
        /// Gamma in convolutions, epsilon in fully connected layers, z-box at the pixels.
        EpsilonGammaBox = "epsilon-gamma-box",
        /// Alpha-beta in convolutions, epsilon in fully connected layers.
        EpsilonAlphaBeta = "epsilon-alpha2-beta1",
        /// Epsilon everywhere: nearly the gradient times the input, and as noisy.
        Epsilon = "epsilon",
        /// Gamma everywhere.
        Gamma = "gamma",
        /// Alpha-beta everywhere: negative contributions get beta = alpha - 1 parts.
        AlphaBeta = "alpha-beta",
        /// Positive contributions alone, everywhere.
        ZPlus = "z-plus",
        /// Squared weights everywhere.
        WSquare = "w-square",
        /// The same to every input, everywhere: how the layers see, whatever they see.
        Flat = "flat",
        /// Z-box at the pixels, positive contributions alone elsewhere: deep Taylor decomposition.
        ZBox = "z-box",
    }
}

options! {
    /// Options of [`Lrp`].
    pub struct LrpOptions {
        /// Which rule each layer gets.
        composite: Composite [Composite::kind()] = Composite::EpsilonPlus,
        /// What is added to denominators, in the direction of their sign. Larger values drop weak contributions, and
        /// relevance with them.
        epsilon: f64 [number(1e-9, 1e3)] = 1e-6,
        /// How many times more the contributions of the output's own sign count in the gamma rule.
        gamma: f64 [number(0.0, 1e3)] = 0.25,
        /// Parts of the relevance that positive contributions share in the alpha-beta rule; negative ones share alpha - 1
        /// of the opposite sign.
        alpha: f64 [number(1.0, 10.0)] = 2.0,
    }
}

/// A leak above this part of the relevance is worth a note.
const WORTH_A_NOTE: f32 = 0.05;

/// Layer-wise relevance propagation (Bach et al. 2015).
///
/// `Attribution::completeness_gap` is what arrived minus what was sent out: the relevance that biases and epsilon kept.
pub struct Lrp;

impl Explainer for Lrp {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "lrp".to_owned(),
            name: "Layer-wise Relevance Propagation".to_owned(),
            family: Family::Propagation,
            summary: "Hands the score back through the network, each layer sharing it out among what it was made of. \
                      The map is clear and takes a single walk back, but it depends on the rules by which the layers \
                      share."
                .to_owned(),
            reference: Reference {
                authors:
                    "Sebastian Bach, Alexander Binder, Grégoire Montavon, Frederick Klauschen, Klaus-Robert Müller, \
                          Wojciech Samek"
                        .to_owned(),
                year: 2015,
                title: "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance \
                        Propagation"
                    .to_owned(),
                venue: "PLOS ONE".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient],
            parameters: LrpOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        LrpOptions::parse(context.parameters)?;
        Ok(Cost { forward_passes: 1, backward_passes: 1 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = LrpOptions::parse(context.parameters)?;
    let mut progress = Progress::start(context.observer, 1);
    let graph = context.graph.folded()?;
    let logits = context.target.head().logits();
    let recording = graph.record(&Run::of([logits]).feed(context.input_name, context.input.clone()))?;
    let scores = recording.value(&graph, logits)?;
    let start = Start::of(context, scores).await?;
    let rules = Rules { context, graph: &graph, options: &options, limits: limits(context, &options).await? };
    let layer_rule = |unit: &Unit<'_>| rules.of(unit);
    let sharing = Sharing { graph: &graph, epsilon: options.epsilon as f32, layer_rule: &layer_rule };
    let mut arrived = sharing.send(&recording, (logits, start.relevance.clone()), &[context.input_name])?;
    let mut notes = Vec::new();
    let values = match arrived.remove(context.input_name) {
        Some(relevance) => relevance.to_vec().await?,
        None => {
            notes.push(ignored(context));
            vec![0.0; context.input.len()]
        }
    };
    check_finite(&values, "A relevance", "raise epsilon, or choose another composite")?;
    progress.advance(1).await?;
    let sum: f64 = values.iter().copied().map(f64::from).sum();
    let leak = sum as f32 - start.sum;
    if leak.abs() > WORTH_A_NOTE * start.sum.abs() {
        let (kept, sent) = (-leak, start.sum);
        notes.push(format!("Biases, epsilon and what no rule conserves kept {kept:.3} of a relevance of {sent:.3}."));
    }
    Ok(Attribution {
        map: HeatMap::of_input(&values, context.shape(), context.layout()),
        values,
        shape: context.shape().to_vec(),
        prediction: start.prediction,
        completeness_gap: Some(leak),
        forward_passes: 1,
        backward_passes: 1,
        parameters: options.values(),
        notes,
        ..Attribution::default()
    })
}

/// The darkest and the brightest input, where the composite asks for them.
async fn limits(context: &Context<'_>, options: &LrpOptions) -> Result<Option<(Value, Value)>, ExplainError> {
    if !matches!(options.composite, Composite::EpsilonGammaBox | Composite::ZBox) {
        return Ok(None);
    }
    if context.pixels.is_none() {
        return Err(ExplainError::NotAnImage { shape: context.shape().to_vec() });
    }
    Ok(Some((Infill::Black.tensor(context).await?, Infill::White.tensor(context).await?)))
}

/// Which rule each layer has.
struct Rules<'a> {
    context: &'a Context<'a>,
    graph: &'a Graph,
    options: &'a LrpOptions,
    limits: Option<(Value, Value)>,
}

impl Rules<'_> {
    /// The rule that the composite has for a layer.
    fn of(&self, unit: &Unit<'_>) -> Result<LayerRule, ExplainError> {
        let is_convolution = matches!(unit.operator(), "Conv" | "ConvTranspose");
        let (gamma, alpha) = (self.options.gamma as f32, self.options.alpha as f32);
        if let (Some((low, high)), Some(input)) = (&self.limits, self.input_if_first(unit)) {
            // Whatever stands before the first layer, such as a change of layout, is done to the limits too.
            let seen = |limit: &Value| {
                let trace = self.graph.run(&Run::of([input]).feed(self.context.input_name, limit.clone()))?;
                Ok::<_, ExplainError>(trace.value(input)?.clone())
            };
            return Ok(LayerRule::ZBox { low: Box::new(seen(low)?), high: Box::new(seen(high)?) });
        }
        Ok(match self.options.composite {
            Composite::EpsilonPlus if is_convolution => LayerRule::ZPlus,
            Composite::EpsilonGammaBox if is_convolution => LayerRule::Gamma(gamma),
            Composite::EpsilonAlphaBeta if is_convolution => LayerRule::AlphaBeta(2.0),
            Composite::Epsilon | Composite::EpsilonPlus | Composite::EpsilonGammaBox | Composite::EpsilonAlphaBeta => {
                LayerRule::Epsilon
            }
            Composite::Gamma => LayerRule::Gamma(gamma),
            Composite::AlphaBeta => LayerRule::AlphaBeta(alpha),
            Composite::ZPlus | Composite::ZBox => LayerRule::ZPlus,
            Composite::WSquare => LayerRule::WSquare,
            Composite::Flat => LayerRule::Flat,
        })
    }

    /// The input of a layer before which there is no other.
    fn input_if_first<'a>(&self, unit: &'a Unit<'_>) -> Option<&'a str> {
        let input = unit.input_name(unit.variables().first().copied()?)?;
        let (mut seen, mut open) = (HashSet::new(), vec![input.to_owned()]);
        while let Some(value) = open.pop() {
            let Some(node) = self.graph.producer(&value) else { continue };
            if matches!(node.operator.as_str(), "Conv" | "ConvTranspose" | "Gemm" | "MatMul") {
                return None;
            }
            open.extend(node.inputs.iter().filter(|input| seen.insert((*input).clone())).cloned());
        }
        Some(input)
    }
}

#[cfg(test)]
mod tests {
    use vitrine_onnx::{Node, Tensor};
    use vitrine_protocol::{Channels, ImageInput, Layout};

    use super::*;
    use crate::testing::{Question, assert_close, graph, unconnected};

    fn explained(question: &Question) -> Result<Attribution, ExplainError> {
        pollster::block_on(Lrp.explain(&question.context()))
    }

    /// Class 1 of a picture of one row and two columns, [2, -1], by the weights 3 and 1 and a bias of 1: its logit is 6.
    fn one_layer() -> Question {
        let nodes = vec![Node::new("Flatten", &["x"], &["flat"]), Node::new("Gemm", &["flat", "w", "b"], &["y"])];
        let initializers =
            vec![Tensor::from_f32("w", &[2, 2], &[0.0, 3.0, 0.0, 1.0]), Tensor::from_f32("b", &[2], &[0.0, 1.0])];
        let range = ImageInput { range: [-3.0, 3.0], ..ImageInput::plain(Layout::Nchw, Channels::Grey, 1, 2) };
        Question::new(graph(&[1, 1, 2], nodes, initializers, 2), &[2.0, -1.0]).pixels(range)
    }

    #[test]
    fn each_rule_shares_as_its_formula_says() {
        for (composite, expected) in [
            // 6 and -1 of z = 6; the bias keeps its 1.
            ("epsilon", [6.0, -1.0]),
            ("epsilon-plus", [6.0, -1.0]),
            // 6 and the bias of 1 are positive; -1 is not.
            ("z-plus", [36.0 / 7.0, 0.0]),
            // Twice that, less the one negative part, which has it all.
            ("alpha-beta", [72.0 / 7.0, -6.0]),
            // The positive weights and the bias are 1.25 times as large where they meet a positive input.
            ("gamma", [6.0 * 7.5 / 7.75, -6.0 / 7.75]),
            ("w-square", [5.4, 0.6]),
            ("flat", [3.0, 3.0]),
            // 2 + 3 and -1 + 3 above the lowest pixel: 15 and 2 of 17.
            ("z-box", [6.0 * 15.0 / 17.0, 12.0 / 17.0]),
            ("epsilon-gamma-box", [6.0 * 15.0 / 17.0, 12.0 / 17.0]),
        ] {
            let found = explained(&one_layer().with("composite", composite)).unwrap();
            assert_close(&found.values, &expected, 1e-5);
            let gap = expected.iter().sum::<f32>() - 6.0;
            assert!((found.completeness_gap.unwrap() - gap).abs() < 1e-4, "{composite}: {:?}", found.completeness_gap);
            assert_eq!(found.prediction, 6.0);
        }
    }

    #[test]
    fn gamma_strengthens_what_agrees_with_a_negative_output() {
        // The logit is -6 + 1 - 1 = -6: weights -3 and -1 for the inputs 2 and -1 and a bias of -1.
        let nodes = vec![Node::new("Gemm", &["x", "w", "b"], &["y"])];
        let initializers =
            vec![Tensor::from_f32("w", &[2, 2], &[0.0, -3.0, 0.0, -1.0]), Tensor::from_f32("b", &[2], &[0.0, -1.0])];
        let question = Question::new(graph(&[2], nodes, initializers, 2), &[2.0, -1.0]).with("composite", "gamma");
        // By hand: 2 (-3.75) = -7.5, -1 (-1) = 1, the bias -1.25, together -7.75.
        assert_close(&explained(&question).unwrap().values, &[-6.0 * 7.5 / 7.75, 6.0 / 7.75], 1e-5);
    }

    /// Conv 1 x 1 with batch normalisation, ReLU, a sum with what went in, pooling and a dense layer, without biases.
    fn residual(gate: &str) -> Question {
        let nodes = vec![
            Node::new("Conv", &["x", "k"], &["c"]),
            Node::new("BatchNormalization", &["c", "scale", "zero", "zero", "one"], &["n"]).with("epsilon", 0.0_f32),
            Node::new("Relu", &["n"], &["r"]),
            Node::new("GlobalAveragePool", &["r"], &["mean"]),
            Node::new(gate, &["mean"], &["gate"]),
            Node::new("Mul", &["gate", "r"], &["g"]),
            Node::new("Add", &["g", "x"], &["sum"]),
            Node::new("MaxPool", &["sum"], &["max"]).with("kernel_shape", vec![1, 2]).with("strides", vec![1, 2]),
            Node::new("Flatten", &["max"], &["flat"]),
            Node::new("MatMul", &["flat", "w"], &["y"]),
        ];
        let initializers = vec![
            Tensor::from_f32("k", &[1, 1, 1, 1], &[2.0]),
            Tensor::from_f32("scale", &[1], &[0.5]),
            Tensor::from_f32("zero", &[1], &[0.0]),
            Tensor::from_f32("one", &[1], &[1.0]),
            Tensor::from_f32("w", &[2, 2], &[1.0, 1.0, 1.0, -2.0]),
        ];
        Question::new(graph(&[1, 2, 2], nodes, initializers, 2), &[1.0, 3.0, 2.0, -1.0])
    }

    #[test]
    fn without_biases_all_relevance_arrives() {
        for composite in ["epsilon", "epsilon-plus", "z-plus"] {
            let found = explained(&residual("Sigmoid").with("composite", composite)).unwrap();
            assert!(found.completeness_gap.unwrap().abs() < 1e-4, "{composite}: {:?}", found.completeness_gap);
            // Only 3 and 2 win their pools. Each sum is gate x + x, so each input gets what its pool has.
            // By z-plus the second, which counts against the class, gets nothing, and the first all.
            let sum = 1.0 + 1.0 / (1.0 + (-1.5_f32).exp());
            let expected =
                if composite == "z-plus" { [0.0, -sum, 0.0, 0.0] } else { [0.0, 3.0 * sum, -4.0 * sum, 0.0] };
            assert_close(&found.values, &expected, 1e-5);
        }
    }

    #[test]
    fn a_normalisation_is_linear_with_its_deviation_held_fixed() {
        // From [1, 3] with mean 2 and deviation 1 come [-1, 1], times [2, 3] is [-2, 3]; class 1 is their sum, 1. Its two
        // parts send back 2 and 3 times (x - mean), so x gets x (ratio - mean ratio): 1 (2 - 2.5) and 3 (3 - 2.5).
        let normalised = |operator: &str, shape: &[usize], scale: &[f32]| {
            let nodes = vec![
                Node::new(operator, &["x", "scale", "zero"], &["n"]).with("epsilon", 0.0_f32).with("num_groups", 1),
                Node::new("Flatten", &["n"], &["flat"]),
                Node::new("MatMul", &["flat", "w"], &["y"]),
            ];
            let initializers = vec![
                Tensor::from_f32("scale", &[scale.len()], scale),
                Tensor::from_f32("zero", &[scale.len()], &vec![0.0; scale.len()]),
                Tensor::from_f32("w", &[2, 2], &[0.0, 1.0, 0.0, 1.0]),
            ];
            explained(&Question::new(graph(shape, nodes, initializers, 2), &[1.0, 3.0])).unwrap().values
        };
        assert_close(&normalised("LayerNormalization", &[2], &[2.0, 3.0]), &[-0.5, 1.5], 1e-4);
        // One scale for both: none is left, since the sum of what is normalised says nothing.
        for (operator, shape) in [("InstanceNormalization", [1, 2]), ("GroupNormalization", [2, 1])] {
            let found = normalised(operator, &shape, &[2.0]);
            assert!(found.iter().all(|value| value.abs() < 1e-4), "{operator}: {found:?}");
        }
    }

    #[test]
    fn nodes_without_a_rule_are_named() {
        // A factor that is one number for the whole picture is a gate, whatever made it.
        assert!(explained(&residual("Exp")).is_ok());
        let nodes = vec![
            Node::new("Exp", &["x"], &["e"]),
            Node::new("Sqrt", &["e"], &["s"]),
            Node::new("MatMul", &["s", "w"], &["y"]),
        ];
        let weights = Tensor::from_f32("w", &[2, 2], &[1.0; 4]);
        let error = explained(&Question::new(graph(&[2], nodes, vec![weights], 2), &[1.0, 2.0])).unwrap_err();
        assert!(error.to_string().starts_with("Relevance propagation has no rule for Sqrt (s), Exp (e);"), "{error}");
    }

    #[test]
    fn a_target_that_ignores_the_input_gets_zeros() {
        let found = explained(&Question::new(unconnected(), &[1.0, 2.0]).target("0")).unwrap();
        assert_eq!(found.values, [0.0, 0.0]);
    }

    #[test]
    fn a_box_needs_a_picture() {
        let nodes = vec![Node::new("MatMul", &["x", "w"], &["y"])];
        let weights = Tensor::from_f32("w", &[2, 2], &[1.0; 4]);
        let question = Question::new(graph(&[2], nodes, vec![weights], 2), &[1.0, 2.0]).with("composite", "z-box");
        assert!(explained(&question).unwrap_err().to_string().contains("needs an image"));
    }
}
