//! Constant folding on the host: the integer arithmetic by which exporters compute shapes, and the like.

use std::sync::Arc;

use crate::{
    host::{HostData, HostTensor},
    operator::{Arguments, Fact, Kind, Refusal, arguments, shape, slice},
    value::broadcast,
};

/// Operators that only ever run here.
pub(crate) const HOST_OPERATORS: &[&str] =
    &["And", "Constant", "ConstantOfShape", "Mod", "Not", "Or", "Range", "Shape", "Size"];

/// Larger results are left to the device.
const MAX_ELEMENTS: usize = 1 << 16;

/// Computes a node whose inputs are constants, or whose output depends on shapes alone.
///
/// Gives nothing where the node is better left to the device.
pub(crate) fn fold(arguments: &Arguments<'_>) -> Result<Option<HostTensor>, Refusal> {
    match arguments.node.operator.as_str() {
        "Constant" => return constant(arguments).map(Some),
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
        "Add" | "Sub" | "Mul" | "Div" | "Mod" | "Min" | "Max" | "Equal" | "Greater" | "Less" | "And" | "Or" => {
            binary(arguments, &inputs)
        }
        "Cast" => Ok(Some(cast(first, shape::cast_target(arguments)?))),
        "Ceil" => Ok(Some(map_floats(first, f32::ceil))),
        "Floor" => Ok(Some(map_floats(first, f32::floor))),
        "Sqrt" => Ok(Some(map_floats(first, f32::sqrt))),
        "Identity" => Ok(Some(HostTensor::clone(first))),
        "Neg" => Ok(Some(match &first.data {
            HostData::Int(values) => HostTensor {
                shape: first.shape.clone(),
                data: HostData::Int(values.iter().map(|value| -value).collect()),
            },
            _ => map_floats(first, |value| -value),
        })),
        "Not" => {
            let data = HostData::Bool(first.to_ints().iter().map(|&value| value == 0).collect());
            Ok(Some(HostTensor { shape: first.shape.clone(), data }))
        }
        "Concat" => concat(&inputs).map(Some),
        "ConstantOfShape" => constant_of_shape(arguments, first),
        "Expand" => {
            let target: Vec<usize> =
                first_or(&inputs, 1)?.to_ints().iter().map(|&length| usize::try_from(length).unwrap_or(0)).collect();
            match broadcast(&first.shape, &target) {
                Some(shape) if shape.iter().product::<usize>() <= MAX_ELEMENTS => {
                    picked(broadcast_indices(&first.shape, &shape), shape)
                }
                Some(_) => Ok(None),
                None => arguments::invalid(format!("{:?} does not broadcast to {target:?}", first.shape)),
            }
        }
        "Gather" => {
            let indices = first_or(&inputs, 1)?;
            let axis = arguments::axis(arguments.int("axis", 0), first.shape.len())?;
            let positions = slice::gather_indices(&indices.to_ints(), first.shape[axis])?;
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
        _ => Ok(None),
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

fn map_floats(tensor: &HostTensor, function: fn(f32) -> f32) -> HostTensor {
    HostTensor {
        shape: tensor.shape.clone(),
        data: HostData::Float(tensor.to_floats().into_iter().map(function).collect()),
    }
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

fn binary(arguments: &Arguments<'_>, inputs: &[Arc<HostTensor>]) -> Result<Option<HostTensor>, Refusal> {
    let [left, right] = inputs else { return Ok(None) };
    let Some(shape) = broadcast(&left.shape, &right.shape) else {
        return arguments::invalid(format!("shapes {:?} and {:?} do not broadcast", left.shape, right.shape));
    };
    let both = (
        left.pick(&broadcast_indices(&left.shape, &shape), shape.clone()),
        right.pick(&broadcast_indices(&right.shape, &shape), shape.clone()),
    );
    let (Some(left), Some(right)) = both else { return Ok(None) };
    let operator = arguments.node.operator.as_str();
    let floats = matches!(left.data, HostData::Float(_)) || matches!(right.data, HostData::Float(_));
    let compared = |ordering: fn(f64, f64) -> bool| {
        let pairs = left.to_floats().into_iter().zip(right.to_floats());
        HostData::Bool(pairs.map(|(a, b)| ordering(f64::from(a), f64::from(b))).collect())
    };
    let data = match operator {
        "Equal" if !floats => {
            HostData::Bool(left.to_ints().iter().zip(right.to_ints()).map(|(a, b)| *a == b).collect())
        }
        "Equal" => compared(|a, b| a == b),
        "Greater" => compared(|a, b| a > b),
        "Less" => compared(|a, b| a < b),
        "And" => compared(|a, b| a != 0.0 && b != 0.0),
        "Or" => compared(|a, b| a != 0.0 || b != 0.0),
        _ if floats => {
            let function: fn(f32, f32) -> f32 = match operator {
                "Add" => |a, b| a + b,
                "Sub" => |a, b| a - b,
                "Mul" => |a, b| a * b,
                "Div" => |a, b| a / b,
                "Min" => f32::min,
                "Max" => f32::max,
                _ => return Ok(None),
            };
            HostData::Float(left.to_floats().into_iter().zip(right.to_floats()).map(|(a, b)| function(a, b)).collect())
        }
        _ => {
            let function: fn(i64, i64) -> Option<i64> = match operator {
                "Add" => i64::checked_add,
                "Sub" => i64::checked_sub,
                "Mul" => i64::checked_mul,
                "Div" => i64::checked_div,
                "Mod" => i64::checked_rem_euclid,
                "Min" => |a, b| Some(a.min(b)),
                _ => |a, b| Some(a.max(b)),
            };
            let results: Option<Vec<i64>> =
                left.to_ints().into_iter().zip(right.to_ints()).map(|(a, b)| function(a, b)).collect();
            match results {
                Some(values) => HostData::Int(values),
                None => return arguments::invalid("its integer arithmetic overflows or divides by zero"),
            }
        }
    };
    Ok(Some(HostTensor { shape, data }))
}

fn concat(inputs: &[Arc<HostTensor>]) -> Result<HostTensor, Refusal> {
    // Shape arithmetic joins lists; anything larger is left to the device by its rank.
    if inputs.iter().any(|tensor| tensor.shape.len() != 1) {
        return arguments::unsupported("Concat of constants that are not lists");
    }
    let length = inputs.iter().map(|tensor| tensor.len()).sum();
    let data = if inputs.iter().all(|tensor| matches!(tensor.data, HostData::Int(_))) {
        HostData::Int(inputs.iter().flat_map(|tensor| tensor.to_ints()).collect())
    } else {
        HostData::Float(inputs.iter().flat_map(|tensor| tensor.to_floats()).collect())
    };
    Ok(HostTensor { shape: vec![length], data })
}

fn constant_of_shape(arguments: &Arguments<'_>, first: &HostTensor) -> Result<Option<HostTensor>, Refusal> {
    let shape: Vec<usize> = first.to_ints().iter().map(|&length| usize::try_from(length).unwrap_or(0)).collect();
    let length = shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length));
    let Some(length) = length.filter(|&length| length <= MAX_ELEMENTS) else {
        return arguments::unsupported(format!("ConstantOfShape of {shape:?}"));
    };
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
    let bounds: Vec<i64> = inputs.iter().filter_map(|tensor| tensor.to_ints().first().copied()).collect();
    let [start, limit, step] = bounds[..] else { return arguments::invalid("it needs start, limit and delta") };
    let distance = limit.saturating_sub(start);
    if step == 0 || (distance / step).unsigned_abs() > MAX_ELEMENTS as u64 {
        return arguments::invalid(format!("the range from {start} to {limit} by {step} cannot be made"));
    }
    let values = (0..)
        .map(|index| start + index * step)
        .take_while(|&value| if step > 0 { value < limit } else { value > limit });
    Ok(Some(HostTensor::ints(values.collect())))
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
