//! Rules that share out relevance: what relevance propagation does at each unit of a graph.
//!
//! A rule for a layer with weights is a list of linear maps made of the layer itself with other weights. Their outputs
//! add up to the denominator, and each sends its input, times its own weights, times relevance over denominator.

use vitrine_graph::{GraphError, Unit, Value};

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
    /// In proportion to the squared weights, whatever the input.
    WSquare,
    /// Evenly over a unit's inputs.
    Flat,
    /// For pixels: measured from the lowest and highest value that each may have.
    ZBox {
        /// The lowest input, of the input's shape.
        low: Value,
        /// The highest input, of the input's shape.
        high: Value,
    },
}

/// One linear map of a rule.
struct Map {
    input: Value,
    weight: Value,
    bias: Option<Value>,
    sign: f32,
}

/// A layer with weights, as its rule sees it.
struct Layer<'a> {
    unit: &'a Unit<'a>,
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
        Some(Layer { unit, at: (input, weight, bias) })
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
        Ok(Map { input: input.of(self.input())?, weight: weight.of(self.weight())?, bias, sign: 1.0 })
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

    /// What the maps share out of a relevance.
    fn share(&self, maps: &[Map], relevance: &Value, epsilon: f32) -> Result<Value, GraphError> {
        let mut denominator = self.output(&maps[0])?;
        for map in &maps[1..] {
            denominator = denominator.add(&self.output(map)?)?;
        }
        self.send(maps, &relevance.div(&stabilised(&denominator, epsilon)?)?)
    }

    /// Each map's input times what comes back through it, added up.
    fn send(&self, maps: &[Map], ratio: &Value) -> Result<Value, GraphError> {
        let mut sum: Option<Value> = None;
        for map in maps {
            let back = self.unit.pull_back(&self.inputs(map), &[Some(ratio.clone())])?.into_iter().nth(self.at.0);
            // A layer whose output does not depend on its input passes nothing on.
            let Some(back) = back.flatten() else { continue };
            let sent = back.mul(&map.input)?.map(|tensor| tensor * map.sign)?;
            sum = Some(match sum {
                Some(sum) => sum.add(&sent)?,
                None => sent,
            });
        }
        sum.map_or_else(|| self.input().map(|tensor| tensor.zeros_like()), Ok)
    }
}

/// A denominator moved away from zero, by `epsilon` in the direction of its sign; zero counts as positive.
fn stabilised(value: &Value, epsilon: f32) -> Result<Value, GraphError> {
    value.map(|tensor| {
        let sign = tensor.clone().greater_equal_elem(0.0).float() * 2.0 - 1.0;
        tensor + sign * epsilon
    })
}

/// Sends a layer's relevance to its input by a rule.
///
/// # Errors
/// [`GraphError::Kind`] unless the unit [`is_layer`].
pub(crate) fn through_layer(
    unit: &Unit<'_>,
    rule: &LayerRule,
    epsilon: f32,
    relevance: &Value,
) -> Result<Vec<Option<Value>>, GraphError> {
    let refused = GraphError::Kind { operation: "relevance propagation", expected: "a layer with weights" };
    let layer = Layer::of(unit).ok_or(refused)?;
    use Side::{Negative, Positive, Whole};
    let sent = match rule {
        LayerRule::Epsilon => layer.share(&[layer.map(Whole, Whole, Some(Whole))?], relevance, epsilon)?,
        LayerRule::ZPlus => {
            let maps = [layer.map(Positive, Positive, Some(Positive))?, layer.map(Negative, Negative, None)?];
            layer.share(&maps, relevance, epsilon)?
        }
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
            let from_low = Map { input: low.clone(), sign: -1.0, ..layer.map(Whole, Positive, Some(Positive))? };
            let from_high = Map { input: high.clone(), sign: -1.0, ..layer.map(Whole, Negative, Some(Negative))? };
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
        Ok(Map { input: input.of(layer.input())?, weight: strengthened(layer.weight(), weight)?, bias, sign: 1.0 })
    };
    let output = layer.unit.outputs().first().ok_or(GraphError::NotRecorded(layer.unit.name().to_owned()))?;
    let is_positive = output.map(|tensor| tensor.greater_equal_elem(0.0).float())?;
    let is_negative = is_positive.map(|tensor| -tensor + 1.0)?;
    let positive = [map(Positive, Positive, Some(Positive))?, map(Negative, Negative, None)?];
    let negative = [map(Positive, Negative, Some(Negative))?, map(Negative, Positive, None)?];
    let for_it = layer.share(&positive, &relevance.mul(&is_positive)?, epsilon)?;
    for_it.add(&layer.share(&negative, &relevance.mul(&is_negative)?, epsilon)?)
}

