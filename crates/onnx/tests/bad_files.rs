//! Files that are damaged, or made to do harm: each gives one sentence that names what is wrong, at once.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail by panicking")]

use std::time::{Duration, Instant};

use vitrine_onnx::{Dimension, ElementType, Graph, Model, Node, OnnxError, Tensor, ValueInfo};

/// y = Relu(x + w).
fn graph() -> Graph {
    Graph {
        nodes: vec![Node::new("Add", &["x", "w"], &["sum"]), Node::new("Relu", &["sum"], &["y"])],
        initializers: vec![Tensor::from_f32("w", &[2], &[1.0, 2.0])],
        inputs: vec![ValueInfo::float("x", &[1, 2])],
        outputs: vec![ValueInfo::float("y", &[1, 2])],
        ..Graph::default()
    }
}

/// Why a file is refused, by decoding or by the checks after it.
fn refusal(bytes: &[u8]) -> String {
    let started = Instant::now();
    let result =
        Model::decode(bytes).and_then(|model| model.validate().map(|()| model)).and_then(Model::inline_functions);
    // Milliseconds on an idle machine.
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let message = result.expect_err("the file should be refused").to_string();
    assert!(message.ends_with('.') && message.len() < 300, "no sentence: {message}");
    message
}

fn after(damage: impl Fn(&mut Graph)) -> String {
    let mut graph = graph();
    damage(&mut graph);
    refusal(&Model::new(17, graph).encode())
}

#[test]
fn a_circle_of_nodes_is_refused_with_a_value_in_it() {
    let message = after(|graph| graph.nodes[0].inputs[1] = "y".into());
    assert_eq!(
        message,
        "In node 'sum' (Add): The value 'y' is used before it is made; nodes must be in the order in which they run."
    );
}

#[test]
fn a_value_from_nowhere_is_refused_with_its_name() {
    let message = after(|graph| graph.nodes[1].inputs[0] = "ghost".into());
    assert_eq!(message, "In node 'y' (Relu): The value 'ghost' is used, but no input, constant or node makes it.");
}

#[test]
fn absurd_dimensions_are_refused_with_the_name_of_the_tensor() {
    let constant = after(|graph| graph.initializers[0].shape = vec![1 << 40]);
    assert_eq!(
        constant,
        "Tensor 'w' of shape [1099511627776] and type float needs 4398046511104 bytes of data and has 8."
    );
    let product = after(|graph| graph.initializers[0].shape = vec![1 << 40, 1 << 40]);
    assert_eq!(product, "'w' has the shape [1099511627776, 1099511627776], more elements than memory can hold.");
    let input = after(|graph| graph.inputs[0] = ValueInfo::float("x", &[1 << 40, 1 << 40].map(Dimension::Known)));
    assert_eq!(input, "'x' has the shape [1099511627776, 1099511627776], more elements than memory can hold.");
    let value = after(|graph| {
        let huge = Tensor { shape: vec![1 << 62], ..Tensor::from_i64("", &[], &[1]) };
        graph.nodes.insert(0, Node::new("Constant", &[], &["c"]).with("value", huge));
    });
    assert!(value.contains("'value'") && value.contains("more elements than memory can hold"), "{value}");
}

#[test]
fn lengths_that_the_file_does_not_have_are_refused() {
    // A graph, a constant and its raw data that claim 2^40 bytes each, and a file of 20.
    let claim = b"\x80\x80\x80\x80\x80\x20";
    let outer = [&b"\x3a"[..], claim, &[0; 13]].concat();
    assert!(refusal(&outer).contains("cut short"), "{}", refusal(&outer));
    let tensor = [&b"\x08\x01\x10\x01\x42\x01w\x4a"[..], claim].concat();
    let graph = [&[0x2a, tensor.len() as u8], &tensor[..]].concat();
    let file = [&[0x3a, graph.len() as u8], &graph[..]].concat();
    assert!(refusal(&file).contains("longer than what it is part of"), "{}", refusal(&file));
}

#[test]
fn repeated_fields_do_not_add_up_to_more_than_the_file() {
    // Raw data given a thousand times: the last one counts, and the shape asks for all of them.
    let raw = [&b"\x4a\x64"[..], &[0; 100]].concat().repeat(1000);
    let tensor = [&b"\x08\xa0\x8d\x06\x10\x03\x42\x01w"[..], &raw].concat();
    let length = |bytes: &[u8]| {
        let length = bytes.len() as u32;
        vec![length as u8 | 0x80, (length >> 7) as u8 | 0x80, (length >> 14) as u8]
    };
    let graph = [&[0x2a][..], &length(&tensor), &tensor].concat();
    let file = [&[0x3a][..], &length(&graph), &graph].concat();
    assert_eq!(refusal(&file), "Tensor 'w' of shape [100000] and type int8 needs 100000 bytes of data and has 100.");
}

#[test]
fn a_file_of_empty_nodes_is_refused_as_out_of_proportion() {
    let graph = b"\x0a\x00".repeat(8000);
    let file = [&[0x3a, 0x80, 0x7d], &graph[..]].concat();
    assert!(matches!(Model::decode(&file), Err(OnnxError::OutOfProportion { .. })), "{}", refusal(&file));
}

#[test]
fn text_is_refused_where_it_would_be_a_constant_only() {
    let text = ValueInfo::new("x", ElementType::String, &[1]);
    let model = Model::new(17, Graph { inputs: vec![text], ..graph() });
    // Whoever runs the model knows what to say about an input of words.
    assert_eq!(Model::decode(&model.encode()).unwrap().validate(), Ok(()));
}
