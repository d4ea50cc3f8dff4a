//! Files written by the reference implementation (`data/make.py`), whose values the script states.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use vitrine_onnx::{AttributeValue, Dimension, ElementType, Model, OnnxError, Tensor};

const FLOATS: [f32; 4] = [-1.5, 0.0, 0.25, 3.0];

fn read(bytes: &[u8]) -> Model {
    let model = Model::decode(bytes).unwrap();
    assert_eq!(Model::decode(&model.encode()).as_ref(), Ok(&model), "changed on the round trip");
    model
}

fn valid(bytes: &[u8]) -> Model {
    let model = read(bytes);
    model.validate().unwrap_or_else(|error| panic!("{error}"));
    model
}

fn stored(element_type: ElementType) -> [Tensor; 2] {
    let model = valid(include_bytes!("data/storage_forms.onnx"));
    ["typed", "raw"].map(|form| {
        let name = format!("{element_type}_{form}");
        model.graph.initializer(&name).unwrap_or_else(|| panic!("no {name}")).clone()
    })
}

#[test]
fn typed_and_raw_storage_give_the_same_bytes_for_every_element_type() {
    for &element_type in ElementType::ALL.iter().filter(|element_type| element_type.size().is_some()) {
        let [typed, raw] = stored(element_type);
        assert_eq!((typed.element_type, raw.element_type), (element_type, element_type));
        assert_eq!(typed.data, raw.data, "{element_type}");
        assert_eq!(typed.shape, raw.shape, "{element_type}");
        assert_eq!(typed.len(), typed.shape[0], "{element_type}");
    }
}

#[test]
fn floats_of_every_width_read_as_float32() {
    for element_type in [ElementType::Float32, ElementType::Float64, ElementType::Float16, ElementType::BFloat16] {
        for tensor in stored(element_type) {
            assert_eq!(tensor.to_f32().unwrap(), FLOATS, "{}", tensor.name);
            assert!(tensor.to_i64().is_err(), "{} are no integers", tensor.name);
        }
    }
}

#[test]
fn integers_of_every_width_read_as_int64_and_as_float32() {
    use ElementType::*;
    let signed = [Int8, Int16, Int32, Int64].map(|element_type| (element_type, [-3, 0, 7, 100]));
    let unsigned = [Uint8, Uint16, Uint32, Uint64].map(|element_type| (element_type, [0, 1, 7, 200]));
    for (element_type, values) in signed.into_iter().chain(unsigned).chain([(Bool, [1, 0, 1, 1])]) {
        for tensor in stored(element_type) {
            assert_eq!(tensor.to_i64().unwrap(), values, "{}", tensor.name);
            assert_eq!(tensor.to_f32().unwrap(), values.map(|value| value as f32), "{}", tensor.name);
        }
    }
}

#[test]
fn complex_numbers_keep_their_parts_in_order_and_are_no_floats() {
    let [tensor, _] = stored(ElementType::Complex64);
    let parts: Vec<f32> = tensor.data.as_chunks().0.iter().copied().map(f32::from_le_bytes).collect();
    assert_eq!(parts, [1.0, -2.0, 0.0, 0.5]);
    let error = tensor.to_f32().unwrap_err().to_string();
    assert_eq!(error, "The values of tensor 'complex64_typed' are complex64 and cannot be read as float.");
}

#[test]
fn every_kind_of_attribute_is_read() {
    let model = read(include_bytes!("data/attributes.onnx"));
    let node = &model.graph.nodes[0];
    let value = |name| node.attribute(name).unwrap_or_else(|| panic!("no attribute {name}"));
    let tensor = Tensor::from_f32("", &[2], &[1.0, 2.0]);
    assert_eq!(value("float").as_float(), Some(0.5));
    assert_eq!(value("int").as_int(), Some(-7));
    assert_eq!(value("string").as_str(), Some("text"));
    assert_eq!(value("tensor").as_tensor(), Some(&tensor));
    assert_eq!(value("graph").as_graph().unwrap().nodes[0].operator, "Relu");
    assert_eq!(value("floats").as_floats(), Some(&[1.0, -2.0][..]));
    assert_eq!(value("ints").as_ints(), Some(&[1, -1][..]));
    assert_eq!(value("strings"), &AttributeValue::Strings(vec![b"a".to_vec(), vec![]]));
    assert_eq!(value("tensors"), &AttributeValue::Tensors(vec![tensor.clone(), tensor]));
    assert!(matches!(value("graphs"), AttributeValue::Graphs(graphs) if graphs[0].name == "body"));
    assert_eq!(node.attributes.len(), 10);
}

