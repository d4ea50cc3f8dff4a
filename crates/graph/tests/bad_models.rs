//! Models that are right as files but cannot be run are refused with one sentence, at once and without taking memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

use std::time::{Duration, Instant};

use burn::tensor::Device;
use vitrine_graph::{Graph, InputShapes};
use vitrine_onnx::{Dimension, Graph as OnnxGraph, Model, Node, Tensor, ValueInfo};

const HUGE: i64 = 1 << 40;

fn refusal(nodes: Vec<Node>, initializers: Vec<Tensor>, input: &[Dimension]) -> String {
    let onnx = OnnxGraph {
        nodes,
        initializers,
        inputs: vec![ValueInfo::float("x", input)],
        outputs: vec![ValueInfo { name: "y".into(), ..ValueInfo::default() }],
        ..OnnxGraph::default()
    };
    let started = Instant::now();
    let result = Graph::new(Model::new(17, onnx), &Device::flex(), &InputShapes::new());
    // Milliseconds on an idle machine.
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let message = result.err().expect("it should be refused").to_string();
    assert!(message.ends_with('.'), "no sentence: {message}");
    message
}

#[test]
fn absurd_dimensions_are_refused_with_the_name_of_the_node() {
    let x = [1.into(), 2.into()];
    let target = |values: &[i64]| vec![Tensor::from_i64("target", &[values.len()], values)];
    let node = |operator: &str, inputs: &[&str]| vec![Node::new(operator, inputs, &["y"]).named("here")];
    let filled = |shape: &[i64]| {
        let nodes = vec![
            Node::new("ConstantOfShape", &["target"], &["c"]).named("here"),
            Node::new("Add", &["x", "c"], &["y"]),
        ];
        refusal(nodes, target(shape), &x)
    };
    let range = |bounds: [i64; 3]| {
        let nodes = vec![Node::new("Range", &["a", "b", "c"], &["y"]).named("here")];
        let bound = |(name, value): (&str, i64)| Tensor::from_i64(name, &[], &[value]);
        refusal(nodes, ["a", "b", "c"].into_iter().zip(bounds).map(bound).collect(), &x)
    };
    let messages = [
        refusal(node("Reshape", &["x", "target"]), target(&[HUGE, HUGE]), &x),
        refusal(node("Expand", &["x", "target"]), target(&[HUGE, 2]), &x),
        refusal(node("Expand", &["x", "target"]), target(&[HUGE, HUGE, 2]), &x),
        refusal(node("Expand", &["target", "target"]), target(&[HUGE, 2]), &x),
        refusal(node("Tile", &["x", "target"]), target(&[HUGE, HUGE]), &x),
        filled(&[HUGE]),
        filled(&[HUGE, HUGE, HUGE]),
        filled(&[1 << 30]),
        range([0, HUGE, 1]),
        range([0, i64::MAX, 1]),
        refusal(vec![Node::new("Resize", &["x", "", "", "target"], &["y"]).named("here")], target(&[1, HUGE]), &x),
    ];
    for message in messages {
        assert!(message.contains("here"), "{message}");
    }
}

#[test]
fn an_absurd_input_is_refused_with_its_name() {
    for shape in [[Dimension::from(1), (1 << 40).into()], ["n".into(), (1 << 40).into()]] {
        let message = refusal(vec![Node::new("Relu", &["x"], &["y"])], vec![], &shape);
        assert!(message.starts_with("Input \"x\" has shape [1, 1099511627776]"), "{message}");
    }
}

#[test]
fn constants_that_a_small_file_blows_up_are_refused() {
    // 2^28 floats from 8 bytes, four times: each alone could be held.
    let nodes = (0..4).map(|at| Node::new("Expand", &["c", "target"], &[&format!("e{at}")]).named(format!("blow{at}")));
    let sum = Node::new("Sum", &["e0", "e1", "e2", "e3"], &["s"]);
    let nodes = nodes.chain([sum, Node::new("Add", &["x", "s"], &["y"])]).collect();
    let constants = vec![Tensor::from_f32("c", &[1, 1], &[1.0]), Tensor::from_i64("target", &[2], &[1 << 14, 1 << 14])];
    let message = refusal(nodes, constants, &[1.into(), 1.into()]);
    assert!(message.contains("blow0") && message.contains("too much memory"), "{message}");
}

#[test]
fn weights_that_are_no_numbers_are_refused_by_name() {
    let gemm = || vec![Node::new("Gemm", &["x", "w"], &["y"])];
    let weights = |value: f32| vec![Tensor::from_f32("w", &[2, 2], &[1.0, value, value, 0.0])];
    let x = [1.into(), 2.into()];
    assert_eq!(
        refusal(gemm(), weights(f32::NAN), &x),
        "The weights \"w\" hold 2 NaN values, so that every answer and every map would be NaN; export the model again from \
         a sound checkpoint."
    );
    let infinite = refusal(gemm(), weights(f32::NEG_INFINITY), &x);
    assert!(infinite.contains("\"w\" hold 2 infinite values"), "{infinite}");
    let written = Node::new("Constant", &[], &["w"]).with("value", weights(f32::NAN).remove(0));
    let constant = refusal([vec![written], gemm()].concat(), vec![], &x);
    assert!(constant.contains("\"w\" hold 2 NaN"), "{constant}");
}

#[test]
fn infinity_in_a_mask_is_meant() {
    let onnx = OnnxGraph {
        nodes: vec![Node::new("Add", &["x", "mask"], &["masked"]), Node::new("Softmax", &["masked"], &["y"])],
        initializers: vec![Tensor::from_f32("mask", &[1, 2], &[0.0, f32::NEG_INFINITY])],
        inputs: vec![ValueInfo::float("x", &[1, 2])],
        outputs: vec![ValueInfo::float("y", &[1, 2])],
        ..OnnxGraph::default()
    };
    assert!(Graph::new(Model::new(17, onnx), &Device::flex(), &InputShapes::new()).is_ok());
}
