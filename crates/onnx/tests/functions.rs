//! Functions of a file are written out as plain nodes, or refused before they take much memory or time.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::time::{Duration, Instant};

use vitrine_onnx::{
    Attribute, AttributeValue, Function, Graph, Model, Names, Node, OnnxError, Opset, Tensor, ValueInfo,
};

/// y = f(x) for some nodes, with functions of the domain `own`.
fn model(nodes: Vec<Node>, functions: Vec<Function>) -> Model {
    let graph = Graph {
        nodes,
        inputs: vec![ValueInfo::float("x", &[4])],
        outputs: vec![ValueInfo::float("y", &[4])],
        ..Graph::default()
    };
    let mut model = Model { functions, ..Model::new(17, graph) };
    model.opsets.push(Opset { domain: "own".into(), version: 1 });
    model
}

fn function(name: &str, inputs: &[&str], outputs: &[&str], nodes: Vec<Node>) -> Function {
    let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    Function {
        name: name.into(),
        domain: "own".into(),
        inputs: owned(inputs),
        outputs: owned(outputs),
        nodes,
        opsets: vec![Opset { domain: String::new(), version: 17 }, Opset { domain: "own".into(), version: 1 }],
        ..Function::default()
    }
}

fn call(name: &str, inputs: &[&str], outputs: &[&str]) -> Node {
    Node { domain: "own".into(), ..Node::new(name, inputs, outputs) }
}

/// The model written out, which is valid, has no functions left and survives the round trip.
fn inlined(model: Model) -> Model {
    assert_eq!(model.validate(), Ok(()));
    let model = model.inline_functions().unwrap();
    assert_eq!(model.validate(), Ok(()));
    assert!(model.functions.is_empty());
    model
}

/// Nodes as text: `outputs = Operator(inputs) {attributes}`.
fn text(nodes: &[Node]) -> Vec<String> {
    let attribute = |attribute: &Attribute| match &attribute.value {
        AttributeValue::Float(value) => format!(" {}={value}", attribute.name),
        AttributeValue::Graph(body) => format!(" {}=[{}]", attribute.name, text(&body.nodes).join("; ")),
        other => format!(" {}={other:?}", attribute.name),
    };
    let node = |node: &Node| {
        let attributes: String = node.attributes.iter().map(attribute).collect();
        format!("{} = {}({}){attributes}", node.outputs.join(", "), node.operator, node.inputs.join(", "))
    };
    nodes.iter().map(node).collect()
}

#[test]
fn functions_within_functions_get_attributes_overloads_and_names_of_their_calls() {
    // Block(x) { once = Leak(x, slope handed on); twice = Leak:sharp(once); y = if c: Leak(twice) else: -once }, called
    // with slope 0.5 and without one, where the default of Leak itself (0.25) counts, as in onnxruntime.
    let model = inlined(Model::decode(include_bytes!("data/nested.onnx")).unwrap());
    assert_eq!(
        text(&model.graph.nodes),
        [
            "one/once = LeakyRelu(x) alpha=0.5",
            "one/twice = Relu(one/once)",
            "h = If(condition) else_branch=[one/made = Neg(one/once)] \
             then_branch=[one/made_2 = LeakyRelu(one/twice) alpha=0.25]",
            "two/once = LeakyRelu(h) alpha=0.25",
            "two/twice = Relu(two/once)",
            "y = If(condition) else_branch=[two/made = Neg(two/once)] \
             then_branch=[two/made_2 = LeakyRelu(two/twice) alpha=0.25]",
        ]
    );
    let names: Vec<&str> = model.graph.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(
        names,
        ["one/first/leak", "one/second/sharp", "one/choose", "two/first/leak", "two/second/sharp", "two/choose"]
    );
    assert_eq!(Model::decode(&model.encode()), Ok(model));
}

