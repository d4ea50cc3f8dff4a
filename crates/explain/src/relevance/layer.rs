//! Rules for layers with weights.
//!
//! A rule with weights is a list of linear maps made of the layer itself with other weights. Their outputs
//! add up to the denominator, and each sends its input, times its own weights, times relevance over denominator.

use vitrine_graph::{GraphError, Unit, Value};

use super::stabilised;

/// What is kept of a value: all of it, or one side of zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Whole,
    Positive,
    Negative,
}

impl Side {
    fn of(self, value: &Value) -> Result<Value, GraphError> {
        match self {
            Side::Whole => Ok(value.clone()),
            Side::Positive => value.map(|tensor| tensor.clamp_min(0.0)),
            Side::Negative => value.map(|tensor| tensor.clamp_max(0.0)),
        }
    }
}

/// A rule for layers with weights, by its usual name.
#[derive(Clone, Debug)]
pub(crate) enum LayerRule {
    /// `x w / (z + epsilon sign z)`.
    Epsilon,
    /// Positive weights count `1 + gamma` times where the output is positive; negative ones where it is negative.
    Gamma(f32),
    /// Positive contributions alone share the relevance.
    ZPlus,
    /// Positive contributions share `alpha` parts, negative ones `alpha - 1` parts of the opposite sign.
    AlphaBeta(f32),
    /// Positive weights alone share the relevance, by inputs that are not negative; there is no bias.
    Excitation,
    /// The same by negative weights.
    Inhibition,
    /// In proportion to the squared weights, whatever the input.
    WSquare,
    /// Evenly over a unit's inputs.
    Flat,
    /// For pixels: measured from the lowest and highest value that each may have.
    ZBox {
        /// The lowest input, of the input's shape.
        low: Box<Value>,
        /// The highest input, of the input's shape.
        high: Box<Value>,
    },
}

/// One linear map of a rule.
struct Map {
    input: Value,
    weight: Value,
    bias: Option<Value>,
    sign: f32,
    /// Whether there is nothing on its side of the input, so that it need not be run.
    vanishes: bool,
}

/// A layer with weights, as its rule sees it.
struct Layer<'a> {
    unit: &'a Unit<'a>,
    /// Whether it is known that no input is below zero.
    is_positive: bool,
    /// Positions of the input, the weights and the bias.
    at: (usize, usize, Option<usize>),
}

/// Whether a unit is a layer with weights: one computed input, then constants.
pub(crate) fn is_layer(unit: &Unit<'_>) -> bool {
    Layer::of(unit).is_some()
}

