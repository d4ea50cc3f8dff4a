//! Probes, partial runs, batches and refusals on graphs small enough to work out on paper.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

mod common;

use common::{load, read, value};
use pollster::block_on;
use vitrine_graph::{Batching, Graph, GraphError, Probe, Run};
use vitrine_onnx::{Dimension, Graph as OnnxGraph, Node, Tensor, ValueInfo};

fn batch() -> Dimension {
    "n".into()
}

/// h = 3 x, g = relu(h), y = g g: three values in a row, on inputs [n, 2].
fn chain() -> Graph {
    load(OnnxGraph {
        nodes: vec![
            Node::new("Mul", &["x", "three"], &["h"]).named("triple"),
            Node::new("Relu", &["h"], &["g"]),
            Node::new("Mul", &["g", "g"], &["y"]),
        ],
        initializers: vec![Tensor::from_f32("three", &[1], &[3.0])],
        inputs: vec![ValueInfo::float("x", &[batch(), 2.into()])],
        outputs: vec![ValueInfo::float("y", &[batch(), 2.into()])],
        ..OnnxGraph::default()
    })
    .unwrap()
}

#[test]
fn gradients_reach_every_probed_value_at_once() {
    let run = Run::of(["y"]).feed("x", value(&[1.0, -2.0], &[1, 2]));
    let run = run.probe("x", Probe::Gradient).probe("h", Probe::Gradient).probe("g", Probe::Gradient);
    let trace = chain().run(&run).unwrap();
    let gradients = trace.gradients(trace.value("y").unwrap()).unwrap();
    assert_eq!(read(&gradients["g"]), [6.0, 0.0], "dy/dg = 2 g");
    assert_eq!(read(&gradients["h"]), [6.0, 0.0], "blocked where relu is off");
    assert_eq!(read(&gradients["x"]), [18.0, 0.0]);
}

#[test]
fn each_sample_of_a_batch_gets_its_own_gradient() {
    let run = Run::of(["y"]).feed("x", value(&[1.0, 2.0, 3.0, -1.0], &[2, 2])).probe("x", Probe::Gradient);
    let trace = chain().run(&run).unwrap();
    let gradient = &trace.gradients(trace.value("y").unwrap()).unwrap()["x"];
    // y = 9 x x where x is positive, so its gradient is 18 x.
    assert_eq!(read(gradient), [18.0, 36.0, 54.0, 0.0]);
}

#[test]
fn a_scale_probe_acts_per_sample_and_order_decides_what_is_recorded() {
    let factors = value(&[0.0, 2.0], &[2, 1]);
    let feed = value(&[1.0, 1.0, 1.0, 1.0], &[2, 2]);
    let scaled =
        Run::of(["y"]).feed("x", feed.clone()).probe("g", Probe::Scale(factors.clone())).probe("g", Probe::Record);
    let trace = chain().run(&scaled).unwrap();
    assert_eq!(read(trace.value("g").unwrap()), [0.0, 0.0, 6.0, 6.0]);
    assert_eq!(read(trace.value("y").unwrap()), [0.0, 0.0, 36.0, 36.0]);
}

#[test]
fn replace_and_add_change_what_follows() {
    let run = Run::of(["y"]).feed("x", value(&[1.0, 1.0], &[1, 2]));
    let replaced = run.clone().probe("g", Probe::Replace(value(&[5.0, 4.0], &[1, 2])));
    assert_eq!(read(chain().run(&replaced).unwrap().value("y").unwrap()), [25.0, 16.0]);
    let added = run.probe("g", Probe::Add(value(&[1.0], &[1])));
    assert_eq!(read(chain().run(&added).unwrap().value("y").unwrap()), [16.0, 16.0]);
}

#[test]
fn a_run_may_start_at_an_inner_value() {
    let trace = chain().run(&Run::of(["y"]).feed("g", value(&[5.0, 0.5], &[1, 2]))).unwrap();
    assert_eq!(read(trace.value("y").unwrap()), [25.0, 0.25]);
}

#[test]
fn a_value_without_influence_has_no_gradient_and_is_named() {
    let run =
        Run::of(["h"]).feed("x", value(&[1.0, 1.0], &[1, 2])).probe("g", Probe::Gradient).probe("x", Probe::Gradient);
    let error = chain().run(&run).unwrap_err();
    assert_eq!(error.to_string(), "\"g\" does not influence the chosen target, so it has no gradient.");
}

#[test]
fn a_misspelt_value_gets_the_nearest_names() {
    let error = chain().run(&Run::of(["yy"])).unwrap_err().to_string();
    assert!(error.contains("no value named \"yy\"") && error.contains("\"y\""), "{error}");
}

#[test]
fn a_missing_input_is_named() {
    let error = chain().run(&Run::of(["y"])).unwrap_err();
    assert!(matches!(&error, GraphError::MissingInput(name) if name == "x"), "{error}");
}

#[test]
fn every_unsupported_operator_is_listed_with_its_nodes() {
    let error = load(OnnxGraph {
        nodes: vec![
            Node::new("GRU", &["x"], &["a"]).named("first"),
            Node::new("Relu", &["a"], &["b"]),
            Node::new("GRU", &["b"], &["c"]).named("second"),
            Node::new("LSTM", &["c"], &["y"]).named("third"),
        ],
        inputs: vec![ValueInfo::float("x", &[1, 2])],
        outputs: vec![ValueInfo::float("y", &[1, 2])],
        ..OnnxGraph::default()
    })
    .map(|_| ())
    .unwrap_err()
    .to_string();
    assert_eq!(
        error,
        "The model uses 2 operators that Vitrine does not run yet: \
         GRU (in \"first\", \"second\"), LSTM (in \"third\")."
    );
}

