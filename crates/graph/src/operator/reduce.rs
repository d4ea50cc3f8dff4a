//! The Reduce operators.

use super::{
    Arguments, Operator, Refusal, Resolved,
    arguments::{axes, unsupported},
};
use crate::{GraphError, Value, value::with_rank};

/// A reduction over some axes.
#[derive(Clone, Debug)]
pub(crate) struct Reduce {
    how: How,
    axes: Vec<usize>,
    output: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
enum How {
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

pub(crate) fn reduce(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let how = match arguments.node.operator.as_str() {
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
        other => return unsupported(format!("reduction {other}")),
    };
    let input = arguments.float_shape(0)?;
    let given = arguments.ints_from(1, "axes")?.unwrap_or_default();
    let axes = if !given.is_empty() {
        axes(&given, input.len())?
    } else if arguments.int("noop_with_empty_axes", 0) != 0 {
        Vec::new()
    } else {
        (0..input.len()).collect()
    };
    let keep = arguments.int("keepdims", 1) != 0;
    let output: Vec<usize> = (0..input.len())
        .filter(|axis| keep || !axes.contains(axis))
        .map(|axis| if axes.contains(&axis) { 1 } else { input[axis] })
        .collect();
    Ok(Resolved::unary(Operator::Reduce(Reduce { how, axes, output: output.clone() }), output))
}

impl Reduce {
    pub(crate) fn run(&self, input: &Value) -> Result<Value, GraphError> {
        let sum = |value: Value| value.sum_axes(&self.axes);
        let reduced = match self.how {
            How::L1 => sum(input.map(|x| x.abs())?)?,
            How::L2 => sum(input.mul(input)?)?.map(|x| x.sqrt())?,
            How::LogSum => sum(input.clone())?.map(|x| x.log())?,
            How::LogSumExp => {
                // The largest element is a constant shift, which changes neither value nor gradient.
                let shift = self.extreme(&input.detached(), Extreme::Max)?;
                let shift = if input.is_tracked() { shift.lifted() } else { shift };
                sum(input.sub(&shift)?.map(|x| x.exp())?)?.map(|x| x.log())?.add(&shift)?
            }
            How::Max => self.extreme(input, Extreme::Max)?,
            How::Mean => {
                let count: usize = self.axes.iter().map(|&axis| input.shape()[axis]).product();
                sum(input.clone())?.map(|x| x / count as f32)?
            }
            How::Min => self.extreme(input, Extreme::Min)?,
            How::Prod => self.product(input)?,
            How::Sum => sum(input.clone())?,
            How::SumSquare => sum(input.mul(input)?)?,
        };
        reduced.reshape(&self.output)
    }

    fn extreme(&self, input: &Value, extreme: Extreme) -> Result<Value, GraphError> {
        self.axes.iter().try_fold(input.clone(), |value, &axis| {
            with_rank!(value.shape().len(), D => {
                let tensor = value.tensor::<D>()?;
                Ok(Value::new(match extreme {
                    Extreme::Max => tensor.max_dim(axis),
                    Extreme::Min => tensor.min_dim(axis),
                }))
            })
        })
    }

    /// Multiplies slice by slice: a product by logarithms would fail at zeros and negative numbers.
    fn product(&self, input: &Value) -> Result<Value, GraphError> {
        self.axes.iter().try_fold(input.clone(), |value, &axis| {
            let length = value.shape()[axis];
            (1..length).try_fold(value.narrow(axis, 0, length.min(1))?, |product, index| {
                product.mul(&value.narrow(axis, index, 1)?)
            })
        })
    }
}

#[derive(Clone, Copy)]
enum Extreme {
    Max,
    Min,
}
