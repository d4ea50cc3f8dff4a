//! Quantised graphs, executed in floating point.
//!
//! Quantised values stay floating-point numbers that happen to be whole, so that gradients pass: rounding has the
//! gradient of the identity (the straight-through estimator), saturation that of clipping. The scales and zero points of
//! DynamicQuantizeLinear count as constants in the gradient.

use vitrine_onnx::ElementType;

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, axis, invalid, unsupported},
    convolution, linear,
};
use crate::{GraphError, Value, value::indexing::positions};

/// The numbers that a quantised element type holds.
#[derive(Clone, Copy, Debug)]
struct Limits {
    low: f32,
    high: f32,
}

/// The type that a node quantises to: an attribute's, else the zero point's, else bytes.
fn limits(arguments: &Arguments<'_>, zero_point: usize) -> Result<Limits, Refusal> {
    use ElementType::{Int4, Int8, Int16, Uint4, Uint8, Uint16};
    let (low, high) = match arguments.int("output_dtype", 0) {
        0 => match arguments.types.get(zero_point).copied().flatten() {
            Some(Int8) => (-128, 127),
            Some(Int16) => (-32_768, 32_767),
            Some(Uint16) => (0, 65_535),
            Some(Int4) => (-8, 7),
            Some(Uint4) => (0, 15),
            Some(Uint8) => (0, 255),
            None if !matches!(arguments.facts.get(zero_point), Some(Some(_))) => (0, 255),
            Some(other) => return unsupported(format!("quantisation to {other}")),
            None => return unsupported("a computed zero point, whose type is not known"),
        },
        2 => (0, 255),
        3 => (-128, 127),
        4 => (0, 65_535),
        5 => (-32_768, 32_767),
        21 => (0, 15),
        22 => (-8, 7),
        25 => (0, 3),
        26 => (-2, 1),
        other => return unsupported(format!("quantisation to element type {other}")),
    };
    Ok(Limits { low: low as f32, high: high as f32 })
}

impl Limits {
    /// Rounds to even and saturates; the gradient passes inside the limits.
    fn quantized(self, scaled: &Value, zero_point: Option<&Value>) -> Result<Value, GraphError> {
        let whole = scaled.map(|tensor| tensor.clone() + (tensor.clone().round() - tensor).detach())?;
        let shifted = match zero_point {
            Some(zero_point) => whole.add(&zero_point.beside(&whole))?,
            None => whole,
        };
        shifted.map(|tensor| tensor.clamp(self.low, self.high))
    }
}

/// How scales and zero points spread over the elements.
#[derive(Clone, Debug)]
enum Spread {
    /// Under this shape they broadcast.
    View(Vec<usize>),
    /// Along an axis each counts for a block of elements.
    Blocks { axis: usize, blocks: Vec<usize> },
}

impl Spread {
    fn resolve(arguments: &Arguments<'_>) -> Result<Spread, Refusal> {
        let (input, scale) = (arguments.shape(0)?, arguments.shape(1)?);
        let count = |shape: &[usize]| shape.iter().product::<usize>();
        if let Some(Some(zero_point)) = arguments.facts.get(2)
            && zero_point.shape() != scale
            && count(zero_point.shape()).max(count(scale)) > 1
        {
            return invalid(format!("zero points {:?} do not match scales {scale:?}", zero_point.shape()));
        }
        if count(scale) == 1 {
            return Ok(Spread::View(vec![1; input.len()]));
        }
        let axis = axis(arguments.int("axis", 1), input.len())?;
        if let &[length] = scale {
            if length != input[axis] {
                return invalid(format!("{length} scales do not fit axis {axis} of {input:?}"));
            }
            let mut view = vec![1; input.len()];
            view[axis] = length;
            return Ok(Spread::View(view));
        }
        let block = usize::try_from(arguments.int("block_size", 0)).unwrap_or(0);
        let fits = scale.len() == input.len()
            && block > 0
            && (0..input.len()).all(|at| match at == axis {
                true => scale[at] == input[at].div_ceil(block),
                false => scale[at] == input[at],
            });
        match fits {
            true => Ok(Spread::Blocks { axis, blocks: (0..input[axis]).map(|at| at / block).collect() }),
            false => invalid(format!("scales {scale:?} in blocks of {block} do not fit input {input:?}")),
        }
    }

    fn over(&self, value: &Value) -> Result<Value, GraphError> {
        let value = value.to_float_value();
        match self {
            Spread::View(view) => value.reshape(view),
            Spread::Blocks { axis, blocks } => value.select(*axis, positions(blocks.iter().copied(), &value.device())),
        }
    }
}

/// Scaling and rounding.
#[derive(Clone, Debug)]
pub(crate) struct Quantize {
    limits: Limits,
    spread: Spread,
}

pub(crate) fn quantize(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let shape = arguments.shape(0)?.to_vec();
    let operator = Quantize { limits: limits(arguments, 2)?, spread: Spread::resolve(arguments)? };
    Ok(Resolved { operator: Operator::Quantize(operator), outputs: vec![Fact::float(shape)], inputs: 3 })
}

impl Quantize {
    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let scaled = inputs.get(0)?.to_float_value().div(&self.spread.over(inputs.get(1)?)?)?;
        let zero_point = inputs.optional(2).map(|value| self.spread.over(value)).transpose()?;
        self.limits.quantized(&scaled, zero_point.as_ref())
    }
}

/// Back from quantised to measured values.
#[derive(Clone, Debug)]
pub(crate) struct Dequantize {
    spread: Spread,
}

pub(crate) fn dequantize(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let shape = arguments.shape(0)?.to_vec();
    let operator = Dequantize { spread: Spread::resolve(arguments)? };
    Ok(Resolved { operator: Operator::Dequantize(operator), outputs: vec![Fact::float(shape)], inputs: 3 })
}

