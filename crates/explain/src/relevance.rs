//! Relevance propagation: what each unit of a graph sends back of the relevance that arrives.
//!
//! A layer with weights has the rule that the method chooses, see [`LayerRule`]. All else is the same for every method, see
//! [`Sharing::apply`].

mod layer;
mod normalization;

use std::collections::HashMap;

use vitrine_graph::{Graph, GraphError, Probe, Recording, Run, Unit, Value};

pub(crate) use layer::{LayerRule, is_layer, signed_multiplier, signed_parts};

use crate::{Context, ExplainError, attribution::check_finite, node_kind::NodeKind};

/// What says how much of something else goes through.
const GATES: &[&str] = &["HardSigmoid", "Sigmoid", "Softmax"];

/// What makes no number below zero.
const NEVER_NEGATIVE: &[&str] = &["HardSigmoid", "Relu", "Sigmoid", "Softmax"];

/// How relevance is shared out.
pub(crate) struct Sharing<'a> {
    pub(crate) graph: &'a Graph,
    /// What is added to denominators, in the direction of their sign.
    pub(crate) epsilon: f32,
    /// The rule of a layer with weights.
    pub(crate) layer_rule: &'a dyn Fn(&Unit<'_>) -> Result<LayerRule, ExplainError>,
}

type Sent = Result<Option<Vec<Option<Value>>>, ExplainError>;

impl Sharing<'_> {
    /// Sends relevance from the scores to other values and gives what arrives there; nothing for those that the scores do
    /// not depend on.
    ///
    /// # Errors
    /// [`ExplainError::NoRule`] with every node on the way that has none.
    pub(crate) fn send(
        &self,
        recording: &Recording,
        from: (&str, Value),
        to: &[&str],
    ) -> Result<HashMap<String, Value>, ExplainError> {
        let mut without_rule: Vec<String> = Vec::new();
        let mut rule = |unit: &Unit<'_>, relevance: &[Option<Value>]| match self.apply(unit, relevance)? {
            Some(sent) => Ok(sent),
            None => {
                without_rule.push(format!("{} ({})", unit.operator(), unit.name()));
                // The walk goes on, so that all of them are found.
                Ok(unit.pull_back(unit.inputs(), relevance)?)
            }
        };
        let arrived = self.graph.propagate::<ExplainError>(recording, from, to, &mut rule)?;
        if without_rule.is_empty() { Ok(arrived) } else { Err(ExplainError::NoRule { nodes: without_rule }) }
    }

    /// What a unit sends to its inputs; nothing where there is no rule for it.
    fn apply(&self, unit: &Unit<'_>, relevance: &[Option<Value>]) -> Sent {
        let first = relevance.first().and_then(Option::as_ref);
        if is_layer(unit) {
            let Some(first) = first else { return Ok(Some(vec![None; unit.inputs().len()])) };
            let input = unit.variables().first().and_then(|at| unit.input_name(*at));
            let is_positive = input.is_some_and(|name| self.made_by(name, NEVER_NEGATIVE));
            return Ok(Some(layer::through_layer(unit, &(self.layer_rule)(unit)?, self.epsilon, is_positive, first)?));
        }
        Ok(match NodeKind::of(unit) {
            NodeKind::Activation => pass_on(unit, relevance),
            NodeKind::Rearrangement | NodeKind::Extreme => Some(unit.pull_back(unit.inputs(), relevance)?),
            NodeKind::Linear => Some(in_proportion(unit, relevance, self.epsilon)?),
            NodeKind::Normalization => match (unit.operator(), first) {
                ("GroupNormalization" | "InstanceNormalization" | "LayerNormalization", Some(first)) => {
                    Some(normalization::through_normalization(unit, first, self.epsilon)?)
                }
                // With the divisor as a constant, each value has its own part.
                _ => pass_on(unit, relevance),
            },
            NodeKind::Quotient if unit.is_variable(0) => Some(self.to_one(unit, 0, relevance)?),
            NodeKind::Product => Some(self.through_product(unit, relevance)?),
            NodeKind::Attention => Some(self.to_one(unit, 2, relevance)?),
            NodeKind::Quotient | NodeKind::Function | NodeKind::Other => None,
        })
    }

    /// All relevance to one input, in proportion to its part; the others count as constants.
    fn to_one(
        &self,
        unit: &Unit<'_>,
        at: usize,
        relevance: &[Option<Value>],
    ) -> Result<Vec<Option<Value>>, ExplainError> {
        let mut sent = in_proportion(unit, relevance, self.epsilon)?;
        sent.iter_mut().enumerate().filter(|(other, _)| *other != at).for_each(|(_, value)| *value = None);
        Ok(sent)
    }

    /// A product: all to the only computed factor, or to the one that is no gate, or half to each.
    fn through_product(
        &self,
        unit: &Unit<'_>,
        relevance: &[Option<Value>],
    ) -> Result<Vec<Option<Value>>, ExplainError> {
        let &[first, second] = unit.variables().as_slice() else {
            return Ok(in_proportion(unit, relevance, self.epsilon)?);
        };
        let is_gate = |at: usize| unit.input_name(at).is_some_and(|name| self.made_by(name, GATES));
        let size = |at: usize| unit.inputs()[at].len();
        match (is_gate(first), is_gate(second)) {
            (true, false) => self.to_one(unit, second, relevance),
            (false, true) => self.to_one(unit, first, relevance),
            _ if unit.operator() == "Mul" && size(first) > size(second) => self.to_one(unit, first, relevance),
            _ if unit.operator() == "Mul" && size(first) < size(second) => self.to_one(unit, second, relevance),
            _ => {
                let half = |value: &Option<Value>| {
                    let halved = value.as_ref().map(|value| value.map(|tensor| tensor * 0.5));
                    halved.transpose()
                };
                let halves = relevance.iter().map(half).collect::<Result<Vec<_>, _>>()?;
                Ok(in_proportion(unit, &halves, self.epsilon)?)
            }
        }
    }

    /// Whether a value comes from one of some operators, with nothing on the way but what moves or picks its numbers.
    fn made_by(&self, name: &str, operators: &[&str]) -> bool {
        let mut name = name;
        while let Some(node) = self.graph.producer(name) {
            match (node.operator.as_str(), node.inputs.first()) {
                (operator, _) if operators.contains(&operator) => return true,
                (
                    "Cast" | "Dropout" | "Expand" | "Flatten" | "Identity" | "MaxPool" | "Reshape" | "Squeeze"
                    | "Transpose" | "Unsqueeze",
                    Some(input),
                ) => name = input,
                _ => return false,
            }
        }
        false
    }
}

