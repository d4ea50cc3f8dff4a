//! Bytes to a model. Field numbers are those of the ONNX format.

mod tensor;

use crate::recognise::recognise;
use crate::wire::{Budget, File, Message};
use crate::{Attribute, AttributeValue, Dimension, Function, Graph, Model, Node, OnnxError, Opset, ValueInfo};

type Result<T> = std::result::Result<T, OnnxError>;

/// Reads a whole file.
pub(crate) fn model(file: &File) -> Result<Model> {
    if file.len() == 0 {
        return Err(OnnxError::Empty);
    }
    let budget = Budget::new(file.len());
    budget.take(file.memory(), 1)?;
    fields(Message::file(file, &budget)).map_err(|error| match (&error, recognise(file.walked())) {
        // Only what breaks the format itself can be another kind of file.
        (OnnxError::Malformed { .. } | OnnxError::Truncated { .. } | OnnxError::NoGraph, Some(lookalike)) => {
            OnnxError::NotOnnx { lookalike }
        }
        _ => error,
    })
}

fn fields(message: Message<'_>) -> Result<Model> {
    let graph_message = message.message(7)?.ok_or(OnnxError::NoGraph)?;
    Ok(Model {
        ir_version: message.int(1)?.unwrap_or(0),
        producer_name: message.text(2)?,
        producer_version: message.text(3)?,
        domain: message.text(4)?,
        model_version: message.int(5)?.unwrap_or(0),
        doc_string: message.text(6)?,
        graph: graph(graph_message)?,
        opsets: message.each(8, opset)?,
        metadata: message.each(14, |entry| Ok((entry.text(1)?, entry.text(2)?)))?,
        functions: message.each(25, function)?,
    })
}

fn opset(message: Message<'_>) -> Result<Opset> {
    Ok(Opset { domain: message.text(1)?, version: message.int(2)?.unwrap_or(0) })
}

fn function(message: Message<'_>) -> Result<Function> {
    Ok(Function {
        name: message.text(1)?,
        inputs: message.texts(4)?,
        outputs: message.texts(5)?,
        attributes: message.texts(6)?,
        nodes: message.each(7, node)?,
        doc_string: message.text(8)?,
        opsets: message.each(9, opset)?,
        domain: message.text(10)?,
        defaults: message.each(11, attribute)?,
        value_infos: message.each(12, value_info)?,
        overload: message.text(13)?,
    })
}

fn graph(message: Message<'_>) -> Result<Graph> {
    if let Some(sparse) = message.message(15)? {
        let values = sparse.message(1)?.map_or(Ok(String::new()), |values| values.text(8))?;
        return Err(OnnxError::Unsupported { what: format!("the constant '{values}' is sparse") });
    }
    Ok(Graph {
        nodes: message.each(1, node)?,
        name: message.text(2)?,
        initializers: message.each(5, |constant| tensor::tensor(constant, "without a name"))?,
        doc_string: message.text(10)?,
        inputs: message.each(11, value_info)?,
        outputs: message.each(12, value_info)?,
        value_infos: message.each(13, value_info)?,
    })
}

fn node(message: Message<'_>) -> Result<Node> {
    let mut node = Node {
        inputs: message.texts(1)?,
        outputs: message.texts(2)?,
        name: message.text(3)?,
        operator: message.text(4)?,
        attributes: Vec::new(),
        doc_string: message.text(6)?,
        domain: message.text(7)?,
        overload: message.text(8)?,
        opset: None,
    };
    node.attributes = message.each(5, attribute).map_err(|error| error.in_node(&node))?;
    Ok(node)
}

fn attribute(message: Message<'_>) -> Result<Attribute> {
    let name = message.text(1)?;
    let type_code = match message.int(20)? {
        Some(code) if code != 0 => code,
        _ => undeclared_type(message)?,
    };
    let reference = message.text(21)?;
    let one_tensor = |tensor: Message<'_>| tensor::tensor(tensor, &name);
    let missing = || message.malformed("an attribute has no value");
    let value = match type_code {
        _ if !reference.is_empty() => AttributeValue::Reference { name: reference, type_code },
        // A writer may leave out a zero.
        1 => AttributeValue::Float(message.float(2)?.unwrap_or(0.0)),
        2 => AttributeValue::Int(message.int(3)?.unwrap_or(0)),
        3 => AttributeValue::String(message.owned(message.bytes(4)?.unwrap_or_default())?),
        4 => AttributeValue::Tensor(one_tensor(message.message(5)?.ok_or_else(missing)?)?),
        5 => {
            message.budget().take(1, size_of::<Graph>())?;
            AttributeValue::Graph(Box::new(graph(message.message(6)?.ok_or_else(missing)?)?))
        }
        6 => AttributeValue::Floats(floats(message, 7)?),
        7 => AttributeValue::Ints(message.ints(8)?),
        8 => AttributeValue::Strings(message.byte_strings(9)?),
        9 => AttributeValue::Tensors(message.each(10, one_tensor)?),
        10 => AttributeValue::Graphs(message.each(11, graph)?),
        11..=14 => {
            return Err(OnnxError::Unsupported {
                what: format!("attribute '{name}' is a sparse tensor or a type description"),
            });
        }
        _ => return Err(message.malformed("an attribute has a type that the format does not have")),
    };
    Ok(Attribute { name, value })
}

/// The type of an attribute that declares none, as the first version of the format allowed, from the field it uses.
fn undeclared_type(message: Message<'_>) -> Result<i64> {
    for (field, type_code) in [(2, 1), (3, 2), (4, 3), (5, 4), (6, 5), (7, 6), (8, 7), (9, 8), (10, 9), (11, 10)] {
        if message.has(field)? {
            return Ok(type_code);
        }
    }
    // A reference needs no type of its own: the caller's attribute has one.
    Ok(0)
}

fn floats(message: Message<'_>, number: u64) -> Result<Vec<f32>> {
    let bytes = message.little_endian_fixed::<4>(number)?;
    message.budget().take(bytes.len(), 1)?;
    Ok(bytes.as_chunks().0.iter().copied().map(f32::from_le_bytes).collect())
}

fn value_info(message: Message<'_>) -> Result<ValueInfo> {
    let name = message.text(1)?;
    let tensor_type = message.message(2)?.map_or(Ok(None), |declared| declared.message(1))?;
    let Some(tensor_type) = tensor_type else {
        return Ok(ValueInfo { name, element_type: None, shape: None });
    };
    let element_type = match tensor_type.int(1)? {
        None | Some(0) => None,
        Some(code) => Some(tensor::element_type(code, &name)?),
    };
    let shape = match tensor_type.message(2)? {
        None => None,
        Some(shape) => Some(shape.each(1, |axis| dimension(axis, &name))?),
    };
    Ok(ValueInfo { name, element_type, shape })
}

fn dimension(message: Message<'_>, value: &str) -> Result<Dimension> {
    match message.int(1)? {
        // Not in the standard, but some exporters write what their own framework calls an unknown dimension.
        Some(-1) => Ok(Dimension::Unknown),
        Some(length) => tensor::length(length, value).map(Dimension::Known),
        None => Ok(match message.text(2)? {
            symbol if symbol.is_empty() => Dimension::Unknown,
            symbol => Dimension::Symbol(symbol),
        }),
    }
}
