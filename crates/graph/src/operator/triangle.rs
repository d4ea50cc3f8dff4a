//! Trilu.

use super::{
    Arguments, Operator, Refusal, Resolved,
    arguments::{Fact, invalid},
};
use crate::{GraphError, Value};

/// One triangle of matrices, the other set to zero.
#[derive(Clone, Debug)]
pub(crate) struct Triangle {
    rows: usize,
    columns: usize,
    diagonal: i64,
    upper: bool,
}

/// What a Trilu node keeps.
pub(crate) fn triangle(arguments: &Arguments<'_>) -> Result<Triangle, Refusal> {
    let &[.., rows, columns] = arguments.shape(0)? else { return invalid("its input is no matrix") };
    let diagonal = arguments.constant(1)?.and_then(|k| k.to_ints().first().copied()).unwrap_or(0);
    Ok(Triangle { rows, columns, diagonal, upper: arguments.int("upper", 1) != 0 })
}

pub(crate) fn trilu(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    let outputs = vec![Fact::Runtime { shape: fact.shape().to_vec(), kind: fact.kind() }];
    Ok(Resolved { operator: Operator::Triangle(triangle(arguments)?), outputs, inputs: 1 })
}

impl Triangle {
    /// Whether each element of a matrix stays, row by row.
    pub(crate) fn kept(&self) -> Vec<bool> {
        let keeps = |row: usize, column: usize| {
            let above = column as i64 - row as i64;
            if self.upper { above >= self.diagonal } else { above <= self.diagonal }
        };
        (0..self.rows * self.columns).map(|at| keeps(at / self.columns, at % self.columns)).collect()
    }

    pub(crate) fn run(&self, input: &Value) -> Result<Value, GraphError> {
        let kept = Value::from_bool(&self.kept(), &[self.rows, self.columns], &input.device());
        Value::either(&kept, input, &input.zeros(&[])?)
    }
}
