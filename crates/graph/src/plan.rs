//! Planning: from nodes and input shapes to resolved steps, with everything folded that does not depend on pixels.

use std::{collections::HashMap, sync::Arc};

use vitrine_onnx::{AttributeValue, ElementType, Node};

use crate::{
    Graph, GraphError, Value,
    error::Unsupported,
    fold::{HOST_OPERATORS, fold},
    limits::{MAX_ELEMENTS, constant_elements, elements},
    operator::{Arguments, Fact, Kind, Operator, Refusal, arguments::Rebatch, resolver},
    value::MAX_RANK,
};

/// A graph resolved for one batch size.
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// What is known of each value, by id; nothing for values that a refused node would have made.
    facts: Vec<Option<Fact>>,
    /// Weights, uploaded constants, and values computed from them alone.
    pub(crate) constants: Vec<Value>,
    /// Positions in `constants` of the values that are constant.
    pub(crate) constant_of: HashMap<usize, usize>,
    /// Nodes at which planning ended, since their outputs have no shape before the model runs.
    pub(crate) ends: Vec<End>,
    /// Position in `ends` of the first one that a value comes after.
    behind: HashMap<usize, usize>,
    /// Values computed before the ends that a node at or behind one reads, in graph order.
    frontier: Vec<usize>,
    /// Positions of If nodes whose condition is known, and what it is; the plan is none before they are replaced.
    pub(crate) choices: Vec<(usize, bool)>,
}

/// A node whose outputs have no shape before the model runs.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) node: String,
    pub(crate) operator: String,
    /// What is not known before.
    pub(crate) what: &'static str,
}

/// One node, ready to run.
pub(crate) struct Step {
    pub(crate) node: usize,
    pub(crate) operator: Operator,
    pub(crate) inputs: Vec<Option<Source>>,
    /// Ids of the values made; nothing where an output is not named.
    pub(crate) outputs: Vec<Option<usize>>,
}

/// Where a step finds an input.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A value that comes when the model runs, by id.
    Value(usize),
    /// An entry of [`Plan::constants`].
    Constant(usize),
}

impl Plan {
    /// What is known of a value, if the plan makes it.
    pub(crate) fn fact(&self, id: usize) -> Option<&Fact> {
        self.facts.get(id)?.as_ref()
    }

    /// Shape of a value, if the plan makes it.
    pub(crate) fn shape(&self, id: usize) -> Option<&[usize]> {
        self.fact(id).map(Fact::shape)
    }

    /// Whether a value is floating-point and computed when the model runs.
    pub(crate) fn is_float(&self, id: usize) -> bool {
        matches!(self.facts.get(id), Some(Some(Fact::Runtime { kind: Kind::Float, .. })))
    }

    /// A value that is the same in every run: a weight, or what planning has computed.
    pub(crate) fn constant(&self, graph: &Graph, id: usize) -> Option<Value> {
        if let Some(&at) = self.constant_of.get(&id) {
            return Some(self.constants[at].clone());
        }
        match (graph.initializers.get(&id), self.facts.get(id)?) {
            (Some(initializer), _) => Some(initializer.value(&graph.device)),
            // Folding does not mind larger ranks, values do.
            (None, Some(Fact::Known(tensor))) if tensor.shape.len() <= MAX_RANK => Some(tensor.upload(&graph.device)),
            _ => None,
        }
    }

    /// The node behind which a value cannot be planned, if it is.
    pub(crate) fn end_before(&self, id: usize) -> Option<&End> {
        self.ends.get(*self.behind.get(&id)?)
    }

    /// Of the graph's outputs, those that are planned; in the place of others, the values from which they would come.
    pub(crate) fn outputs(&self, all: &[usize]) -> Vec<usize> {
        let planned = all.iter().copied().filter(|id| !self.behind.contains_key(id));
        if all.iter().any(|id| self.behind.contains_key(id)) {
            let own: Vec<usize> = planned.collect();
            let before = self.frontier.iter().copied().filter(|id| !own.contains(id));
            return own.iter().copied().chain(before).collect();
        }
        planned.collect()
    }

