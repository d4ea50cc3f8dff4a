//! Differences from a reference handed back through the network: what DeepLIFT and DeepSHAP stand on.
//!
//! What arrives at a value is its multiplier: how much the target differs for each unit by which the value differs from
//! the reference's. Through an activation it is the quotient of the differences behind and before it; through
//! what is linear, the derivative; through a product of two computed values the mean of the derivatives at both
//! ends, which is exact there. Normalisations and other nonlinear functions of several values take that mean too, and what
//! it misses is in the completeness gap.

use std::collections::HashMap;

use vitrine_graph::{Graph, Recording, Run, Unit, Value};

use crate::{
    Context, ExplainError,
    node_kind::NodeKind,
    options::choices,
    relevance::{Start, is_layer, signed_multiplier, signed_parts},
};

choices! {
    /// How an activation's difference is shared out.
    pub enum LiftRule {
        /// All inputs of the layer before get the same quotient of differences.
        Rescale = "rescale",
        /// What raises the activation's input and what lowers it get quotients of their own, each averaged over coming
        /// first and coming second. Finds inputs that cancel each other out.
        RevealCancel = "reveal-cancel",
    }
}

/// Differences smaller than this are taken for rounding, and the derivative takes the quotient's place.
const SMALL: f32 = 1e-6;

/// What a reference explains.
pub(crate) struct Lifted {
    /// Multiplier times difference, of the input's shape; nothing where the target does not depend on the input.
    pub(crate) contributions: Option<Value>,
    /// The target at the reference.
    pub(crate) reference_prediction: f32,
}

/// Two runs side by side.
struct Lift<'a> {
    graph: &'a Graph,
    reference: &'a Recording,
    /// How much of each layer's difference raises its output and how much lowers it, by the output's name; empty for
    /// [`LiftRule::Rescale`].
    parts: HashMap<String, (Value, Value)>,
    /// Multipliers of those two parts, as far as activations have sent them.
    split: HashMap<String, (Value, Value)>,
}

type Sent = Result<Vec<Option<Value>>, ExplainError>;

/// A run whose values are kept, with the target there.
pub(crate) struct Recorded {
    recording: Recording,
    /// How much the target grows with each score; nothing where it does not.
    slope: Option<Value>,
    pub(crate) prediction: f32,
}

impl Recorded {
    /// Runs the graph on the input or on a reference: one forward pass.
    pub(crate) async fn of(context: &Context<'_>, graph: &Graph, input: &Value) -> Result<Recorded, ExplainError> {
        let logits = context.target.head().logits();
        let recording = graph.record(&Run::of([logits]).feed(context.input_name, input.clone()))?;
        let (slope, prediction) = Start::slope(context, recording.value(graph, logits)?).await?;
        Ok(Recorded { recording, slope, prediction })
    }
}

/// Hands the difference between the target at the input, which was run before, and at a reference back to the input.
pub(crate) async fn lift(
    context: &Context<'_>,
    graph: &Graph,
    here: &Recorded,
    reference: &Value,
    rule: LiftRule,
) -> Result<Lifted, ExplainError> {
    let (logits, input) = (context.target.head().logits(), context.input_name);
    let there = Recorded::of(context, graph, reference).await?;
    let reference_prediction = there.prediction;
    let multiplier = match (&here.slope, &there.slope) {
        (Some(here), Some(there)) => here.add(there)?.map(|tensor| tensor * 0.5)?,
        _ => return Ok(Lifted { contributions: None, reference_prediction }),
    };
    let mut walk = Lift { graph, reference: &there.recording, parts: HashMap::new(), split: HashMap::new() };
    if rule == LiftRule::RevealCancel {
        let mut look = |unit: &Unit<'_>, arrived: &[Option<Value>]| walk.look(unit, arrived);
        graph.propagate::<ExplainError>(&here.recording, (logits, multiplier.clone()), &[input], &mut look)?;
    }
    let mut step = |unit: &Unit<'_>, arrived: &[Option<Value>]| walk.step(unit, arrived);
    let mut arrived = graph.propagate::<ExplainError>(&here.recording, (logits, multiplier), &[input], &mut step)?;
    let difference = context.input.sub(reference)?;
    let contributions = arrived.remove(input).map(|multiplier| multiplier.mul(&difference)).transpose()?;
    Ok(Lifted { contributions, reference_prediction })
}

