//! Batch normalisation with stored statistics.

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, invalid, unsupported},
};
use crate::{GraphError, Value};

/// `(x - mean) / sqrt(variance + epsilon) * scale + bias`, per channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchNormalization {
    epsilon: f32,
}

pub(crate) fn batch_normalization(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let input = arguments.float_shape(0)?.to_vec();
    let Some(&channels) = input.get(1) else { return invalid(format!("input {input:?} has no channels")) };
    if arguments.int("training_mode", 0) != 0 {
        return unsupported("BatchNormalization in training mode");
    }
    if arguments.opset < 9 && arguments.int("spatial", 1) == 0 {
        return unsupported("BatchNormalization with statistics per position");
    }
    for index in 1..5 {
        let shape = arguments.float_shape(index)?;
        if shape != [channels] {
            return invalid(format!("input {index} has shape {shape:?} where {channels} channels are normalised"));
        }
    }
    Ok(Resolved {
        operator: Operator::BatchNormalization(BatchNormalization { epsilon: arguments.float("epsilon", 1e-5) }),
        outputs: vec![Fact::float(input)],
        inputs: 5,
    })
}

impl BatchNormalization {
    pub(crate) fn run(self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let input = inputs.get(0)?;
        let [scale, bias, mean, variance] = [1, 2, 3, 4].map(|index| inputs.get(index));
        let factor = scale?.div(&variance?.map(|variance| (variance + self.epsilon).sqrt())?)?;
        let offset = bias?.sub(&mean?.mul(&factor)?)?;
        let mut per_channel = vec![1; input.shape().len()];
        per_channel[1] = input.shape()[1];
        input.mul(&factor.reshape(&per_channel)?)?.add(&offset.reshape(&per_channel)?)
    }
}
