//! What models cost, worked out on paper.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use burn::tensor::Device;
use vitrine_graph::{Cost, Graph, InputShapes};
use vitrine_onnx::{Graph as OnnxGraph, Model, Node, Tensor, ValueInfo};

#[test]
fn convolutions_and_matrix_products_are_counted_per_image() {
    let weights = |name: &str, shape: &[usize]| Tensor::from_f32(name, shape, &vec![0.5; shape.iter().product()]);
    let onnx = OnnxGraph {
        nodes: vec![
            Node::new("Conv", &["x", "kernel"], &["c"]).with("group", 2_i64),
            Node::new("Relu", &["c"], &["r"]),
            Node::new("Flatten", &["r"], &["f"]),
            Node::new("Gemm", &["f", "dense"], &["y"]).with("transB", 1_i64),
        ],
        initializers: vec![weights("kernel", &[6, 2, 3, 3]), weights("dense", &[5, 24])],
        inputs: vec![ValueInfo::float("x", &[2, 4, 4, 4])],
        outputs: vec![ValueInfo::float("y", &[2, 5])],
        ..OnnxGraph::default()
    };
    let graph = Graph::new(Model::new(17, onnx), &Device::flex(), &InputShapes::new()).unwrap();
    let expected = Cost {
        parameters: 6 * 2 * 9 + 5 * 24,
        // 6 channels of 2x2, each from 2 channels of 3x3 (half of the 4); then 24 into 5.
        multiply_adds: 24 * 18 + 24 * 5,
        // The convolution, the ReLU, the flat copy and the answer.
        activation_bytes: 4 * (24 + 24 + 24 + 5),
    };
    assert_eq!(graph.cost().unwrap(), expected);
}
