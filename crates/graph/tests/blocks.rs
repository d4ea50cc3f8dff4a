//! Formulas as exporters write them out, and the blocks that people would call them.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod common;

use common::load;
use vitrine_graph::{Block, Graph};
use vitrine_onnx::{Graph as OnnxGraph, Node, Tensor, ValueInfo};

/// The blocks of nodes from `x` of shape [1, 4, 6] to `y`, with some numbers for constants.
fn graph(nodes: Vec<Node>) -> Graph {
    let scalars: &[(&str, f32)] = &[
        ("minus_half", -0.5),
        ("half", 0.5),
        ("one", 1.0),
        ("two", 2.0),
        ("three", 3.0),
        ("six", 6.0),
        ("zero", 0.0),
        ("eps", 1e-5),
        ("root2", std::f32::consts::SQRT_2),
        ("cube", 0.044_715),
        ("tanh_scale", 0.797_884_6),
        ("quick", 1.702),
    ];
    let mut initializers: Vec<Tensor> =
        scalars.iter().map(|(name, value)| Tensor::from_f32(*name, &[], &[*value])).collect();
    initializers.push(Tensor::from_f32("gamma", &[6], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    initializers.push(Tensor::from_f32("beta", &[6], &[0.5, 0.0, 0.5, 0.0, 0.5, 0.0]));
    initializers.push(Tensor::from_f32("weights", &[6, 6], &[0.25; 36]));
    initializers.push(Tensor::from_f32("positions", &[4, 6], &[0.5; 24]));
    load(OnnxGraph {
        nodes,
        initializers,
        inputs: vec![ValueInfo::float("x", &[1, 4, 6])],
        outputs: vec![ValueInfo { name: "y".into(), ..ValueInfo::default() }],
        ..OnnxGraph::default()
    })
    .unwrap()
}

/// Operator, inputs and output of each block.
fn found(nodes: Vec<Node>) -> Vec<(&'static str, String, String)> {
    let graph = graph(nodes);
    let blocks = graph.blocks().unwrap();
    blocks.iter().map(|block| (block.operator, block.inputs.join(" "), block.output.clone())).collect()
}

fn one(operator: &'static str, input: &str) -> Vec<(&'static str, String, String)> {
    vec![(operator, input.to_owned(), "y".to_owned())]
}

fn node(operator: &str, inputs: &[&str], output: &str) -> Node {
    Node::new(operator, inputs, &[output])
}

fn mean(input: &str, output: &str) -> Node {
    node("ReduceMean", &[input], output).with("axes", vec![-1])
}

#[test]
fn gelu_by_the_error_function_is_found_in_whatever_order_it_is_written() {
    let by_torch = vec![
        node("Div", &["x", "root2"], "scaled"),
        node("Erf", &["scaled"], "erf"),
        node("Add", &["erf", "one"], "plus"),
        node("Mul", &["x", "plus"], "twice"),
        node("Mul", &["twice", "half"], "y"),
    ];
    let graph_by_torch = graph(by_torch.clone());
    let blocks = graph_by_torch.blocks().unwrap();
    let inner = ["scaled", "erf", "plus", "twice"].map(str::to_owned).to_vec();
    assert_eq!(blocks, [Block { operator: "Gelu", inputs: vec!["x".into()], output: "y".into(), inner }]);
    let half_first = vec![
        node("Mul", &["x", "half"], "halved"),
        node("Div", &["x", "root2"], "scaled"),
        node("Erf", &["scaled"], "erf"),
        node("Add", &["one", "erf"], "plus"),
        node("Mul", &["halved", "plus"], "y"),
    ];
    assert_eq!(found(half_first), one("Gelu", "x"));
    let gate_halved = vec![
        node("Div", &["x", "root2"], "scaled"),
        node("Erf", &["scaled"], "erf"),
        node("Mul", &["erf", "half"], "halved"),
        node("Add", &["halved", "half"], "plus"),
        node("Mul", &["plus", "x"], "y"),
    ];
    assert_eq!(found(gate_halved), one("Gelu", "x"));
}

#[test]
fn gelu_by_tanh_is_found_with_its_cube_as_a_power_or_as_products() {
    let end = |cubed: Vec<Node>| {
        let mut nodes = cubed;
        nodes.extend([
            node("Mul", &["cubed", "cube"], "small"),
            node("Add", &["x", "small"], "sum"),
            node("Mul", &["sum", "tanh_scale"], "inside"),
            node("Tanh", &["inside"], "tanh"),
            node("Add", &["tanh", "one"], "plus"),
            node("Mul", &["x", "plus"], "twice"),
            node("Mul", &["half", "twice"], "y"),
        ]);
        nodes
    };
    assert_eq!(found(end(vec![node("Pow", &["x", "three"], "cubed")])), one("Gelu", "x"));
    let products = vec![node("Mul", &["x", "x"], "squared"), node("Mul", &["squared", "x"], "cubed")];
    assert_eq!(found(end(products)), one("Gelu", "x"));
}

#[test]
fn other_gated_activations_have_their_names_and_near_misses_have_none() {
    let gated = |before: Vec<Node>, gate: &str| {
        let mut nodes = before;
        nodes.push(node("Mul", &["x", gate], "y"));
        found(nodes)
    };
    assert_eq!(gated(vec![node("Sigmoid", &["x"], "g")], "g"), one("Silu", "x"));
    let quick = vec![node("Mul", &["x", "quick"], "s"), node("Sigmoid", &["s"], "g")];
    assert_eq!(gated(quick, "g"), one("QuickGelu", "x"));
    let mish = vec![node("Softplus", &["x"], "s"), node("Tanh", &["s"], "g")];
    assert_eq!(gated(mish, "g"), one("Mish", "x"));
    let hard = |alpha: f32| node("HardSigmoid", &["x"], "g").with("alpha", alpha).with("beta", 0.5_f32);
    assert_eq!(gated(vec![hard(1.0 / 6.0)], "g"), one("HardSwish", "x"));
    let clipped = vec![
        node("Add", &["x", "three"], "s"),
        node("Clip", &["s", "zero", "six"], "c"),
        node("Div", &["c", "six"], "g"),
    ];
    assert_eq!(gated(clipped, "g"), one("HardSwish", "x"));

    assert_eq!(gated(vec![hard(0.2)], "g"), [], "another slope");
    assert_eq!(gated(vec![node("Tanh", &["x"], "g")], "g"), []);
    let twice = vec![node("Mul", &["x", "two"], "s"), node("Sigmoid", &["s"], "g")];
    assert_eq!(gated(twice, "g"), []);
    // Squeeze and excitation: the gate comes from elsewhere.
    let excited = vec![mean("x", "m"), node("Sigmoid", &["m"], "g")];
    assert_eq!(gated(excited, "g"), []);
}

#[test]
fn an_activation_of_which_a_part_is_used_elsewhere_is_no_block() {
    let nodes =
        vec![node("Sigmoid", &["x"], "gate"), node("Mul", &["x", "gate"], "silu"), node("Add", &["silu", "gate"], "y")];
    assert_eq!(found(nodes), []);
}

/// The nodes of (x - mean) / sqrt(variance + epsilon), up to `centred` and `root`.
fn moments() -> Vec<Node> {
    vec![
        mean("x", "mean"),
        node("Sub", &["x", "mean"], "centred"),
        node("Pow", &["centred", "two"], "squares"),
        mean("squares", "variance"),
        node("Add", &["variance", "eps"], "steadied"),
        node("Sqrt", &["steadied"], "root"),
    ]
}

#[test]
fn layer_normalisation_is_found_with_and_without_scale_and_bias() {
    let with = |end: Vec<Node>| found([moments(), end].concat());
    assert_eq!(with(vec![node("Div", &["centred", "root"], "y")]), one("LayerNormalization", "x"));
    let scaled = [node("Div", &["centred", "root"], "n"), node("Mul", &["n", "gamma"], "y")];
    assert_eq!(with(scaled.to_vec()), one("LayerNormalization", "x"));
    let whole = vec![
        node("Reciprocal", &["root"], "inverse"),
        node("Mul", &["inverse", "centred"], "n"),
        node("Mul", &["gamma", "n"], "s"),
        node("Add", &["s", "beta"], "y"),
    ];
    assert_eq!(with(whole), one("LayerNormalization", "x"));
}

#[test]
fn a_residual_sum_behind_a_normalisation_is_no_part_of_it() {
    let end = vec![node("Div", &["centred", "root"], "n"), node("Add", &["n", "x"], "y")];
    let blocks = found([moments(), end].concat());
    assert_eq!(blocks, [("LayerNormalization", "x".to_owned(), "n".to_owned())]);
}

#[test]
fn rms_normalisation_has_no_mean() {
    let nodes = vec![
        node("Mul", &["x", "x"], "squares"),
        mean("squares", "power"),
        node("Add", &["power", "eps"], "steadied"),
        node("Pow", &["steadied", "minus_half"], "inverse"),
        node("Mul", &["x", "inverse"], "n"),
        node("Mul", &["n", "gamma"], "y"),
    ];
    assert_eq!(found(nodes), one("RMSNormalization", "x"));
}

#[test]
fn a_product_with_weights_and_a_bias_is_a_linear_layer_and_position_embeddings_are_not() {
    let product = node("MatMul", &["x", "weights"], "p");
    assert_eq!(found(vec![product.clone(), node("Add", &["beta", "p"], "y")]), one("Linear", "x"));
    assert_eq!(found(vec![product, node("Add", &["p", "positions"], "y")]), []);
}

#[test]
fn attention_is_one_block_from_queries_keys_and_values_and_its_weights_stay_readable() {
    let nodes = vec![
        node("Mul", &["x", "half"], "queries"),
        node("Transpose", &["x"], "keys").with("perm", vec![0, 2, 1]),
        node("MatMul", &["queries", "keys"], "scores"),
        node("Softmax", &["scores"], "attention").with("axis", -1),
        node("Relu", &["x"], "values"),
        node("MatMul", &["attention", "values"], "mixed"),
        node("ReduceSum", &["attention"], "watched").with("axes", vec![-1]),
        node("Add", &["mixed", "watched"], "y"),
    ];
    let graph = graph(nodes);
    let [Block { operator, inputs, output, inner }] = graph.blocks().unwrap() else { unreachable!() };
    assert_eq!((*operator, inputs.join(" "), output.as_str()), ("Attention", "x keys values".to_owned(), "mixed"));
    assert_eq!(inner.join(" "), "queries scores attention");
    let layers = graph.layers().unwrap();
    let layers: Vec<(&str, &str)> = layers.iter().map(|layer| (layer.name.as_str(), layer.operator.as_str())).collect();
    assert_eq!(
        layers,
        [("keys", "Transpose"), ("values", "Relu"), ("mixed", "Attention"), ("watched", "ReduceSum"), ("y", "Add")]
    );
}
