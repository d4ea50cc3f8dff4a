//! Batch normalisation with stored statistics: one factor and one offset per channel.

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, invalid, unsupported},
};
use crate::{
    GraphError, Value,
    host::{HostData, HostTensor},
};

/// `(x - mean) / sqrt(variance + epsilon) * scale + bias`, per channel.
#[derive(Clone, Debug)]
pub(crate) struct BatchNormalization {
    epsilon: f32,
    /// Factor and offset, where the statistics are constants small enough to be known.
    prepared: Option<[HostTensor; 2]>,
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
    let epsilon = arguments.float("epsilon", 1e-5);
    let prepared = prepare(arguments, epsilon, &per_channel(&input));
    let inputs = if prepared.is_some() { 1 } else { 5 };
    let operator = Operator::BatchNormalization(BatchNormalization { epsilon, prepared });
    Ok(Resolved { operator, outputs: vec![Fact::float(input)], inputs })
}

/// The shape in which a list of channels multiplies the input.
fn per_channel(input: &[usize]) -> Vec<usize> {
    input.iter().enumerate().map(|(axis, &length)| if axis == 1 { length } else { 1 }).collect()
}

fn prepare(arguments: &Arguments<'_>, epsilon: f32, shape: &[usize]) -> Option<[HostTensor; 2]> {
    let known = |index: usize| match arguments.facts.get(index) {
        Some(Some(Fact::Known(tensor))) => Some(tensor.to_floats()),
        _ => None,
    };
    let (scale, bias, mean, variance) = (known(1)?, known(2)?, known(3)?, known(4)?);
    let factor: Vec<f32> =
        scale.iter().zip(&variance).map(|(scale, variance)| scale / (variance + epsilon).sqrt()).collect();
    let offset = bias.iter().zip(&mean).zip(&factor).map(|((bias, mean), factor)| bias - mean * factor).collect();
    Some([factor, offset].map(|data| HostTensor { shape: shape.to_vec(), data: HostData::Float(data) }))
}

impl BatchNormalization {
    /// What [`BatchNormalization::run`] wants on the device, after its input.
    pub(crate) fn constants(&self) -> Vec<&HostTensor> {
        self.prepared.iter().flatten().collect()
    }

    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let input = inputs.get(0)?;
        if self.prepared.is_some() {
            return input.mul(inputs.get(1)?)?.add(inputs.get(2)?);
        }
        let [scale, bias, mean, variance] = [1, 2, 3, 4].map(|index| inputs.get(index));
        let factor = scale?.div(&variance?.map(|variance| (variance + self.epsilon).sqrt())?)?;
        let offset = bias?.sub(&mean?.mul(&factor)?)?;
        let shape = per_channel(input.shape());
        input.mul(&factor.reshape(&shape)?)?.add(&offset.reshape(&shape)?)
    }
}