impl<'a> Layer<'a> {
    fn of(unit: &'a Unit<'a>) -> Option<Layer<'a>> {
        let &[input] = unit.variables().as_slice() else { return None };
        let others: Vec<usize> = (0..unit.inputs().len()).filter(|at| *at != input).collect();
        let (weight, bias) = match (unit.operator(), others.as_slice()) {
            ("Conv" | "ConvTranspose" | "Gemm" | "Linear", &[weight, bias]) => (weight, Some(bias)),
            ("Conv" | "ConvTranspose" | "Gemm" | "MatMul", &[weight]) => (weight, None),
            _ => return None,
        };
        Some(Layer { unit, is_positive: false, at: (input, weight, bias) })
    }

    fn expected(unit: &'a Unit<'a>) -> Result<Layer<'a>, GraphError> {
        let refused = GraphError::Kind { operation: "relevance propagation", expected: "a layer with weights" };
        Layer::of(unit).ok_or(refused)
    }

    fn input(&self) -> &Value {
        &self.unit.inputs()[self.at.0]
    }

    fn weight(&self) -> &Value {
        &self.unit.inputs()[self.at.1]
    }

    fn bias(&self) -> Option<&Value> {
        Some(&self.unit.inputs()[self.at.2?])
    }

    /// A map by one side of the input, and of weights and bias; without a bias where `bias` is nothing.
    fn map(&self, input: Side, weight: Side, bias: Option<Side>) -> Result<Map, GraphError> {
        let bias = match (self.bias(), bias) {
            (Some(value), Some(side)) => Some(side.of(value)?),
            (Some(value), None) => Some(value.map(|tensor| tensor.zeros_like())?),
            (None, _) => None,
        };
        self.map_of(input, weight.of(self.weight())?, bias)
    }

    fn map_of(&self, input: Side, weight: Value, bias: Option<Value>) -> Result<Map, GraphError> {
        let vanishes = self.is_positive && input == Side::Negative;
        Ok(Map { input: input.of(self.input())?, weight, bias, sign: 1.0, vanishes })
    }

    /// The unit's inputs with those of a map in their places.
    fn inputs(&self, map: &Map) -> Vec<Value> {
        let (input, weight, bias) = self.at;
        let mut inputs = self.unit.inputs().to_vec();
        inputs[input] = map.input.clone();
        inputs[weight] = map.weight.clone();
        if let (Some(at), Some(value)) = (bias, &map.bias) {
            inputs[at] = value.clone();
        }
        inputs
    }

    fn output(&self, map: &Map) -> Result<Value, GraphError> {
        let output = self.unit.run(&self.inputs(map))?.into_iter().next();
        let output = output.ok_or(GraphError::NotRecorded(self.unit.name().to_owned()))?;
        output.map(|tensor| tensor * map.sign)
    }

    /// What the maps share out of a relevance: each map's input times what comes back through it, added up.
    fn share(&self, maps: &[Map], relevance: &Value, epsilon: f32) -> Result<Value, GraphError> {
        let (mut tapes, mut denominator, mut sum) = (Vec::new(), None, None);
        for map in maps.iter().filter(|map| !map.vanishes) {
            let tape = self.unit.tape(&self.inputs(map))?;
            for output in tape.outputs().iter().take(1) {
                denominator = Some(added(denominator, output.map(|tensor| tensor * map.sign)?)?);
            }
            tapes.push((map, tape));
        }
        if let Some(denominator) = denominator {
            let ratio = relevance.div(&stabilised(&denominator, epsilon)?)?;
            for (map, tape) in tapes {
                // A layer whose output does not depend on its input passes nothing on.
                let back = tape.pull_back(&[Some(ratio.clone())])?.into_iter().nth(self.at.0);
                let Some(back) = back.flatten() else { continue };
                sum = Some(added(sum, back.mul(&map.input)?.map(|tensor| tensor * map.sign)?)?);
            }
        }
        sum.map_or_else(|| self.input().map(|tensor| tensor.zeros_like()), Ok)
    }
}

fn added(sum: Option<Value>, value: Value) -> Result<Value, GraphError> {
    sum.map_or(Ok(value.clone()), |sum| sum.add(&value))
}

/// Sends a layer's relevance to its input by a rule; `is_positive` says that no input is below zero.
///
/// # Errors
/// [`GraphError::Kind`] unless the unit [`is_layer`].
pub(crate) fn through_layer(
    unit: &Unit<'_>,
    rule: &LayerRule,
    epsilon: f32,
    is_positive: bool,
    relevance: &Value,
) -> Result<Vec<Option<Value>>, GraphError> {
    let layer = Layer { is_positive, ..Layer::expected(unit)? };
    use Side::{Negative, Positive, Whole};
    let sent = match rule {
        LayerRule::Epsilon => layer.share(&[layer.map(Whole, Whole, Some(Whole))?], relevance, epsilon)?,
        LayerRule::ZPlus => {
            let maps = [layer.map(Positive, Positive, Some(Positive))?, layer.map(Negative, Negative, None)?];
            layer.share(&maps, relevance, epsilon)?
        }
        LayerRule::Excitation => layer.share(&[layer.map(Positive, Positive, None)?], relevance, epsilon)?,
        LayerRule::Inhibition => layer.share(&[layer.map(Positive, Negative, None)?], relevance, epsilon)?,
        LayerRule::AlphaBeta(alpha) => {
            let positive = [layer.map(Positive, Positive, Some(Positive))?, layer.map(Negative, Negative, None)?];
            let negative = [layer.map(Positive, Negative, Some(Negative))?, layer.map(Negative, Positive, None)?];
            let for_it = layer.share(&positive, &relevance.map(|tensor| tensor * *alpha)?, epsilon)?;
            let against = layer.share(&negative, &relevance.map(|tensor| tensor * (alpha - 1.0))?, epsilon)?;
            for_it.sub(&against)?
        }
        LayerRule::Gamma(gamma) => by_gamma(&layer, *gamma, epsilon, relevance)?,
        LayerRule::WSquare => {
            let squared = layer.weight().map(|tensor| tensor.clone() * tensor)?;
            layer.share(&[unit_input(&layer, squared)?], relevance, epsilon)?
        }
        LayerRule::Flat => {
            let ones = layer.weight().map(|tensor| tensor.ones_like())?;
            layer.share(&[unit_input(&layer, ones)?], relevance, epsilon)?
        }
        LayerRule::ZBox { low, high } => {
            let from_low = Map { input: Value::clone(low), sign: -1.0, ..layer.map(Whole, Positive, Some(Positive))? };
            let from_high =
                Map { input: Value::clone(high), sign: -1.0, ..layer.map(Whole, Negative, Some(Negative))? };
            layer.share(&[layer.map(Whole, Whole, Some(Whole))?, from_low, from_high], relevance, epsilon)?
        }
    };
    let mut result = vec![None; unit.inputs().len()];
    result[layer.at.0] = Some(sent);
    Ok(result)
}