#[test]
fn inputs_left_out_and_outputs_unused_stay_so() {
    let body = vec![Node::new("Clip", &["x", "low", "high"], &["y"]), Node::new("Neg", &["y"], &["negative"])];
    let clip = function("Clipped", &["x", "low", "high"], &["y", "negative"], body);
    let nodes =
        vec![call("Clipped", &["x"], &["a"]).named("one"), call("Clipped", &["x", "", "a"], &["", "y"]).named("two")];
    assert_eq!(
        text(&inlined(model(nodes, vec![clip])).graph.nodes),
        ["a = Clip(x, , )", "one/negative = Neg(a)", "two/y = Clip(x, , a)", "y = Neg(two/y)"]
    );
}

#[test]
fn outputs_that_are_inputs_or_given_twice_are_copied() {
    let body = vec![Node::new("Relu", &["x"], &["r"])];
    let pass = function("Pass", &["x"], &["x", "r", "r"], body);
    let nodes =
        vec![call("Pass", &["x"], &["same", "once", "again"]), Node::new("Sum", &["same", "once", "again"], &["y"])];
    assert_eq!(
        text(&inlined(model(nodes, vec![pass])).graph.nodes),
        ["once = Relu(x)", "same = Identity(x)", "again = Identity(once)", "y = Sum(same, once, again)"]
    );
}

#[test]
fn names_that_are_taken_get_a_number() {
    let double = function(
        "Double",
        &["x"],
        &["y"],
        vec![Node::new("Relu", &["x"], &["r"]), Node::new("Add", &["r", "r"], &["y"])],
    );
    let nodes = vec![
        Node::new("Neg", &["x"], &["f/r"]),
        call("Double", &["f/r"], &["a"]).named("f"),
        call("Double", &["a"], &["y"]).named("f"),
    ];
    let written = text(&inlined(model(nodes, vec![double])).graph.nodes);
    assert_eq!(
        written[1..],
        ["f/r_2 = Relu(f/r)", "a = Add(f/r_2, f/r_2)", "f/r_3 = Relu(a)", "y = Add(f/r_3, f/r_3)"]
    );
}

#[test]
fn a_function_of_another_operator_set_keeps_its_version() {
    // In the set 12, the softmax of a function is over all axes from 1; in the model's set 17 it is over the last one.
    let soft = |version| {
        let opsets = vec![Opset { domain: "ai.onnx".into(), version }, Opset { domain: "other".into(), version: 2 }];
        let nodes = vec![
            Node::new("Softmax", &["x"], &["s"]),
            Node { domain: "other".into(), ..Node::new("Own", &["s"], &["y"]) },
        ];
        Function { opsets, ..function("Soft", &["x"], &["y"], nodes) }
    };
    for (version, kept) in [(12, Some(12)), (17, None)] {
        // Twice removed: through a function of the model's own version.
        let outer = function("Outer", &["x"], &["y"], vec![call("Soft", &["x"], &["y"])]);
        let model = inlined(model(vec![call("Outer", &["x"], &["y"])], vec![outer, soft(version)]));
        let versions: Vec<_> = model.graph.nodes.iter().map(|node| node.opset).collect();
        assert_eq!((versions, model.opset("other")), (vec![kept, None], Some(2)), "version {version}");
    }
    let model = inlined(model(vec![call("Soft", &["x"], &["y"])], vec![soft(12)]));
    assert_eq!((model.graph.nodes[1].opset, model.opset("other")), (None, Some(2)), "a domain new to the model");
}

