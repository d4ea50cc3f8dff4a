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
    graph(device, nodes, initializers)
}

/// [`convnet`] by other nodes: its first convolution in two parts, its bias apart, maxima for ReLUs, padding apart, means
/// and products for pooling and the dense layer.
///
/// # Errors
/// None; the model is sound.
pub fn rewritten_convnet(device: &Device) -> Result<Graph, GraphError> {
    let same = || vec![1, 1, 1, 1];
    let nodes = vec![
        Node::new("Conv", &["x", "most"], &["part1"]).with("pads", same()),
        Node::new("Conv", &["x", "rest"], &["part2"]).with("pads", same()),
        Node::new("Add", &["part1", "part2"], &["parts"]),
        Node::new("Add", &["parts", "bias1"], &["conv1"]),
        Node::new("Max", &["conv1", "zero"], &["relu1"]),
        Node::new("Pad", &["relu1", "margins"], &["padded"]),
        Node::new("Conv", &["padded", "kernel2"], &["conv2"]).with("strides", vec![2, 2]),
        Node::new("Abs", &["conv2"], &["magnitude"]),
        Node::new("Add", &["conv2", "magnitude"], &["twice"]),
        Node::new("ReduceMean", &["twice"], &["pooled"]).with("axes", vec![2, 3]).with("keepdims", 0),
        Node::new("MatMul", &["pooled", "dense"], &["product"]),
        Node::new("Add", &["product", "bias"], &["scores"]),
    ];
    let initializers = vec![
        weight("most", &[6, 3, 3, 3], 1.7, 0.75 * 0.5),
        weight("rest", &[6, 3, 3, 3], 1.7, 0.25 * 0.5),
        Tensor::from_f32("bias1", &[6, 1, 1], &wave(&[6], 0.9).iter().map(|value| value * 0.1).collect::<Vec<_>>()),
        Tensor::from_f32("zero", &[], &[0.0]),
        Tensor::from_i64("margins", &[8], &[0, 0, 1, 1, 0, 0, 1, 1]),
        weight("kernel2", &[8, 6, 3, 3], 2.3, 0.4),
        weight("dense", &[8, CLASSES], 2.9, 0.5 * 1.5),
        weight("bias", &[CLASSES], 0.7, 1.0),
    ];
    graph(device, nodes, initializers)
}

/// A linear model of an input of ones and minus ones, and its exact map: what each pixel, all channels together, adds to
/// the score of class 0. Every pixel adds something, few much; the other classes score zero.
///
/// # Errors
/// None; the model is sound.
pub fn linear(device: &Device) -> Result<(Graph, Value, Vec<f32>), GraphError> {
    let (area, shape) = (SIZE[0] * SIZE[1], [1, 3, SIZE[0], SIZE[1]]);
    let signs: Vec<f32> = wave(&shape, 1.3).iter().map(|value| value.signum()).collect();
    let shares: Vec<f32> = wave(&[area], 2.1).iter().map(|value| 0.01 + (0.5 + 0.5 * value).powi(4)).collect();
    // The score is 3: its probability is far from 0 and from 1.
    let scale = 3.0 / shares.iter().sum::<f32>();
    let exact: Vec<f32> = shares.iter().map(|share| scale * share).collect();
    let mut weights = vec![0.0; 3 * area * CLASSES];
    for (index, sign) in signs.iter().enumerate() {
        weights[index * CLASSES] = sign * exact[index % area] / 3.0;
    }
    let nodes =
        vec![Node::new("Flatten", &["x"], &["flat"]), Node::new("Gemm", &["flat", "dense", "bias"], &["scores"])];
    let initializers = vec![
        Tensor::from_f32("dense", &[3 * area, CLASSES], &weights),
        Tensor::from_f32("bias", &[CLASSES], &[0.0; CLASSES]),
    ];
    Ok((graph(device, nodes, initializers)?, Value::from_f32(&signs, &shape, device), exact))
}

/// Two pixels, by row and column, that [`with_equal_pixels`] treats alike and [`equal_input`] has alike.
pub const EQUAL: [[usize; 2]; 2] = [[2, 3], [5, 7]];

/// The pixel that [`with_equal_pixels`] does not look at.
pub const UNSEEN: [usize; 2] = [6, 1];

fn pixel_index([row, column]: [usize; 2]) -> usize {
    row * SIZE[1] + column
}

/// Two dense layers with a ReLU between them.
///
/// # Errors
/// None; the model is sound.
pub fn with_equal_pixels(device: &Device) -> Result<Graph, GraphError> {
    const UNITS: usize = 10;
    let area = SIZE[0] * SIZE[1];
    let mut dense = wave(&[3 * area, UNITS], 1.9);
    for channel in 0..3 {
        let row = |pixel| (channel * area + pixel_index(pixel)) * UNITS;
        dense.copy_within(row(EQUAL[0])..row(EQUAL[0]) + UNITS, row(EQUAL[1]));
        dense[row(UNSEEN)..][..UNITS].fill(0.0);
    }
    let nodes = vec![
        Node::new("Flatten", &["x"], &["flat"]),
        Node::new("Gemm", &["flat", "dense1", "bias1"], &["units"]),
        Node::new("Relu", &["units"], &["relu"]),
        Node::new("Gemm", &["relu", "dense2", "bias2"], &["scores"]),
    ];
    let initializers = vec![
        Tensor::from_f32("dense1", &[3 * area, UNITS], &dense),
        weight("bias1", &[UNITS], 0.9, 0.5),
        weight("dense2", &[UNITS, CLASSES], 2.3, 1.0),
        weight("bias2", &[CLASSES], 0.7, 1.0),
    ];
    graph(device, nodes, initializers)
}

/// [`input`] with two equal pixels.
pub fn equal_input(device: &Device) -> Value {
    let shape = [1, 3, SIZE[0], SIZE[1]];
    let mut values = wave(&shape, 1.3);
    for plane in values.chunks_mut(SIZE[0] * SIZE[1]) {
        plane[pixel_index(EQUAL[1])] = plane[pixel_index(EQUAL[0])];
    }
    Value::from_f32(&values, &shape, device)
}

/// A graph of these nodes from `x` to `scores`.
fn graph(device: &Device, nodes: Vec<Node>, initializers: Vec<Tensor>) -> Result<Graph, GraphError> {
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
