//! FullGrad: the whole of an answer, shared out between the input (input times gradient) and every bias inside the model
//! (bias times the gradient where it is added). For a model of ReLUs the shares sum to the target; the map adds up
//! their magnitudes, layer by layer.
//!
//! Suraj Srinivas, François Fleuret: Full-Gradient Representation for Neural Network Visualization. NeurIPS 2019.
//!
//! As in the paper, a batch normalisation has the bias beta - gamma mean / sqrt(variance + epsilon); so has any addition of
//! constants. The map is the sum over psi of the input's share and of each layer's with height and width, psi being
//! magnitudes, scaled to 0..1 over the layer, summed over channels and enlarged; tokens of a transformer have the place of
//! their patch. Biases without a place, such as those of fully connected layers, count towards the completeness gap
//! alone, as in the authors' program.
//!
//! Departures: maps are enlarged with pixel centres at half-integers (the authors' program aligns corners), and nothing is
//! added to the divisor of the scaling; a layer whose shares are all the same counts as zero. Activations other than
//! ReLU, normalisations by a sample's own mean, and products of computed values have biases that depend on the input,
//! which are left out: the gap shows by how much.

use vitrine_graph::{Graph, GraphError, Recording, Run, Value, ValueSummary};
use vitrine_image::upsample_bilinear;
use vitrine_protocol::{Family, Layout, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, LocalBoxFuture,
    attribution::{check_finite, picture_size},
    observer::Progress,
    options::no_options,
    spatial_layers,
};

/// A gap above this part of the target is worth a note.
const WORTH_A_NOTE: f32 = 0.05;

/// FullGrad (Srinivas, Fleuret 2019).
///
/// `Attribution::values` is the map itself, and `shape` is `[height, width]`. The completeness gap is the sum of all shares,
/// which are signed, minus the target.
pub struct FullGrad;

