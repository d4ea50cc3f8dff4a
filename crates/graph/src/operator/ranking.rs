//! ArgMax, ArgMin and TopK.
//!
//! Indices have no gradient; TopK's values have that of the elements picked. burn's sorting reads from the device, which
//! must not be waited for in a browser, and keeps no order among equals: TopK counts instead which elements come before
//! each one.

use burn::tensor::{IndexingUpdateOp, Int, Tensor};

use super::{
    Arguments, Operator, Refusal, Resolved,
    arguments::{Fact, Kind, axis, invalid, unsupported},
};
use crate::{
    GraphError, Value,
    value::{indexing::positions, with_rank},
};

/// Where the largest or smallest element of an axis is.
#[derive(Clone, Debug)]
pub(crate) struct ArgExtreme {
    smallest: bool,
    /// Whether the last of several equals counts, not the first.
    last: bool,
    axis: usize,
    output: Vec<usize>,
}

pub(crate) fn arg_extreme(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let input = arguments.shape(0)?;
    let axis = axis(arguments.int("axis", 0), input.len())?;
    if input[axis] == 0 {
        return invalid(format!("axis {axis} of {input:?} is empty"));
    }
    let mut output = input.to_vec();
    if arguments.int("keepdims", 1) != 0 {
        output[axis] = 1;
    } else {
        output.remove(axis);
    }
    let operator = ArgExtreme {
        smallest: arguments.node.operator == "ArgMin",
        last: arguments.int("select_last_index", 0) != 0,
        axis,
        output: output.clone(),
    };
    let outputs = vec![Fact::Runtime { shape: output, kind: Kind::Int }];
    Ok(Resolved { operator: Operator::ArgExtreme(operator), outputs, inputs: 1 })
}

impl ArgExtreme {
    pub(crate) fn run(&self, input: &Value) -> Result<Value, GraphError> {
        let mut value = input.detached().to_float_value();
        if self.last {
            value = value.reversed(self.axis)?;
        }
        let found = with_rank!(value.shape().len(), D => {
            let tensor = value.tensor::<D>()?;
            Value::new_int(if self.smallest { tensor.argmin(self.axis) } else { tensor.argmax(self.axis) })
        });
        let found = found.reshape(&self.output)?;
        if !self.last {
            return Ok(found);
        }
        let last = input.shape()[self.axis] as i64 - 1;
        Value::from_i64(&[last], &[], &input.detached().device()).sub(&found)
    }
}

/// The `k` largest or smallest elements of an axis, in order, and where they are.
#[derive(Clone, Debug)]
pub(crate) struct TopK {
    pub(crate) axis: usize,
    pub(crate) k: usize,
    pub(crate) smallest: bool,
}

/// Comparisons held at once.
const BLOCK: usize = 1 << 22;

/// Longer axes would take too many comparisons: their number is the length squared.
const MAX_LENGTH: usize = 1 << 16;

/// What a TopK node asks for.
pub(crate) fn settings(arguments: &Arguments<'_>) -> Result<TopK, Refusal> {
    let shape = arguments.shape(0)?;
    let axis = axis(arguments.int("axis", -1), shape.len())?;
    let given = match arguments.constant(1)? {
        Some(k) => k.to_ints().first().copied().unwrap_or(0),
        None => arguments.int("k", -1),
    };
    match usize::try_from(given) {
        Ok(k) if k <= shape[axis] => Ok(TopK { axis, k, smallest: arguments.int("largest", 1) == 0 }),
        _ => invalid(format!("the {given} largest of {} are asked for", shape[axis])),
    }
}

pub(crate) fn top_k(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    let operator = settings(arguments)?;
    let mut shape = fact.shape().to_vec();
    if operator.k == 0 || shape[operator.axis] > MAX_LENGTH || fact.kind() == Kind::Bool {
        return unsupported(format!("the {} largest of {}", operator.k, shape[operator.axis]));
    }
    shape[operator.axis] = operator.k;
    let outputs =
        vec![Fact::Runtime { shape: shape.clone(), kind: fact.kind() }, Fact::Runtime { shape, kind: Kind::Int }];
    Ok(Resolved { operator: Operator::TopK(operator), outputs, inputs: 1 })
}

impl TopK {
    pub(crate) fn run(&self, input: &Value) -> Result<Vec<Value>, GraphError> {
        let rank = input.shape().len();
        let mut to_last: Vec<usize> = (0..rank).filter(|&axis| axis != self.axis).collect();
        to_last.push(self.axis);
        let moved = input.permute(&to_last)?;
        let length = input.shape()[self.axis];
        let rows = moved.reshape(&[moved.len() / length.max(1), length])?;
        let order = self.order(&rows.detached().to_float_value().tensor::<2>()?);
        let order = Value::new_int(order).beside(input);
        let mut shape = moved.shape().to_vec();
        if let Some(last) = shape.last_mut() {
            *last = self.k;
        }
        let mut back: Vec<usize> = (0..rank - 1).collect();
        back.insert(self.axis, rank - 1);
        let placed = |value: Value| value.reshape(&shape)?.permute(&back);
        Ok(vec![placed(rows.gather(1, &order)?)?, placed(order)?])
    }

    /// Positions of the first `k` of each row.
    fn order(&self, rows: &Tensor<2>) -> Tensor<2, Int> {
        let [count, length] = rows.dims();
        let device = rows.device();
        let rows = if self.smallest { -rows.clone() } else { rows.clone() };
        let places = positions(0..length, &device);
        let own = rows.clone().reshape([count, length, 1]);
        let own_place = places.clone().reshape([1, length, 1]);
        // An element's rank is the number of larger ones, and of equal ones before it.
        let mut rank = Tensor::<3, Int>::zeros([count, length, 1], &device);
        let block = (BLOCK / (count * length).max(1)).clamp(1, length);
        for start in (0..length).step_by(block) {
            let width = block.min(length - start);
            let shape = [count, length, width];
            let other = rows.clone().narrow(1, start, width).reshape([count, 1, width]).expand(shape);
            let other_place = places.clone().narrow(0, start, width).reshape([1, 1, width]);
            let mine = own.clone().expand(shape);
            let earlier = other_place.expand(shape).lower(own_place.clone().expand(shape));
            let ahead = other.clone().greater(mine.clone()).bool_or(other.equal(mine).bool_and(earlier));
            rank = rank + ahead.int().sum_dim(2);
        }
        // Rows that hold NaN have no order; their positions stay in range all the same.
        let order = Tensor::<2, Int>::zeros([count, length], &device).scatter(
            1,
            rank.reshape([count, length]).clamp(0, length as i64 - 1),
            places.reshape([1, length]).expand([count, length]),
            IndexingUpdateOp::Add,
        );
        order.narrow(1, 0, self.k).clamp(0, length as i64 - 1)
    }
}
