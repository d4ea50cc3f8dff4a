//! Arithmetic, comparison, logic and reduction of constants.

use super::{MAX_ELEMENTS, broadcast_indices};
use crate::{
    host::{HostData, HostTensor},
    operator::{
        Arguments, Fact, Refusal, arguments,
        reduce::{self, How},
    },
    value::broadcast,
};

/// Computes a node of which every input is a constant, if it is arithmetic.
pub(super) fn arithmetic(arguments: &Arguments<'_>) -> Result<Option<HostTensor>, Refusal> {
    let operator = arguments.node.operator.as_str();
    let Some(Some(Fact::Known(first))) = arguments.facts.first() else { return Ok(None) };
    if let Some(how) = How::named(operator) {
        return reduction(arguments, first, how);
    }
    match operator {
        "Add" | "Max" | "Mean" | "Min" | "Mul" | "Sum" => {
            let mut rest = (1..arguments.facts.len()).map(|index| arguments.constant(index));
            let sum = rest.try_fold(Some(HostTensor::clone(first)), |sum, next| match (sum, next?) {
                (Some(sum), Some(next)) => binary(arguments, &sum, next),
                _ => Ok(None),
            })?;
            let count = arguments.facts.len() as f32;
            Ok(if operator == "Mean" { sum.map(|sum| map_floats(&sum, |value| value / count)) } else { sum })
        }
        "And" | "BitShift" | "BitwiseAnd" | "BitwiseOr" | "BitwiseXor" | "Div" | "Equal" | "Greater"
        | "GreaterOrEqual" | "Less" | "LessOrEqual" | "Mod" | "Or" | "Pow" | "Sub" | "Xor" => {
            match arguments.constant(1)? {
                Some(second) => binary(arguments, first, second),
                None => arguments::invalid("input 1 is missing"),
            }
        }
        "Clip" => clip(arguments, first),
        _ => Ok(unary(operator, first)),
    }
}

fn map_floats(tensor: &HostTensor, function: impl Fn(f32) -> f32) -> HostTensor {
    let data = HostData::Float(tensor.to_floats().into_iter().map(function).collect());
    HostTensor { shape: tensor.shape.clone(), data }
}

fn unary(operator: &str, tensor: &HostTensor) -> Option<HostTensor> {
    let data = match (operator, &tensor.data) {
        ("Abs", HostData::Int(values)) => HostData::Int(values.iter().map(|value| value.saturating_abs()).collect()),
        ("Neg", HostData::Int(values)) => HostData::Int(values.iter().map(|value| value.saturating_neg()).collect()),
        ("Relu", HostData::Int(values)) => HostData::Int(values.iter().map(|value| (*value).max(0)).collect()),
        ("Sign", HostData::Int(values)) => HostData::Int(values.iter().map(|value| value.signum()).collect()),
        ("Not", HostData::Bool(values)) => HostData::Bool(values.iter().map(|value| !value).collect()),
        ("IsNaN", HostData::Float(values)) => HostData::Bool(values.iter().map(|value| value.is_nan()).collect()),
        (_, HostData::Float(_)) => {
            let function: fn(f32) -> f32 = match operator {
                "Abs" => f32::abs,
                "Ceil" => f32::ceil,
                "Cos" => f32::cos,
                "Exp" => f32::exp,
                "Floor" => f32::floor,
                "Log" => f32::ln,
                "Neg" => |value| -value,
                "Reciprocal" => f32::recip,
                "Relu" => |value| value.max(0.0),
                "Round" => f32::round_ties_even,
                "Sigmoid" => |value| (1.0 + (-value).exp()).recip(),
                "Sign" => |value| if value == 0.0 { 0.0 } else { value.signum() },
                "Sin" => f32::sin,
                "Sqrt" => f32::sqrt,
                "Tanh" => f32::tanh,
                _ => return None,
            };
            return Some(map_floats(tensor, function));
        }
        _ => return None,
    };
    Some(HostTensor { shape: tensor.shape.clone(), data })
}

