//! RotaryEmbedding: pairs of channels turned by angles that grow with the position.

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, invalid, unsupported},
    rows::{Rows, poisoned},
};
use crate::{GraphError, Value};

/// Rotations of the first channels of each head.
#[derive(Clone, Debug)]
pub(crate) struct RotaryEmbedding {
    batch: usize,
    length: usize,
    heads: usize,
    width: usize,
    /// Pairs of channels that are turned.
    pairs: usize,
    /// Whether pairs are neighbours; otherwise they are half the turned width apart.
    interleaved: bool,
    /// Rows of the tables of angles, if positions are given.
    rows: Option<Rows>,
}

pub(crate) fn rotary_embedding(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let input = arguments.float_shape(0)?;
    let heads = usize::try_from(arguments.int("num_heads", 0)).unwrap_or(0);
    let (batch, length, heads, width) = match *input {
        [batch, heads, length, width] => (batch, length, heads, width),
        [batch, length, hidden] if heads > 0 && hidden.is_multiple_of(heads) => (batch, length, heads, hidden / heads),
        ref other => return invalid(format!("input {other:?} has no {heads} heads")),
    };
    let turned = match usize::try_from(arguments.int("rotary_embedding_dim", 0)) {
        Ok(0) | Err(_) => width,
        Ok(turned) => turned,
    };
    if turned > width || !turned.is_multiple_of(2) {
        return invalid(format!("{turned} of {width} channels are turned"));
    }
    let pairs = turned / 2;
    let (cosine, sine) = (arguments.float_shape(1)?, arguments.float_shape(2)?);
    let rows = match arguments.facts.get(3) {
        Some(Some(places)) => {
            let &[count, columns] = cosine else { return unsupported(format!("angles of shape {cosine:?}")) };
            if places.shape() != [batch, length] || columns != pairs || cosine != sine {
                return invalid(format!("positions {:?} and angles {cosine:?} do not fit", places.shape()));
            }
            let constant = if let Fact::Known(tensor) = places { Some(&**tensor) } else { None };
            Some(Rows::resolve(constant, vec![(count, 1)], vec![0; batch * length])?)
        }
        _ if cosine == [batch, length, pairs] && cosine == sine => None,
        _ => return invalid(format!("angles {cosine:?} do not fit input {input:?}")),
    };
    let outputs = vec![Fact::float(input.to_vec())];
    let interleaved = arguments.int("interleaved", 0) != 0;
    let operator = RotaryEmbedding { batch, length, heads, width, pairs, interleaved, rows };
    Ok(Resolved { operator: Operator::RotaryEmbedding(operator), outputs, inputs: 4 })
}

impl RotaryEmbedding {
    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let input = inputs.get(0)?;
        let &RotaryEmbedding { batch, length, heads, width, pairs, .. } = self;
        let split = input.shape().len() == 4;
        // [batch, length, heads, width]
        let tokens = match split {
            true => input.permute(&[0, 2, 1, 3])?,
            false => input.reshape(&[batch, length, heads, width])?,
        };
        let (cosine, sine) = (self.angles(inputs, 1)?, self.angles(inputs, 2)?);
        let turned = tokens.narrow(3, 0, 2 * pairs)?;
        // The two of a pair lie along an axis of their own.
        let (view, axis) = match self.interleaved {
            true => ([batch, length, heads, pairs, 2], 4),
            false => ([batch, length, heads, 2, pairs], 3),
        };
        let paired = turned.reshape(&view)?;
        let mut part = view;
        part[axis] = 1;
        let flat = [batch, length, heads, pairs];
        let first = paired.narrow(axis, 0, 1)?.reshape(&flat)?;
        let second = paired.narrow(axis, 1, 1)?.reshape(&flat)?;
        let real = cosine.mul(&first)?.sub(&sine.mul(&second)?)?;
        let imaginary = sine.mul(&first)?.add(&cosine.mul(&second)?)?;
        let joined = Value::concat(&[real.reshape(&part)?, imaginary.reshape(&part)?], axis)?;
        let mut output = joined.reshape(&[batch, length, heads, 2 * pairs])?;
        if 2 * pairs < width {
            output = Value::concat(&[output, tokens.narrow(3, 2 * pairs, width - 2 * pairs)?], 3)?;
        }
        if split { output.permute(&[0, 2, 1, 3]) } else { output.reshape(input.shape()) }
    }

    /// Cosines or sines for every token, `[batch, length, 1, pairs]`.
    fn angles(&self, inputs: &Inputs<'_>, index: usize) -> Result<Value, GraphError> {
        let table = inputs.get(index)?;
        let angles = match &self.rows {
            None => table.clone(),
            Some(rows) => {
                let (rows, outside) = rows.locate(inputs.optional(3), table)?;
                let picked = table.select(0, rows)?;
                poisoned(&picked.reshape(&[1, self.batch * self.length, self.pairs])?, outside)?
            }
        };
        angles.reshape(&[self.batch, self.length, 1, self.pairs])
    }
}
