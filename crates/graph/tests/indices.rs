//! Indices that come from pixels, nodes whose outputs have no shape before the model runs, and quantised gradients.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

mod common;

use common::{load, read, value};
use vitrine_graph::{Graph, GraphError, Probe, Run};
use vitrine_onnx::{ElementType, Graph as OnnxGraph, Node, Tensor, ValueInfo};

/// `y = table[index]`, for tables `x` of shape `[1, 3]` and one index `i` computed from the input `at`.
fn lookup() -> Graph {
    load(OnnxGraph {
        nodes: vec![
            Node::new("Cast", &["at"], &["i"]).with("to", 7_i64),
            Node::new("Gather", &["x", "i"], &["y"]).with("axis", 1_i64),
        ],
        inputs: vec![ValueInfo::float("x", &[1, 3]), ValueInfo::float("at", &[1])],
        outputs: vec![ValueInfo::float("y", &[1, 1])],
        ..OnnxGraph::default()
    })
    .unwrap()
}

#[test]
fn an_index_from_pixels_picks_its_element_and_its_gradient() {
    for (at, position) in [(0.0, 0), (2.0, 2), (-1.0, 2), (-3.0, 0)] {
        let run = Run::of(["y"]).feed("x", value(&[4.0, 5.0, 6.0], &[1, 3])).feed("at", value(&[at], &[1]));
        let trace = lookup().run(&run.probe("x", Probe::Gradient)).unwrap();
        let mut expected = [0.0; 3];
        expected[position] = 1.0;
        assert_eq!(read(trace.value("y").unwrap()), [[4.0, 5.0, 6.0][position]], "index {at}");
        let gradient = &trace.gradients(trace.value("y").unwrap()).unwrap()["x"];
        assert_eq!(read(gradient), expected, "index {at}");
    }
}

#[test]
fn an_index_from_pixels_that_leaves_its_axis_gives_no_number_and_does_not_end_the_program() {
    for at in [3.0, -4.0, 1e9] {
        let run = Run::of(["y"]).feed("x", value(&[4.0, 5.0, 6.0], &[1, 3])).feed("at", value(&[at], &[1]));
        let trace = lookup().run(&run).unwrap();
        assert!(read(trace.value("y").unwrap())[0].is_nan(), "index {at}");
    }
}

#[test]
fn a_constant_index_that_leaves_its_axis_is_refused() {
    let error = load(OnnxGraph {
        nodes: vec![Node::new("Gather", &["x", "i"], &["y"])],
        initializers: vec![Tensor::from_i64("i", &[1], &[3])],
        inputs: vec![ValueInfo::float("x", &[3])],
        outputs: vec![ValueInfo::float("y", &[1])],
        ..OnnxGraph::default()
    });
    let message = error.err().unwrap().to_string();
    assert!(message.contains("index 3 leaves an axis of length 3"), "{message}");
}

/// Scores twice as large as the input, the boxes that NonMaxSuppression keeps of them, and something made of those.
fn detector() -> Graph {
    load(OnnxGraph {
        nodes: vec![
            Node::new("Add", &["x", "x"], &["scores"]),
            Node::new("NonMaxSuppression", &["boxes", "scores"], &["kept"]).named("nms"),
            Node::new("Gather", &["scores", "kept"], &["best"]),
        ],
        initializers: vec![Tensor::from_f32("boxes", &[1, 2, 4], &[0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0])],
        inputs: vec![ValueInfo::float("x", &[1, 1, 2])],
        outputs: vec![ValueInfo::float("best", &[1]), ValueInfo::float("kept", &[1, 3])],
        ..OnnxGraph::default()
    })
    .unwrap()
}

#[test]
fn a_graph_runs_up_to_a_node_whose_outputs_have_no_shape_before() {
    let graph = detector();
    assert_eq!(graph.outputs(), ["scores"], "the values before the node stand for the outputs behind it");
    assert_eq!(graph.left_out().unwrap().len(), 1);
    let run = Run::of(["scores"]).feed("x", value(&[1.0, 3.0], &[1, 1, 2])).probe("x", Probe::Gradient);
    let trace = graph.run(&run).unwrap();
    assert_eq!(read(trace.value("scores").unwrap()), [2.0, 6.0]);
    assert_eq!(read(&trace.gradients(trace.value("scores").unwrap()).unwrap()["x"]), [2.0, 2.0]);
}

#[test]
fn a_value_behind_such_a_node_is_refused_with_the_nodes_name() {
    let run = Run::of(["best"]).feed("x", value(&[1.0, 3.0], &[1, 1, 2]));
    match detector().run(&run) {
        Err(GraphError::LeftOut { name, node, .. }) => assert_eq!((name.as_str(), node.as_str()), ("best", "nms")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn random_numbers_are_refused_by_name() {
    let error = load(OnnxGraph {
        nodes: vec![Node::new("RandomNormalLike", &["x"], &["y"])],
        inputs: vec![ValueInfo::float("x", &[3])],
        outputs: vec![ValueInfo::float("y", &[3])],
        ..OnnxGraph::default()
    });
    let message = error.err().unwrap().to_string();
    assert!(message.contains("RandomNormalLike, which draws random numbers"), "{message}");
}

#[test]
fn gradients_pass_rounding_straight_and_stop_at_saturation() {
    let zero = Tensor { name: "zero".into(), shape: vec![], element_type: ElementType::Int8, data: vec![3].into() };
    let graph = load(OnnxGraph {
        nodes: vec![
            Node::new("QuantizeLinear", &["x", "scale", "zero"], &["q"]),
            Node::new("DequantizeLinear", &["q", "scale", "zero"], &["y"]),
        ],
        initializers: vec![Tensor::from_f32("scale", &[], &[0.5]), zero],
        inputs: vec![ValueInfo::float("x", &[4])],
        outputs: vec![ValueInfo::float("y", &[4])],
        ..OnnxGraph::default()
    })
    .unwrap();
    let run = Run::of(["y", "q"]).feed("x", value(&[0.3, -1.1, 100.0, -100.0], &[4])).probe("x", Probe::Gradient);
    let trace = graph.run(&run).unwrap();
    // Halves, shifted by 3, from -128 to 127.
    assert_eq!(read(trace.value("q").unwrap()), [4.0, 1.0, 127.0, -128.0]);
    assert_eq!(read(trace.value("y").unwrap()), [0.5, -1.0, 62.0, -65.5]);
    assert_eq!(read(&trace.gradients(trace.value("y").unwrap()).unwrap()["x"]), [1.0, 1.0, 0.0, 0.0]);
}