    /// Resolves every node for a batch of `batch`.
    ///
    /// With `declared`, the plan at the file's own batch size, shapes that were written for that size are scaled.
    pub(crate) fn new(graph: &Graph, batch: usize, declared: Option<&Plan>) -> Result<Plan, GraphError> {
        let mut planner = Planner {
            graph,
            plan: Plan {
                steps: Vec::new(),
                facts: vec![None; graph.names.list.len()],
                constants: Vec::new(),
                constant_of: HashMap::new(),
                ends: Vec::new(),
                behind: HashMap::new(),
                frontier: Vec::new(),
                choices: Vec::new(),
            },
            unsupported: Vec::new(),
            types: HashMap::new(),
            made: 0,
        };
        for (&id, initializer) in &graph.initializers {
            planner.plan.facts[id] = Some(initializer.fact());
            planner.types.insert(id, initializer.element_type);
        }
        for input in &graph.inputs {
            if let Some(element_type) = input.element_type {
                planner.types.insert(input.id, element_type);
            }
            planner.plan.facts[input.id] =
                Some(Fact::Runtime { shape: graph.input_shape(input, batch), kind: input.kind });
        }
        for node in 0..graph.nodes.len() {
            planner.resolve(node, batch, declared)?;
        }
        planner.check_choices()?;
        // What is not supported may be in a branch that is not taken, or come after one that is.
        if planner.unsupported.is_empty() || !planner.plan.choices.is_empty() {
            Ok(planner.plan)
        } else {
            Err(GraphError::Unsupported(planner.unsupported))
        }
    }
}

struct Planner<'a> {
    graph: &'a Graph,
    plan: Plan,
    unsupported: Vec<Unsupported>,
    /// Element types of the file's constants and inputs, by value.
    types: HashMap<usize, ElementType>,
    /// Elements of the constants that were computed.
    made: usize,
}

