//! A model card chooses whether batch normalisations stay layers of their own.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use pollster::block_on;
use serde_json::json;
use vitrine_engine::{Place, Session};
use vitrine_onnx::{Graph, Model, Node, Tensor, ValueInfo};

/// Layers that pickers show, for a convolution, its normalisation and two class scores.
fn layers(fold: bool) -> Vec<String> {
    let ones = |name: &str| Tensor::from_f32(name, &[2], &[1.0, 1.0]);
    let graph = Graph {
        nodes: vec![
            Node::new("Conv", &["x", "kernel"], &["c"]),
            Node::new("BatchNormalization", &["c", "scale", "shift", "mean", "variance"], &["n"]),
            Node::new("GlobalAveragePool", &["n"], &["p"]),
            Node::new("Flatten", &["p"], &["y"]),
        ],
        initializers: vec![
            Tensor::from_f32("kernel", &[2, 1, 1, 1], &[1.0, -1.0]),
            ones("scale"),
            ones("shift"),
            ones("mean"),
            ones("variance"),
        ],
        inputs: vec![ValueInfo::float("x", &[1, 1, 4, 4])],
        outputs: vec![ValueInfo::float("y", &[1, 2])],
        ..Graph::default()
    };
    let input = json!({"width": 4, "height": 4, "channels": "grey"});
    let card = json!({"name": "m", "input": input, "fold-batch-norm": fold}).to_string();
    let mut session = Session::on(Place::cpu("This is a test."));
    block_on(session.load_model("m.onnx", Model::new(13, graph).encode().as_slice().into(), Some(&card))).unwrap();
    let layers = session.model().unwrap().spatial_layers().unwrap();
    layers.into_iter().map(|layer| format!("{} {}", layer.operator, layer.name)).collect()
}

#[test]
fn normalisations_are_folded_where_the_card_says_so() {
    assert_eq!(layers(false), ["Conv c", "BatchNormalization n"]);
    assert_eq!(layers(true), ["Conv n"]);
}