/// A map that does not look at the input: it is one everywhere, and there is no bias.
fn unit_input(layer: &Layer<'_>, weight: Value) -> Result<Map, GraphError> {
    let ones = layer.input().map(|tensor| tensor.ones_like())?;
    Ok(Map { input: ones, weight, ..layer.map(Side::Whole, Side::Whole, None)? })
}

/// The gamma rule for inputs and outputs of either sign: contributions of the output's own sign are strengthened.
fn by_gamma(layer: &Layer<'_>, gamma: f32, epsilon: f32, relevance: &Value) -> Result<Value, GraphError> {
    use Side::{Negative, Positive};
    let strengthened = |value: &Value, side: Side| -> Result<Value, GraphError> {
        value.add(&side.of(value)?.map(|tensor| tensor * gamma)?)
    };
    let map = |input: Side, weight: Side, bias: Option<Side>| -> Result<Map, GraphError> {
        let bias = match (layer.bias(), bias) {
            (Some(value), Some(side)) => Some(strengthened(value, side)?),
            (Some(value), None) => Some(value.map(|tensor| tensor.zeros_like())?),
            (None, _) => None,
        };
        layer.map_of(input, strengthened(layer.weight(), weight)?, bias)
    };
    let output = layer.unit.outputs().first().ok_or(GraphError::NotRecorded(layer.unit.name().to_owned()))?;
    let is_positive = output.map(|tensor| tensor.greater_equal_elem(0.0).float())?;
    let is_negative = is_positive.map(|tensor| -tensor + 1.0)?;
    let positive = [map(Positive, Positive, Some(Positive))?, map(Negative, Negative, None)?];
    let negative = [map(Positive, Negative, Some(Negative))?, map(Negative, Positive, None)?];
    let for_it = layer.share(&positive, &relevance.mul(&is_positive)?, epsilon)?;
    for_it.add(&layer.share(&negative, &relevance.mul(&is_negative)?, epsilon)?)
}

/// What a difference of the input adds to a layer's output, and what it takes away from it.
///
/// # Errors
/// [`GraphError::Kind`] unless the unit [`is_layer`].
pub(crate) fn signed_parts(unit: &Unit<'_>, difference: &Value) -> Result<(Value, Value), GraphError> {
    let layer = Layer::expected(unit)?;
    let part = |input: Side, weight: Side| -> Result<Value, GraphError> {
        layer.output(&Map { input: input.of(difference)?, ..layer.map(Side::Whole, weight, None)? })
    };
    let up = part(Side::Positive, Side::Positive)?.add(&part(Side::Negative, Side::Negative)?)?;
    let down = part(Side::Positive, Side::Negative)?.add(&part(Side::Negative, Side::Positive)?)?;
    Ok((up, down))
}

/// The multiplier of a layer's input, where what raises its output has one multiplier and what lowers it another.
///
/// # Errors
/// [`GraphError::Kind`] unless the unit [`is_layer`].
pub(crate) fn signed_multiplier(
    unit: &Unit<'_>,
    difference: &Value,
    up: &Value,
    down: &Value,
) -> Result<Value, GraphError> {
    let layer = Layer::expected(unit)?;
    let back = |weight: Side, multiplier: &Value| -> Result<Value, GraphError> {
        let map = layer.map(Side::Whole, weight, None)?;
        let back = unit.pull_back(&layer.inputs(&map), &[Some(multiplier.clone())])?.into_iter().nth(layer.at.0);
        back.flatten().map_or_else(|| layer.input().map(|tensor| tensor.zeros_like()), Ok)
    };
    let if_raised = back(Side::Positive, up)?.add(&back(Side::Negative, down)?)?;
    let if_lowered = back(Side::Positive, down)?.add(&back(Side::Negative, up)?)?;
    // One where the input has risen, zero where it has fallen, a half where it has not moved.
    let raised = difference.map(|tensor| tensor.sign() * 0.5 + 0.5)?;
    if_raised.mul(&raised)?.add(&if_lowered.mul(&raised.map(|tensor| -tensor + 1.0)?)?)
}