impl Explainer for FullGrad {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "full-grad".to_owned(),
            name: "FullGrad".to_owned(),
            family: Family::Gradient,
            summary: "Shares the answer out among the pixels and every bias inside the model, and shows where those \
                      shares lie. It sees what plain gradients leave out, but its map adds up sizes only and does \
                      not tell for from against."
                .to_owned(),
            reference: Reference {
                authors: "Suraj Srinivas, François Fleuret".to_owned(),
                year: 2019,
                title: "Full-Gradient Representation for Neural Network Visualization".to_owned(),
                venue: "NeurIPS".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::ImageInput],
            parameters: Vec::new(),
            promises: vec![Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        no_options(context.parameters)?;
        Ok(Cost { forward_passes: 1, backward_passes: 1 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let parameters = no_options(context.parameters)?;
    let refused = || ExplainError::NotAnImage { shape: context.shape().to_vec() };
    let size = picture_size(context.shape(), context.layout()).ok_or_else(refused)?;
    let mut progress = Progress::start(context.observer, 1);
    let (graph, logits) = (context.graph, context.target.head().logits());
    let recording = graph.record(&Run::of([logits]).feed(context.input_name, context.input.clone()))?;
    let (objective, start) = context.gradient_at_logits(graph, recording.value(graph, logits)?)?;
    let prediction = objective.to_vec().await?.first().copied().unwrap_or(f32::NAN);
    check_finite(&[prediction], "The target at the input", "check the input's values and the model card")?;

    let biases = biases(graph, &recording)?;
    let names: Vec<&str> = biases.iter().map(|(layer, _)| layer.name.as_str()).chain([context.input_name]).collect();
    let mut derivative =
        |unit: &vitrine_graph::Unit<'_>, arrived: &[Option<Value>]| unit.pull_back(unit.inputs(), arrived);
    let gradients = graph.propagate::<GraphError>(&recording, (logits, start), &names, &mut derivative)?;

    let mut full = Full { size, values: vec![0.0; size[0] * size[1]], sum: 0.0 };
    if let Some(gradient) = gradients.get(context.input_name) {
        let share = gradient.mul(context.input)?.to_vec().await?;
        full.count(&share)?;
        full.show(&share, context.shape(), context.layout());
    }
    let spatial = spatial_layers(graph, Some(size), context.tokens)?;
    for (layer, bias) in &biases {
        let Some(gradient) = gradients.get(&layer.name) else { continue };
        let share = gradient.mul(bias)?;
        full.count(&share.to_vec().await?)?;
        if let Some(layer) = spatial.iter().find(|spatial| spatial.name == layer.name) {
            let [height, width] = layer.size();
            let planes = layer.planes(&share)?.to_vec().await?;
            full.show(&planes, &[layer.channels(), height, width], Layout::Nchw);
        }
    }
    progress.advance(1).await?;
    let gap = (full.sum - f64::from(prediction)) as f32;
    let mut notes = Vec::new();
    if gap.abs() > WORTH_A_NOTE * prediction.abs() && gap.abs() > 1e-4 {
        notes.push(format!(
            "The shares of input and biases sum to {:.3}, and the target is {prediction:.3}: the rest comes from nodes whose \
             bias depends on the input, such as activations other than ReLU.",
            prediction + gap
        ));
    }
    Ok(Attribution {
        map: HeatMap { height: size[0], width: size[1], values: full.values.clone() },
        values: full.values,
        shape: size.to_vec(),
        prediction,
        completeness_gap: Some(gap),
        forward_passes: 1,
        backward_passes: 1,
        parameters,
        notes,
        ..Attribution::default()
    })
}

/// The map and the sum of all shares so far.
struct Full {
    size: [usize; 2],
    values: Vec<f32>,
    sum: f64,
}

impl Full {
    /// Counts a layer's shares to the sum.
    fn count(&mut self, share: &[f32]) -> Result<(), ExplainError> {
        check_finite(share, "A share of the target", "the model's numbers overflow; try another target")?;
        self.sum += share.iter().copied().map(f64::from).sum::<f64>();
        Ok(())
    }

    /// Adds psi of shares that have a place to the map.
    fn show(&mut self, share: &[f32], shape: &[usize], layout: Layout) {
        let magnitudes = || share.iter().map(|value| value.abs());
        let (low, high) = (magnitudes().fold(f32::INFINITY, f32::min), magnitudes().fold(0.0, f32::max));
        if high > low {
            let scaled: Vec<f32> = magnitudes().map(|value| (value - low) / (high - low)).collect();
            let map = HeatMap::of_input(&scaled, shape, layout);
            let enlarged = upsample_bilinear(&map.values, [map.height, map.width], self.size);
            self.values.iter_mut().zip(enlarged).for_each(|(sum, value)| *sum += value);
        }
    }
}

/// The layers that add a bias, with what they add, of a shape that broadcasts to the layer's.
fn biases(graph: &Graph, recording: &Recording) -> Result<Vec<(ValueSummary, Value)>, ExplainError> {
    let mut found = Vec::new();
    for layer in graph.values()? {
        // What the answer does not need was not computed.
        if recording.value(graph, &layer.name).is_ok()
            && let Some(bias) = bias(graph, recording, &layer)?
        {
            found.push((layer, bias));
        }
    }
    Ok(found)
}

fn bias(graph: &Graph, recording: &Recording, layer: &ValueSummary) -> Result<Option<Value>, ExplainError> {
    let Some(node) = graph.producer(&layer.name).filter(|node| node.outputs.first() == Some(&layer.name)) else {
        return Ok(None);
    };
    let constant = |at: usize| -> Result<Option<Value>, GraphError> {
        let Some(name) = node.inputs.get(at).filter(|name| !name.is_empty()) else { return Ok(None) };
        if recording.value(graph, name).is_ok() {
            return Ok(None);
        }
        Ok(Some(graph.run(&Run::of([name.as_str()]))?.value(name)?.clone()).filter(Value::is_float))
    };
    // A number for each channel stands along the second axis.
    let per_channel = |bias: Value| -> Result<Value, GraphError> {
        let mut shape = vec![1; layer.shape.len()];
        match shape.get_mut(1) {
            Some(channels) => *channels = bias.len(),
            None => return Ok(bias),
        }
        bias.reshape(&shape)
    };
    let number = |name: &str, default: f32| node.attribute(name).and_then(|value| value.as_float()).unwrap_or(default);
    Ok(match node.operator.as_str() {
        "Conv" | "ConvTranspose" | "InstanceNormalization" => constant(2)?.map(per_channel).transpose()?,
        "LayerNormalization" => constant(2)?,
        "Gemm" => constant(2)?.map(|bias| bias.map(|bias| bias * number("beta", 1.0))).transpose()?,
        "BatchNormalization" => match (constant(1)?, constant(2)?, constant(3)?, constant(4)?) {
            (Some(scale), Some(offset), Some(mean), Some(variance)) => {
                let deviation = variance.map(|variance| (variance + number("epsilon", 1e-5)).sqrt())?;
                Some(per_channel(offset.sub(&scale.mul(&mean)?.div(&deviation)?)?)?)
            }
            _ => None,
        },
        "Add" | "Sub" => match (constant(0)?, constant(1)?) {
            (Some(bias), None) => Some(bias),
            (None, Some(bias)) if node.operator == "Sub" => Some(bias.map(|bias| -bias)?),
            (None, Some(bias)) => Some(bias),
            _ => None,
        },
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use vitrine_onnx::{Node, Tensor};

    use super::*;
    use crate::testing::{Question, assert_close, graph, squares};

    /// A picture of 2 x 2, a 1 x 1 convolution by 2 with a bias of -1, batch normalisation with scale 3, offset 1, mean 2 and
    /// variance 4, ReLU, the sum of all with weights 1, 2, 3 and 4, and a bias of 10.
    fn question() -> Question {
        let nodes = vec![
            Node::new("Conv", &["x", "k", "b"], &["c"]),
            Node::new("BatchNormalization", &["c", "scale", "offset", "mean", "variance"], &["n"])
                .with("epsilon", 0.0_f32),
            Node::new("Relu", &["n"], &["r"]),
            Node::new("Flatten", &["r"], &["flat"]),
            Node::new("MatMul", &["flat", "w"], &["product"]),
            Node::new("Add", &["product", "ten"], &["y"]),
        ];
        let initializers = vec![
            Tensor::from_f32("k", &[1, 1, 1, 1], &[2.0]),
            Tensor::from_f32("b", &[1], &[-1.0]),
            Tensor::from_f32("scale", &[1], &[3.0]),
            Tensor::from_f32("offset", &[1], &[1.0]),
            Tensor::from_f32("mean", &[1], &[2.0]),
            Tensor::from_f32("variance", &[1], &[4.0]),
            Tensor::from_f32("w", &[4, 2], &[0.0, 1.0, 0.0, 2.0, 0.0, 3.0, 0.0, 4.0]),
            Tensor::from_f32("ten", &[2], &[0.0, 10.0]),
        ];
        Question::new(graph(&[1, 2, 2], nodes, initializers, 2), &[1.0, 2.0, 3.0, -1.0])
    }

    /// Batch normalisation is 1.5 c - 2, so with c = 2 x - 1 it is 3 x - 3.5: -0.5, 2.5, 5.5 and -6.5. The second and third
    /// pixel are on, with gradients of 2 and 3 behind the ReLU: 2 * 2.5 + 3 * 5.5 + 10 = 31.5. Shares: of the input
    /// 2 * 3 * 2 = 12 and 3 * 3 * 3 = 27; of the convolution's bias 2 * 1.5 * -1 = -3 and -4.5; of the normalisation's
    /// bias 2 * -2 = -4 and -6; of the last bias 10, which has no place. Scaled, they are 12/27, 3/4.5 and 4/6, and 1.
    #[test]
    fn the_shares_are_those_of_the_formula_and_sum_to_the_target() {
        let found = pollster::block_on(FullGrad.explain(&question().context())).unwrap();
        assert_eq!(found.prediction, 31.5);
        assert!(found.completeness_gap.unwrap().abs() < 1e-4, "{:?}", found.completeness_gap);
        assert_close(&found.values, &[0.0, 12.0 / 27.0 + 2.0 * 2.0 / 3.0, 3.0, 0.0], 1e-6);
        assert_eq!(found.shape, [2, 2]);
        assert!(found.notes.is_empty(), "{:?}", found.notes);
    }

    /// Squares have an implicit bias of minus the square, which no constant shows: the shares sum to twice the target.
    #[test]
    fn what_no_bias_explains_is_told() {
        let nodes = vec![
            Node::new("Mul", &["x", "x"], &["squared"]),
            Node::new("Flatten", &["squared"], &["flat"]),
            Node::new("MatMul", &["flat", "w"], &["y"]),
        ];
        let weights = Tensor::from_f32("w", &[2, 2], &[1.0; 4]);
        let question = Question::new(graph(&[1, 1, 2], nodes, vec![weights], 2), &[1.0, 2.0]);
        let found = pollster::block_on(FullGrad.explain(&question.context())).unwrap();
        assert!((found.completeness_gap.unwrap() - 5.0).abs() < 1e-5, "{:?}", found.completeness_gap);
        assert!(found.notes[0].contains("sum to 10.000, and the target is 5.000"), "{:?}", found.notes);
        let error =
            pollster::block_on(FullGrad.explain(&Question::new(squares(2), &[1.0, 2.0]).context())).unwrap_err();
        assert!(error.to_string().contains("needs an image"), "{error}");
    }
}
