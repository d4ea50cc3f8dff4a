//! Softmax, LogSoftmax and Hardmax, at the axis semantics of every opset.

use burn::tensor::{Int, Tensor, activation};

use super::{Arguments, Operator, Refusal, Resolved, arguments::axis};
use crate::{GraphError, Value, value::equal_ints};

/// Softmax over consecutive axes: one since opset 13, `axis` and all after it before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Softmax {
    form: Form,
    /// First axis normalised over.
    axis: usize,
    /// Whether all later axes belong to it too.
    flatten: bool,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Soft,
    Logarithm,
    /// One at the first of the largest elements, zero elsewhere.
    Hard,
}

pub(crate) fn softmax(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let input = arguments.float_shape(0)?;
    let flatten = arguments.opset < 13;
    let default = if flatten { 1 } else { -1 };
    let form = match arguments.node.operator.as_str() {
        "LogSoftmax" => Form::Logarithm,
        "Hardmax" => Form::Hard,
        _ => Form::Soft,
    };
    // Joined axes may start behind the last one: each element is then on its own.
    let given = arguments.int("axis", default);
    let behind = flatten && given == input.len() as i64;
    let axis = if behind { input.len() } else { axis(given, input.len())? };
    Ok(Resolved::unary(Operator::Softmax(Softmax { form, axis, flatten }), input.to_vec()))
}

impl Softmax {
    pub(crate) fn run(self, input: &Value) -> Result<Value, GraphError> {
        let shape = input.shape();
        let before: usize = shape[..self.axis].iter().product();
        let end = if self.flatten { shape.len() } else { self.axis + 1 };
        let over: usize = shape[self.axis..end].iter().product();
        let after: usize = shape[end..].iter().product();
        let tensor = input.reshape(&[before, over, after])?.tensor::<3>()?;
        let output = match self.form {
            Form::Soft => activation::softmax(tensor, 1),
            Form::Logarithm => activation::log_softmax(tensor, 1),
            Form::Hard => {
                let tensor = tensor.inner();
                let positions = Tensor::<1, Int>::arange(0..over as i64, &tensor.device()).reshape([1, over, 1]);
                let largest = tensor.argmax(1).expand([before, over, after]);
                equal_ints(positions.expand([before, over, after]), largest).float()
            }
        };
        Value::new(output).reshape(shape)
    }
}
