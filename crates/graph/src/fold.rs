//! Constant folding on the host: the integer arithmetic by which exporters compute shapes, and the like.

use std::sync::Arc;

mod arithmetic;
mod moving;
mod suppression;

use crate::{
    host::{HostData, HostTensor},
    limits::elements,
    operator::{Arguments, Fact, Kind, Refusal, arguments, rows::position, shape, slice},
    value::broadcast,
};

/// Operators that only ever run here.
pub(crate) const HOST_OPERATORS: &[&str] = &["Constant", "EyeLike", "Range", "Shape", "Size"];

/// Larger results are left to the device.
const MAX_ELEMENTS: usize = 1 << 16;

/// Computes a node whose inputs are constants, or whose output depends on shapes alone.
///
/// Gives nothing where the node is better left to the device, and one tensor per output otherwise.
pub(crate) fn fold(arguments: &Arguments<'_>) -> Result<Option<Vec<HostTensor>>, Refusal> {
    if arguments.node.operator == "Split" {
        return split(arguments);
    }
    if let Some(outputs) = moving::fold_several(arguments)? {
        return Ok(Some(outputs));
    }
    Ok(fold_one(arguments)?.map(|tensor| vec![tensor]))
}

/// The output of a node that has one.
fn fold_one(arguments: &Arguments<'_>) -> Result<Option<HostTensor>, Refusal> {
    match arguments.node.operator.as_str() {
        "Constant" => return constant(arguments).map(Some),
        "EyeLike" => return moving::eye_like(arguments).map(Some),
        "Shape" => return shape_of(arguments).map(Some),
        "Size" => {
            let size = arguments.shape(0)?.iter().product::<usize>() as i64;
            return Ok(Some(HostTensor { shape: vec![], data: HostData::Int(vec![size]) }));
        }
        _ => {}
    }
    let mut inputs = Vec::with_capacity(arguments.facts.len());
    for fact in arguments.facts.iter().flatten() {
        match fact {
            Fact::Known(tensor) if tensor.len() <= MAX_ELEMENTS => inputs.push(Arc::clone(tensor)),
            _ => return Ok(None),
        }
    }
    let Some(first) = inputs.first() else { return Ok(None) };
    let picked = |indices: Vec<usize>, shape: Vec<usize>| Ok(first.pick(&indices, shape));
    let reshaped = |shape: Vec<usize>| Ok(Some(HostTensor { shape, data: first.data.clone() }));
    match arguments.node.operator.as_str() {
        "Cast" | "CastLike" => Ok(Some(cast(first, shape::cast_target(arguments)?))),
        "Identity" => Ok(Some(HostTensor::clone(first))),
        "Concat" => concat(arguments, &inputs),
        "ConstantOfShape" => constant_of_shape(arguments, first),
        "Expand" => {
            let target: Vec<usize> =
                first_or(&inputs, 1)?.to_ints().iter().map(|&length| usize::try_from(length).unwrap_or(0)).collect();
            match broadcast(&first.shape, &target) {
                Some(shape) if elements(&shape).is_some_and(|count| count <= MAX_ELEMENTS) => {
                    picked(broadcast_indices(&first.shape, &shape), shape)
                }
                Some(_) => Ok(None),
                None => arguments::invalid(format!("{:?} does not broadcast to {target:?}", first.shape)),
            }
        }
        "Flatten" => reshaped(shape::flatten_target(arguments)?),
        "Gather" => {
            let indices = first_or(&inputs, 1)?;
            let axis = arguments::axis(arguments.int("axis", 0), first.shape.len())?;
            let positions = indices.to_ints().into_iter().map(|index| position(index, first.shape[axis]));
            let positions = positions.collect::<Result<Vec<_>, _>>()?;
            let after: usize = first.shape[axis + 1..].iter().product();
            let before: usize = first.shape[..axis].iter().product();
            let flat = (0..before).flat_map(|outer| {
                let row = outer * first.shape[axis];
                positions.iter().flat_map(move |position| (0..after).map(move |inner| (row + position) * after + inner))
            });
            picked(flat.collect(), [&first.shape[..axis], &indices.shape, &first.shape[axis + 1..]].concat())
        }
        "Range" => range(&inputs),
        "Reshape" => reshaped(shape::reshape_target(arguments)?),
        "Slice" => slice_host(arguments, first),
        "Squeeze" => reshaped(shape::squeeze_target(arguments)?),
        "Transpose" => {
            let order = shape::transpose_order(arguments)?;
            picked(transposed_indices(&first.shape, &order), order.iter().map(|&axis| first.shape[axis]).collect())
        }
        "Unsqueeze" => reshaped(shape::unsqueeze_target(arguments)?),
        "Where" => select(&inputs),
        _ => match moving::fold(arguments)? {
            Some(moved) => Ok(Some(moved)),
            None => arithmetic::arithmetic(arguments),
        },
    }
}

