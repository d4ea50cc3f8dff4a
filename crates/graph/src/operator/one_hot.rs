//! OneHot.

use burn::tensor::Tensor;

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, axis, check_rank, invalid},
};
use crate::{GraphError, Value, value::indexing::positions};

/// A new axis along which an index is one place. Gradients flow to the two values, not to the indices.
#[derive(Clone, Debug)]
pub(crate) struct OneHot {
    axis: usize,
    depth: usize,
}

pub(crate) fn one_hot(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let indices = arguments.shape(0)?;
    let (axis, depth) = layout(arguments)?;
    check_rank(indices.len() + 1)?;
    let values = arguments.fact(2)?;
    if values.shape() != [2] {
        return invalid(format!("its values have shape {:?} instead of [2]", values.shape()));
    }
    let shape = [&indices[..axis], &[depth], &indices[axis..]].concat();
    let outputs = vec![Fact::Runtime { shape, kind: values.kind() }];
    Ok(Resolved { operator: Operator::OneHot(OneHot { axis, depth }), outputs, inputs: 3 })
}

/// Where the new axis is put and its length.
pub(crate) fn layout(arguments: &Arguments<'_>) -> Result<(usize, usize), Refusal> {
    let axis = axis(arguments.int("axis", -1), arguments.shape(0)?.len() + 1)?;
    let depth = arguments.constant(1)?.and_then(|depth| depth.to_ints().first().copied());
    match depth.and_then(|depth| usize::try_from(depth).ok()).filter(|&depth| depth > 0 && depth <= 1 << 24) {
        Some(depth) => Ok((axis, depth)),
        None => invalid(format!("its depth is {depth:?}")),
    }
}

impl OneHot {
    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let (indices, values) = (inputs.get(0)?.to_int_value(), inputs.get(2)?);
        let (before, after) = indices.shape().split_at(self.axis);
        let shape = [before, &[self.depth], after].concat();
        let count: usize = shape.iter().product();
        let flat = |value: &Value| value.expand(&shape)?.reshape(&[count])?.integers::<1>();
        let given: Tensor<1, burn::tensor::Int> = flat(&indices.reshape(&[before, &[1], after].concat())?)?;
        let places = Value::new_int(positions(0..self.depth, &indices.device()));
        let places = flat(&places.reshape(&[&[self.depth], &vec![1; after.len()][..]].concat())?)?;
        let negative = given.clone().lower_elem(0).int();
        let index = given + negative * self.depth as i64;
        // burn hands out the equality of integers as integers.
        let hot = index.clone().greater_equal(places.clone()).bool_and(index.lower_equal(places));
        Value::either(&Value::new_bool(hot).reshape(&shape)?, &values.narrow(0, 1, 1)?, &values.narrow(0, 0, 1)?)?
            .reshape(&shape)
    }
}
