//! If nodes with a condition that planning knows run as the branch that is taken; all other control flow is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

use burn::tensor::Device;
use pollster::block_on;
use vitrine_graph::{Batching, Graph, GraphError, InputShapes, Run, Value};
use vitrine_onnx::{Dimension, ElementType, Function, Graph as OnnxGraph, Model, Node, Opset, Tensor, ValueInfo};

fn load(onnx: OnnxGraph) -> Result<Graph, GraphError> {
    Graph::new(Model::new(17, onnx), &Device::flex(), &InputShapes::new())
}

/// y = f(x) for x of shape [n, 2].
fn graph(nodes: Vec<Node>, initializers: Vec<Tensor>) -> OnnxGraph {
    let shape: [Dimension; 2] = ["n".into(), 2.into()];
    let (inputs, outputs) = (vec![ValueInfo::float("x", &shape)], vec![ValueInfo::float("y", &shape)]);
    OnnxGraph { nodes, initializers, inputs, outputs, ..OnnxGraph::default() }
}

/// A branch that gives out `value`.
fn branch(nodes: Vec<Node>, value: &str, initializers: Vec<Tensor>) -> OnnxGraph {
    let outputs = vec![ValueInfo { name: value.into(), ..ValueInfo::default() }];
    OnnxGraph { nodes, initializers, outputs, ..OnnxGraph::default() }
}

fn truth(name: &str, holds: bool) -> Tensor {
    Tensor { name: name.into(), element_type: ElementType::Bool, shape: vec![], data: vec![u8::from(holds)].into() }
}

/// If with `x * 2` and `x + 10` for branches, which call their values by the same names.
fn choose(condition: &str) -> Node {
    let twice = branch(vec![Node::new("Mul", &["x", "c"], &["r"])], "r", vec![Tensor::from_f32("c", &[1], &[2.0])]);
    let more = branch(vec![Node::new("Add", &["x", "c"], &["r"])], "r", vec![Tensor::from_f32("c", &[1], &[10.0])]);
    Node::new("If", &[condition], &["y"]).named("choose").with("then_branch", twice).with("else_branch", more)
}

fn answer(graph: &Graph, x: &[f32]) -> Vec<f32> {
    let run = Run::of(["y"]).feed("x", Value::from_f32(x, &[x.len() / 2, 2], &Device::flex()));
    block_on(graph.run(&run).unwrap().value("y").unwrap().to_vec()).unwrap()
}

#[test]
fn a_constant_condition_takes_its_branch() {
    for (holds, expected) in [(true, [2.0, 6.0]), (false, [11.0, 13.0])] {
        let graph = load(graph(vec![choose("condition")], vec![truth("condition", holds)])).unwrap();
        assert_eq!(answer(&graph, &[1.0, 3.0]), expected);
        let operator = if holds { "Mul" } else { "Add" };
        assert_eq!(graph.producer("y").unwrap().operator, operator, "what is seen is the branch");
    }
}

#[test]
fn shape_arithmetic_may_lead_to_the_condition() {
    // The second axis of x is 2: equal to 2, and not greater than 2.
    for (comparison, expected) in [("Equal", [2.0, 6.0]), ("Greater", [11.0, 13.0])] {
        let nodes = vec![
            Node::new("Shape", &["x"], &["shape"]),
            Node::new("Gather", &["shape", "one"], &["width"]),
            Node::new(comparison, &["width", "two"], &["condition"]),
            choose("condition"),
        ];
        let constants = vec![Tensor::from_i64("one", &[], &[1]), Tensor::from_i64("two", &[], &[2])];
        assert_eq!(answer(&load(graph(nodes, constants)).unwrap(), &[1.0, 3.0]), expected);
    }
}

#[test]
fn branches_within_branches_and_conditions_after_them_are_followed() {
    // Outer branch: if no: ... else: r = x + 10; the second If asks for the rank of what the first one made.
    let nested = branch(vec![Node { outputs: vec!["inner".into()], ..choose("no") }], "inner", vec![]);
    let unused = branch(vec![Node::new("Loop", &["x"], &["never"])], "never", vec![]);
    let last = |from: &str| branch(vec![Node::new("Neg", &[from], &["n"])], "n", vec![]);
    let nodes = vec![
        Node::new("If", &["yes"], &["h"]).with("then_branch", nested).with("else_branch", unused),
        Node::new("Size", &["h"], &["size"]),
        Node::new("Cast", &["size"], &["condition"]).with("to", 9),
        Node::new("If", &["condition"], &["y"]).with("then_branch", last("h")).with("else_branch", last("x")),
    ];
    let graph = load(graph(nodes, vec![truth("yes", true), truth("no", false)])).unwrap();
    assert_eq!(answer(&graph, &[1.0, 3.0]), [-11.0, -13.0]);
}

