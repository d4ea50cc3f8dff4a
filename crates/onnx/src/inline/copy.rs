//! Copying a body under names that are free where it goes, with a call's inputs, outputs and attributes in place.

use std::collections::{HashMap, HashSet};

use super::{Names, opset_in};
use crate::{Attribute, AttributeValue, Function, Graph, Node, OnnxError, Opset, Tensor, ValueInfo};

/// How deep graphs in attributes may nest in what comes out: less than what [`crate::Model::decode`] reads.
const MAX_DEPTH: usize = 16;

type Result<T> = std::result::Result<T, OnnxError>;

/// What is copied.
pub(super) struct Body<'a> {
    pub(super) inputs: &'a [String],
    pub(super) outputs: Vec<&'a str>,
    pub(super) constants: &'a [Tensor],
    pub(super) nodes: &'a [Node],
}

/// The copying of one body into the place of one node.
pub(super) struct Copy<'a, 'n> {
    /// The node whose place the body takes.
    call: &'a Node,
    /// The function whose body it is; nothing for a branch, whose free names mean values around it.
    function: Option<&'a Function>,
    /// How many graphs in attributes are around the place.
    depth: usize,
    /// The operator sets where the body goes.
    opsets: &'a [Opset],
    names: &'n mut Names,
    /// The new names of values: of the body, then of the graphs within it that are being copied.
    scopes: Vec<HashMap<&'a str, String>>,
    /// Bytes that may be taken in all, and that are left.
    memory: (usize, &'n mut usize),
}

impl<'a, 'n> Copy<'a, 'n> {
    pub(super) fn new(
        call: &'a Node,
        function: Option<&'a Function>,
        depth: usize,
        opsets: &'a [Opset],
        names: &'n mut Names,
        memory: (usize, &'n mut usize),
    ) -> Copy<'a, 'n> {
        Copy { call, function, depth, opsets, names, scopes: vec![HashMap::new()], memory }
    }

    /// The body's nodes and constants.
    pub(super) fn body(&mut self, body: &Body<'a>) -> Result<(Vec<Node>, Vec<Tensor>)> {
        self.take(size_of::<Node>())?;
        let aliases = self.bind(body)?;
        let constants = body.constants.iter().map(|constant| self.constant(constant)).collect::<Result<_>>()?;
        let mut nodes = body.nodes.iter().map(|node| self.node(node)).collect::<Result<Vec<Node>>>()?;
        for (inner, outer) in aliases {
            let source = self.used(inner)?;
            self.take(size_of::<Node>() + 2 * outer.len())?;
            nodes.push(Node::new("Identity", &[&source], &[outer]));
        }
        Ok((nodes, constants))
    }

    /// Gives inputs and outputs the names that the call has for them.
    ///
    /// An output that another name stands for already (an input, an output that is given twice, a value around a
    /// branch) is to be copied from there: inner and outer name.
    fn bind(&mut self, body: &Body<'a>) -> Result<Vec<(&'a str, &'a str)>> {
        let call = self.call;
        let too_many = |what, found, expected| {
            let function = self.function.map_or_else(|| call.operator.clone(), Function::label);
            Err(OnnxError::Call { function, what, found, expected })
        };
        if self.function.is_some() && call.inputs.len() > body.inputs.len() {
            return too_many("inputs", call.inputs.len(), body.inputs.len());
        }
        if call.outputs.len() > body.outputs.len() {
            return too_many("outputs", call.outputs.len(), body.outputs.len());
        }
        for (at, inner) in body.inputs.iter().enumerate() {
            let outer = call.inputs.get(at).map_or("", String::as_str);
            self.rename(inner, outer)?;
        }
        let mut made: HashSet<&str> = body.constants.iter().map(|constant| constant.name.as_str()).collect();
        made.extend(body.nodes.iter().flat_map(|node| &node.outputs).map(String::as_str));
        let mut aliases = Vec::new();
        for (inner, outer) in body.outputs.iter().zip(&call.outputs).filter(|(_, outer)| !outer.is_empty()) {
            // Taken out of what is made, so that the next output of this name is an alias.
            if made.remove(inner) {
                self.rename(inner, outer)?;
            } else {
                aliases.push((*inner, outer.as_str()));
            }
        }
        Ok(aliases)
    }

    fn node(&mut self, node: &'a Node) -> Result<Node> {
        let texts = [&node.name, &node.operator, &node.domain, &node.overload, &node.doc_string];
        self.take(size_of::<Node>() + texts.iter().map(|text| text.len()).sum::<usize>())?;
        let inputs = node.inputs.iter().map(|name| self.used(name)).collect::<Result<_>>()?;
        let mut attributes = Vec::with_capacity(node.attributes.len());
        for attribute in &node.attributes {
            if let Some(value) = self.attribute(attribute)? {
                self.take(size_of::<Attribute>() + attribute.name.len())?;
                attributes.push(Attribute { name: attribute.name.clone(), value });
            }
        }
        let name = match self.function {
            Some(_) if !node.name.is_empty() => self.after_call(&node.name)?,
            _ => node.name.clone(),
        };
        let version = node.opset.or_else(|| self.function.and_then(|function| function.opset(&node.domain)));
        Ok(Node {
            name,
            operator: node.operator.clone(),
            domain: node.domain.clone(),
            overload: node.overload.clone(),
            opset: if self.function.is_some() { opset_in(self.opsets, &node.domain, version) } else { node.opset },
            inputs,
            outputs: node.outputs.iter().map(|name| self.made(name)).collect::<Result<_>>()?,
            attributes,
            doc_string: node.doc_string.clone(),
        })
    }

    /// An attribute's value; nothing where it refers to an attribute that neither the call nor the function gives.
    fn attribute(&mut self, attribute: &'a Attribute) -> Result<Option<AttributeValue>> {
        let value = match (&attribute.value, self.function) {
            (AttributeValue::Reference { name, type_code }, Some(function)) => {
                let default = || function.defaults.iter().find(|default| default.name == *name);
                let given = self.call.attribute(name).or_else(|| default().map(|default| &default.value));
                let Some(given) = given else { return Ok(None) };
                if *type_code != 0 && given.type_code() != *type_code {
                    return Err(OnnxError::AttributeType { attribute: name.clone(), function: function.label() });
                }
                if matches!(given, AttributeValue::Graph(_) | AttributeValue::Graphs(_)) {
                    // Its names would mean values around the call and around the function's body at once.
                    let what = format!("the function '{}' takes a graph as its attribute '{name}'", function.label());
                    return Err(OnnxError::Unsupported { what });
                }
                given
            }
            (AttributeValue::Graph(body), _) => return Ok(Some(AttributeValue::Graph(Box::new(self.graph(body)?)))),
            (AttributeValue::Graphs(bodies), _) => {
                let bodies = bodies.iter().map(|body| self.graph(body)).collect::<Result<_>>()?;
                return Ok(Some(AttributeValue::Graphs(bodies)));
            }
            (value, _) => value,
        };
        self.take(payload(value))?;
        Ok(Some(value.clone()))
    }

    /// A graph in an attribute, whose values are no one else's.
    fn graph(&mut self, graph: &'a Graph) -> Result<Graph> {
        if self.depth + self.scopes.len() > MAX_DEPTH {
            return Err(OnnxError::Nesting { limit: MAX_DEPTH });
        }
        self.take(size_of::<Graph>() + graph.name.len() + graph.doc_string.len())?;
        self.scopes.push(HashMap::new());
        let copied = Graph {
            name: graph.name.clone(),
            inputs: graph.inputs.iter().map(|input| self.value(input, Self::made)).collect::<Result<_>>()?,
            initializers: graph.initializers.iter().map(|constant| self.constant(constant)).collect::<Result<_>>()?,
            nodes: graph.nodes.iter().map(|node| self.node(node)).collect::<Result<_>>()?,
            outputs: graph.outputs.iter().map(|output| self.value(output, Self::used)).collect::<Result<_>>()?,
            value_infos: Vec::new(),
            doc_string: graph.doc_string.clone(),
        };
        self.scopes.pop();
        if copied.outputs.iter().any(|output| output.name.is_empty()) {
            let what = format!("a body in it gives out an input that the call of '{}' leaves out", self.call.operator);
            return Err(OnnxError::Unsupported { what });
        }
        Ok(copied)
    }

    fn value(
        &mut self,
        value: &'a ValueInfo,
        name: impl Fn(&mut Self, &'a str) -> Result<String>,
    ) -> Result<ValueInfo> {
        self.take(value.shape.iter().flatten().count() * 64)?;
        Ok(ValueInfo { name: name(self, &value.name)?, ..value.clone() })
    }

    fn constant(&mut self, constant: &'a Tensor) -> Result<Tensor> {
        self.take(size_of::<Tensor>() + bytes(constant))?;
        Ok(Tensor { name: self.made(&constant.name)?, ..constant.clone() })
    }

    /// The new name of a value that is used.
    fn used(&mut self, name: &str) -> Result<String> {
        let renamed = self.scopes.iter().rev().find_map(|scope| scope.get(name)).map_or(name, String::as_str);
        let bytes = size_of::<String>() + renamed.len();
        let renamed = renamed.to_owned();
        self.take(bytes)?;
        Ok(renamed)
    }

    /// The new name of a value where it is made.
    fn made(&mut self, name: &'a str) -> Result<String> {
        let innermost = self.scopes.last().and_then(|scope| scope.get(name));
        if name.is_empty() || innermost.is_some() {
            return self.used(name);
        }
        let new = match self.function {
            None if !self.names.is_taken(name) => self.names.free(name.to_owned()),
            _ => {
                let wish = self.after_call(name)?;
                self.names.free(wish)
            }
        };
        self.rename(name, &new)?;
        Ok(new)
    }

    fn rename(&mut self, name: &'a str, new: &str) -> Result<()> {
        // Here, and in the list of names.
        self.take(2 * (size_of::<String>() + new.len()))?;
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name, new.to_owned());
        }
        Ok(())
    }

