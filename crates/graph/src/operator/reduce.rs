//! The Reduce operators.

use super::{
    Arguments, Operator, Refusal, Resolved,
    arguments::{Fact, Kind, axes, unsupported},
};
use crate::{GraphError, Value, value::with_rank};

/// A reduction over some axes.
#[derive(Clone, Debug)]
pub(crate) struct Reduce {
    how: How,
    axes: Vec<usize>,
    output: Vec<usize>,
    /// What a set without elements is reduced to.
    of_nothing: f32,
}

/// What a reduction computes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    L1,
    L2,
    LogSum,
    LogSumExp,
    Max,
    Mean,
    Min,
    Prod,
    Sum,
    SumSquare,
}

impl How {
    pub(crate) fn named(operator: &str) -> Option<How> {
        Some(match operator {
            "ReduceL1" => How::L1,
            "ReduceL2" => How::L2,
            "ReduceLogSum" => How::LogSum,
            "ReduceLogSumExp" => How::LogSumExp,
            "ReduceMax" => How::Max,
            "ReduceMean" => How::Mean,
            "ReduceMin" => How::Min,
            "ReduceProd" => How::Prod,
            "ReduceSum" => How::Sum,
            "ReduceSumSquare" => How::SumSquare,
            _ => return None,
        })
    }

    /// What a set without elements is reduced to.
    fn of_nothing(self) -> f32 {
        match self {
            How::L1 | How::L2 | How::Sum | How::SumSquare => 0.0,
            How::LogSum | How::LogSumExp | How::Max => f32::NEG_INFINITY,
            How::Mean => f32::NAN,
            How::Min => f32::INFINITY,
            How::Prod => 1.0,
        }
    }
}

/// The axes a node reduces, ascending, and the shape it leaves.
pub(crate) fn targets(arguments: &Arguments<'_>) -> Result<(Vec<usize>, Vec<usize>), Refusal> {
    let input = arguments.shape(0)?;
    let given = arguments.ints_from(1, "axes")?.unwrap_or_default();
    let axes = if !given.is_empty() {
        axes(&given, input.len())?
    } else if arguments.int("noop_with_empty_axes", 0) != 0 {
        Vec::new()
    } else {
        (0..input.len()).collect()
    };
    let keep = arguments.int("keepdims", 1) != 0;
    let output = (0..input.len())
        .filter(|axis| keep || !axes.contains(axis))
        .map(|axis| if axes.contains(&axis) { 1 } else { input[axis] })
        .collect();
    Ok((axes, output))
}

pub(crate) fn reduce(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let operator = arguments.node.operator.as_str();
    let Some(how) = How::named(operator) else { return unsupported(format!("reduction {operator}")) };
    let kind = arguments.fact(0)?.kind();
    if kind == Kind::Bool && !matches!(how, How::Max | How::Min) {
        return unsupported("boolean input");
    }
    let (axes, output) = targets(arguments)?;
    let outputs = vec![Fact::Runtime { shape: output.clone(), kind }];
    // Of truth values, the largest of none is false.
    let of_nothing = if kind == Kind::Bool { how.of_nothing().max(0.0) } else { how.of_nothing() };
    Ok(Resolved { operator: Operator::Reduce(Reduce { how, axes, output, of_nothing }), outputs, inputs: 1 })
}

impl Reduce {
    /// Integers are reduced as float32, exact up to 2^24.
    pub(crate) fn run(&self, input: &Value) -> Result<Value, GraphError> {
        if input.is_empty() {
            let reduced = Value::full(self.of_nothing, &self.output, &input.device());
            return Ok(Value::from_floats_like(reduced, input));
        }
        let reduced = self.reduced(&input.to_float_value())?.reshape(&self.output)?;
        Ok(Value::from_floats_like(reduced, input))
    }

    fn reduced(&self, input: &Value) -> Result<Value, GraphError> {
        let sum = |value: Value| value.sum_axes(&self.axes);
        Ok(match self.how {
            How::L1 => sum(input.map(|x| x.abs())?)?,
            How::L2 => sum(input.mul(input)?)?.root(2.0)?,
            How::LogSum => sum(input.clone())?.map(|x| x.log())?,
            How::LogSumExp => {
                // The largest element is a constant shift, which changes neither value nor gradient.
                let shift = self.extreme(&input.detached(), Extreme::Max)?.map(|x| x.clamp(f32::MIN, f32::MAX))?;
                let shift = if input.is_tracked() { shift.lifted() } else { shift };
                sum(input.sub(&shift)?.map(|x| x.exp())?)?.map(|x| x.log())?.add(&shift)?
            }
            How::Max => self.extreme(input, Extreme::Max)?,
            How::Mean => input.mean_axes(&self.axes)?,
            How::Min => self.extreme(input, Extreme::Min)?,
            How::Prod => self.product(input)?,
            How::Sum => sum(input.clone())?,
            How::SumSquare => sum(input.mul(input)?)?,
        })
    }

    fn extreme(&self, input: &Value, extreme: Extreme) -> Result<Value, GraphError> {
        self.axes.iter().try_fold(input.clone(), |value, &axis| {
            if value.shape().is_empty() {
                return Ok(value);
            }
            with_rank!(value.shape().len(), D => {
                let tensor = value.tensor::<D>()?;
                Ok(Value::new(match extreme {
                    Extreme::Max => tensor.max_dim(axis),
                    Extreme::Min => tensor.min_dim(axis),
                }))
            })
        })
    }

    /// Multiplies one half by the other: a product by logarithms would fail at zeros and negative numbers, and burn's
    /// own has no gradient at zeros.
    fn product(&self, input: &Value) -> Result<Value, GraphError> {
        self.axes.iter().try_fold(input.clone(), |mut value, &axis| {
            while let Some(&length) = value.shape().get(axis).filter(|&&length| length > 1) {
                let half = length / 2;
                let product = value.narrow(axis, 0, half)?.mul(&value.narrow(axis, half, half)?)?;
                value = if length.is_multiple_of(2) {
                    product
                } else {
                    Value::concat(&[product, value.narrow(axis, length - 1, 1)?], axis)?
                };
            }
            Ok(value)
        })
    }
}

#[derive(Clone, Copy)]
enum Extreme {
    Max,
    Min,
}