#[test]
fn a_condition_on_the_batch_size_keeps_the_model_to_one_image_at_a_time() {
    let nodes = vec![
        Node::new("Shape", &["x"], &["shape"]),
        Node::new("Gather", &["shape", "zero"], &["batch"]),
        Node::new("Equal", &["batch", "one"], &["condition"]),
        choose("condition"),
    ];
    let constants = vec![Tensor::from_i64("zero", &[], &[0]), Tensor::from_i64("one", &[], &[1])];
    let graph = load(graph(nodes, constants)).unwrap();
    assert_eq!(answer(&graph, &[1.0, 3.0]), [2.0, 6.0]);
    let Batching::OneAtATime { reason } = block_on(graph.settle_batching()).unwrap() else { panic!("batches differ") };
    assert!(reason.contains("\"choose\"") && reason.contains("condition changes"), "{reason}");
}

#[test]
fn control_flow_that_depends_on_pixels_is_refused_by_name() {
    let nodes = vec![
        Node::new("ReduceSum", &["x"], &["sum"]).with("keepdims", 0),
        Node::new("Greater", &["sum", "limit"], &["condition"]),
        choose("condition"),
    ];
    let message = load(graph(nodes, vec![Tensor::from_f32("limit", &[], &[0.0])])).err().unwrap().to_string();
    assert!(message.contains("If with a condition computed from pixels (in \"choose\")"), "{message}");
    for operator in ["Loop", "Scan", "SequenceConstruct", "SequenceAt"] {
        let message =
            load(graph(vec![Node::new(operator, &["x"], &["y"]).named("here")], vec![])).err().unwrap().to_string();
        assert!(message.contains(operator) && message.contains("(in \"here\")"), "{message}");
    }
}

#[test]
fn constants_of_a_branch_are_checked_as_those_of_the_graph_are() {
    let taken = |constant: Tensor| {
        let nodes = vec![Node::new("Add", &["x", "c"], &["r"]), Node::new("MatMul", &["r", "c"], &["s"])];
        let node = Node::new("If", &["yes"], &["y"]).with("then_branch", branch(nodes, "s", vec![constant]));
        load(graph(vec![node], vec![truth("yes", true)])).err().unwrap().to_string()
    };
    let nan = taken(Tensor::from_f32("c", &[2, 2], &[f32::NAN; 4]));
    assert!(nan.contains("\"c\" hold 4 NaN"), "{nan}");
    let rank = taken(Tensor::from_f32("c", &[1; 9], &[0.0]));
    assert!(rank.contains("rank 9") && rank.contains("\"c\""), "{rank}");
}

#[test]
fn functions_run_as_their_bodies_with_their_own_operator_set() {
    // In the set 12, Softmax goes over all axes from 1 on, here both of [2, 1]; in 17 over the last, which is 1 long.
    let soft = |version| Function {
        name: "Soft".into(),
        domain: "own".into(),
        inputs: vec!["a".into()],
        outputs: vec!["b".into()],
        nodes: vec![Node::new("Softmax", &["a"], &["b"])],
        opsets: vec![Opset { domain: String::new(), version }],
        ..Function::default()
    };
    for (version, expected) in [(12, [0.25, 0.75]), (17, [1.0, 1.0])] {
        let nodes = vec![
            Node::new("Unsqueeze", &["x", "last"], &["column"]),
            Node { domain: "own".into(), ..Node::new("Soft", &["column"], &["soft"]).named("call") },
            Node::new("Squeeze", &["soft", "last"], &["y"]),
        ];
        let model = Model::new(17, graph(nodes, vec![Tensor::from_i64("last", &[1], &[2])]));
        let model = Model { functions: vec![soft(version)], ..model };
        let graph = Graph::new(model, &Device::flex(), &InputShapes::new()).unwrap();
        let found = answer(&graph, &[0.0, 3.0_f32.ln()]);
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6), "{found:?}");
    }
}
