//! Tile.

use super::{
    Arguments, Operator, Refusal, Resolved,
    arguments::{Fact, axis, invalid, unsupported},
};
use crate::{GraphError, Value};

/// The whole input, repeated along its axes.
#[derive(Clone, Debug)]
pub(crate) struct Tile {
    repeats: Vec<usize>,
}

pub(crate) fn tile(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    let repeats = repeats(arguments)?;
    if repeats.contains(&0) {
        return unsupported("no repetition at all");
    }
    let shape = fact.shape().iter().zip(&repeats).map(|(&length, &times)| length.checked_mul(times));
    let Some(shape) = shape.collect::<Option<Vec<_>>>() else {
        return invalid(format!("{repeats:?} are too many repeats"));
    };
    let outputs = vec![Fact::Runtime { shape, kind: fact.kind() }];
    Ok(Resolved { operator: Operator::Tile(Tile { repeats }), outputs, inputs: 1 })
}

/// How often each axis is repeated; opset 1 repeats one axis.
pub(crate) fn repeats(arguments: &Arguments<'_>) -> Result<Vec<usize>, Refusal> {
    let shape = arguments.shape(0)?;
    let Some(given) = arguments.constant(1)?.map(|tensor| tensor.to_ints()) else {
        return invalid("repeats are missing");
    };
    let given = match arguments.constant(2)? {
        Some(chosen) => {
            let axis = axis(chosen.to_ints().first().copied().unwrap_or(0), shape.len())?;
            let times = given.first().copied().unwrap_or(1);
            (0..shape.len()).map(|at| if at == axis { times } else { 1 }).collect()
        }
        None => given,
    };
    let repeats: Vec<usize> = given.iter().filter_map(|&times| usize::try_from(times).ok()).collect();
    if repeats.len() != shape.len() {
        return invalid(format!("repeats {given:?} do not fit input {shape:?}"));
    }
    Ok(repeats)
}

impl Tile {
    pub(crate) fn run(&self, input: &Value) -> Result<Value, GraphError> {
        let mut value = input.clone();
        for (axis, &times) in self.repeats.iter().enumerate().filter(|&(_, &times)| times > 1) {
            let mut shape = value.shape().to_vec();
            let (before, block) = (shape[..axis].iter().product(), shape[axis..].iter().product());
            shape[axis] *= times;
            value = value.reshape(&[before, 1, block])?.expand(&[before, times, block])?.reshape(&shape)?;
        }
        Ok(value)
    }
}
