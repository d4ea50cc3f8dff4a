//! Arithmetic of two or more values with broadcasting, and Clip.

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, Kind, invalid, unsupported},
};
use crate::{
    GraphError, Value,
    value::{Pair, broadcast, equal_ints},
};

/// Arithmetic of values that broadcast.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arithmetic {
    Add,
    Div,
    Max,
    Mean,
    Min,
    /// A remainder with the sign of the divisor, or of the dividend where `truncated`.
    Mod {
        truncated: bool,
    },
    Mul,
    Pow,
    Power(f32),
    Square,
    Sub,
}

pub(crate) fn arithmetic(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let operator = arguments.node.operator.as_str();
    if arguments.opset < 7 && arguments.int("broadcast", 0) != 0 {
        return unsupported(format!("{operator} with the broadcasting of opset {}", arguments.opset));
    }
    let mut shape = arguments.shape(0)?.to_vec();
    let kind = arguments.fact(0)?.kind();
    for index in 1..arguments.facts.len() {
        let other = arguments.fact(index)?;
        // Powers alone may mix, and are of the base's kind.
        if other.kind() != kind && (operator != "Pow" || other.kind() == Kind::Bool) {
            return unsupported(format!("{operator} of mixed element types"));
        }
        let Some(both) = broadcast(&shape, other.shape()) else {
            return invalid(format!("shapes {shape:?} and {:?} do not broadcast", other.shape()));
        };
        shape = both;
    }
    if kind == Kind::Bool {
        return unsupported(format!("{operator} of booleans"));
    }
    let mut inputs = arguments.facts.len();
    let arithmetic = match operator {
        "Add" | "Sum" => Arithmetic::Add,
        "Div" => Arithmetic::Div,
        "Max" => Arithmetic::Max,
        "Mean" if kind == Kind::Int => return unsupported("integer input"),
        "Mean" => Arithmetic::Mean,
        "Min" => Arithmetic::Min,
        "Mod" => Arithmetic::Mod { truncated: arguments.int("fmod", 0) != 0 },
        "Mul" => Arithmetic::Mul,
        // A general power has no gradient at negative bases, so constant exponents get their own form.
        "Pow" => match arguments.facts.get(1) {
            Some(Some(Fact::Known(exponent)))
                if exponent.len() == 1 && kind == Kind::Float && shape == arguments.shape(0)? =>
            {
                inputs = 1;
                match exponent.to_floats()[..] {
                    [2.0] => Arithmetic::Square,
                    [exponent] => Arithmetic::Power(exponent),
                    _ => return invalid("its exponent is empty"),
                }
            }
            _ => Arithmetic::Pow,
        },
        "Sub" => Arithmetic::Sub,
        other => return unsupported(format!("arithmetic {other}")),
    };
    Ok(Resolved { operator: Operator::Arithmetic(arithmetic), outputs: vec![Fact::Runtime { shape, kind }], inputs })
}

impl Arithmetic {
    pub(crate) fn run(self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let first = inputs.get(0)?.clone();
        let fold = |function: fn(&Value, &Value) -> Result<Value, GraphError>| {
            inputs.all().skip(1).try_fold(first.clone(), |sum, next| function(&sum, next))
        };
        match self {
            Arithmetic::Add => fold(Value::add),
            Arithmetic::Div => fold(Value::div),
            Arithmetic::Max => fold(Value::maximum),
            Arithmetic::Mean => {
                let count = inputs.all().count() as f32;
                fold(Value::add)?.map(|sum| sum / count)
            }
            Arithmetic::Min => fold(Value::minimum),
            Arithmetic::Mod { truncated } => remainder(&first, inputs.get(1)?, truncated),
            Arithmetic::Mul => fold(Value::mul),
            Arithmetic::Pow => power(&first, inputs.get(1)?),
            Arithmetic::Power(exponent) => first.map(|x| x.powf_scalar(exponent)),
            Arithmetic::Square => first.mul(&first),
            Arithmetic::Sub => fold(Value::sub),
        }
    }
}

