//! A trained network as an ONNX model, every value under a readable name.

use anyhow::{Context, Result};
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, LayerNorm, Linear, PaddingConfig2d};
use burn::tensor::{Tensor, TensorData};
use vitrine_onnx::{Dimension, Graph, Model, Node, ValueInfo};
use vitrine_protocol::ImageInput;

use crate::recipe::{Network, Recipe};

/// Name of every network's input, `[batch, channels, height, width]`.
pub(crate) const INPUT: &str = "image";
/// Version of the standard operators that the files are written for.
const OPSET: i64 = 17;

/// A file being written.
#[derive(Debug)]
pub(crate) struct File {
    graph: Graph,
}

/// The model, and the name of the value that class activation maps should look at.
pub(crate) fn model<R: Recipe>(network: &R::Network) -> Result<(Model, Option<String>)> {
    let mut file = File { graph: Graph { name: R::ID.to_owned(), ..Graph::default() } };
    let target_layer = network.export(&mut file)?;
    let ImageInput { width, height, channels, .. } = R::card().input;
    let shape = [Dimension::from("batch"), channels.count().into(), height.into(), width.into()];
    file.graph.inputs.push(ValueInfo::float(INPUT, &shape));
    let model = Model::new(OPSET, file.graph);
    model.validate()?;
    Ok((model, target_layer))
}

impl File {
    /// A node without attributes; gives the name of its value.
    pub(crate) fn node(&mut self, operator: &str, inputs: &[&str], name: &str) -> String {
        self.push(Node::new(operator, inputs, &[name]))
    }

    /// A node; gives the name of its value.
    pub(crate) fn push(&mut self, node: Node) -> String {
        let name = node.outputs.first().cloned().unwrap_or_default();
        self.graph.nodes.push(node);
        name
    }

    /// An output with these lengths after the batch axis.
    pub(crate) fn output(&mut self, name: &str, lengths: &[usize]) {
        let lengths = lengths.iter().map(|&length| Dimension::from(length));
        let shape: Vec<Dimension> = [Dimension::from("batch")].into_iter().chain(lengths).collect();
        self.graph.outputs.push(ValueInfo::float(name, &shape));
    }

    /// Weights.
    pub(crate) fn weights<const D: usize>(&mut self, name: &str, values: Tensor<D>) -> Result<String> {
        let shape = values.dims();
        let data: TensorData = values.into_data();
        let values = data.try_to_vec::<f32>().with_context(|| format!("the values of {name} could not be read"))?;
        Ok(self.numbers(name, &shape, &values))
    }

    /// Constants.
    pub(crate) fn numbers(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        self.graph.initializers.push(vitrine_onnx::Tensor::from_f32(name, shape, values));
        name.to_owned()
    }

    /// A list of integers.
    pub(crate) fn integers(&mut self, name: &str, values: &[i64]) -> String {
        self.graph.initializers.push(vitrine_onnx::Tensor::from_i64(name, &[values.len()], values));
        name.to_owned()
    }

    /// The same values in another shape; a length of 0 stays, one of -1 is what is left.
    pub(crate) fn reshape(&mut self, input: &str, shape: &[i64], name: &str) -> String {
        let shape = self.integers(&format!("{name}.shape"), shape);
        self.node("Reshape", &[input, &shape], name)
    }

    /// The same values with the axes in another order.
    pub(crate) fn transpose(&mut self, input: &str, order: &[i64], name: &str) -> String {
        self.push(Node::new("Transpose", &[input], &[name]).with("perm", order.to_vec()))
    }

    pub(crate) fn convolution(&mut self, layer: &Conv2d, input: &str, name: &str) -> Result<String> {
        let [_, _, height, width] = layer.weight.dims();
        let weight = self.weights(&format!("{name}.weight"), layer.weight.val())?;
        let bias = match &layer.bias {
            Some(bias) => Some(self.weights(&format!("{name}.bias"), bias.val())?),
            None => None,
        };
        let ints = |values: &[usize]| values.iter().map(|&value| value as i64).collect::<Vec<_>>();
        let pads = match layer.padding {
            PaddingConfig2d::Explicit(top, left, bottom, right) => [top, left, bottom, right],
            PaddingConfig2d::Valid => [0; 4],
            PaddingConfig2d::Same => [height / 2, width / 2, height / 2, width / 2],
        };
        let inputs: Vec<&str> = [input, &weight].into_iter().chain(bias.as_deref()).collect();
        let node = Node::new("Conv", &inputs, &[name])
            .with("kernel_shape", ints(&[height, width]))
            .with("strides", ints(&layer.stride))
            .with("pads", ints(&pads));
        Ok(self.push(node))
    }

