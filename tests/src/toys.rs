//! Small models for tests of every method.

use burn::tensor::Device;
use vitrine_graph::{Graph, GraphError, InputShapes, Value};
use vitrine_onnx::{Graph as OnnxGraph, Model, Node, Tensor, ValueInfo};
use vitrine_protocol::{Channels, ImageInput, Layout};

/// Height and width of the toys' input, so different that mixing them up is noticed.
pub const SIZE: [usize; 2] = [8, 12];

/// Number of classes of the toys.
pub const CLASSES: usize = 4;

/// How pixels become the toys' input: with a mean and a deviation, so that zero is not black.
pub fn pixels() -> ImageInput {
    let plain = ImageInput::plain(Layout::Nchw, Channels::Rgb, SIZE[0], SIZE[1]);
    ImageInput { mean: vec![0.5, 0.4, 0.3], std: vec![0.25, 0.3, 0.2], ..plain }
}

/// Irregular numbers from -1 to 1, always the same.
fn wave(shape: &[usize], pitch: f32) -> Vec<f32> {
    (0..shape.iter().product::<usize>()).map(|index| (index as f32 * pitch + pitch * pitch).sin()).collect()
}

fn weight(name: &str, shape: &[usize], pitch: f32, scale: f32) -> Tensor {
    let values: Vec<f32> = wave(shape, pitch).iter().map(|value| value * scale).collect();
    Tensor::from_f32(name, shape, &values)
}

/// The input `[1, 3, height, width]`: something like a normalised picture.
pub fn input(device: &Device) -> Value {
    let shape = [1, 3, SIZE[0], SIZE[1]];
    Value::from_f32(&wave(&shape, 1.3), &shape, device)
}

/// A picture without anything in it.
pub fn black_input(device: &Device) -> Value {
    let pixels = pixels();
    let black = |channel| -pixels.mean_of(channel) / pixels.std_of(channel);
    let values: Vec<f32> = (0..3).flat_map(|channel| vec![black(channel); SIZE[0] * SIZE[1]]).collect();
    Value::from_f32(&values, &[1, 3, SIZE[0], SIZE[1]], device)
}

/// Two convolutions with ReLU, the second with a stride, global average pooling and a dense layer.
///
/// # Errors
/// None; the model is sound.
pub fn convnet(device: &Device) -> Result<Graph, GraphError> {
    build(device, weight("dense", &[8, CLASSES], 2.9, 1.5))
}

/// The same, but the dense layer's weights are zero: the scores are its biases, whatever the input.
///
/// # Errors
/// None; the model is sound.
pub fn constant(device: &Device) -> Result<Graph, GraphError> {
    build(device, Tensor::from_f32("dense", &[8, CLASSES], &[0.0; 8 * CLASSES]))
}

fn build(device: &Device, dense: Tensor) -> Result<Graph, GraphError> {
    let same = || vec![1, 1, 1, 1];
    let nodes = vec![
        Node::new("Conv", &["x", "kernel1", "bias1"], &["conv1"]).with("pads", same()),
        Node::new("Relu", &["conv1"], &["relu1"]),
        Node::new("Conv", &["relu1", "kernel2"], &["conv2"]).with("pads", same()).with("strides", vec![2, 2]),
        Node::new("Relu", &["conv2"], &["relu2"]),
        Node::new("GlobalAveragePool", &["relu2"], &["pooled"]),
        Node::new("Flatten", &["pooled"], &["flat"]),
        Node::new("Gemm", &["flat", "dense", "bias"], &["scores"]),
    ];
    let initializers = vec![
        weight("kernel1", &[6, 3, 3, 3], 1.7, 0.5),
        weight("bias1", &[6], 0.9, 0.1),
        weight("kernel2", &[8, 6, 3, 3], 2.3, 0.4),
        dense,
        weight("bias", &[CLASSES], 0.7, 1.0),
    ];
    let model = Model::new(
        17,
        OnnxGraph {
            nodes,
            initializers,
            inputs: vec![ValueInfo::float("x", &[1, 3, SIZE[0], SIZE[1]])],
            outputs: vec![ValueInfo::float("scores", &[1, CLASSES])],
            ..OnnxGraph::default()
        },
    );
    Graph::new(model, device, &InputShapes::new())
}