fn first_or(inputs: &[Arc<HostTensor>], index: usize) -> Result<&HostTensor, Refusal> {
    match inputs.get(index) {
        Some(tensor) => Ok(tensor),
        None => arguments::invalid(format!("input {index} is missing")),
    }
}

fn constant(arguments: &Arguments<'_>) -> Result<HostTensor, Refusal> {
    use vitrine_onnx::AttributeValue;
    let Some(attribute) = arguments.node.attributes.first() else { return arguments::invalid("its value is missing") };
    let list = |data, length: usize| HostTensor { shape: vec![length], data };
    Ok(match &attribute.value {
        AttributeValue::Tensor(tensor) => match HostTensor::from_onnx(tensor) {
            Ok(tensor) => tensor,
            Err(error) => return arguments::unsupported(error.to_string()),
        },
        AttributeValue::Float(value) => HostTensor { shape: vec![], data: HostData::Float(vec![*value]) },
        AttributeValue::Int(value) => HostTensor { shape: vec![], data: HostData::Int(vec![*value]) },
        AttributeValue::Floats(values) => list(HostData::Float(values.clone()), values.len()),
        AttributeValue::Ints(values) => list(HostData::Int(values.clone()), values.len()),
        _ => return arguments::unsupported("Constant that is neither a number nor a tensor of numbers"),
    })
}

fn shape_of(arguments: &Arguments<'_>) -> Result<HostTensor, Refusal> {
    let shape = arguments.shape(0)?;
    let rank = shape.len() as i64;
    let bound = |given: i64| (if given < 0 { given + rank } else { given }).clamp(0, rank) as usize;
    let (start, end) = (bound(arguments.int("start", 0)), bound(arguments.int("end", rank)));
    Ok(HostTensor::ints(shape.get(start..end).unwrap_or_default().iter().map(|&length| length as i64).collect()))
}

fn cast(tensor: &HostTensor, to: Kind) -> HostTensor {
    let data = match to {
        Kind::Float => HostData::Float(tensor.to_floats()),
        Kind::Int => HostData::Int(tensor.to_ints()),
        Kind::Bool => HostData::Bool(tensor.to_floats().iter().map(|&value| value != 0.0).collect()),
    };
    HostTensor { shape: tensor.shape.clone(), data }
}

/// For each element of `to`, the flat position in a tensor of shape `from` that broadcasts to it.
fn broadcast_indices(from: &[usize], to: &[usize]) -> Vec<usize> {
    (0..to.iter().product())
        .map(|flat: usize| {
            let (mut rest, mut index, mut stride) = (flat, 0, 1);
            for axis in (0..to.len()).rev() {
                let coordinate = rest % to[axis];
                rest /= to[axis];
                if let Some(own) = (axis + from.len()).checked_sub(to.len()) {
                    index += if from[own] == 1 { 0 } else { coordinate * stride };
                    stride *= from[own];
                }
            }
            index
        })
        .collect()
}

/// For each element of a transposition, in order, the flat position it is taken from.
fn transposed_indices(from: &[usize], order: &[usize]) -> Vec<usize> {
    (0..from.iter().product())
        .map(|flat: usize| {
            let (mut rest, mut index) = (flat, 0);
            for &axis in order.iter().rev() {
                let stride: usize = from[axis + 1..].iter().product();
                index += rest % from[axis] * stride;
                rest /= from[axis];
            }
            index
        })
        .collect()
}

