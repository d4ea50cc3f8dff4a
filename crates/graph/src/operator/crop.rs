//! CenterCropPad.

use super::{
    Arguments, Operator, Refusal, Resolved,
    arguments::{Fact, axis, invalid},
};
use crate::{GraphError, Value};

/// Axes cut, or filled up with zeros, on both sides.
#[derive(Clone, Debug)]
pub(crate) struct CenterCropPad {
    output: Vec<usize>,
}

pub(crate) fn center_crop_pad(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    let mut output = fact.shape().to_vec();
    let Some(target) = arguments.constant(1)?.map(|target| target.to_ints()) else {
        return invalid("the shape is missing");
    };
    let axes = match arguments.ints("axes") {
        Some(given) => given.iter().map(|&given| axis(given, output.len())).collect::<Result<_, _>>()?,
        None => (0..output.len()).collect::<Vec<_>>(),
    };
    if axes.len() != target.len() {
        return invalid(format!("shape {target:?} is given for axes {axes:?}"));
    }
    for (axis, length) in axes.into_iter().zip(target) {
        // A batch size written into the file does not cut the batch.
        if axis == 0 && arguments.rebatch.is_some() {
            continue;
        }
        match usize::try_from(length) {
            Ok(length) if length > 0 && length <= 1 << 16 => output[axis] = length,
            _ => return invalid(format!("axis {axis} is cut or padded to {length}")),
        }
    }
    let outputs = vec![Fact::Runtime { shape: output.clone(), kind: fact.kind() }];
    Ok(Resolved { operator: Operator::CenterCropPad(CenterCropPad { output }), outputs, inputs: 1 })
}

impl CenterCropPad {
    pub(crate) fn run(&self, input: &Value) -> Result<Value, GraphError> {
        let mut value = input.clone();
        for (axis, &target) in self.output.iter().enumerate() {
            let length = value.shape()[axis];
            if target <= length {
                value = value.narrow(axis, (length - target) / 2, target)?;
                continue;
            }
            let before = (target - length) / 2;
            let zeros = |length: usize| {
                let mut shape = value.shape().to_vec();
                shape[axis] = length;
                value.zeros(&shape)
            };
            let mut pieces = vec![value.clone(), zeros(target - length - before)?];
            if before > 0 {
                pieces.insert(0, zeros(before)?);
            }
            value = Value::concat(&pieces, axis)?;
        }
        Ok(value)
    }
}