#[test]
fn what_a_call_gives_must_fit_the_function() {
    let leak = || {
        let reference = AttributeValue::Reference { name: "slope".into(), type_code: 1 };
        let node = Node::new("LeakyRelu", &["x"], &["y"]).with("alpha", reference);
        Function { attributes: vec!["slope".into()], ..function("Leak", &["x"], &["y"], vec![node]) }
    };
    let wrong = model(vec![call("Leak", &["x"], &["y"]).with("slope", 1)], vec![leak()]).inline_functions();
    let message = wrong.unwrap_err().to_string();
    assert_eq!(
        message,
        "In node 'y' (Leak): The attribute 'slope' of the function 'own.Leak' has another type than the function's body takes."
    );
    let many = model(vec![call("Leak", &["x", "x"], &["y"])], vec![leak()]);
    let message = many.validate().unwrap_err().to_string();
    assert_eq!(message, "In node 'y' (Leak): It gives 2 inputs to the function 'own.Leak', which has 1.");
    assert!(many.inline_functions().is_err());
    let message = model(vec![], vec![leak(), leak()]).validate().unwrap_err().to_string();
    assert_eq!(message, "The function 'own.Leak' is defined twice; each must have a name of its own.");
    let graph = model(
        vec![call("Leak", &["x"], &["y"]).with("slope", Graph::default())],
        vec![Function {
            nodes: vec![
                Node::new("Own", &["x"], &["y"])
                    .with("body", AttributeValue::Reference { name: "slope".into(), type_code: 5 }),
            ],
            ..leak()
        }],
    );
    assert!(
        matches!(graph.inline_functions(), Err(OnnxError::InNode { source, .. }) if matches!(*source, OnnxError::Unsupported { .. }))
    );
}

#[test]
fn functions_that_call_themselves_are_refused_with_the_circle() {
    let calls = |from: &str, to: &str| function(from, &["x"], &["y"], vec![call(to, &["x"], &["y"])]);
    let direct = model(vec![], vec![calls("f", "f")]);
    assert_eq!(direct.validate().unwrap_err(), OnnxError::Recursion { calls: vec!["own.f".into()] });
    let message = direct.inline_functions().unwrap_err().to_string();
    assert_eq!(message, "The function 'own.f' calls itself (own.f -> own.f); written out, it would never end.");

    // `way` leads into the circle b -> c -> b, which goes through a branch.
    let branch = Graph {
        nodes: vec![call("b", &["x"], &["z"])],
        outputs: vec![ValueInfo::float("z", &[4])],
        ..Graph::default()
    };
    let through = function("c", &["x"], &["y"], vec![Node::new("If", &["x"], &["y"]).with("then_branch", branch)]);
    let mutual =
        model(vec![], vec![calls("way", "b"), calls("b", "c"), through, function("leaf", &["x"], &["x"], vec![])]);
    let circle = OnnxError::Recursion { calls: vec!["own.b".into(), "own.c".into()] };
    assert_eq!(mutual.validate().unwrap_err(), circle);
    assert_eq!(mutual.inline_functions().unwrap_err(), circle);
}

/// Functions of which each calls the next `width` times, and the last has one node.
fn tower(height: usize, width: usize, leaf: Node) -> Model {
    let mut functions = vec![function("f0", &["x"], &["y"], vec![leaf])];
    for level in 1..height {
        let name = |at: usize| {
            if at == 0 {
                "x".to_owned()
            } else if at == width {
                "y".to_owned()
            } else {
                format!("v{at}")
            }
        };
        let below = format!("f{}", level - 1);
        let nodes = (0..width).map(|at| call(&below, &[&name(at)], &[&name(at + 1)])).collect();
        functions.push(function(&format!("f{level}"), &["x"], &["y"], nodes));
    }
    model(vec![call(&format!("f{}", height - 1), &["x"], &["y"])], functions)
}

