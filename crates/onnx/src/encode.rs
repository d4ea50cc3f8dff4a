//! A model to bytes. Field numbers are those of the ONNX format; tensor data is always written raw.

use crate::wire::Writer;
use crate::{Attribute, AttributeValue, Dimension, Function, Graph, Model, Node, Opset, Tensor, ValueInfo};

/// The bytes of a whole file.
pub(crate) fn model(model: &Model) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.int(1, model.ir_version);
    writer.text(2, &model.producer_name);
    writer.text(3, &model.producer_version);
    writer.text(4, &model.domain);
    writer.int(5, model.model_version);
    writer.text(6, &model.doc_string);
    writer.message(7, |writer| graph(writer, &model.graph));
    writer.messages(8, &model.opsets, opset);
    writer.messages(14, &model.metadata, |writer, (key, value)| {
        writer.text(1, key);
        writer.text(2, value);
    });
    writer.messages(25, &model.functions, function);
    writer.into_bytes()
}

fn opset(writer: &mut Writer, opset: &Opset) {
    writer.text(1, &opset.domain);
    writer.int(2, opset.version);
}

fn function(writer: &mut Writer, function: &Function) {
    writer.text(1, &function.name);
    writer.texts(4, &function.inputs);
    writer.texts(5, &function.outputs);
    writer.texts(6, &function.attributes);
    writer.messages(7, &function.nodes, node);
    writer.text(8, &function.doc_string);
    writer.messages(9, &function.opsets, opset);
    writer.text(10, &function.domain);
    writer.messages(11, &function.defaults, attribute);
    writer.messages(12, &function.value_infos, value_info);
    writer.text(13, &function.overload);
}

fn graph(writer: &mut Writer, graph: &Graph) {
    writer.messages(1, &graph.nodes, node);
    writer.text(2, &graph.name);
    writer.messages(5, &graph.initializers, tensor);
    writer.text(10, &graph.doc_string);
    writer.messages(11, &graph.inputs, value_info);
    writer.messages(12, &graph.outputs, value_info);
    writer.messages(13, &graph.value_infos, value_info);
}

fn node(writer: &mut Writer, node: &Node) {
    writer.texts(1, &node.inputs);
    writer.texts(2, &node.outputs);
    writer.text(3, &node.name);
    writer.text(4, &node.operator);
    writer.messages(5, &node.attributes, attribute);
    writer.text(6, &node.doc_string);
    writer.text(7, &node.domain);
    writer.text(8, &node.overload);
}

fn attribute(writer: &mut Writer, attribute: &Attribute) {
    writer.text(1, &attribute.name);
    writer.int(20, attribute.value.type_code());
    match &attribute.value {
        AttributeValue::Float(value) => writer.float(2, *value),
        AttributeValue::Int(value) => writer.int(3, *value),
        AttributeValue::String(bytes) => writer.bytes(4, bytes),
        AttributeValue::Tensor(value) => writer.message(5, |writer| tensor(writer, value)),
        AttributeValue::Graph(value) => writer.message(6, |writer| graph(writer, value)),
        AttributeValue::Floats(values) => values.iter().for_each(|value| writer.float(7, *value)),
        AttributeValue::Ints(values) => values.iter().for_each(|value| writer.int(8, *value)),
        AttributeValue::Strings(values) => values.iter().for_each(|bytes| writer.bytes(9, bytes)),
        AttributeValue::Tensors(values) => writer.messages(10, values, tensor),
        AttributeValue::Graphs(values) => writer.messages(11, values, graph),
        AttributeValue::Reference { name, .. } => writer.text(21, name),
    }
}

fn tensor(writer: &mut Writer, tensor: &Tensor) {
    tensor.shape.iter().for_each(|length| writer.int(1, *length as i64));
    writer.int(2, tensor.element_type.code());
    writer.text(8, &tensor.name);
    writer.bytes(9, &tensor.data);
}

fn value_info(writer: &mut Writer, value: &ValueInfo) {
    writer.text(1, &value.name);
    if value.element_type.is_none() && value.shape.is_none() {
        return;
    }
    let tensor_type = |writer: &mut Writer| {
        if let Some(element_type) = value.element_type {
            writer.int(1, element_type.code());
        }
        if let Some(shape) = &value.shape {
            writer.message(2, |writer| writer.messages(1, shape, dimension));
        }
    };
    writer.message(2, |writer| writer.message(1, tensor_type));
}

fn dimension(writer: &mut Writer, dimension: &Dimension) {
    match dimension {
        Dimension::Known(length) => writer.int(1, *length as i64),
        Dimension::Symbol(symbol) => writer.text(2, symbol),
        Dimension::Unknown => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::{Graph, Model, Node, Opset, Tensor, ValueInfo};

    /// y = Add(x, w), put together byte by byte from the field numbers of the format.
    #[test]
    fn a_small_model_is_the_bytes_that_the_format_says() {
        let node = b"\x0a\x01x\x0a\x01w\x12\x01y\x22\x03Add";
        let weight = b"\x08\x01\x10\x01\x42\x01w\x4a\x04\0\0\x80\x3f";
        let x = b"\x0a\x01x\x12\x0d\x0a\x0b\x08\x01\x12\x07\x0a\x03\x12\x01n\x0a\x00";
        let graph = [
            &[0x0a, node.len() as u8],
            &node[..],
            &[0x2a, weight.len() as u8],
            &weight[..],
            &[0x5a, x.len() as u8],
            &x[..],
            b"\x62\x03\x0a\x01y",
        ]
        .concat();
        let expected = [&[0x08, 0x08, 0x28, 0x00, 0x3a, graph.len() as u8], &graph[..], b"\x42\x02\x10\x0d"].concat();

        let dimensions = [crate::Dimension::Symbol("n".into()), crate::Dimension::Unknown];
        let model = Model {
            ir_version: 8,
            opsets: vec![Opset { domain: String::new(), version: 13 }],
            graph: Graph {
                nodes: vec![Node::new("Add", &["x", "w"], &["y"]).named("")],
                initializers: vec![Tensor::from_f32("w", &[1], &[1.0])],
                inputs: vec![ValueInfo::float("x", &dimensions)],
                outputs: vec![ValueInfo { name: "y".into(), ..ValueInfo::default() }],
                ..Graph::default()
            },
            ..Model::default()
        };
        assert_eq!(model.encode().escape_ascii().to_string(), expected.escape_ascii().to_string());
    }
}
