//! ReverseSequence.

use super::{
    Arguments, Operator, Refusal, Resolved,
    arguments::{Fact, axis, invalid},
};
use crate::{GraphError, Value};

/// The first elements of each sequence in opposite order.
#[derive(Clone, Debug)]
pub(crate) struct ReverseSequence {
    time: usize,
    /// Where each element comes from along the time axis, `[sequences, steps]`, with the sequences' axis.
    sources: Vec<i64>,
    batch: usize,
}

pub(crate) fn reverse_sequence(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    let shape = fact.shape();
    let time = axis(arguments.int("time_axis", 0), shape.len())?;
    let batch = axis(arguments.int("batch_axis", 1), shape.len())?;
    let Some(lengths) = arguments.constant(1)?.map(|lengths| lengths.to_ints()) else {
        return invalid("its lengths are missing");
    };
    let steps = shape[time] as i64;
    if time == batch || lengths.len() != shape[batch] || lengths.iter().any(|&length| !(0..=steps).contains(&length)) {
        return invalid(format!("sequences of lengths {lengths:?} do not fit input {shape:?}"));
    }
    let source = |length: i64| (0..steps).map(move |step| if step < length { length - 1 - step } else { step });
    let sources = lengths.into_iter().flat_map(source).collect();
    let outputs = vec![Fact::Runtime { shape: shape.to_vec(), kind: fact.kind() }];
    let operator = Operator::ReverseSequence(ReverseSequence { time, sources, batch });
    Ok(Resolved { operator, outputs, inputs: 1 })
}

impl ReverseSequence {
    pub(crate) fn run(&self, input: &Value) -> Result<Value, GraphError> {
        let shape = input.shape();
        let (sequences, steps) = (shape[self.batch], shape[self.time]);
        let sources = Value::from_i64(&self.sources, &[sequences, steps], &input.device());
        let sources = if self.batch < self.time { sources } else { sources.permute(&[1, 0])? };
        let along = |(axis, &length): (usize, &usize)| if axis == self.batch || axis == self.time { length } else { 1 };
        let view: Vec<usize> = shape.iter().enumerate().map(along).collect();
        input.gather(self.time, &sources.reshape(&view)?.expand(shape)?)
    }
}