impl Dequantize {
    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let mut value = inputs.get(0)?.to_float_value();
        if let Some(zero_point) = inputs.optional(2) {
            value = value.sub(&self.spread.over(zero_point)?)?;
        }
        value.mul(&self.spread.over(inputs.get(1)?)?)
    }
}

pub(crate) fn dynamic_quantize(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let shape = arguments.float_shape(0)?.to_vec();
    if shape.contains(&0) {
        return invalid("there is nothing to quantise");
    }
    let outputs = vec![Fact::float(shape), Fact::float(Vec::new()), Fact::float(Vec::new())];
    Ok(Resolved { operator: Operator::DynamicQuantize, outputs, inputs: 1 })
}

/// Bytes whose scale and zero point follow from the largest and smallest element.
pub(crate) fn run_dynamic_quantize(input: &Value) -> Result<Vec<Value>, GraphError> {
    let limits = Limits { low: 0.0, high: 255.0 };
    let flat = input.detached().reshape(&[input.len()])?.tensor::<1>()?;
    let high = Value::new(flat.clone().max_dim(0).clamp_min(0.0));
    let low = Value::new(flat.min_dim(0).clamp_max(0.0));
    let range = high.sub(&low)?.map(|range| range / limits.high)?;
    // Only zeros: any scale will do.
    let scale = range.map(|range| range.clone() + range.equal_elem(0.0).float())?;
    let zero_point = low.div(&scale)?.map(|low| (-low).round().clamp(limits.low, limits.high))?;
    let scaled = input.div(&scale.beside(input))?;
    let quantized = limits.quantized(&scaled, Some(&zero_point))?.reshape(input.shape())?;
    Ok(vec![quantized, scale.reshape(&[])?, zero_point.reshape(&[])?])
}

/// A convolution or matrix product of quantised values.
#[derive(Clone, Debug)]
pub(crate) struct QuantizedProduct {
    /// The same on floating-point numbers.
    product: Box<Operator>,
    convolution: bool,
    /// What the result is quantised to; without, it is the plain sum of products.
    limits: Option<Limits>,
}

/// ConvInteger, MatMulInteger, QLinearConv and QLinearMatMul.
pub(crate) fn product(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let operator = arguments.node.operator.as_str();
    let convolution = matches!(operator, "ConvInteger" | "QLinearConv");
    let linear = matches!(operator, "QLinearConv" | "QLinearMatMul");
    let (second, bias) = if linear { (3, arguments.facts.get(8)) } else { (1, None) };
    let mut facts =
        vec![Some(Fact::float(arguments.shape(0)?.to_vec())), Some(Fact::float(arguments.shape(second)?.to_vec()))];
    if let Some(Some(bias)) = bias {
        facts.push(Some(Fact::float(bias.shape().to_vec())));
    }
    let floats = Arguments { facts: &facts, rebatch: None, types: &[], ..*arguments };
    let inner = if convolution { convolution::convolution(&floats)? } else { linear::matmul(&floats)? };
    let limits = if linear { Some(limits(arguments, 7)?) } else { None };
    let product = QuantizedProduct { product: Box::new(inner.operator), convolution, limits };
    Ok(Resolved { operator: Operator::QuantizedProduct(product), outputs: inner.outputs, inputs: 9 })
}

impl QuantizedProduct {
    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let [left, left_zero, right, right_zero] = if self.limits.is_some() { [0, 2, 3, 5] } else { [0, 2, 1, 3] };
        let (left, left_zero) = (inputs.get(left)?.to_float_value(), inputs.optional(left_zero));
        let (right, right_zero) = (inputs.get(right)?.to_float_value(), inputs.optional(right_zero));
        let shifted =
            |value: &Value, zero: Option<&Value>, view: &dyn Fn(&Value) -> Result<Value, GraphError>| match zero {
                Some(zero) => value.sub(&view(&zero.to_float_value())?),
                None => Ok(value.clone()),
            };
        let rank = right.shape().len();
        let of_left = |value: &Value| self.per_row(value);
        let of_right = |value: &Value| if self.convolution { per_channel(value, 0, rank) } else { Ok(value.clone()) };
        let terms = [
            Some(shifted(&left, left_zero, &of_left)?),
            Some(shifted(&right, right_zero, &of_right)?),
            inputs.optional(8).map(Value::to_float_value),
        ];
        let sum = self.product.run(&terms)?.into_iter().next();
        let sum = sum.ok_or_else(|| GraphError::MissingInput("the product of quantised values".to_owned()))?;
        let Some(limits) = self.limits else { return Ok(sum) };
        let scale = |index: usize| inputs.get(index).map(Value::to_float_value);
        let rank = sum.shape().len();
        let right_scale = if self.convolution { per_channel(&scale(4)?, 1, rank)? } else { scale(4)? };
        let factor = self.per_row(&scale(1)?)?.mul(&right_scale)?.div(&scale(6)?)?;
        limits.quantized(&sum.mul(&factor)?.reshape(sum.shape())?, Some(&scale(7)?))
    }

    /// Parameters of the first input: one, or in a matrix product one per row.
    fn per_row(&self, value: &Value) -> Result<Value, GraphError> {
        match value.shape() {
            &[rows] if rows > 1 && !self.convolution => value.reshape(&[rows, 1]),
            _ => Ok(value.clone()),
        }
    }
}

/// A list along one axis of a value of this rank.
fn per_channel(value: &Value, axis: usize, rank: usize) -> Result<Value, GraphError> {
    let mut view = vec![1; rank];
    if let Some(length) = view.get_mut(axis) {
        *length = value.len();
    }
    value.reshape(&view)
}
