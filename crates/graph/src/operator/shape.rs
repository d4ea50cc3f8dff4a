//! Operators that change shape or element type and keep the elements.

use super::{
    Arguments, Operator, Refusal, Resolved,
    arguments::{Fact, Kind, axes, axis, check_rank, invalid, unsupported},
};
use crate::{GraphError, Value, value::broadcast};

/// The same elements under a shape resolved while planning: Reshape, Flatten, Squeeze and Unsqueeze.
#[derive(Clone, Debug)]
pub(crate) struct Reshape {
    shape: Vec<usize>,
}

fn reshaped(arguments: &Arguments<'_>, shape: Vec<usize>) -> Result<Resolved, Refusal> {
    check_rank(shape.len())?;
    let fact = arguments.fact(0)?;
    let outputs = vec![Fact::Runtime { shape: shape.clone(), kind: fact.kind() }];
    Ok(Resolved { operator: Operator::Reshape(Reshape { shape }), outputs, inputs: 1 })
}

pub(crate) fn reshape(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    reshaped(arguments, reshape_target(arguments)?)
}

/// The shape a Reshape node asks for.
pub(crate) fn reshape_target(arguments: &Arguments<'_>) -> Result<Vec<usize>, Refusal> {
    let input = arguments.shape(0)?;
    if let Some(shape) = rebatched(arguments, input) {
        return Ok(shape);
    }
    let Some(given) = arguments.ints_from(1, "shape")? else { return invalid("the new shape is missing") };
    let zero_is_copy = arguments.int("allowzero", 0) == 0;
    let count: usize = input.iter().product();
    let mut shape = Vec::with_capacity(given.len());
    let mut open = None;
    for (index, &length) in given.iter().enumerate() {
        shape.push(match length {
            0 if zero_is_copy => match input.get(index) {
                Some(&same) => same,
                None => return invalid(format!("shape {given:?} copies axis {index} of input {input:?}")),
            },
            -1 if open.is_none() => {
                open = Some(index);
                1
            }
            length => match usize::try_from(length) {
                Ok(length) => length,
                Err(_) => return invalid(format!("shape {given:?} has more than one open or a negative axis")),
            },
        });
    }
    let product = shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length));
    if let (Some(index), Some(known)) = (open, product)
        && known > 0
        && count.is_multiple_of(known)
    {
        shape[index] = count / known;
    }
    if shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length)) != Some(count) {
        return invalid(format!("input {input:?} cannot take shape {given:?}"));
    }
    Ok(shape)
}

/// In a graph re-planned for another batch size: the declared output with the axis scaled that holds the batch.
fn rebatched(arguments: &Arguments<'_>, input: &[usize]) -> Option<Vec<usize>> {
    let rebatch = arguments.rebatch?;
    let declared = rebatch.inputs.first()?.as_ref()?;
    let mut output = rebatch.outputs.first()?.clone();
    let (count, declared_count): (usize, usize) = (input.iter().product(), declared.iter().product());
    if count == declared_count || count * rebatch.declared != declared_count * rebatch.wanted {
        return None;
    }
    let length = output.get_mut(batch_axis(declared, input, rebatch.outputs.first()?, rebatch.declared)?)?;
    let scaled = *length * rebatch.wanted;
    *length = scaled / rebatch.declared;
    scaled.is_multiple_of(rebatch.declared).then_some(output)
}

/// The axis that the batch goes to when `declared`, whose batch has grown as `input` shows, takes the shape `output`.
///
/// A reshape keeps the order of the elements, so as many of them come before the batch as did, but for the axes of length
/// one that leaves a choice, and an axis longer than the batch may have it outside (windows of images) or inside
/// (images of tokens). Transformers that keep tokens first need both: `[tokens, 1, width]` becomes `[tokens, heads, width
/// of a head]` with the batch outside the heads, and for a Gemm `[tokens, width]` with the batch inside the tokens.
fn batch_axis(declared: &[usize], input: &[usize], output: &[usize], batch: usize) -> Option<usize> {
    let at = declared.iter().zip(input).position(|(declared, given)| declared != given)?;
    let outside: usize = declared[..at].iter().product();
    let inside = outside * (declared[at] / batch.max(1));
    let before = |axis: usize| output[..axis].iter().product::<usize>();
    let own = |count: usize| (0..output.len()).find(|&axis| before(axis) == count && output[axis] == batch);
    let shared = || {
        // Features come last and are no place for images.
        (0..output.len()).find(|&axis| before(axis) == outside && (axis == 0 || axis + 1 < output.len()))
    };
    own(outside)
        .or_else(|| own(inside))
        .or_else(shared)
        .or_else(|| (0..output.len()).find(|&axis| before(axis + 1) == outside * batch))
}

