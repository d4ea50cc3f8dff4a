//! What exporters write out in several nodes and people call by one name: activations, normalisations, attention.
//!
//! Nothing is rewritten: every value keeps its name and can be probed. A block only says which values belong together,
//! so that lists of layers show what a person would name, and rules of propagation can treat it as one.

mod activation;
mod attention;
mod linear;
mod normalization;
mod polynomial;

use std::collections::{HashMap, HashSet};

use vitrine_onnx::Node;

use crate::{Graph, GraphError, ValueSummary, host::HostTensor, operator::Fact, plan::Plan};

/// One thing that a graph writes out in several nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What it is called, as ONNX would where it has an operator for it: `Gelu`, `LayerNormalization`, `Attention`,
    /// `Linear`.
    pub operator: &'static str,
    /// The values that enter it, constants aside: of attention queries, keys and values.
    pub inputs: Vec<String>,
    /// The value that it makes.
    pub output: String,
    /// Values on the way from the inputs to the output, in graph order.
    pub inner: Vec<String>,
}

impl Graph {
    /// The blocks of the graph, in the order of their outputs.
    ///
    /// Found are Gelu (by the error function or tanh), Silu, Mish, HardSwish, QuickGelu, layer, RMS and group
    /// normalisation, Linear (a product with weights, then a bias) and attention (a product of two computed values,
    /// scaled or masked, through a softmax into another product).
    ///
    /// # Errors
    /// None after a successful [`Graph::new`]: the plan is kept.
    pub fn blocks(&self) -> Result<&[Block], GraphError> {
        if let Some(blocks) = self.blocks.get() {
            return Ok(blocks);
        }
        let plan = self.plan(self.declared_batch)?;
        let view = View::new(self, &plan);
        let mut found: Vec<(usize, Block)> = Vec::new();
        for step in &plan.steps {
            for &id in step.outputs.iter().flatten() {
                let parts = activation::ending_in(&view, id)
                    .or_else(|| normalization::ending_in(&view, id))
                    .or_else(|| attention::from_softmax(&view, id))
                    .or_else(|| linear::ending_in(&view, id));
                found.extend(parts.and_then(|parts| view.block(parts)));
            }
        }
        found.sort_by_key(|(position, _)| *position);
        Ok(self.blocks.get_or_init(|| found.into_iter().map(|(_, block)| block).collect()))
    }

    /// [`Graph::values`] as a person would list them: of a block only its output, under the block's name.
    ///
    /// # Errors
    /// None after a successful [`Graph::new`]: the plan is kept.
    pub fn layers(&self) -> Result<Vec<ValueSummary>, GraphError> {
        let blocks = self.blocks()?;
        let inner: HashSet<&str> = blocks.iter().flat_map(|block| &block.inner).map(String::as_str).collect();
        let named: HashMap<&str, &str> = blocks.iter().map(|block| (block.output.as_str(), block.operator)).collect();
        let mut layers = self.values()?;
        layers.retain(|value| !inner.contains(value.name.as_str()));
        for layer in &mut layers {
            if let Some(operator) = named.get(layer.name.as_str()) {
                layer.operator = (*operator).to_owned();
            }
        }
        Ok(layers)
    }
}

/// What a pattern has found.
struct Parts {
    operator: &'static str,
    inputs: Vec<usize>,
    output: usize,
    /// Whether values on the way may also be read from outside, as attention weights are.
    open: bool,
}

/// The graph by value: who makes it, who reads it, what is known of it.
struct View<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    /// Position of the step that makes a value.
    makers: HashMap<usize, usize>,
    /// Positions of the steps that read a value.
    readers: HashMap<usize, Vec<usize>>,
}