fn concat(arguments: &Arguments<'_>, inputs: &[Arc<HostTensor>]) -> Result<Option<HostTensor>, Refusal> {
    let Some(first) = inputs.first() else { return Ok(None) };
    let axis = arguments::axis(arguments.int("axis", 1), first.shape.len())?;
    let mut shape = first.shape.clone();
    shape[axis] = 0;
    for tensor in inputs {
        let fits =
            tensor.shape.len() == shape.len() && (0..shape.len()).all(|at| at == axis || tensor.shape[at] == shape[at]);
        if !fits {
            return arguments::invalid(format!("{:?} does not join the others along axis {axis}", tensor.shape));
        }
        shape[axis] += tensor.shape[axis];
    }
    if shape.iter().product::<usize>() > MAX_ELEMENTS {
        return Ok(None);
    }
    // Positions in the constants laid end to end.
    let before: usize = shape[..axis].iter().product();
    let after: usize = shape[axis + 1..].iter().product();
    let starts = inputs.iter().scan(0, |end, tensor| {
        *end += tensor.len();
        Some(*end - tensor.len())
    });
    let blocks: Vec<(usize, usize)> =
        starts.zip(inputs).map(|(start, tensor)| (start, tensor.shape[axis] * after)).collect();
    let indices: Vec<usize> = (0..before)
        .flat_map(|outer| {
            blocks.iter().flat_map(move |&(start, length)| (0..length).map(move |at| start + outer * length + at))
        })
        .collect();
    let all = |kind: Kind| inputs.iter().all(|tensor| Fact::Known(Arc::clone(tensor)).kind() == kind);
    let joined = if all(Kind::Int) {
        HostData::Int(inputs.iter().flat_map(|tensor| tensor.to_ints()).collect())
    } else if all(Kind::Bool) {
        HostData::Bool(inputs.iter().flat_map(|tensor| tensor.to_ints()).map(|value| value != 0).collect())
    } else {
        HostData::Float(inputs.iter().flat_map(|tensor| tensor.to_floats()).collect())
    };
    Ok(HostTensor { shape: vec![indices.len()], data: joined }.pick(&indices, shape))
}

fn split(arguments: &Arguments<'_>) -> Result<Option<Vec<HostTensor>>, Refusal> {
    let Some(Some(Fact::Known(tensor))) = arguments.facts.first() else { return Ok(None) };
    if tensor.len() > MAX_ELEMENTS {
        return Ok(None);
    }
    let (axis, sizes) = slice::split_sizes(arguments)?;
    let length = tensor.shape[axis];
    let before: usize = tensor.shape[..axis].iter().product();
    let after: usize = tensor.shape[axis + 1..].iter().product();
    let mut start = 0;
    let pieces = sizes.iter().map(|&size| {
        let indices: Vec<usize> = (0..before)
            .flat_map(|outer| (0..size * after).map(move |at| (outer * length + start) * after + at))
            .collect();
        start += size;
        let mut shape = tensor.shape.clone();
        shape[axis] = size;
        tensor.pick(&indices, shape)
    });
    Ok(pieces.collect())
}

fn constant_of_shape(arguments: &Arguments<'_>, first: &HostTensor) -> Result<Option<HostTensor>, Refusal> {
    let shape: Vec<usize> = first.to_ints().iter().map(|&length| usize::try_from(length).unwrap_or(0)).collect();
    let length = shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length));
    // Larger ones are filled on the device.
    let Some(length) = length.filter(|&length| length <= MAX_ELEMENTS) else { return Ok(None) };
    let filled = match arguments.node.attribute("value") {
        Some(vitrine_onnx::AttributeValue::Tensor(tensor)) => match HostTensor::from_onnx(tensor) {
            Ok(one) => one.pick(&vec![0; length], shape),
            Err(error) => return arguments::unsupported(error.to_string()),
        },
        _ => Some(HostTensor { shape, data: HostData::Float(vec![0.0; length]) }),
    };
    Ok(filled)
}