fn binary(arguments: &Arguments<'_>, left: &HostTensor, right: &HostTensor) -> Result<Option<HostTensor>, Refusal> {
    let Some(shape) = broadcast(&left.shape, &right.shape) else {
        return arguments::invalid(format!("shapes {:?} and {:?} do not broadcast", left.shape, right.shape));
    };
    if shape.iter().product::<usize>() > MAX_ELEMENTS {
        return Ok(None);
    }
    let both = (
        left.pick(&broadcast_indices(&left.shape, &shape), shape.clone()),
        right.pick(&broadcast_indices(&right.shape, &shape), shape.clone()),
    );
    let (Some(left), Some(right)) = both else { return Ok(None) };
    let operator = arguments.node.operator.as_str();
    let data = match (&left.data, &right.data) {
        (HostData::Int(left), HostData::Int(right)) => of_integers(arguments, left, right)?,
        (HostData::Bool(left), HostData::Bool(right)) => {
            let function: fn(bool, bool) -> bool = match operator {
                "And" => |a, b| a && b,
                "Equal" => |a, b| a == b,
                "Or" => |a, b| a || b,
                "Xor" => |a, b| a != b,
                _ => return Ok(None),
            };
            Some(HostData::Bool(left.iter().zip(right).map(|(&a, &b)| function(a, b)).collect()))
        }
        // Powers keep the kind of their base.
        (HostData::Int(left), HostData::Float(right)) if operator == "Pow" => {
            Some(HostData::Int(left.iter().zip(right).map(|(&a, &b)| (a as f64).powf(f64::from(b)) as i64).collect()))
        }
        _ => of_floats(arguments, &left.to_floats(), &right.to_floats()),
    };
    Ok(data.map(|data| HostTensor { shape, data }))
}

fn of_integers(arguments: &Arguments<'_>, left: &[i64], right: &[i64]) -> Result<Option<HostData>, Refusal> {
    let pairs = || left.iter().copied().zip(right.iter().copied());
    let operator = arguments.node.operator.as_str();
    let compared = |comparison: fn(i64, i64) -> bool| HostData::Bool(pairs().map(|(a, b)| comparison(a, b)).collect());
    let function: fn(i64, i64) -> Option<i64> = match operator {
        "Equal" => return Ok(Some(compared(|a, b| a == b))),
        "Greater" => return Ok(Some(compared(|a, b| a > b))),
        "GreaterOrEqual" => return Ok(Some(compared(|a, b| a >= b))),
        "Less" => return Ok(Some(compared(|a, b| a < b))),
        "LessOrEqual" => return Ok(Some(compared(|a, b| a <= b))),
        "Add" | "Sum" => i64::checked_add,
        "BitShift" if arguments.text("direction") == Some("RIGHT") => |a, b| {
            // Shifts by less than nothing, or beyond the width, leave the sign alone.
            Some(a >> u32::try_from(b).unwrap_or(63).min(63))
        },
        "BitwiseAnd" => |a, b| Some(a & b),
        "BitwiseOr" => |a, b| Some(a | b),
        "BitwiseXor" => |a, b| Some(a ^ b),
        "Div" => i64::checked_div,
        "Max" => |a, b| Some(a.max(b)),
        "Min" => |a, b| Some(a.min(b)),
        "Mod" if arguments.int("fmod", 0) != 0 => i64::checked_rem,
        // The remainder takes the sign of the divisor.
        "Mod" => |a, b| {
            let rest = a.checked_rem(b)?;
            Some(if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest })
        },
        "Mul" => i64::checked_mul,
        "Pow" => |a, b| a.checked_pow(u32::try_from(b).ok()?),
        "Sub" => i64::checked_sub,
        _ => return Ok(None),
    };
    let results: Option<Vec<i64>> = pairs().map(|(a, b)| function(a, b)).collect();
    match results {
        Some(values) => Ok(Some(HostData::Int(values))),
        None => arguments::invalid("its integer arithmetic overflows or divides by zero"),
    }
}

fn of_floats(arguments: &Arguments<'_>, left: &[f32], right: &[f32]) -> Option<HostData> {
    let pairs = || left.iter().copied().zip(right.iter().copied());
    let compared = |comparison: fn(f32, f32) -> bool| HostData::Bool(pairs().map(|(a, b)| comparison(a, b)).collect());
    let function: fn(f32, f32) -> f32 = match arguments.node.operator.as_str() {
        "Equal" => return Some(compared(|a, b| a == b)),
        "Greater" => return Some(compared(|a, b| a > b)),
        "GreaterOrEqual" => return Some(compared(|a, b| a >= b)),
        "Less" => return Some(compared(|a, b| a < b)),
        "LessOrEqual" => return Some(compared(|a, b| a <= b)),
        "Add" | "Mean" | "Sum" => |a, b| a + b,
        "Div" => |a, b| a / b,
        "Max" => f32::max,
        "Min" => f32::min,
        "Mod" if arguments.int("fmod", 0) != 0 => |a, b| a % b,
        "Mod" => |a, b| {
            let rest = a % b;
            if rest * b < 0.0 { rest + b } else { rest }
        },
        "Mul" => |a, b| a * b,
        "Pow" => f32::powf,
        "Sub" => |a, b| a - b,
        _ => return None,
    };
    Some(HostData::Float(pairs().map(|(a, b)| function(a, b)).collect()))
}