/// A classifier whose flattening to [1, 4] was written for a batch of one.
fn fixed_batch(shape: &[i64]) -> Graph {
    load(OnnxGraph {
        nodes: vec![
            Node::new("Relu", &["x"], &["h"]),
            Node::new("Reshape", &["h", "shape"], &["flat"]),
            Node::new("Gemm", &["flat", "w"], &["y"]),
        ],
        initializers: vec![
            Tensor::from_i64("shape", &[shape.len()], shape),
            Tensor::from_f32("w", &[4, 2], &[1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]),
        ],
        inputs: vec![ValueInfo::float("x", &[1, 1, 2, 2])],
        outputs: vec![ValueInfo::float("y", &[1, 2])],
        ..OnnxGraph::default()
    })
    .unwrap()
}

#[test]
fn a_batch_size_written_into_the_file_is_replanned() {
    for shape in [vec![1, 4], vec![1, -1], vec![-1, 4]] {
        let graph = fixed_batch(&shape);
        assert_eq!(block_on(graph.settle_batching()).unwrap(), Batching::Any, "shape {shape:?}");
        let x = value(&[1.0, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0], &[2, 1, 2, 2]);
        let trace = graph.run(&Run::of(["y"]).feed("x", x)).unwrap();
        assert_eq!(read(trace.value("y").unwrap()), [4.0, 6.0, 40.0, 60.0], "shape {shape:?}");
    }
}

/// Attention of three tokens of width four in two heads, tokens first, written for one image as PyTorch's exporters write
/// it: the batch passes through the second axis, merges with the heads and, for a matrix product, with the tokens.
#[test]
fn attention_over_tokens_written_for_one_image_runs_in_batches() {
    let shape = |name: &str, lengths: &[i64]| Tensor::from_i64(name, &[lengths.len()], lengths);
    let mix: Vec<f32> = (0..16_u8).map(|index| f32::from(index % 5) - 2.0).collect();
    let graph = load(OnnxGraph {
        nodes: vec![
            Node::new("Transpose", &["x"], &["tokens"]).with("perm", vec![1, 0, 2]),
            Node::new("Reshape", &["tokens", "by_head"], &["split"]),
            Node::new("Transpose", &["split"], &["heads"]).with("perm", vec![1, 0, 2]),
            Node::new("Transpose", &["split"], &["keys"]).with("perm", vec![1, 2, 0]),
            Node::new("MatMul", &["heads", "keys"], &["scores"]),
            Node::new("Softmax", &["scores"], &["weights"]),
            Node::new("MatMul", &["weights", "heads"], &["attended"]),
            Node::new("Reshape", &["attended", "by_image"], &["images"]),
            Node::new("Transpose", &["images"], &["back"]).with("perm", vec![2, 0, 1, 3]),
            Node::new("Reshape", &["back", "rows"], &["matrix"]),
            Node::new("Gemm", &["matrix", "mix"], &["mixed"]),
            Node::new("Reshape", &["mixed", "tokens_first"], &["last"]),
            Node::new("Transpose", &["last"], &["y"]).with("perm", vec![1, 0, 2]),
        ],
        initializers: vec![
            shape("by_head", &[3, 2, 2]),
            shape("by_image", &[1, 2, 3, 2]),
            shape("rows", &[3, 4]),
            shape("tokens_first", &[3, 1, 4]),
            Tensor::from_f32("mix", &[4, 4], &mix),
        ],
        inputs: vec![ValueInfo::float("x", &[1, 3, 4])],
        outputs: vec![ValueInfo::float("y", &[1, 3, 4])],
        ..OnnxGraph::default()
    })
    .unwrap();
    assert_eq!(block_on(graph.settle_batching()).unwrap(), Batching::Any);
}

#[test]
fn a_graph_that_mixes_its_batch_runs_one_at_a_time() {
    // The mean over all axes mixes the samples of a batch.
    let graph = load(OnnxGraph {
        nodes: vec![Node::new("ReduceMean", &["x"], &["m"]), Node::new("Mul", &["x", "m"], &["y"])],
        inputs: vec![ValueInfo::float("x", &[1, 3])],
        outputs: vec![ValueInfo::float("y", &[1, 3])],
        ..OnnxGraph::default()
    })
    .unwrap();
    let Batching::OneAtATime { reason } = block_on(graph.settle_batching()).unwrap() else {
        panic!("it mixes samples")
    };
    assert_eq!(reason, "a batch gives other answers than its images one by one");
}

#[test]
fn shape_arithmetic_is_folded_for_every_batch_size() {
    // Reshape to (batch, -1) as exporters write it: Shape, Gather, Unsqueeze, Concat.
    let graph = load(OnnxGraph {
        nodes: vec![
            Node::new("Shape", &["x"], &["s"]),
            Node::new("Gather", &["s", "zero"], &["n"]).with("axis", 0_i64),
            Node::new("Unsqueeze", &["n", "axes"], &["n1"]),
            Node::new("Concat", &["n1", "minus"], &["target"]).with("axis", 0_i64),
            Node::new("Reshape", &["x", "target"], &["y"]),
        ],
        initializers: vec![
            Tensor::from_i64("zero", &[], &[0]),
            Tensor::from_i64("axes", &[1], &[0]),
            Tensor::from_i64("minus", &[1], &[-1]),
        ],
        inputs: vec![ValueInfo::float("x", &[batch(), 2.into(), 3.into()])],
        outputs: vec![ValueInfo::float("y", &[batch(), 6.into()])],
        ..OnnxGraph::default()
    })
    .unwrap();
    let trace = graph.run(&Run::of(["y"]).feed("x", value(&[0.0; 24], &[4, 2, 3]))).unwrap();
    assert_eq!(trace.value("y").unwrap().shape(), [4, 6]);
}