#[test]
fn names_shapes_and_origin_are_read() {
    let model = read(include_bytes!("data/attributes.onnx"));
    let node = &model.graph.nodes[0];
    assert_eq!((node.name.as_str(), node.domain.as_str(), node.doc_string.as_str()), ("all", "own", "seen"));
    assert_eq!(node.inputs, ["x", "", "x"]);
    assert_eq!(node.outputs, ["y", ""]);
    let shape = [Dimension::Symbol("batch".into()), Dimension::Unknown, Dimension::Known(3)];
    assert_eq!(model.graph.inputs[0].shape.as_deref(), Some(&shape[..]));
    assert_eq!(model.graph.inputs[0].to_string(), "float[batch, ?, 3]");
    assert_eq!((model.graph.outputs[0].element_type, &model.graph.outputs[0].shape), (None, &None));
    assert_eq!((model.ir_version, model.model_version), (10, 5));
    assert_eq!((model.opset(""), model.opset("ai.onnx"), model.opset("own")), (Some(17), Some(17), Some(3)));
    assert_eq!((model.producer_name.as_str(), model.producer_version.as_str()), ("make.py", "1"));
    assert_eq!((model.domain.as_str(), model.doc_string.as_str()), ("org.example", "attributes"));
    assert_eq!(model.metadata, [("labels".into(), "cat,dog".into()), ("empty".into(), "".into())]);
}

#[test]
fn bodies_of_control_flow_may_use_the_values_around_them() {
    let mut model = valid(include_bytes!("data/control_flow.onnx"));
    model.graph.initializers.clear();
    let error = model.validate().unwrap_err().to_string();
    assert!(error.contains("'more' (Add)") && error.contains("'one'"), "{error}");
}

#[test]
fn attributes_of_a_function_may_refer_to_its_caller() {
    let mut model = valid(include_bytes!("data/functions.onnx"));
    let function = &model.functions[0];
    assert_eq!((function.domain.as_str(), function.name.as_str()), ("own", "Leak"));
    assert_eq!((function.attributes.as_slice(), function.opset("")), (&["slope".to_owned()][..], Some(17)));
    let reference = AttributeValue::Reference { name: "slope".into(), type_code: 1 };
    assert_eq!(function.nodes[0].attribute("alpha"), Some(&reference));

    model.graph.nodes = function.nodes.clone();
    assert!(matches!(model.validate(), Err(OnnxError::InNode { .. })), "a reference outside a function");
}

#[test]
fn initializers_may_be_inputs_too() {
    let model = valid(include_bytes!("data/old_file.onnx"));
    assert_eq!(model.graph.inputs.len(), 2);
    assert_eq!(model.graph.required_inputs().map(|input| input.name.as_str()).collect::<Vec<_>>(), ["x"]);
    assert_eq!(model.graph.initializer("w").unwrap().to_f32().unwrap(), FLOATS);
}

#[test]
fn a_value_that_is_no_tensor_has_no_declared_type() {
    let model = valid(include_bytes!("data/sequence.onnx"));
    assert_eq!((model.graph.outputs[0].element_type, &model.graph.outputs[0].shape), (None, &None));
}

#[test]
fn tensors_that_cannot_be_read_are_refused_by_name() {
    let refused: [(&[u8], &[&str]); 4] = [
        (include_bytes!("data/external.onnx"), &["'weights'", "'weights.bin'", "one file"]),
        (include_bytes!("data/text.onnx"), &["'words'", "string"]),
        (include_bytes!("data/narrow.onnx"), &["'bits'", "int4"]),
        (include_bytes!("data/sparse.onnx"), &["'thin'", "sparse"]),
    ];
    for (bytes, words) in refused {
        let error = Model::decode(bytes).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{words:?} expected in: {error}");
    }
}