    pub(crate) fn batch_norm(&mut self, layer: &BatchNorm, input: &str, name: &str) -> Result<String> {
        let statistics = [
            ("scale", layer.gamma.val()),
            ("bias", layer.beta.val()),
            ("mean", layer.running_mean.value()),
            ("variance", layer.running_var.value()),
        ];
        let mut inputs = vec![input.to_owned()];
        for (end, values) in statistics {
            inputs.push(self.weights(&format!("{name}.{end}"), values)?);
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        Ok(self.push(Node::new("BatchNormalization", &inputs, &[name]).with("epsilon", layer.epsilon as f32)))
    }

    /// Layer normalisation over the last axis, with this epsilon.
    pub(crate) fn layer_norm(&mut self, layer: &LayerNorm, epsilon: f64, input: &str, name: &str) -> Result<String> {
        let scale = self.weights(&format!("{name}.scale"), layer.gamma.val())?;
        let bias = layer.beta.as_ref().context("the layer normalisation has no bias")?;
        let bias = self.weights(&format!("{name}.bias"), bias.val())?;
        let node = Node::new("LayerNormalization", &[input, &scale, &bias], &[name])
            .with("axis", -1)
            .with("epsilon", epsilon as f32);
        Ok(self.push(node))
    }

    /// The average over a picture's places, `[batch, channels]`.
    pub(crate) fn averages(&mut self, input: &str) -> String {
        self.node("GlobalAveragePool", &[input], "pool");
        self.node("Flatten", &["pool"], "flatten")
    }

    /// A linear layer on `[batch, in]`, the model's last: it makes the output `logits`.
    pub(crate) fn classifier(&mut self, layer: &Linear, input: &str) -> Result<()> {
        // burn keeps a linear layer's weight as [in, out], which is what Gemm takes without transposing.
        let [_, classes] = layer.weight.dims();
        let weight = self.weights("classifier.weight", layer.weight.val())?;
        let bias = match &layer.bias {
            Some(bias) => Some(self.weights("classifier.bias", bias.val())?),
            None => None,
        };
        let inputs: Vec<&str> = [input, &weight].into_iter().chain(bias.as_deref()).collect();
        self.push(Node::new("Gemm", &inputs, &["logits"]).named("classifier"));
        self.output("logits", &[classes]);
        Ok(())
    }

    /// A linear layer on the last axis: a product and a sum.
    pub(crate) fn linear(&mut self, layer: &Linear, input: &str, name: &str) -> Result<String> {
        let weight = self.weights(&format!("{name}.weight"), layer.weight.val())?;
        let bias = layer.bias.as_ref().context("the linear layer has no bias")?;
        let bias = self.weights(&format!("{name}.bias"), bias.val())?;
        let product = self.node("MatMul", &[input, &weight], &format!("{name}.product"));
        Ok(self.node("Add", &[&product, &bias], name))
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Module;
    use burn::tensor::{Device, Distribution};
    use vitrine_graph::{Graph, InputShapes, Run, Value};

    use super::*;
    use crate::recipes::*;

    /// The network and its export on the same pictures, by the first channels of the network's scores, which the graph
    /// calls `scores`.
    fn compare<R: Recipe>(scores: &str, channels: usize) {
        let device = Device::flex();
        let input = R::card().input;
        let shape = |count| [count, input.channels.count(), input.height, input.width];
        let random = |count| Tensor::<4>::random(shape(count), Distribution::Normal(0.0, 1.0), &device);
        // A training pass moves the running statistics off their start, where they would hide a mistake.
        let network = R::Network::new(&device.clone().autodiff());
        network.forward(random(4).to_device(&device.clone().autodiff()));
        let network = network.valid();

        let pictures = random(2);
        let expected =
            network.forward(pictures.clone()).narrow(1, 0, channels).into_data().try_to_vec::<f32>().unwrap();
        let (exported, target_layer) = model::<R>(&network).unwrap();
        let graph = Graph::new(Model::decode(&exported.encode()).unwrap(), &device, &InputShapes::new()).unwrap();
        let names: Vec<&str> = graph.outputs().to_vec();
        let run = Run::of(names.into_iter().chain([scores]).chain(target_layer.as_deref()));
        let trace = graph.run(&run.feed(INPUT, Value::new(pictures))).unwrap();
        let found = trace.value(scores).unwrap();
        let count: usize = found.shape().iter().product();
        let found = match found.shape().len() {
            2 => found.tensor::<2>().unwrap().reshape([count]),
            3 => found.tensor::<3>().unwrap().reshape([count]),
            _ => found.tensor::<4>().unwrap().reshape([count]),
        };
        let found: Vec<f32> = found.into_data().try_to_vec().unwrap();
        assert_eq!(expected.len(), found.len());
        for (expected, found) in expected.iter().zip(&found) {
            assert!((expected - found).abs() < 1e-4, "{}: the network gives {expected}, its export {found}", R::ID);
        }
    }

    #[test]
    fn exported_classifiers_compute_what_their_networks_compute() {
        compare::<Critters>("logits", 10);
        compare::<CrittersNoBias>("logits", 10);
        compare::<CrittersBagNet>("logits", 10);
        compare::<CrittersVit>("logits", 10);
        compare::<Digits>("logits", 10);
    }

    #[test]
    fn exported_detector_and_segmenter_compute_what_their_networks_compute() {
        compare::<CrittersDetector>("classes.cells", 10);
        compare::<CrittersSegmenter>("planes.half", 11);
    }
}