/// What arrived, unchanged, to one input of the same shape.
fn pass_on(unit: &Unit<'_>, relevance: &[Option<Value>]) -> Option<Vec<Option<Value>>> {
    let mut sent = vec![None; unit.inputs().len()];
    let at = unit.variables().first().copied()?;
    if let Some(Some(relevance)) = relevance.first() {
        let same = relevance.shape() == unit.inputs().get(at)?.shape();
        *sent.get_mut(at)? = same.then(|| relevance.clone());
        if !same {
            return None;
        }
    }
    Some(sent)
}

/// A denominator moved away from zero, by `epsilon` in the direction of its sign; zero counts as positive.
fn stabilised(value: &Value, epsilon: f32) -> Result<Value, GraphError> {
    value.map(|tensor| {
        let sign = tensor.clone().greater_equal_elem(0.0).float() * 2.0 - 1.0;
        tensor + sign * epsilon
    })
}

/// Shares relevance among the inputs of a unit that is linear in all of them together, such as a sum or a mean: each
/// gets its part of the output. What is not computed, such as a bias, keeps its part.
fn in_proportion(unit: &Unit<'_>, relevance: &[Option<Value>], epsilon: f32) -> Result<Vec<Option<Value>>, GraphError> {
    let mut ratios = Vec::new();
    for (output, relevance) in unit.outputs().iter().zip(relevance) {
        ratios.push(match relevance {
            Some(relevance) => Some(relevance.div(&stabilised(output, epsilon)?)?),
            None => None,
        });
    }
    let back = unit.pull_back(unit.inputs(), &ratios)?;
    back.into_iter().zip(unit.inputs()).map(|(back, input)| back.map(|back| back.mul(input)).transpose()).collect()
}

/// The relevance that is sent out: each score times how much the target grows with it. For a logit that is the logit.
pub(crate) struct Start {
    pub(crate) relevance: Value,
    pub(crate) sum: f32,
    /// The target.
    pub(crate) prediction: f32,
}

impl Start {
    pub(crate) async fn of(context: &Context<'_>, scores: &Value) -> Result<Start, ExplainError> {
        let (relevance, prediction) = match Start::slope(context, scores).await? {
            (Some(slope), prediction) => (scores.mul(&slope)?, prediction),
            (None, prediction) => (scores.map(|tensor| tensor.zeros_like())?, prediction),
        };
        let sum: f64 = relevance.to_vec().await?.into_iter().map(f64::from).sum();
        Ok(Start { relevance, sum: sum as f32, prediction })
    }

    /// How much the target grows with each score, and the target.
    pub(crate) async fn slope(context: &Context<'_>, scores: &Value) -> Result<(Option<Value>, f32), ExplainError> {
        let logits = context.target.head().logits();
        let run = Run::of([logits]).feed(logits, scores.clone()).probe(logits, Probe::Gradient);
        let trace = context.graph.run(&run)?;
        let objective = context.target.objective(trace.value(logits)?)?;
        let prediction = objective.to_vec().await?.first().copied().unwrap_or(f32::NAN);
        check_finite(&[prediction], "The target at the input", "check the input's values and the model card")?;
        Ok((trace.gradients(&objective)?.remove(logits), prediction))
    }
}
