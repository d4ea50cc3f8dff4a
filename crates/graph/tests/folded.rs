//! Batch normalisation folded into the layer before it.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod common;

use common::{load, read, value};
use vitrine_graph::{Graph, Run};
use vitrine_onnx::{Graph as OnnxGraph, Node, Tensor, ValueInfo};

/// A layer on `x`, then a batch normalisation of two channels; what comes after reads `y`.
fn normalised(layer: Node, weight: Tensor, shape: &[usize], outputs: &[&str]) -> Graph {
    let nodes = vec![
        layer,
        Node::new("BatchNormalization", &["h", "scale", "shift", "mean", "variance"], &["n"]).with("epsilon", 1.0_f32),
        Node::new("Relu", &["n"], &["y"]),
    ];
    let initializers = vec![
        weight,
        Tensor::from_f32("bias", &[2], &[0.5, -1.0]),
        Tensor::from_f32("scale", &[2], &[6.0, -1.0]),
        Tensor::from_f32("shift", &[2], &[0.25, 4.0]),
        Tensor::from_f32("mean", &[2], &[1.0, 2.0]),
        Tensor::from_f32("variance", &[2], &[8.0, 0.0]),
    ];
    load(OnnxGraph {
        nodes,
        initializers,
        inputs: vec![ValueInfo::float("x", shape)],
        outputs: outputs.iter().map(|name| ValueInfo { name: (*name).into(), ..ValueInfo::default() }).collect(),
        ..OnnxGraph::default()
    })
    .unwrap()
}

/// Both graphs' values for an input of 1, 2, 3, ...
fn agree(graph: &Graph, wanted: &str) {
    let folded = graph.folded().unwrap();
    assert!(folded.layers().unwrap().iter().all(|layer| layer.operator != "BatchNormalization"));
    let shape = &graph.inputs()[0].1;
    let data: Vec<f32> = (0..shape.iter().product()).map(|index: usize| index as f32 + 1.0).collect();
    let run = Run::of([wanted]).feed("x", value(&data, shape));
    let of = |graph: &Graph| read(graph.run(&run).unwrap().value(wanted).unwrap());
    let (expected, found) = (of(graph), of(&folded));
    assert!(expected.iter().any(|value| *value != 0.0));
    assert!(expected.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-4), "{expected:?}, {found:?}");
}

#[test]
fn a_folded_layer_has_the_normalised_weights() {
    // One pixel, one input channel: h = (2 x + 0.5, 3 x - 1). The factors are 6 / 3 = 2 and -1 / 1 = -1, so
    // n = (2 h + 0.25 - 2, -h + 4 + 2) = (4 x - 0.75, -3 x + 7).
    let conv = Node::new("Conv", &["x", "w", "bias"], &["h"]);
    let graph = normalised(conv, Tensor::from_f32("w", &[2, 1, 1, 1], &[2.0, 3.0]), &[1, 1, 1, 1], &["y"]);
    let folded = graph.folded().unwrap();
    assert_eq!((graph.node_count(), folded.node_count()), (3, 2));
    assert_eq!(folded.producer("n").unwrap().operator, "Conv");
    let run = Run::of(["n"]).feed("x", value(&[1.0], &[1, 1, 1, 1]));
    assert_eq!(read(folded.run(&run).unwrap().value("n").unwrap()), [3.25, 4.0]);
}

#[test]
fn every_kind_of_layer_gives_the_same_answers() {
    let picture = [1, 2, 3, 3];
    let weights: Vec<f32> = (0..16).map(|index| index as f32 * 0.25 - 1.5).collect();
    let conv = Node::new("Conv", &["x", "w"], &["h"]);
    agree(&normalised(conv, Tensor::from_f32("w", &[2, 2, 2, 2], &weights), &picture, &["y"]), "n");
    let grouped = Node::new("Conv", &["x", "w", "bias"], &["h"]).with("group", 2);
    agree(&normalised(grouped, Tensor::from_f32("w", &[2, 1, 2, 2], &weights[..8]), &picture, &["y"]), "n");
    let transposed = Node::new("ConvTranspose", &["x", "w", "bias"], &["h"]);
    agree(&normalised(transposed, Tensor::from_f32("w", &[2, 2, 2, 2], &weights), &picture, &["y"]), "n");
    let by_group = Node::new("ConvTranspose", &["x", "w", "bias"], &["h"]).with("group", 2);
    agree(&normalised(by_group, Tensor::from_f32("w", &[2, 1, 2, 2], &weights[..8]), &picture, &["y"]), "n");
    for trans_b in [0, 1] {
        let gemm = Node::new("Gemm", &["x", "w", "bias"], &["h"]).with("transB", trans_b).with("beta", 2.0_f32);
        agree(&normalised(gemm, Tensor::from_f32("w", &[2, 2], &weights[..4]), &[1, 2], &["y"]), "n");
    }
}

#[test]
fn a_layer_that_is_read_elsewhere_keeps_its_normalisation() {
    let conv = Node::new("Conv", &["x", "w", "bias"], &["h"]);
    let graph = normalised(conv, Tensor::from_f32("w", &[2, 1, 1, 1], &[2.0, 3.0]), &[1, 1, 1, 1], &["y", "h"]);
    assert_eq!(graph.folded().unwrap().node_count(), 3);
}
