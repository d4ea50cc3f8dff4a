//! Bodies put in the place of what calls them: functions, and the branches of control-flow nodes.

mod copy;

use std::collections::HashMap;

use crate::functions::{Functions, bodies, each_node};
use crate::model::version_of;
use crate::{AttributeValue, Graph, Model, Node, OnnxError, Opset, Tensor};
use copy::{Body, Copy};

/// Memory that the nodes of functions may take when they are written out, in bytes, beside [`TENSORS`]. The largest
/// vision models have ten thousand nodes of a few hundred bytes.
const MEMORY: usize = 16 << 20;
/// How often the tensors in functions may be repeated on average.
const TENSORS: usize = 4;

/// Names that are taken, from which free ones are made.
#[derive(Clone, Debug, Default)]
pub struct Names(
    /// For each name, the last number that was put behind it.
    HashMap<String, usize>,
);

impl Names {
    /// Marks a name as taken.
    pub fn take(&mut self, name: &str) {
        if !self.0.contains_key(name) {
            self.0.insert(name.to_owned(), 1);
        }
    }

    /// Whether a name is taken.
    pub fn is_taken(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The wished name or, where it is taken, the same with a number behind it; taken from now on.
    pub fn free(&mut self, wish: String) -> String {
        let Some(&last) = self.0.get(&wish) else {
            self.0.insert(wish.clone(), 1);
            return wish;
        };
        let mut number = last + 1;
        let mut name = format!("{wish}_{number}");
        while self.is_taken(&name) {
            number += 1;
            name = format!("{wish}_{number}");
        }
        self.0.insert(wish, number);
        self.take(&name);
        name
    }

    /// Marks every name that nodes use or make, in their bodies too.
    fn take_nodes(&mut self, nodes: &[Node]) {
        each_node(nodes, &mut |node| {
            node.inputs.iter().chain(&node.outputs).for_each(|name| self.take(name));
            bodies(node).for_each(|body| self.take_values(body));
        });
    }

    /// Marks the names of a graph's inputs, outputs and constants.
    fn take_values(&mut self, graph: &Graph) {
        graph.inputs.iter().chain(&graph.outputs).for_each(|value| self.take(&value.name));
        graph.initializers.iter().for_each(|constant| self.take(&constant.name));
    }
}

/// The model with every call of a function replaced by the function's nodes.
pub(crate) fn functions(mut model: Model) -> Result<Model, OnnxError> {
    let list = std::mem::take(&mut model.functions);
    let functions = Functions::new(&list)?;
    functions.check_calls()?;
    for opset in list.iter().flat_map(|function| &function.opsets) {
        if model.opset(&opset.domain).is_none() {
            model.opsets.push(opset.clone());
        }
    }
    let mut names = Names::default();
    names.take_values(&model.graph);
    names.take_nodes(&model.graph.nodes);
    let limit = list.iter().map(|function| tensor_bytes(&function.nodes)).sum::<usize>() * TENSORS + MEMORY;
    let mut inliner = Inliner { functions: &functions, opsets: &model.opsets, names, limit, left: limit };
    model.graph.nodes = inliner.expand(model.graph.nodes, 0)?;
    Ok(model)
}

/// The nodes and constants of a control-flow node's body, in the node's place.
pub(crate) fn body(graph: &Graph, node: &Node, taken: &mut Names) -> Result<(Vec<Node>, Vec<Tensor>), OnnxError> {
    let mut unlimited = usize::MAX;
    let mut copy = Copy::new(node, None, 0, &[], taken, (usize::MAX, &mut unlimited));
    let body = Body {
        inputs: &[],
        outputs: graph.outputs.iter().map(|output| output.name.as_str()).collect(),
        constants: &graph.initializers,
        nodes: &graph.nodes,
    };
    copy.body(&body).map_err(|error| error.in_node(node))
}

struct Inliner<'a> {
    functions: &'a Functions<'a>,
    opsets: &'a [Opset],
    names: Names,
    limit: usize,
    left: usize,
}

impl Inliner<'_> {
    /// The nodes without calls, `depth` graphs deep in attributes.
    fn expand(&mut self, nodes: Vec<Node>, depth: usize) -> Result<Vec<Node>, OnnxError> {
        let mut expanded = Vec::with_capacity(nodes.len());
        // What is left to do, the next one last: calls within calls need no recursion, however long their chain.
        let mut left = nodes;
        left.reverse();
        while let Some(mut node) = left.pop() {
            if let Some(function) = self.functions.called_by(&node) {
                let memory = (self.limit, &mut self.left);
                let mut copy = Copy::new(&node, Some(function), depth, self.opsets, &mut self.names, memory);
                let outputs = function.outputs.iter().map(String::as_str).collect();
                let body = Body { inputs: &function.inputs, outputs, constants: &[], nodes: &function.nodes };
                let (nodes, _) = copy.body(&body).map_err(|error| error.in_node(&node))?;
                left.extend(nodes.into_iter().rev());
                continue;
            }
            for attribute in &mut node.attributes {
                let bodies = match &mut attribute.value {
                    AttributeValue::Graph(body) => std::slice::from_mut(&mut **body),
                    AttributeValue::Graphs(bodies) => bodies.as_mut_slice(),
                    _ => &mut [],
                };
                for body in bodies {
                    body.nodes = self.expand(std::mem::take(&mut body.nodes), depth + 1)?;
                }
            }
            expanded.push(node);
        }
        Ok(expanded)
    }
}

/// Bytes of the tensors in nodes.
fn tensor_bytes(nodes: &[Node]) -> usize {
    let mut bytes = 0;
    each_node(nodes, &mut |node| {
        bytes += bodies(node).flat_map(|body| &body.initializers).map(|tensor| tensor.data.len()).sum::<usize>();
        bytes += node.attributes.iter().map(|attribute| copy::payload(&attribute.value)).sum::<usize>();
    });
    bytes
}

/// The version of a node's operator set as its surroundings need to know it: nothing where they have the same.
fn opset_in(surroundings: &[Opset], domain: &str, version: Option<i64>) -> Option<i64> {
    version.filter(|_| version_of(surroundings, domain) != version)
}
