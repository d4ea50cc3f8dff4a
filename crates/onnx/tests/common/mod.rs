//! Models made up by proptest: well formed as files, without sense as graphs.

use proptest::collection::vec;
use proptest::prelude::*;
use vitrine_onnx::{
    Attribute, AttributeValue, Dimension, ElementType, Function, Graph, Model, Node, Opset, Tensor, ValueInfo,
};

pub(crate) fn model() -> impl Strategy<Value = Model> {
    let origin = (any::<i64>(), text(), text(), text(), any::<i64>(), text());
    let opsets = vec((text(), any::<i64>()), 0..3).prop_map(opsets);
    (origin, opsets, vec((text(), text()), 0..3), graph(2), vec(function(), 0..2)).prop_map(
        |(
            (ir_version, producer_name, producer_version, domain, model_version, doc_string),
            opsets,
            metadata,
            graph,
            functions,
        )| {
            Model {
                ir_version,
                opsets,
                producer_name,
                producer_version,
                domain,
                model_version,
                doc_string,
                metadata,
                graph,
                functions,
            }
        },
    )
}

fn text() -> impl Strategy<Value = String> {
    "[a-z/.é]{0,6}"
}

fn opsets(opsets: Vec<(String, i64)>) -> Vec<Opset> {
    opsets.into_iter().map(|(domain, version)| Opset { domain, version }).collect()
}

fn graph(depth: u32) -> impl Strategy<Value = Graph> {
    let values = || vec(value_info(), 0..3);
    (text(), vec(node(depth), 0..4), vec(tensor(), 0..3), values(), values(), values(), text()).prop_map(
        |(name, nodes, initializers, inputs, outputs, value_infos, doc_string)| Graph {
            name,
            nodes,
            initializers,
            inputs,
            outputs,
            value_infos,
            doc_string,
        },
    )
}

fn function() -> impl Strategy<Value = Function> {
    let names = || vec(text(), 0..3);
    let opsets = vec((text(), any::<i64>()), 0..2).prop_map(opsets);
    let called = (text(), text(), text());
    let values = vec(value_info(), 0..2);
    let body = (vec(node(0), 0..3), opsets, values);
    (called, names(), names(), names(), vec(attribute(0), 0..2), body, text()).prop_map(
        |(
            (name, domain, overload),
            inputs,
            outputs,
            attributes,
            defaults,
            (nodes, opsets, value_infos),
            doc_string,
        )| Function {
            name,
            domain,
            overload,
            inputs,
            outputs,
            attributes,
            defaults,
            nodes,
            opsets,
            value_infos,
            doc_string,
        },
    )
}

fn node(depth: u32) -> impl Strategy<Value = Node> {
    let names = || vec(text(), 0..3);
    let called = (text(), text(), text());
    (text(), called, names(), names(), vec(attribute(depth), 0..3), text()).prop_map(
        |(name, (operator, domain, overload), inputs, outputs, attributes, doc_string)| Node {
            name,
            operator,
            domain,
            overload,
            opset: None,
            inputs,
            outputs,
            attributes,
            doc_string,
        },
    )
}

fn attribute(depth: u32) -> BoxedStrategy<Attribute> {
    let leaf = prop_oneof![
        float().prop_map(AttributeValue::Float),
        any::<i64>().prop_map(AttributeValue::Int),
        vec(any::<u8>(), 0..6).prop_map(AttributeValue::String),
        tensor().prop_map(AttributeValue::Tensor),
        vec(float(), 0..6).prop_map(AttributeValue::Floats),
        vec(any::<i64>(), 0..6).prop_map(AttributeValue::Ints),
        vec(vec(any::<u8>(), 0..3), 0..4).prop_map(AttributeValue::Strings),
        vec(tensor(), 0..3).prop_map(AttributeValue::Tensors),
        ("[a-z]{1,6}", 0..15i64).prop_map(|(name, type_code)| AttributeValue::Reference { name, type_code }),
    ];
    let value = match depth {
        0 => leaf.boxed(),
        _ => prop_oneof![
            8 => leaf,
            1 => graph(depth - 1).prop_map(|graph| AttributeValue::Graph(Box::new(graph))),
            1 => vec(graph(depth - 1), 0..2).prop_map(AttributeValue::Graphs),
        ]
        .boxed(),
    };
    (text(), value).prop_map(|(name, value)| Attribute { name, value }).boxed()
}

/// Any number that equals itself.
fn float() -> impl Strategy<Value = f32> {
    any::<f32>().prop_filter("NaN differs from itself", |value| !value.is_nan())
}

fn tensor() -> impl Strategy<Value = Tensor> {
    let sized: Vec<_> = ElementType::ALL.iter().copied().filter(|element_type| element_type.size().is_some()).collect();
    (text(), proptest::sample::select(sized), vec(0..4usize, 0..4)).prop_flat_map(|(name, element_type, shape)| {
        let length = element_type.size().unwrap_or(0) * shape.iter().product::<usize>();
        let make =
            move |data: Vec<u8>| Tensor { name: name.clone(), element_type, shape: shape.clone(), data: data.into() };
        vec(any::<u8>(), length).prop_map(make)
    })
}

fn value_info() -> impl Strategy<Value = ValueInfo> {
    let dimension = prop_oneof![
        (0..1usize << 40).prop_map(Dimension::Known),
        "[a-z]{1,3}".prop_map(Dimension::Symbol),
        Just(Dimension::Unknown),
    ];
    let element_type = proptest::option::of(proptest::sample::select(ElementType::ALL));
    (text(), element_type, proptest::option::of(vec(dimension, 0..4)))
        .prop_map(|(name, element_type, shape)| ValueInfo { name, element_type, shape })
}