fn clip(arguments: &Arguments<'_>, tensor: &HostTensor) -> Result<Option<HostTensor>, Refusal> {
    let HostData::Int(values) = &tensor.data else { return Ok(None) };
    let bound = |index: usize, default: i64| -> Result<i64, Refusal> {
        Ok(arguments.constant(index)?.and_then(|bound| bound.to_ints().first().copied()).unwrap_or(default))
    };
    let (min, max) = (bound(1, i64::MIN)?, bound(2, i64::MAX)?);
    let data = HostData::Int(values.iter().map(|&value| value.max(min).min(max)).collect());
    Ok(Some(HostTensor { shape: tensor.shape.clone(), data }))
}

fn reduction(arguments: &Arguments<'_>, tensor: &HostTensor, how: How) -> Result<Option<HostTensor>, Refusal> {
    let (axes, shape) = reduce::targets(arguments)?;
    let count: usize = shape.iter().product();
    let targets = reduced_indices(&tensor.shape, &axes);
    /// What becomes of the values that go to each of `count` targets.
    fn reduced<T: Copy>(
        values: &[T],
        targets: &[usize],
        count: usize,
        reduce: impl Fn(&[T]) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut sets = vec![Vec::new(); count];
        for (&value, &target) in values.iter().zip(targets) {
            if let Some(set) = sets.get_mut(target) {
                set.push(value);
            }
        }
        sets.iter().map(|set| reduce(set)).collect()
    }
    let data = match &tensor.data {
        HostData::Int(values) => reduced(values, &targets, count, |set| reduce_integers(how, set)).map(HostData::Int),
        HostData::Float(values) => reduced(values, &targets, count, |set| reduce_floats(how, set)).map(HostData::Float),
        HostData::Bool(values) => reduced(values, &targets, count, |set| reduce_booleans(how, set)).map(HostData::Bool),
    };
    Ok(data.map(|data| HostTensor { shape, data }))
}

/// For each element, in order, the flat position it is reduced to.
fn reduced_indices(shape: &[usize], axes: &[usize]) -> Vec<usize> {
    (0..shape.iter().product())
        .map(|flat: usize| {
            let (mut rest, mut index, mut stride) = (flat, 0, 1);
            for axis in (0..shape.len()).rev() {
                if !axes.contains(&axis) {
                    index += rest % shape[axis] * stride;
                    stride *= shape[axis];
                }
                rest /= shape[axis];
            }
            index
        })
        .collect()
}

fn reduce_integers(how: How, set: &[i64]) -> Option<i64> {
    match how {
        How::L1 => set.iter().try_fold(0_i64, |sum, value| sum.checked_add(value.checked_abs()?)),
        How::Max => set.iter().copied().max(),
        How::Mean => set.iter().sum::<i64>().checked_div(set.len() as i64),
        How::Min => set.iter().copied().min(),
        How::Prod => set.iter().try_fold(1_i64, |product, &value| product.checked_mul(value)),
        How::Sum => set.iter().try_fold(0_i64, |sum, &value| sum.checked_add(value)),
        How::SumSquare => set.iter().try_fold(0_i64, |sum, &value| sum.checked_add(value.checked_mul(value)?)),
        How::L2 | How::LogSum | How::LogSumExp => None,
    }
}

fn reduce_booleans(how: How, set: &[bool]) -> Option<bool> {
    match how {
        How::Max => Some(set.contains(&true)),
        How::Min => Some(!set.contains(&false)),
        _ => None,
    }
}

/// Sums are kept in double precision.
fn reduce_floats(how: How, set: &[f32]) -> Option<f32> {
    let values = || set.iter().map(|&value| f64::from(value));
    Some(match how {
        How::L1 => values().map(f64::abs).sum::<f64>() as f32,
        How::L2 => values().map(|value| value * value).sum::<f64>().sqrt() as f32,
        How::LogSum => values().sum::<f64>().ln() as f32,
        How::Max => set.iter().copied().reduce(f32::max)?,
        How::Mean => (values().sum::<f64>() / set.len() as f64) as f32,
        How::Min => set.iter().copied().reduce(f32::min)?,
        How::Prod => values().product::<f64>() as f32,
        How::Sum => values().sum::<f64>() as f32,
        How::SumSquare => values().map(|value| value * value).sum::<f64>() as f32,
        How::LogSumExp => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_reduced_to_the_axes_that_stay() {
        assert_eq!(reduced_indices(&[2, 3], &[1]), [0, 0, 0, 1, 1, 1]);
        assert_eq!(reduced_indices(&[2, 3], &[0]), [0, 1, 2, 0, 1, 2]);
        assert_eq!(reduced_indices(&[2, 3], &[0, 1]), [0; 6]);
    }

    #[test]
    fn an_integer_product_that_overflows_is_left_alone() {
        assert_eq!(reduce_integers(How::Prod, &[3, 4]), Some(12));
        assert_eq!(reduce_integers(How::Prod, &[i64::MAX, 2]), None);
    }
}