    /// A name that says which call the thing comes from.
    fn after_call(&mut self, name: &str) -> Result<String> {
        let first_output = self.call.outputs.iter().find(|output| !output.is_empty());
        let call = match (self.call.name.as_str(), first_output) {
            ("", Some(output)) => output,
            ("", None) => &self.call.operator,
            (name, _) => name,
        };
        let bytes = size_of::<String>() + call.len() + name.len();
        let name = format!("{call}/{name}");
        self.take(bytes)?;
        Ok(name)
    }

    fn take(&mut self, bytes: usize) -> Result<()> {
        let (limit, left) = &mut self.memory;
        **left = left.checked_sub(bytes).ok_or(OnnxError::Expansion { limit: *limit })?;
        Ok(())
    }
}

/// Bytes that an attribute's value has beside itself; nothing for graphs, which are counted as they are copied.
pub(super) fn payload(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::Float(_) | AttributeValue::Int(_) | AttributeValue::Graph(_) | AttributeValue::Graphs(_) => 0,
        AttributeValue::String(text) => text.len(),
        AttributeValue::Tensor(tensor) => bytes(tensor),
        AttributeValue::Floats(values) => size_of_val(values.as_slice()),
        AttributeValue::Ints(values) => size_of_val(values.as_slice()),
        AttributeValue::Strings(texts) => texts.iter().map(|text| size_of::<Vec<u8>>() + text.len()).sum(),
        AttributeValue::Tensors(tensors) => tensors.iter().map(|tensor| size_of::<Tensor>() + bytes(tensor)).sum(),
        AttributeValue::Reference { name, .. } => name.len(),
    }
}

fn bytes(tensor: &Tensor) -> usize {
    tensor.data.len() + tensor.name.len() + size_of_val(tensor.shape.as_slice())
}