impl<'a> View<'a> {
    fn new(graph: &'a Graph, plan: &'a Plan) -> View<'a> {
        let (mut makers, mut readers) = (HashMap::new(), HashMap::<usize, Vec<usize>>::new());
        for (position, step) in plan.steps.iter().enumerate() {
            makers.extend(step.outputs.iter().flatten().map(|&id| (id, position)));
            for &id in graph.wiring[step.node].inputs.iter().flatten() {
                readers.entry(id).or_default().push(position);
            }
        }
        View { graph, plan, makers, readers }
    }

    fn node_at(&self, position: usize) -> &'a Node {
        &self.graph.nodes[self.plan.steps[position].node]
    }

    /// The node that makes a value while the model runs.
    fn node(&self, id: usize) -> Option<&'a Node> {
        Some(self.node_at(*self.makers.get(&id)?))
    }

    /// The operator that makes a value while the model runs; empty for constants and inputs.
    fn operator(&self, id: usize) -> &'a str {
        self.node(id).map_or("", |node| node.operator.as_str())
    }

    /// The inputs of the node that makes a value.
    fn inputs(&self, id: usize) -> Vec<usize> {
        let inputs = |position: &usize| self.graph.wiring[self.plan.steps[*position].node].inputs.iter().flatten();
        self.makers.get(&id).map(|position| inputs(position).copied().collect()).unwrap_or_default()
    }

    fn input(&self, id: usize, at: usize) -> Option<usize> {
        self.inputs(id).get(at).copied()
    }

    /// The first outputs of the nodes that read a value.
    fn read_by(&self, id: usize) -> impl Iterator<Item = usize> + '_ {
        let readers = self.readers.get(&id).map(Vec::as_slice).unwrap_or_default();
        readers.iter().filter_map(|&position| self.plan.steps[position].outputs.first().copied().flatten())
    }

    /// The one value made of a value, where a single node reads it.
    fn only_reader(&self, id: usize) -> Option<usize> {
        match self.readers.get(&id).map(Vec::as_slice) {
            Some(&[_]) => self.read_by(id).next(),
            _ => None,
        }
    }

    /// Whether a value comes when the model runs.
    fn is_computed(&self, id: usize) -> bool {
        let is_input = self.graph.inputs.iter().any(|input| input.id == id);
        is_input || (self.makers.contains_key(&id) && !self.plan.constant_of.contains_key(&id))
    }

    fn shape(&self, id: usize) -> &'a [usize] {
        self.plan.shape(id).unwrap_or_default()
    }

    fn known(&self, id: usize) -> Option<&'a HostTensor> {
        match self.plan.fact(id) {
            Some(Fact::Known(tensor)) => Some(tensor),
            _ => None,
        }
    }

    /// The number that a constant is, in one element or many.
    fn scalar(&self, id: usize) -> Option<f32> {
        let values = self.known(id)?.to_floats();
        let first = *values.first()?;
        values.iter().all(|value| *value == first).then_some(first)
    }

    /// The two inputs of a value's node of the given operator, either way around, the computed one first.
    fn computed_and_constant(&self, id: usize, operator: &str) -> Option<(usize, usize)> {
        let &[left, right] = self.inputs(id).as_slice() else { return None };
        match (self.operator(id) == operator, self.is_computed(left), self.is_computed(right)) {
            (true, true, false) => Some((left, right)),
            (true, false, true) => Some((right, left)),
            _ => None,
        }
    }

    /// A value seen through nodes that leave it as it is.
    fn seen_through(&self, mut id: usize) -> usize {
        while matches!(self.operator(id), "Cast" | "Dropout" | "Identity")
            && let Some(input) = self.input(id, 0)
        {
            id = input;
        }
        id
    }

    /// A block with the values on the way; nothing where they are read from outside and may not be.
    fn block(&self, parts: Parts) -> Option<(usize, Block)> {
        let end = *self.makers.get(&parts.output)?;
        let inner = self.between(&parts.inputs, end);
        let is_inside = |id: usize| id == parts.output || inner.contains(&id);
        let escapes = |id: &usize| self.graph.outputs.contains(id) || !self.read_by(*id).all(is_inside);
        if !parts.open && inner.iter().any(escapes) {
            return None;
        }
        let name = |id: usize| self.graph.names[id].clone();
        let block = Block {
            operator: parts.operator,
            inputs: parts.inputs.into_iter().map(name).collect(),
            output: name(parts.output),
            inner: inner.into_iter().map(name).collect(),
        };
        Some((end, block))
    }

    /// The values computed from some others that the step at a position needs, in graph order.
    fn between(&self, sources: &[usize], end: usize) -> Vec<usize> {
        // An input of the graph is made by no step, and so before the first one.
        let start = sources.iter().map(|source| self.makers.get(source).copied().unwrap_or(0)).min().unwrap_or(0);
        let inputs = |position: usize| self.graph.wiring[self.plan.steps[position].node].inputs.iter().flatten();
        let outputs = |position: usize| self.plan.steps[position].outputs.iter().flatten();
        let mut computed: HashSet<usize> = sources.iter().copied().collect();
        for position in start..end {
            if inputs(position).any(|id| computed.contains(id)) {
                computed.extend(outputs(position));
            }
        }
        let mut needed: HashSet<usize> = inputs(end).copied().collect();
        let mut between = Vec::new();
        for position in (start..end).rev() {
            for id in outputs(position).filter(|id| computed.contains(id) && !sources.contains(id)) {
                if needed.contains(id) {
                    between.push(*id);
                    needed.extend(inputs(position));
                }
            }
        }
        between.reverse();
        between
    }
}