pub(crate) fn flatten(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    reshaped(arguments, flatten_target(arguments)?)
}

/// The matrix shape a Flatten node makes.
pub(crate) fn flatten_target(arguments: &Arguments<'_>) -> Result<Vec<usize>, Refusal> {
    let input = arguments.shape(0)?;
    let given = arguments.int("axis", 1);
    let split = if given == input.len() as i64 { input.len() } else { axis(given, input.len())? };
    Ok(vec![input[..split].iter().product(), input[split..].iter().product()])
}

pub(crate) fn squeeze(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let shape = squeeze_target(arguments)?;
    reshaped(arguments, shape)
}

/// The shape a Squeeze node leaves.
pub(crate) fn squeeze_target(arguments: &Arguments<'_>) -> Result<Vec<usize>, Refusal> {
    let input = arguments.shape(0)?;
    let dropped = match arguments.ints_from(1, "axes")? {
        Some(given) => axes(&given, input.len())?,
        None => (0..input.len()).filter(|&axis| input[axis] == 1).collect(),
    };
    if let Some(&long) = dropped.iter().find(|&&axis| input[axis] != 1) {
        return invalid(format!("axis {long} of {input:?} is squeezed though its length is {}", input[long]));
    }
    Ok((0..input.len()).filter(|axis| !dropped.contains(axis)).map(|axis| input[axis]).collect())
}

pub(crate) fn unsqueeze(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let shape = unsqueeze_target(arguments)?;
    reshaped(arguments, shape)
}

/// The shape an Unsqueeze node makes.
pub(crate) fn unsqueeze_target(arguments: &Arguments<'_>) -> Result<Vec<usize>, Refusal> {
    let input = arguments.shape(0)?;
    let Some(given) = arguments.ints_from(1, "axes")? else { return invalid("axes are missing") };
    let rank = input.len() + given.len();
    let new = axes(&given, rank)?;
    let mut old = input.iter();
    Ok((0..rank).map(|axis| if new.contains(&axis) { 1 } else { old.next().copied().unwrap_or(1) }).collect())
}

impl Reshape {
    pub(crate) fn run(&self, input: &Value) -> Result<Value, GraphError> {
        input.reshape(&self.shape)
    }
}

/// Identity, and Dropout outside training.
pub(crate) fn identity(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    if arguments.node.operator == "Dropout" {
        let training = arguments.constant(2)?.is_some_and(|mode| mode.to_ints().first() == Some(&1));
        let mask = arguments.node.outputs.get(1).is_some_and(|name| !name.is_empty());
        if training || mask {
            return unsupported("Dropout in training mode or with its mask as a second output");
        }
    }
    Ok(Resolved { operator: Operator::Identity, outputs: vec![arguments.fact(0)?.clone()], inputs: 1 })
}

/// Reordered axes.
#[derive(Clone, Debug)]
pub(crate) struct Transpose {
    order: Vec<usize>,
}