impl Planner<'_> {
    fn resolve(&mut self, index: usize, batch: usize, declared: Option<&Plan>) -> Result<(), GraphError> {
        let node = &self.graph.nodes[index];
        let wiring = &self.graph.wiring[index];
        let default_domain = matches!(node.domain.as_str(), "" | "ai.onnx");
        let resolver = resolver(&node.operator);
        if default_domain && node.operator == "If" {
            self.choose(index);
            return Ok(());
        }
        if !default_domain || (resolver.is_none() && !HOST_OPERATORS.contains(&node.operator.as_str())) {
            let operator =
                if default_domain { node.operator.clone() } else { format!("{}.{}", node.domain, node.operator) };
            self.refuse(operator, node_name(node));
            return Ok(());
        }
        let facts: Vec<Option<Fact>> =
            wiring.inputs.iter().map(|id| id.and_then(|id| self.plan.facts[id].clone())).collect();
        let incomplete = wiring.inputs.iter().zip(&facts).any(|(id, fact)| id.is_some() && fact.is_none());
        if incomplete {
            // Behind a refused node, which is reported, or behind the end of what can be planned.
            if let Some(&end) = wiring.inputs.iter().flatten().find_map(|id| self.plan.behind.get(id)) {
                self.end_here(index, end);
            }
            return Ok(());
        }
        let (inputs, outputs) = declared_shapes(declared, wiring);
        let rebatch = declared.map(|_| Rebatch {
            declared: self.graph.declared_batch,
            wanted: batch,
            inputs: &inputs,
            outputs: &outputs,
        });
        let types: Vec<Option<ElementType>> =
            wiring.inputs.iter().map(|id| self.types.get(id.as_ref()?).copied()).collect();
        let opset = node.opset.unwrap_or(self.graph.opset);
        let arguments = Arguments { node, opset, facts: &facts, types: &types, rebatch };
        let resolved = match fold(&arguments) {
            Ok(Some(constants)) => {
                for (id, constant) in wiring.outputs.iter().zip(constants) {
                    if let Some(id) = id {
                        self.plan.facts[*id] = Some(Fact::Known(Arc::new(constant)));
                        if let Some(AttributeValue::Tensor(tensor)) = node.attribute("value") {
                            self.types.insert(*id, tensor.element_type);
                        }
                    }
                }
                return Ok(());
            }
            Ok(None) => match resolver {
                Some(resolver) => resolver(&arguments),
                None => Err(Refusal::Unsupported(format!("{} of values computed from pixels", node.operator))),
            },
            Err(refusal) => Err(refusal),
        };
        let resolved = match resolved {
            Ok(resolved) => resolved,
            Err(Refusal::Unsupported(form)) => {
                let form =
                    if form.contains(node.operator.as_str()) { form } else { format!("{} with {form}", node.operator) };
                self.refuse(form, node_name(node));
                return Ok(());
            }
            Err(Refusal::Open { what }) => {
                let (node, operator) = (node_name(node), node.operator.clone());
                self.plan.ends.push(End { node, operator, what });
                self.end_here(index, self.plan.ends.len() - 1);
                return Ok(());
            }
            Err(Refusal::Invalid(reason)) => {
                return Err(GraphError::Node { node: node_name(node), operator: node.operator.clone(), reason });
            }
        };
        let ranks = facts.iter().flatten().chain(&resolved.outputs).map(|fact| fact.shape().len());
        if let Some(rank) = ranks.filter(|&rank| rank > MAX_RANK).max() {
            self.refuse(format!("{} with a value of rank {rank}", node.operator), node_name(node));
            return Ok(());
        }
        if let Some(fact) = resolved.outputs.iter().find(|fact| elements(fact.shape()).is_none()) {
            let reason = format!("its output of shape {:?} has more than {MAX_ELEMENTS} elements", fact.shape());
            return Err(GraphError::Node { node: node_name(node), operator: node.operator.clone(), reason });
        }
        for (id, fact) in wiring.outputs.iter().zip(resolved.outputs) {
            if let Some(id) = id {
                self.plan.facts[*id] = Some(fact);
            }
        }
        let mut inputs: Vec<Option<Source>> =
            wiring.inputs.iter().take(resolved.inputs).map(|id| id.map(|id| self.source(id))).collect();
        inputs.resize(resolved.inputs, None);
        for constant in resolved.operator.constants() {
            self.plan.constants.push(constant.upload(&self.graph.device));
            inputs.push(Some(Source::Constant(self.plan.constants.len() - 1)));
        }
        let step = Step { node: index, operator: resolved.operator, inputs, outputs: wiring.outputs.clone() };
        if step.inputs.iter().flatten().all(|source| matches!(source, Source::Constant(_))) {
            self.precompute(&step)
        } else {
            self.plan.steps.push(step);
            Ok(())
        }
    }

    /// Leaves a node out that is, or comes after, an end of what can be planned.
    fn end_here(&mut self, index: usize, end: usize) {
        let wiring = &self.graph.wiring[index];
        for &id in wiring.inputs.iter().flatten() {
            let made = self.plan.steps.iter().any(|step| step.outputs.contains(&Some(id)));
            if made && self.plan.is_float(id) && !self.plan.frontier.contains(&id) {
                self.plan.frontier.push(id);
            }
        }
        self.plan.behind.extend(wiring.outputs.iter().flatten().map(|&id| (id, end)));
    }

    /// Notes which branch of an If is taken.
    fn choose(&mut self, index: usize) {
        let node = &self.graph.nodes[index];
        let condition = self.graph.wiring[index].inputs.first().copied().flatten();
        match condition.and_then(|id| self.plan.facts[id].as_ref()) {
            Some(Fact::Known(tensor)) if tensor.len() == 1 => {
                self.plan.choices.push((index, tensor.to_ints().first() == Some(&1)));
            }
            Some(_) => self.refuse("If with a condition computed from pixels".to_owned(), node_name(node)),
            // Behind the end of what can be planned, a refused node, or an If that is replaced first.
            None => {
                if let Some(&end) = condition.and_then(|id| self.plan.behind.get(&id)) {
                    self.end_here(index, end);
                }
            }
        }
    }

    /// Branches were taken for the batch size of the file; another one must lead to the same.
    fn check_choices(&self) -> Result<(), GraphError> {
        let differs = |condition: usize, holds: bool| match &self.plan.facts[condition] {
            Some(Fact::Known(tensor)) => tensor.to_ints().first() != Some(&i64::from(holds)),
            _ => false,
        };
        match self.graph.choices.iter().find(|choice| differs(choice.condition, choice.holds)) {
            Some(choice) => {
                let reason = "its condition changes with the batch size".to_owned();
                Err(GraphError::Node { node: choice.node.clone(), operator: "If".to_owned(), reason })
            }
            None => Ok(()),
        }
    }

    fn refuse(&mut self, operator: String, node: String) {
        match self.unsupported.iter_mut().find(|entry| entry.operator == operator) {
            Some(entry) => entry.nodes.push(node),
            None => self.unsupported.push(Unsupported { operator, nodes: vec![node] }),
        }
    }

    /// Where a value is found when the model runs; known constants are uploaded once.
    fn source(&mut self, id: usize) -> Source {
        if let Some(&at) = self.plan.constant_of.get(&id) {
            return Source::Constant(at);
        }
        match self.plan.constant(self.graph, id) {
            Some(constant) => Source::Constant(self.keep(id, constant)),
            None => Source::Value(id),
        }
    }

    fn keep(&mut self, id: usize, constant: Value) -> usize {
        self.plan.constants.push(constant);
        let at = self.plan.constants.len() - 1;
        self.plan.constant_of.insert(id, at);
        at
    }

    /// Runs a step whose inputs are all constants, such as the transposition of a weight.
    fn precompute(&mut self, step: &Step) -> Result<(), GraphError> {
        let shapes = step.outputs.iter().flatten().filter_map(|&id| self.plan.shape(id));
        self.made += shapes.filter_map(elements).sum::<usize>();
        if self.made > constant_elements(self.graph.parameters()) {
            let node = &self.graph.nodes[step.node];
            let reason = "constants made from so small a file would take too much memory".to_owned();
            return Err(GraphError::Node { node: node_name(node), operator: node.operator.clone(), reason });
        }
        let inputs: Vec<Option<Value>> = step
            .inputs
            .iter()
            .map(|source| match source {
                Some(Source::Constant(at)) => Some(self.plan.constants[*at].clone()),
                _ => None,
            })
            .collect();
        for (id, value) in step.outputs.iter().zip(step.operator.run(&inputs)?) {
            if let Some(id) = id {
                self.keep(*id, value);
            }
        }
        Ok(())
    }
}

/// A node's name, or its first output's where it has none.
pub(crate) fn node_name(node: &Node) -> String {
    if node.name.is_empty() { node.outputs.first().cloned().unwrap_or_default() } else { node.name.clone() }
}

/// Shapes of a node's inputs and outputs in the plan at the declared batch size.
fn declared_shapes(
    declared: Option<&Plan>,
    wiring: &crate::graph::Wiring,
) -> (Vec<Option<Vec<usize>>>, Vec<Vec<usize>>) {
    let Some(plan) = declared else { return (Vec::new(), Vec::new()) };
    let shape = |id: &Option<usize>| id.and_then(|id| plan.shape(id)).map(<[usize]>::to_vec);
    (wiring.inputs.iter().map(shape).collect(), wiring.outputs.iter().filter_map(shape).collect())
}