fn range(inputs: &[Arc<HostTensor>]) -> Result<Option<HostTensor>, Refusal> {
    let [start, limit, step] = inputs else { return arguments::invalid("it needs start, limit and delta") };
    let first = |tensor: &HostTensor| tensor.to_floats().first().copied().map(f64::from);
    let (Some(start_at), Some(limit_at), Some(step_by)) = (first(start), first(limit), first(step)) else {
        return arguments::invalid("start, limit or delta is empty");
    };
    let count = ((limit_at - start_at) / step_by).ceil().max(0.0);
    if step_by == 0.0 || count.is_nan() || count > MAX_ELEMENTS as f64 {
        return arguments::invalid(format!("the range from {start_at} to {limit_at} by {step_by} cannot be made"));
    }
    let count = count as usize;
    let data = match (&start.data, start.to_ints().first(), step.to_ints().first()) {
        (HostData::Int(_), Some(start), Some(step)) => {
            HostData::Int((0..count as i64).map(|index| start.saturating_add(index.saturating_mul(*step))).collect())
        }
        _ => HostData::Float((0..count).map(|index| (start_at + index as f64 * step_by) as f32).collect()),
    };
    Ok(Some(HostTensor { shape: vec![count], data }))
}

fn slice_host(arguments: &Arguments<'_>, first: &HostTensor) -> Result<Option<HostTensor>, Refusal> {
    let ranges = slice::ranges(arguments)?;
    let positions: Vec<Vec<usize>> = ranges
        .iter()
        .zip(&first.shape)
        .map(|(range, &length)| {
            let (low, high) = (range.start.max(0) as usize, range.end.map_or(length, |end| end.max(0) as usize));
            let step = range.step.unsigned_abs();
            if range.step > 0 { (low..high).step_by(step).collect() } else { (low..high).rev().step_by(step).collect() }
        })
        .collect();
    // Row by row: each axis multiplies what the axes before it have picked.
    let mut indices = vec![0];
    for (axis, picked) in positions.iter().enumerate() {
        indices = indices.iter().flat_map(|row| picked.iter().map(move |at| row * first.shape[axis] + at)).collect();
    }
    Ok(first.pick(&indices, positions.iter().map(Vec::len).collect()))
}

fn select(inputs: &[Arc<HostTensor>]) -> Result<Option<HostTensor>, Refusal> {
    let [condition, yes, no] = inputs else { return Ok(None) };
    let shape = broadcast(&yes.shape, &no.shape).and_then(|shape| broadcast(&shape, &condition.shape));
    let Some(shape) = shape else { return arguments::invalid("its inputs do not broadcast") };
    let spread = |tensor: &HostTensor| tensor.pick(&broadcast_indices(&tensor.shape, &shape), shape.clone());
    let (Some(condition), Some(yes), Some(no)) = (spread(condition), spread(yes), spread(no)) else { return Ok(None) };
    let chosen = condition.to_ints();
    let data = if matches!(yes.data, HostData::Float(_)) {
        let pairs = yes.to_floats().into_iter().zip(no.to_floats());
        HostData::Float(pairs.zip(&chosen).map(|((yes, no), &choice)| if choice != 0 { yes } else { no }).collect())
    } else {
        let pairs = yes.to_ints().into_iter().zip(no.to_ints());
        HostData::Int(pairs.zip(&chosen).map(|((yes, no), &choice)| if choice != 0 { yes } else { no }).collect())
    };
    Ok(Some(HostTensor { shape, data }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcasting_repeats_along_short_axes() {
        assert_eq!(broadcast_indices(&[2, 1], &[2, 3]), [0, 0, 0, 1, 1, 1]);
        assert_eq!(broadcast_indices(&[3], &[2, 3]), [0, 1, 2, 0, 1, 2]);
        assert_eq!(broadcast_indices(&[], &[2]), [0, 0]);
    }

    #[test]
    fn a_transposition_takes_columns_for_rows() {
        assert_eq!(transposed_indices(&[2, 3], &[1, 0]), [0, 3, 1, 4, 2, 5]);
        // Element (i, j, k) of the result is element (j, k, i) of shape [2, 1, 3].
        assert_eq!(transposed_indices(&[2, 1, 3], &[2, 0, 1]), [0, 3, 1, 4, 2, 5]);
    }
}