/// Shares relevance among the inputs of a unit that is linear in all of them together, such as a sum or a mean: each
/// gets its part of the output. What is not computed, such as a bias, keeps its part.
pub(crate) fn in_proportion(
    unit: &Unit<'_>,
    relevance: &[Option<Value>],
    epsilon: f32,
) -> Result<Vec<Option<Value>>, GraphError> {
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

/// Sends relevance through a normalisation by a sample's own mean and deviation, the deviation taken as a constant, which
/// makes it linear (Ali et al. 2022); the bias keeps its part.
///
/// # Errors
/// [`GraphError::Kind`] for another operator than LayerNormalization, InstanceNormalization and GroupNormalization.
pub(crate) fn through_normalization(
    unit: &Unit<'_>,
    relevance: &Value,
    epsilon: f32,
) -> Result<Vec<Option<Value>>, GraphError> {
    let refused = || GraphError::Kind { operation: "relevance propagation", expected: "a normalisation" };
    let (&[ref input, ref scale, ..], Some(output)) = (unit.inputs(), unit.outputs().first()) else {
        return Err(refused());
    };
    let node = unit.node();
    let int = |name: &str| node.attribute(name).and_then(|value| value.as_int());
    let shape = input.shape();
    let product = |axes: &[usize]| axes.iter().product::<usize>();
    let per_channel = || -> Vec<usize> {
        (0..shape.len()).map(|axis| if axis == 1 { shape.get(1).copied().unwrap_or(1) } else { 1 }).collect()
    };
    // How many rows are normalised, each by itself, and how the scale meets the input.
    let (rows, scale) = match (unit.operator(), shape) {
        ("LayerNormalization", _) => {
            let axis = int("axis").unwrap_or(-1);
            let axis = if axis < 0 { axis + shape.len() as i64 } else { axis };
            let outer = shape.get(..usize::try_from(axis).map_err(|_| refused())?).ok_or_else(refused)?;
            (product(outer), scale.clone())
        }
        ("InstanceNormalization", [samples, channels, ..]) => (samples * channels, scale.reshape(&per_channel())?),
        ("GroupNormalization", [samples, channels, ..]) => {
            let groups = int("num_groups").and_then(|groups| usize::try_from(groups).ok()).unwrap_or(1);
            // Up to opset 20 there was one scale for each group.
            let repeated = channels / scale.len().max(1);
            let scale = scale.reshape(&[scale.len(), 1])?.expand(&[scale.len(), repeated])?;
            (samples * groups, scale.reshape(&per_channel())?)
        }
        _ => return Err(refused()),
    };
    let table = [rows, input.len().checked_div(rows).unwrap_or(0)];
    let mean = |value: &Value| value.sum_axes(&[1])?.map(|tensor| tensor / table[1] as f32);
    let rows = input.reshape(&table)?;
    let centred = rows.sub(&mean(&rows)?)?;
    let steady = node.attribute("epsilon").and_then(|value| value.as_float()).unwrap_or(1e-5);
    let deviation = mean(&centred.mul(&centred)?)?.map(|tensor| (tensor + steady).sqrt())?;
    let ratio = relevance.div(&stabilised(output, epsilon)?)?.mul(&scale)?.reshape(&table)?.div(&deviation)?;
    let sent = rows.mul(&ratio.sub(&mean(&ratio)?)?)?.reshape(shape)?;
    let mut result = vec![None; unit.inputs().len()];
    if let Some(first) = result.first_mut() {
        *first = Some(sent);
    }
    Ok(result)
}