/// The axes of the input in their new order.
pub(crate) fn transpose_order(arguments: &Arguments<'_>) -> Result<Vec<usize>, Refusal> {
    let rank = arguments.fact(0)?.shape().len();
    let order = match arguments.ints("perm") {
        Some(given) => given.iter().map(|&given| axis(given, rank)).collect::<Result<Vec<_>, _>>()?,
        None => (0..rank).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted != (0..rank).collect::<Vec<_>>() {
        return invalid(format!("perm {order:?} does not name each of {rank} axes once"));
    }
    Ok(order)
}

pub(crate) fn transpose(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    let order = transpose_order(arguments)?;
    let shape = order.iter().map(|&axis| fact.shape()[axis]).collect();
    let outputs = vec![Fact::Runtime { shape, kind: fact.kind() }];
    Ok(Resolved { operator: Operator::Transpose(Transpose { order }), outputs, inputs: 1 })
}

impl Transpose {
    pub(crate) fn run(&self, input: &Value) -> Result<Value, GraphError> {
        input.permute(&self.order)
    }
}

/// Broadcasting to a given shape.
#[derive(Clone, Debug)]
pub(crate) struct Expand {
    shape: Vec<usize>,
}

pub(crate) fn expand(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    let Some(given) = arguments.constant(1)? else { return invalid("the shape is missing") };
    let target: Vec<usize> = given.to_ints().iter().filter_map(|&length| usize::try_from(length).ok()).collect();
    let Some(shape) = broadcast(fact.shape(), &target).filter(|_| target.len() == given.len()) else {
        return invalid(format!("input {:?} does not broadcast to {:?}", fact.shape(), given.to_ints()));
    };
    check_rank(shape.len())?;
    let outputs = vec![Fact::Runtime { shape: shape.clone(), kind: fact.kind() }];
    Ok(Resolved { operator: Operator::Expand(Expand { shape }), outputs, inputs: 1 })
}

impl Expand {
    pub(crate) fn run(&self, input: &Value) -> Result<Value, GraphError> {
        input.expand(&self.shape)
    }
}

/// Conversion between element types, which run as float32, integer or boolean.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cast {
    to: Kind,
}

/// What a Cast or CastLike node asks for.
pub(crate) fn cast_target(arguments: &Arguments<'_>) -> Result<Kind, Refusal> {
    if arguments.node.operator == "CastLike" {
        return Ok(arguments.fact(1)?.kind());
    }
    // ONNX's element type codes, as far as images and shapes use them.
    match arguments.int("to", 0) {
        1 | 10 | 11 | 16 => Ok(Kind::Float),
        2..=7 | 12 | 13 => Ok(Kind::Int),
        9 => Ok(Kind::Bool),
        other => unsupported(format!("Cast to element type {other}")),
    }
}

pub(crate) fn cast(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let to = cast_target(arguments)?;
    let outputs = vec![Fact::Runtime { shape: arguments.shape(0)?.to_vec(), kind: to }];
    Ok(Resolved { operator: Operator::Cast(Cast { to }), outputs, inputs: 1 })
}

impl Cast {
    pub(crate) fn run(self, input: &Value) -> Value {
        match self.to {
            Kind::Float => input.to_float_value(),
            Kind::Int => input.to_int_value(),
            Kind::Bool => input.to_bool_value(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batch_keeps_its_place_in_a_reshape() {
        let axis = |declared: &[usize], input: &[usize], output: &[usize]| batch_axis(declared, input, output, 1);
        // Flattening for a classifier, and the windows of an image and back.
        assert_eq!(axis(&[1, 8, 4, 4], &[2, 8, 4, 4], &[1, 128]), Some(0));
        assert_eq!(axis(&[1, 4, 7, 4, 7, 3], &[2, 4, 7, 4, 7, 3], &[16, 49, 3]), Some(0));
        assert_eq!(axis(&[16, 49, 3], &[32, 49, 3], &[1, 4, 4, 7, 7, 3]), Some(0));
        // Tokens first: heads, their return, rows for a matrix product, and the tokens again.
        assert_eq!(axis(&[5, 1, 12], &[5, 2, 12], &[5, 3, 4]), Some(1));
        assert_eq!(axis(&[3, 5, 4], &[6, 5, 4], &[1, 3, 5, 4]), Some(0));
        assert_eq!(axis(&[5, 1, 3, 4], &[5, 2, 3, 4], &[5, 12]), Some(0));
        assert_eq!(axis(&[5, 12], &[10, 12], &[5, 1, 12]), Some(1));
    }
}
