//! The weights of layers, and the same graph with others.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod common;

use std::collections::BTreeMap;

use common::{load, read, value};
use vitrine_graph::{Graph, Run};
use vitrine_onnx::{Graph as OnnxGraph, Node, Tensor, ValueInfo};

/// Two layers: x times 2 and 3, then their sum.
fn graph() -> Graph {
    load(OnnxGraph {
        nodes: vec![
            Node::new("MatMul", &["x", "first"], &["h"]),
            Node::new("Add", &["h", "offset"], &["shifted"]),
            Node::new("Gemm", &["shifted", "second"], &["y"]),
        ],
        initializers: vec![
            Tensor::from_f32("second", &[2, 1], &[1.0, 1.0]),
            Tensor::from_f32("offset", &[1, 2], &[0.5, 0.5]),
            Tensor::from_f32("first", &[1, 2], &[2.0, 3.0]),
        ],
        inputs: vec![ValueInfo::float("x", &[1, 1])],
        outputs: vec![ValueInfo::float("y", &[1, 1])],
        ..OnnxGraph::default()
    })
    .unwrap()
}

fn answer(graph: &Graph) -> Vec<f32> {
    read(graph.run(&Run::of(["y"]).feed("x", value(&[1.0], &[1, 1]))).unwrap().value("y").unwrap())
}

#[test]
fn weights_of_layers_are_named_in_the_order_of_the_layers() {
    assert_eq!(graph().layer_weights(), ["first", "second"]);
    assert_eq!(read(&graph().weight("first").unwrap()), [2.0, 3.0]);
}

#[test]
fn another_weight_gives_another_answer_and_leaves_the_graph_as_it_was() {
    let graph = graph();
    assert_eq!(answer(&graph), [6.0]);
    let changed = graph.with_weights(&BTreeMap::from([("first".to_owned(), value(&[-1.0, 4.0], &[1, 2]))])).unwrap();
    assert_eq!((answer(&changed), answer(&graph)), (vec![4.0], vec![6.0]));
}

#[test]
fn what_is_no_weight_or_of_another_shape_is_refused() {
    let with = |name: &str| graph().with_weights(&BTreeMap::from([(name.to_owned(), value(&[1.0], &[1, 1]))]));
    assert!(with("h").is_err() && with("nothing").is_err() && with("first").is_err());
}

#[test]
fn a_graph_with_an_offset_answers_to_the_moved_input_as_before() {
    let moved = graph().with_offset("x", value(&[10.0], &[1, 1])).unwrap();
    let run = Run::of(["y", "h"]).feed("x", value(&[11.0, 12.0], &[2, 1]));
    let trace = moved.run(&run).unwrap();
    // At 1 and 2: 2 x + 3 x + 1.
    assert_eq!(read(trace.value("y").unwrap()), [6.0, 11.0]);
    assert_eq!(read(trace.value("h").unwrap()), [2.0, 3.0, 4.0, 6.0]);
    assert!(graph().with_offset("nothing", value(&[10.0], &[1, 1])).is_err());
}
