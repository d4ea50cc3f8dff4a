//! The trained network as an ONNX model, every value under a readable name.

use anyhow::{Context, Result};
use burn::nn::{BatchNorm, conv::Conv2d};
use burn::tensor::{Tensor, TensorData};
use vitrine_onnx::{Dimension, Graph, Model, Node, ValueInfo};

use crate::network::{Block, Layer, Network};
use crate::pictures::SIZE;

/// Name of the network's input, `[batch, 3, 64, 64]`.
const INPUT: &str = "image";
/// Name of the network's output, `[batch, classes]`.
const OUTPUT: &str = "logits";
/// Version of the standard operators that the file is written for.
const OPSET: i64 = 17;

/// The model, and the name of its last value with spatial axes.
pub(crate) fn model(network: &Network) -> Result<(Model, String)> {
    let mut graph = Graph { name: "critters".to_owned(), ..Graph::default() };
    let stem = layer(&mut graph, &network.stem, INPUT, ["stem.conv", "stem.norm"])?;
    let mut features = relu(&mut graph, &stem, "stem.relu");
    for (index, stage) in network.stages.iter().enumerate() {
        features = block(&mut graph, stage, &features, &format!("stage{}.block1", index + 1))?;
    }

    graph.nodes.push(Node::new("GlobalAveragePool", &[&features], &["pool"]));
    graph.nodes.push(Node::new("Flatten", &["pool"], &["flatten"]));
    // burn keeps a linear layer's weight as [in, out], which is what Gemm takes without transposing.
    let weight = constant(&mut graph, "classifier.weight", network.classifier.weight.val())?;
    let bias = network.classifier.bias.as_ref().context("the classifier has no bias")?;
    let [classes] = bias.dims();
    let bias = constant(&mut graph, "classifier.bias", bias.val())?;
    graph.nodes.push(Node::new("Gemm", &["flatten", &weight, &bias], &[OUTPUT]).named("classifier"));

    let (batch, side) = (|| Dimension::from("batch"), Dimension::from(usize::from(SIZE)));
    graph.inputs.push(ValueInfo::float(INPUT, &[batch(), Dimension::from(3), side.clone(), side]));
    graph.outputs.push(ValueInfo::float(OUTPUT, &[batch(), Dimension::from(classes)]));
    let model = Model::new(OPSET, graph);
    model.validate()?;
    Ok((model, features))
}

fn block(graph: &mut Graph, block: &Block, input: &str, name: &str) -> Result<String> {
    let named = |end: &str| format!("{name}.{end}");
    let first = layer(graph, &block.first, input, [&named("conv1"), &named("norm1")])?;
    let first = relu(graph, &first, &named("relu1"));
    let second = layer(graph, &block.second, &first, [&named("conv2"), &named("norm2")])?;
    let around = match &block.shortcut {
        Some(shortcut) => layer(graph, shortcut, input, [&named("shortcut.conv"), &named("shortcut.norm")])?,
        None => input.to_owned(),
    };
    graph.nodes.push(Node::new("Add", &[&second, &around], &[&named("add")]));
    Ok(relu(graph, &named("add"), &named("relu")))
}

/// A convolution and its batch normalisation, kept as two nodes.
fn layer(graph: &mut Graph, layer: &Layer, input: &str, [conv, norm]: [&str; 2]) -> Result<String> {
    convolution(graph, &layer.convolution, input, conv)?;
    normalisation(graph, &layer.normalisation, conv, norm)?;
    Ok(norm.to_owned())
}

fn convolution(graph: &mut Graph, layer: &Conv2d, input: &str, name: &str) -> Result<()> {
    let [_, _, height, width] = layer.weight.dims();
    let weight = constant(graph, &format!("{name}.weight"), layer.weight.val())?;
    let ints = |values: [usize; 2]| values.map(|value| value as i64).to_vec();
    // All our kernels are odd and padded to keep the size.
    let padding = ints([height / 2, width / 2]);
    let node = Node::new("Conv", &[input, &weight], &[name])
        .with("kernel_shape", ints([height, width]))
        .with("strides", ints(layer.stride))
        .with("pads", [padding.clone(), padding].concat());
    graph.nodes.push(node);
    Ok(())
}

fn normalisation(graph: &mut Graph, layer: &BatchNorm, input: &str, name: &str) -> Result<()> {
    let statistics = [
        ("scale", layer.gamma.val()),
        ("bias", layer.beta.val()),
        ("mean", layer.running_mean.value()),
        ("variance", layer.running_var.value()),
    ];
    let mut inputs = vec![input.to_owned()];
    for (end, values) in statistics {
        inputs.push(constant(graph, &format!("{name}.{end}"), values)?);
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    graph.nodes.push(Node::new("BatchNormalization", &inputs, &[name]).with("epsilon", layer.epsilon as f32));
    Ok(())
}

fn relu(graph: &mut Graph, input: &str, name: &str) -> String {
    graph.nodes.push(Node::new("Relu", &[input], &[name]));
    name.to_owned()
}

fn constant<const D: usize>(graph: &mut Graph, name: &str, values: Tensor<D>) -> Result<String> {
    let shape = values.dims();
    let data: TensorData = values.into_data();
    let values = data.try_to_vec::<f32>().with_context(|| format!("the values of {name} could not be read"))?;
    graph.initializers.push(vitrine_onnx::Tensor::from_f32(name, &shape, &values));
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use burn::module::Module;
    use burn::tensor::{Device, Distribution};
    use vitrine_graph::{Graph, InputShapes, Run, Value};

    use super::*;

    #[test]
    fn the_exported_model_computes_what_the_network_computes() {
        let device = Device::flex();
        let side = usize::from(SIZE);
        let random = |count| Tensor::<4>::random([count, 3, side, side], Distribution::Normal(0.0, 1.0), &device);
        // A training pass moves the running statistics off their start, where they would hide a mistake.
        let network = Network::new(10, &device.clone().autodiff());
        network.forward(random(4).to_device(&device.clone().autodiff()));
        let network = network.valid();

        let pictures = random(2);
        let expected = network.forward(pictures.clone()).into_data().try_to_vec::<f32>().unwrap();
        let (exported, target_layer) = model(&network).unwrap();
        let graph = Graph::new(Model::decode(&exported.encode()).unwrap(), &device, &InputShapes::new()).unwrap();
        let run = Run::of([OUTPUT, &target_layer]).feed(INPUT, Value::new(pictures));
        let trace = graph.run(&run).unwrap();
        assert_eq!(trace.value(&target_layer).unwrap().shape(), [2, 96, 8, 8]);

        let found = trace.value(OUTPUT).unwrap().tensor::<2>().unwrap().into_data().try_to_vec::<f32>().unwrap();
        for (expected, found) in expected.iter().zip(&found) {
            assert!((expected - found).abs() < 1e-5, "the network gives {expected}, its export {found}");
        }
    }
}