#[test]
fn files_that_would_write_out_to_billions_of_nodes_are_refused_at_once() {
    let long = "n".repeat(100_000);
    let passing = function("f0", &["x"], &["x"], vec![]);
    let mut empty = tower(60, 2, Node::new("Relu", &["x"], &["y"]));
    empty.functions[0] = passing;
    let weights = Tensor::from_f32("w", &[100_000], &vec![0.0; 100_000]);
    for (name, bomb) in [
        ("2^60 nodes", tower(60, 2, Node::new("Relu", &["x"], &["y"]))),
        ("2^60 calls of nothing", empty),
        ("10^9 tensors", tower(10, 10, Node::new("Constant", &[], &["y"]).with("value", weights))),
        ("long names", tower(13, 2, Node::new("Relu", &["x"], &["y"]).named(long))),
        ("a chain of 5,000 functions", tower(5_000, 1, Node::new("Relu", &["x"], &["y"]).named("n"))),
    ] {
        assert_eq!(bomb.validate(), Ok(()), "{name}");
        let bytes = bomb.encode();
        let started = Instant::now();
        let result = Model::decode(&bytes).unwrap().inline_functions();
        let seconds = started.elapsed();
        println!("{name}: {} bytes, {seconds:?}, {:?}", bytes.len(), result.as_ref().err().map(ToString::to_string));
        // Far less than a second when optimised and alone on the machine.
        assert!(seconds < Duration::from_secs(30), "{name} took {seconds:?}");
        let message = result.err().map_or_else(String::new, |error| error.to_string());
        assert!(
            message.ends_with("more than 16777216 bytes of memory.") || name.contains("tensors"),
            "{name}: {message}"
        );
        assert!(message.len() < 200, "{name}: {message}");
    }
    // What real models do is far within the bounds.
    assert_eq!(inlined(tower(4, 10, Node::new("Relu", &["x"], &["y"]))).graph.nodes.len(), 1000);
}

#[test]
fn bodies_that_nest_too_deeply_are_refused() {
    let nest = |level: usize| {
        let body = Graph {
            nodes: vec![call(&format!("f{}", level + 1), &["x"], &["z"])],
            outputs: vec![ValueInfo::float("z", &[4])],
            ..Graph::default()
        };
        function(&format!("f{level}"), &["x"], &["y"], vec![Node::new("If", &["x"], &["y"]).with("then_branch", body)])
    };
    let nested = |levels: usize| {
        let last = function(&format!("f{levels}"), &["x"], &["x"], vec![]);
        let functions = (0..levels).map(nest).chain([last]).collect();
        model(vec![call("f0", &["x"], &["y"])], functions)
    };
    let deep = inlined(nested(16));
    assert_eq!(Model::decode(&deep.encode()), Ok(deep));
    let message = nested(5_000).inline_functions().unwrap_err().to_string();
    assert!(message.contains("nest more than 16 graphs"), "{message}");
}

#[test]
fn a_branch_takes_the_place_of_its_node() {
    let node = Node::new("If", &["condition"], &["y", "z"]).named("choose");
    let inner = Graph {
        nodes: vec![Node::new("Neg", &["h"], &["n"])],
        outputs: vec![ValueInfo::float("n", &[4])],
        ..Graph::default()
    };
    let branch = Graph {
        nodes: vec![Node::new("Add", &["x", "w"], &["h"]), Node::new("Relu", &["h"], &["n"]).with("body", inner)],
        initializers: vec![Tensor::from_f32("w", &[1], &[1.0])],
        outputs: vec![ValueInfo::float("n", &[4]), ValueInfo::float("x", &[4])],
        ..Graph::default()
    };
    let mut taken = Names::default();
    ["x", "condition", "h", "y", "z"].iter().for_each(|name| taken.take(name));
    let (nodes, constants) = branch.in_place_of(&node, &mut taken).unwrap();
    assert_eq!(
        text(&nodes),
        ["choose/h = Add(x, w)", "y = Relu(choose/h) body=[n = Neg(choose/h)]", "z = Identity(x)"]
    );
    assert_eq!(constants, [Tensor::from_f32("w", &[1], &[1.0])]);
    assert!(taken.is_taken("choose/h") && taken.is_taken("w"));

    let short = Graph { outputs: vec![], ..branch }.in_place_of(&node, &mut taken);
    assert!(matches!(short, Err(OnnxError::InNode { .. })), "{short:?}");
}
