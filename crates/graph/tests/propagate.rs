//! Backward walks: the rule of derivatives gives gradients, and other rules act where they should.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod common;

use common::{load, read, value};
use vitrine_graph::{Graph, GraphError, Probe, Run, Unit, Value};
use vitrine_onnx::{Dimension, Graph as OnnxGraph, Node, Tensor, ValueInfo};

/// x [n, 4] is split; one half goes through a layer and a Silu written out, the other is squared; both and the input's
/// first half meet again.
fn branching() -> Graph {
    load(OnnxGraph {
        nodes: vec![
            Node::new("Split", &["x"], &["a", "b"]).with("axis", -1).with("num_outputs", 2),
            Node::new("MatMul", &["a", "w"], &["p"]),
            Node::new("Add", &["p", "bias"], &["h"]),
            Node::new("Sigmoid", &["h"], &["gate"]),
            Node::new("Mul", &["h", "gate"], &["silu"]),
            Node::new("Mul", &["b", "b"], &["squares"]),
            Node::new("Sum", &["silu", "squares", "a"], &["sum"]),
            Node::new("ReduceSum", &["sum", "last"], &["y"]).with("keepdims", 0),
        ],
        initializers: vec![
            Tensor::from_f32("w", &[2, 2], &[1.0, -2.0, 0.5, 3.0]),
            Tensor::from_f32("bias", &[2], &[0.1, -0.2]),
            Tensor::from_i64("last", &[1], &[-1]),
        ],
        inputs: vec![ValueInfo::float("x", &[Dimension::from("n"), 4.into()])],
        outputs: vec![ValueInfo { name: "y".into(), ..ValueInfo::default() }],
        ..OnnxGraph::default()
    })
    .unwrap()
}

type Sent = Result<Vec<Option<Value>>, GraphError>;

fn derivatives(unit: &Unit<'_>, arrived: &[Option<Value>]) -> Sent {
    unit.pull_back(unit.inputs(), arrived)
}

#[test]
fn the_rule_of_derivatives_gives_the_gradients() {
    let graph = branching();
    let x = value(&[0.5, -1.0, 2.0, 0.25, 1.5, 0.75, -3.0, 1.0], &[2, 4]);
    let run = Run::of(["y"]).feed("x", x);
    let trace = graph.run(&run.clone().probe("x", Probe::Gradient).probe("h", Probe::Gradient)).unwrap();
    let expected = trace.gradients(trace.value("y").unwrap()).unwrap();

    let recording = graph.record(&run).unwrap();
    let mut units = Vec::new();
    let mut rule = |unit: &Unit<'_>, arrived: &[Option<Value>]| {
        units.push(unit.operator().to_owned());
        derivatives(unit, arrived)
    };
    let found = graph.propagate(&recording, ("y", value(&[1.0, 1.0], &[2])), &["x", "h"], &mut rule).unwrap();
    for name in ["x", "h"] {
        let (found, expected) = (read(&found[name]), read(&expected[name]));
        assert!(found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5), "{name}: {found:?}, {expected:?}");
    }
    // `h`, where something is to arrive, ends the linear layer, which stays whole; so does the Silu.
    assert_eq!(units, ["ReduceSum", "Sum", "Mul", "Silu", "Linear", "Split"]);
}

#[test]
fn a_block_is_taken_apart_where_the_walk_ends_inside_it() {
    let graph = branching();
    let recording = graph.record(&Run::of(["y"]).feed("x", value(&[0.5, -1.0, 2.0, 0.25], &[1, 4]))).unwrap();
    let mut units = Vec::new();
    let mut rule = |unit: &Unit<'_>, arrived: &[Option<Value>]| {
        units.push(unit.operator().to_owned());
        derivatives(unit, arrived)
    };
    let found = graph.propagate(&recording, ("y", value(&[1.0], &[1])), &["gate"], &mut rule).unwrap();
    // The derivative of h * gate by the gate is h = (0.5 - 0.5 + 0.1, -1 - 3 - 0.2).
    let (found, expected) = (read(&found["gate"]), [0.1, -4.2]);
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}");
    assert_eq!(units, ["ReduceSum", "Sum", "Mul"]);
}

#[test]
fn a_rule_sees_inputs_weights_and_what_arrives() {
    let graph = branching();
    let recording = graph.record(&Run::of(["y"]).feed("x", value(&[0.5, -1.0, 2.0, 0.25], &[1, 4]))).unwrap();
    let mut rule = |unit: &Unit<'_>, arrived: &[Option<Value>]| {
        if unit.operator() == "Linear" {
            let shapes: Vec<&[usize]> = unit.inputs().iter().map(Value::shape).collect();
            assert_eq!(shapes, [&[1, 2][..], &[2, 2], &[2]]);
            assert_eq!((unit.variables(), unit.name()), (vec![0], "h"));
            assert_eq!(read(&unit.run(unit.inputs()).unwrap()[0]), read(&unit.outputs()[0]));
            return Ok(vec![Some(value(&[10.0, 20.0], &[1, 2])), None, None]);
        }
        derivatives(unit, arrived)
    };
    let found = graph.propagate(&recording, ("y", value(&[1.0], &[1])), &["x"], &mut rule).unwrap();
    // The first half has the rule's numbers and 1 from the sum, the second twice its value.
    assert_eq!(read(&found["x"]), [11.0, 21.0, 4.0, 0.5]);
}

#[test]
fn nothing_arrives_where_the_value_does_not_depend() {
    let graph = branching();
    let recording = graph.record(&Run::of(["y", "squares"]).feed("x", value(&[1.0; 4], &[1, 4]))).unwrap();
    let found = graph.propagate(&recording, ("squares", value(&[1.0, 1.0], &[1, 2])), &["h"], &mut derivatives);
    assert!(found.unwrap().is_empty());
    let error = graph.propagate(&recording, ("nowhere", value(&[1.0], &[1])), &["x"], &mut derivatives);
    assert!(matches!(error, Err(GraphError::UnknownValue { .. })));
}
