//! Softmax and LogSoftmax, at the axis semantics of every opset.

use burn::tensor::activation;

use super::{Arguments, Operator, Refusal, Resolved, arguments::axis};
use crate::{GraphError, Value};

/// Softmax over consecutive axes: one since opset 13, `axis` and all after it before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Softmax {
    logarithm: bool,
    /// First axis normalised over.
    axis: usize,
    /// Whether all later axes belong to it too.
    flatten: bool,
}

pub(crate) fn softmax(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let input = arguments.float_shape(0)?;
    let flatten = arguments.opset < 13;
    let default = if flatten { 1 } else { -1 };
    let softmax = Softmax {
        logarithm: arguments.node.operator == "LogSoftmax",
        axis: axis(arguments.int("axis", default), input.len())?,
        flatten,
    };
    Ok(Resolved::unary(Operator::Softmax(softmax), input.to_vec()))
}

impl Softmax {
    pub(crate) fn run(self, input: &Value) -> Result<Value, GraphError> {
        let shape = input.shape();
        let before: usize = shape[..self.axis].iter().product();
        let end = if self.flatten { shape.len() } else { self.axis + 1 };
        let over: usize = shape[self.axis..end].iter().product();
        let after: usize = shape[end..].iter().product();
        let tensor = input.reshape(&[before, over, after])?.tensor::<3>()?;
        let output = if self.logarithm { activation::log_softmax(tensor, 1) } else { activation::softmax(tensor, 1) };
        Value::new(output).reshape(shape)
    }
}
