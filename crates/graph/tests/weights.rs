//! Where a file's weights go: once to the device, and the file's bytes go with them.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod common;

use burn::tensor::Device;
use common::{read, value};
use vitrine_graph::{Graph, InputShapes, Run};
use vitrine_onnx::{ElementType, Graph as OnnxGraph, Model, Node, Tensor, ValueInfo};

/// Elements of the weights.
const LENGTH: usize = 5000;

fn floats() -> Vec<f32> {
    (0..LENGTH).map(|number| number as f32 * 0.5).collect()
}

/// `y = x + weight`, with the weight an initializer or the value of a Constant node.
fn add(weight: Tensor, in_node: bool) -> Model {
    let (mut nodes, mut initializers) = (vec![Node::new("Add", &["x", "w"], &["y"])], vec![weight]);
    if in_node {
        let constant = initializers.remove(0);
        nodes.insert(0, Node::new("Constant", &[], &["w"]).with("value", constant));
    }
    let (inputs, outputs) = (vec![ValueInfo::float("x", &[1, LENGTH])], vec![ValueInfo::float("y", &[1, LENGTH])]);
    Model::new(17, OnnxGraph { nodes, initializers, inputs, outputs, ..OnnxGraph::default() })
}

fn answer(graph: &Graph) -> Vec<f32> {
    let trace = graph.run(&Run::of(["y"]).feed("x", value(&[1.0; LENGTH], &[1, LENGTH]))).unwrap();
    read(trace.value("y").unwrap())
}

#[test]
fn the_processor_computes_with_the_bytes_of_the_file() {
    for in_node in [false, true] {
        let model = Model::decode(&add(Tensor::from_f32("w", &[1, LENGTH], &floats()), in_node).encode()).unwrap();
        let shared = model.clone();
        let bytes = match in_node {
            false => model.graph.initializers[0].data.clone(),
            true => model.graph.nodes[0].attribute("value").unwrap().as_tensor().unwrap().data.clone(),
        };
        drop(model);
        let graph = Graph::new(shared, &Device::flex(), &InputShapes::new()).unwrap();
        assert_eq!(graph.parameters(), LENGTH);
        assert!(!bytes.is_unique(), "the weight was copied");
        let expected: Vec<f32> = floats().iter().map(|number| number + 1.0).collect();
        assert_eq!(answer(&graph), expected);
        drop(graph);
        assert!(bytes.is_unique(), "something outlives the graph");
    }
}

#[test]
fn what_is_read_in_another_way_lets_go_of_the_file() {
    let tensor = |element_type, data: Vec<u8>| Tensor {
        name: "w".into(),
        element_type,
        shape: vec![1, LENGTH],
        data: data.into(),
    };
    // 1.0 in float16, in float64, and in float32 that lies one byte beside where floats can be read.
    let halves = tensor(ElementType::Float16, 0x3c00_u16.to_le_bytes().repeat(LENGTH));
    let doubles = tensor(ElementType::Float64, 1.0_f64.to_le_bytes().repeat(LENGTH));
    let mut beside = tensor(ElementType::Float32, [&[0], &1.0_f32.to_le_bytes().repeat(LENGTH)[..]].concat());
    beside.data = beside.data.slice(1..);
    for weight in [halves, doubles, beside] {
        let element_type = weight.element_type;
        let bytes = weight.data.clone();
        let graph = Graph::new(add(weight, false), &Device::flex(), &InputShapes::new()).unwrap();
        assert!(bytes.is_unique(), "{element_type} are kept beside what was made of them");
        assert_eq!(answer(&graph), [2.0; LENGTH], "{element_type}");
    }
}