fn remainder(left: &Value, right: &Value, truncated: bool) -> Result<Value, GraphError> {
    let (pair, shape) = left.pair(right, "a remainder")?;
    match pair {
        Pair::Float(left, right) => {
            let whole = (left.clone() / right.clone()).trunc();
            // Infinite divisors leave everything as it is.
            let none = whole.clone().equal_elem(0.0);
            let rest = left - (right.clone() * whole).mask_fill(none, 0.0);
            if truncated {
                return Ok(Value::float_of(rest, shape));
            }
            let other_sign = (rest.clone() * right.clone()).lower_elem(0.0);
            Ok(Value::float_of(rest.clone().mask_where(other_sign, rest + right), shape))
        }
        Pair::Int(left, right) => {
            // A zero would end the program on the CPU.
            let zero = equal_ints(right.clone(), right.zeros_like());
            let right = right.mask_fill(zero, 1);
            let whole = (left.clone() / right.clone()) * right.clone();
            let rest = left - whole;
            if truncated {
                return Ok(Value::int_of(rest, shape));
            }
            // A rest of the other sign than the divisor moves into its period.
            let other_sign = (rest.clone() * right.clone()).lower_elem(0);
            Ok(Value::int_of(rest.clone().mask_where(other_sign, rest + right), shape))
        }
        Pair::Bool(..) => Err(GraphError::Kind { operation: "a remainder", expected: "numeric" }),
    }
}

/// Powers of integers are computed as floats.
fn power(base: &Value, exponent: &Value) -> Result<Value, GraphError> {
    let power = base.to_float_value().pow(&exponent.to_float_value())?;
    if base.is_float() {
        return Ok(power);
    }
    let whole = if exponent.is_float() { power } else { power.map(|x| x.round())? };
    Ok(whole.to_int_value())
}

/// Clip: bounds that are known while planning, or inputs 1 and 2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clip {
    bounds: Option<(f32, f32)>,
}

pub(crate) fn clip(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    if fact.kind() == Kind::Bool {
        return unsupported("boolean input");
    }
    let outputs = vec![Fact::Runtime { shape: fact.shape().to_vec(), kind: fact.kind() }];
    let given = || (1..3).filter_map(|index| arguments.facts.get(index)?.as_ref());
    if let Some(bound) =
        given().find(|bound| bound.kind() != fact.kind() || bound.shape().iter().any(|&length| length != 1))
    {
        return invalid(format!("a bound of shape {:?} is no number of the input's type", bound.shape()));
    }
    let known = given().all(|bound| matches!(bound, Fact::Known(_)));
    if fact.kind() == Kind::Int || !known {
        return Ok(Resolved { operator: Operator::Clip(Clip { bounds: None }), outputs, inputs: 3 });
    }
    let bound = |index: usize, name: &str, default: f32| -> Result<f32, Refusal> {
        let bound = match arguments.constant(index)? {
            Some(tensor) => tensor.to_floats().first().copied().unwrap_or(default),
            None => arguments.float(name, default),
        };
        Ok(if bound.is_nan() { default } else { bound })
    };
    let (min, max) = (bound(1, "min", f32::MIN)?, bound(2, "max", f32::MAX)?);
    // Bounds in the wrong order give the upper one.
    let clip = Clip { bounds: Some((min.min(max), max)) };
    Ok(Resolved { operator: Operator::Clip(clip), outputs, inputs: 1 })
}

impl Clip {
    pub(crate) fn run(self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let input = inputs.get(0)?;
        if let Some((min, max)) = self.bounds {
            return input.map(|x| x.clamp(min, max));
        }
        let raised = match inputs.optional(1) {
            Some(min) => input.maximum(min)?,
            None => input.clone(),
        };
        let clipped = match inputs.optional(2) {
            Some(max) => raised.minimum(max)?,
            None => raised,
        };
        // A bound may have an axis that a scalar input lacks.
        clipped.reshape(input.shape())
    }
}