impl Lift<'_> {
    /// A unit's inputs in the reference's run.
    fn inputs_there(&self, unit: &Unit<'_>) -> Result<Vec<Value>, ExplainError> {
        let there = |(at, here): (usize, &Value)| match unit.input_name(at).filter(|_| unit.is_variable(at)) {
            Some(name) => Ok(self.reference.value(self.graph, name)?.clone()),
            None => Ok(here.clone()),
        };
        unit.inputs().iter().enumerate().map(there).collect()
    }

    /// Writes down the two parts of a layer's difference, and walks on.
    fn look(&mut self, unit: &Unit<'_>, arrived: &[Option<Value>]) -> Sent {
        if let (true, &[at]) = (is_layer(unit), unit.variables().as_slice()) {
            let difference = unit.inputs()[at].sub(&self.inputs_there(unit)?[at])?;
            self.parts.insert(unit.name().to_owned(), signed_parts(unit, &difference)?);
        }
        Ok(unit.pull_back(unit.inputs(), arrived)?)
    }

    fn step(&mut self, unit: &Unit<'_>, arrived: &[Option<Value>]) -> Sent {
        let there = self.inputs_there(unit)?;
        if let Some((up, down)) = self.split.remove(unit.name())
            && let &[at] = unit.variables().as_slice()
        {
            let also = |part: Value| match arrived.first() {
                Some(Some(both)) => part.add(both),
                _ => Ok(part),
            };
            let difference = unit.inputs()[at].sub(&there[at])?;
            let mut sent = vec![None; unit.inputs().len()];
            sent[at] = Some(signed_multiplier(unit, &difference, &also(up)?, &also(down)?)?);
            return Ok(sent);
        }
        match NodeKind::of(unit) {
            NodeKind::Linear | NodeKind::Rearrangement => Ok(unit.pull_back(unit.inputs(), arrived)?),
            NodeKind::Activation | NodeKind::Function if unit.variables().len() == 1 => {
                self.through_activation(unit, &there, arrived)
            }
            NodeKind::Extreme => through_extreme(unit, &there, arrived),
            NodeKind::Activation
            | NodeKind::Function
            | NodeKind::Normalization
            | NodeKind::Quotient
            | NodeKind::Product
            | NodeKind::Attention
            | NodeKind::Other => {
                let (here, there) = (unit.pull_back(unit.inputs(), arrived)?, unit.pull_back(&there, arrived)?);
                here.into_iter().zip(there).map(|pair| mean(pair.0, pair.1)).collect()
            }
        }
    }

    fn through_activation(&mut self, unit: &Unit<'_>, there: &[Value], arrived: &[Option<Value>]) -> Sent {
        let mut sent = vec![None; unit.inputs().len()];
        let (Some(Some(multiplier)), &[at]) = (arrived.first(), unit.variables().as_slice()) else { return Ok(sent) };
        let output = |input: Value| {
            let mut inputs = there.to_vec();
            inputs[at] = input;
            let output = unit.run(&inputs)?.into_iter().next();
            output.ok_or_else(|| vitrine_graph::GraphError::NotRecorded(unit.name().to_owned()))
        };
        let (here, start) = (&unit.inputs()[at], &there[at]);
        let slope = unit.pull_back(unit.inputs(), arrived)?.swap_remove(at);
        let name = unit.input_name(at).unwrap_or_default();
        if let Some((up, down)) = self.parts.get(name) {
            let (only_up, only_down) = (output(start.add(up)?)?, output(start.add(down)?)?);
            let (none, both) = (output(start.clone())?, output(here.clone())?);
            let share = |first: &Value, last: &Value, part: &Value| {
                let difference = first.sub(&none)?.add(&both.sub(last)?)?.map(|tensor| tensor * 0.5)?;
                quotient(&difference.mul(multiplier)?, part, slope.as_ref())
            };
            let (up, down) = (share(&only_up, &only_down, up)?, share(&only_down, &only_up, down)?);
            let (up, down) = match self.split.remove(name) {
                Some((before_up, before_down)) => (before_up.add(&up)?, before_down.add(&down)?),
                None => (up, down),
            };
            // The layer takes its multipliers from there; a zero lets the walk go on to it.
            sent[at] = Some(here.map(|tensor| tensor.zeros_like())?);
            self.split.insert(name.to_owned(), (up, down));
            return Ok(sent);
        }
        let difference = output(here.clone())?.sub(&output(start.clone())?)?.mul(multiplier)?;
        sent[at] = Some(quotient(&difference, &here.sub(start)?, slope.as_ref())?);
        Ok(sent)
    }
}

/// A difference behind over the one before it; the derivative where that is none.
fn quotient(behind: &Value, before: &Value, slope: Option<&Value>) -> Result<Value, ExplainError> {
    let is_large = before.map(|tensor| tensor.abs().greater_elem(SMALL).float())?;
    let is_small = is_large.map(|tensor| -tensor + 1.0)?;
    // One is divided by where the difference is too small, and what comes out is dropped.
    let quotient = behind.div(&before.mul(&is_large)?.add(&is_small)?)?.mul(&is_large)?;
    Ok(match slope {
        Some(slope) => quotient.add(&slope.mul(&is_small)?)?,
        None => quotient,
    })
}

/// The winner here gets what the output rises above the reference's, and the winner there what it falls.
fn through_extreme(unit: &Unit<'_>, there: &[Value], arrived: &[Option<Value>]) -> Sent {
    let mut sent = vec![None; unit.inputs().len()];
    let outputs_there = unit.run(there)?;
    let (Some(Some(multiplier)), Some(here), Some(below)) =
        (arrived.first(), unit.outputs().first(), outputs_there.first())
    else {
        return Ok(sent);
    };
    let is_least = matches!(unit.operator(), "Min" | "ReduceMin");
    let outer = if is_least { here.minimum(below)? } else { here.maximum(below)? };
    let risen = unit.pull_back(unit.inputs(), &[Some(outer.sub(below)?.mul(multiplier)?)])?;
    let fallen = unit.pull_back(there, &[Some(here.sub(&outer)?.mul(multiplier)?)])?;
    let slopes = unit.pull_back(unit.inputs(), arrived)?;
    for (at, ((risen, fallen), slope)) in risen.into_iter().zip(fallen).zip(slopes).enumerate() {
        if let (Some(risen), Some(fallen)) = (risen, fallen) {
            let before = unit.inputs()[at].sub(&there[at])?;
            sent[at] = Some(quotient(&risen.add(&fallen)?, &before, slope.as_ref())?);
        }
    }
    Ok(sent)
}

fn mean(here: Option<Value>, there: Option<Value>) -> Result<Option<Value>, ExplainError> {
    Ok(match (here, there) {
        (Some(here), Some(there)) => Some(here.add(&there)?.map(|tensor| tensor * 0.5)?),
        (one, other) => one.or(other),
    })
}
