//! A step of a backward walk, as rules see it.

use std::collections::HashMap;

use vitrine_onnx::Node;

use crate::{
    Graph, GraphError, Value,
    plan::{Plan, Source},
};

/// One step of a backward walk: a node, or a block of several.
pub struct Unit<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) plan: &'a Plan,
    pub(crate) operator: &'a str,
    /// Positions of its steps, in order.
    pub(crate) steps: Vec<usize>,
    pub(crate) sources: Vec<Source>,
    pub(crate) inputs: Vec<Value>,
    /// Which inputs come after one of the walk's ends.
    pub(crate) variable: Vec<bool>,
    pub(crate) output_ids: Vec<Option<usize>>,
    pub(crate) outputs: Vec<Value>,
}

impl Unit<'_> {
    /// The node's operator, or the block's, see [`crate::Block`].
    pub fn operator(&self) -> &str {
        self.operator
    }

    /// The node, of a block the last one.
    pub fn node(&self) -> &Node {
        let last = self.steps.last().copied().unwrap_or_default();
        &self.graph.nodes[self.plan.steps[last].node]
    }

    /// Name of the first value that it makes.
    pub fn name(&self) -> &str {
        self.output_ids.first().copied().flatten().map_or("", |id| &self.graph.names[id])
    }

    /// The values it read in the recorded run, constants such as weights among them, in the order in which its nodes name
    /// them.
    pub fn inputs(&self) -> &[Value] {
        &self.inputs
    }

    /// The name of an input; nothing for one that was worked out while planning.
    pub fn input_name(&self, at: usize) -> Option<&str> {
        match self.sources.get(at)? {
            Source::Value(id) => Some(&self.graph.names[*id]),
            Source::Constant(_) => None,
        }
    }

    /// Whether an input comes after one of the ends of the walk, so that something may be sent to it.
    pub fn is_variable(&self, at: usize) -> bool {
        self.variable.get(at).copied().unwrap_or(false)
    }

    /// Positions of the inputs that something may be sent to.
    pub fn variables(&self) -> Vec<usize> {
        (0..self.inputs.len()).filter(|&at| self.is_variable(at)).collect()
    }

    /// The values it made in the recorded run.
    pub fn outputs(&self) -> &[Value] {
        &self.outputs
    }

    /// Runs it on other inputs, as many as [`Unit::inputs`] and of the same shapes.
    ///
    /// # Errors
    /// What its operators refuse.
    pub fn run(&self, inputs: &[Value]) -> Result<Vec<Value>, GraphError> {
        let tracked = inputs.iter().any(Value::is_tracked);
        let lift = |value: &Value| if tracked { value.lifted() } else { value.clone() };
        let mut made: HashMap<usize, Value> = HashMap::new();
        let mut outputs = Vec::new();
        let mut next = 0;
        for &position in &self.steps {
            let step = &self.plan.steps[position];
            let mut read: Vec<Option<Value>> = Vec::with_capacity(step.inputs.len());
            for source in &step.inputs {
                let inside = match source {
                    Some(Source::Value(id)) => made.get(id),
                    _ => None,
                };
                read.push(match (source, inside) {
                    (None, _) => None,
                    (_, Some(value)) => Some(value.clone()),
                    (Some(source), None) => {
                        let at = match self.steps.len() {
                            1 => Some(next),
                            _ => self.sources.iter().position(|known| known == source),
                        };
                        next += 1;
                        at.and_then(|at| inputs.get(at)).map(lift)
                    }
                });
            }
            outputs = step.operator.run(&read)?;
            for (id, value) in step.outputs.iter().zip(&outputs) {
                made.extend(id.map(|id| (id, value.clone())));
            }
        }
        let last = self.steps.last().map(|&last| &self.plan.steps[last].outputs);
        let named = |at: &usize| last.and_then(|ids| ids.get(*at)).is_some_and(Option::is_some);
        Ok(outputs.into_iter().enumerate().filter(|(at, _)| named(at)).map(|(_, output)| output).collect())
    }

    /// Runs it on other inputs, as [`Unit::run`] does, and keeps the way back to the variable float ones.
    ///
    /// # Errors
    /// What its operators refuse.
    pub fn tape(&self, inputs: &[Value]) -> Result<Tape, GraphError> {
        let is_leaf = |at: usize| self.is_variable(at) && inputs[at].is_float();
        let leaf = |(at, input): (usize, &Value)| is_leaf(at).then(|| input.leaf()).transpose();
        let leaves: Vec<Option<Value>> = inputs.iter().enumerate().map(leaf).collect::<Result<_, _>>()?;
        let read = leaves.iter().zip(inputs).map(|(leaf, input)| leaf.as_ref().unwrap_or(input).clone());
        let outputs = self.run(&read.collect::<Vec<_>>())?;
        Ok(Tape { leaves, outputs })
    }

    /// The rule of derivatives at given inputs: what arrives at the outputs, times the derivative of each output by each
    /// variable float input. Nothing for inputs on which the outputs do not depend differentiably.
    ///
    /// # Errors
    /// What its operators refuse.
    pub fn pull_back(&self, inputs: &[Value], arrived: &[Option<Value>]) -> Result<Vec<Option<Value>>, GraphError> {
        if !(0..inputs.len()).any(|at| self.is_variable(at) && inputs[at].is_float()) {
            return Ok(vec![None; inputs.len()]);
        }
        self.tape(inputs)?.pull_back(arrived)
    }
}

/// A unit's run with the way back, see [`Unit::tape`].
pub struct Tape {
    /// The inputs that something may be sent to.
    leaves: Vec<Option<Value>>,
    outputs: Vec<Value>,
}

impl Tape {
    /// What the unit made.
    pub fn outputs(&self) -> Vec<Value> {
        self.outputs.iter().map(Value::detached).collect()
    }

    /// [`Unit::pull_back`] at the inputs of this run.
    ///
    /// # Errors
    /// What arrives must have the outputs' shapes.
    pub fn pull_back(&self, arrived: &[Option<Value>]) -> Result<Vec<Option<Value>>, GraphError> {
        // One number for all outputs and samples, whose derivatives by the inputs are what is sent.
        let mut objective: Option<Value> = None;
        for (output, arrived) in self.outputs.iter().zip(arrived) {
            let (Some(arrived), true) = (arrived, output.is_float()) else { continue };
            let term = output.mul(&arrived.lifted())?;
            let term = term.reshape(&[1, term.len()])?.sum_per_sample()?;
            objective = Some(match objective {
                Some(sum) => sum.add(&term)?,
                None => term,
            });
        }
        let objective = objective.filter(Value::has_history);
        let Some(objective) = objective else { return Ok(vec![None; self.leaves.len()]) };
        let gradients = objective.as_float()?.clone().sum().backward();
        let gradient = |leaf: &Option<Value>| -> Result<Option<Value>, GraphError> {
            let Some(leaf) = leaf else { return Ok(None) };
            let gradient = leaf.as_float()?.grad(&gradients);
            Ok(gradient.map(|gradient| Value::from_parts(gradient.inner(), leaf.shape().to_vec())))
        };
        self.leaves.iter().map(gradient).collect()
    }
}
