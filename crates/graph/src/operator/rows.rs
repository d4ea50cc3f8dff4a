//! Index tuples as rows of a matrix: what gathering and scattering share.

use burn::tensor::{Bool, Int, Tensor};

use super::{Refusal, arguments::invalid};
use crate::{GraphError, Value, host::HostTensor, value::indexing::positions};

/// Rows of a matrix that index tuples name.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    /// Known while planning, and in range.
    Known(Vec<usize>),
    /// To be read from an input of so many tuples.
    Runtime {
        /// Length and stride of the axis that each member of a tuple counts along.
        members: Vec<(usize, usize)>,
        /// The row that each tuple counts from.
        base: Vec<usize>,
    },
}

impl Rows {
    /// Rows named by `base.len()` tuples, whose members count along axes of the given length and stride.
    ///
    /// # Errors
    /// A constant index that leaves its axis is refused, and so are run-time indices into an axis of no length.
    pub(crate) fn resolve(
        constant: Option<&HostTensor>,
        members: Vec<(usize, usize)>,
        base: Vec<usize>,
    ) -> Result<Rows, Refusal> {
        let Some(constant) = constant else {
            return match members.iter().any(|&(length, _)| length == 0) && !base.is_empty() {
                true => invalid("it indexes an axis of length 0"),
                false => Ok(Rows::Runtime { members, base }),
            };
        };
        let indices = constant.to_ints();
        let mut rows = base;
        for (tuple, row) in rows.iter_mut().enumerate() {
            for (member, &(length, stride)) in members.iter().enumerate() {
                let index = indices.get(tuple * members.len() + member).copied().unwrap_or(0);
                *row += position(index, length)? * stride;
            }
        }
        Ok(Rows::Known(rows))
    }

    /// The rows on the device, and which tuples leave an axis: those name a row inside it.
    pub(crate) fn locate(
        &self,
        indices: Option<&Value>,
        beside: &Value,
    ) -> Result<(Tensor<1, Int>, Option<Tensor<1, Bool>>), GraphError> {
        let (members, base) = match self {
            Rows::Known(rows) => return Ok((positions(rows.iter().copied(), &beside.device()), None)),
            Rows::Runtime { members, base } => (members, base),
        };
        let missing = || GraphError::MissingInput("the indices of a node".to_owned());
        let tuples = indices.ok_or_else(missing)?.to_int_value().reshape(&[base.len(), members.len()])?;
        let mut rows = positions(base.iter().copied(), &beside.device());
        let mut outside: Option<Tensor<1, Bool>> = None;
        for (member, &(length, stride)) in members.iter().enumerate() {
            let given = tuples.narrow(1, member, 1)?.reshape(&[base.len()])?.integers::<1>()?;
            let negative = given.clone().lower_elem(0).int();
            let index = given + negative * length as i64;
            let leaves = index.clone().lower_elem(0).bool_or(index.clone().greater_equal_elem(length as i64));
            outside = Some(match outside {
                Some(outside) => outside.bool_or(leaves),
                None => leaves,
            });
            rows = rows + index.clamp(0, length as i64 - 1) * stride as i64;
        }
        Ok((rows, outside))
    }
}

/// Turns a possibly negative index into a position.
pub(crate) fn position(index: i64, length: usize) -> Result<usize, Refusal> {
    let signed = if index < 0 { index.saturating_add_unsigned(length as u64) } else { index };
    match usize::try_from(signed) {
        Ok(position) if position < length => Ok(position),
        _ => invalid(format!("index {index} leaves an axis of length {length}")),
    }
}

/// Puts [`Value::poison`] into the elements, shape `[before, count, after]`, that came from outside: a wrong index must
/// not look like an answer.
pub(crate) fn poisoned(picked: &Value, outside: Option<Tensor<1, Bool>>) -> Result<Value, GraphError> {
    let Some(outside) = outside else { return Ok(picked.clone()) };
    let outside = Value::new_bool(outside);
    let count = outside.len();
    Value::either(&outside.reshape(&[1, count, 1])?, &picked.poison(), picked)
}
