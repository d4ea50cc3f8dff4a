//! Outputs that are known before the model runs, and values of unusual shapes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use burn::tensor::Device;
use pollster::block_on;
use vitrine_graph::{Graph, GraphError, InputShapes, Run, Value};
use vitrine_onnx::{Graph as OnnxGraph, Model, Node, Tensor, ValueInfo};

/// A model of one node that makes `y`.
fn model(node: Node, constants: Vec<Tensor>) -> Model {
    let outputs = vec![ValueInfo::float::<usize>("y", &[])];
    Model::new(17, OnnxGraph { nodes: vec![node], initializers: constants, outputs, ..OnnxGraph::default() })
}

#[test]
fn an_output_computed_while_planning_can_be_read() {
    let node = Node::new("Neg", &["w"], &["y"]);
    let graph =
        Graph::new(model(node, vec![Tensor::from_f32("w", &[2], &[1.0, -2.0])]), &Device::flex(), &InputShapes::new())
            .unwrap();
    let trace = graph.run(&Run::of(["y", "w"])).unwrap();
    assert_eq!(block_on(trace.value("y").unwrap().to_vec()).unwrap(), [-1.0, 2.0]);
    assert_eq!(block_on(trace.value("w").unwrap().to_vec()).unwrap(), [1.0, -2.0]);
}

#[test]
fn a_constant_of_seven_axes_is_refused_by_name() {
    let constant = Tensor::from_f32("deep", &[1; 7], &[1.0]);
    let error =
        Graph::new(model(Node::new("Relu", &["deep"], &["y"]), vec![constant]), &Device::flex(), &InputShapes::new());
    match error.err() {
        Some(GraphError::Unsupported(refused)) => {
            assert_eq!(refused[0].operator, "a value of rank 7");
            assert_eq!(refused[0].nodes, ["deep"]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_node_that_would_make_seven_axes_is_refused_by_name() {
    let node = Node::new("Unsqueeze", &["x"], &["y"]).with("axes", vec![0, 1]);
    let mut model = model(node, Vec::new());
    model.opsets[0].version = 11;
    model.graph.inputs = vec![ValueInfo::float("x", &[2, 1, 1, 1, 1])];
    let error = Graph::new(model, &Device::flex(), &InputShapes::new()).err().unwrap().to_string();
    assert!(error.contains("of rank 7") || error.contains("with rank 7"), "{error}");
}

#[test]
fn an_input_without_elements_keeps_its_shape() {
    let mut model = model(Node::new("Relu", &["x"], &["y"]), Vec::new());
    model.graph.inputs = vec![ValueInfo::float("x", &[0, 3])];
    let graph = Graph::new(model, &Device::flex(), &InputShapes::new()).unwrap();
    let empty = Value::from_f32(&[], &[0, 3], &Device::flex());
    let trace = graph.run(&Run::of(["y"]).feed("x", empty)).unwrap();
    assert_eq!(trace.value("y").unwrap().shape(), [0, 3]);
}
