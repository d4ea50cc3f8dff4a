//! Functions of booleans and of single bits, and what is asked of single floats. None has a gradient.

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, Kind, invalid, unsupported},
};
use crate::{
    GraphError, Value,
    value::{Pair, broadcast},
};

/// A function of booleans, of bits, or of special floats.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Logic {
    And,
    BitwiseAnd,
    BitwiseOr,
    BitwiseXor,
    IsInf { negative: bool, positive: bool },
    IsNaN,
    Not,
    Or,
    ShiftRight,
    Xor,
}

/// What leaves nothing but the sign of 32 bits.
const WIDEST_SHIFT: i64 = 31;

pub(crate) fn logic(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let first = arguments.fact(0)?;
    let (logic, operands) = match arguments.node.operator.as_str() {
        "And" => (Logic::And, Kind::Bool),
        "BitShift" if arguments.text("direction") == Some("RIGHT") => (Logic::ShiftRight, Kind::Int),
        // Which bits fall off depends on a width that values do not keep.
        "BitShift" => return unsupported("computed values shifted to the left"),
        "BitwiseAnd" => (Logic::BitwiseAnd, Kind::Int),
        "BitwiseOr" => (Logic::BitwiseOr, Kind::Int),
        "BitwiseXor" => (Logic::BitwiseXor, Kind::Int),
        "IsInf" => {
            let detects = |name| arguments.int(name, 1) != 0;
            let (negative, positive) = (detects("detect_negative"), detects("detect_positive"));
            (Logic::IsInf { negative, positive }, Kind::Float)
        }
        "IsNaN" => (Logic::IsNaN, Kind::Float),
        "Not" => (Logic::Not, Kind::Bool),
        "Or" => (Logic::Or, Kind::Bool),
        "Xor" => (Logic::Xor, Kind::Bool),
        other => return unsupported(format!("logic {other}")),
    };
    let inputs = if matches!(logic, Logic::Not | Logic::IsNaN | Logic::IsInf { .. }) { 1 } else { 2 };
    let mut shape = first.shape().to_vec();
    for index in 0..inputs {
        let fact = arguments.fact(index)?;
        if fact.kind() != operands {
            return invalid(format!("input {index} has elements of another type than it takes"));
        }
        let Some(both) = broadcast(&shape, fact.shape()) else {
            return invalid(format!("shapes {shape:?} and {:?} do not broadcast", fact.shape()));
        };
        shape = both;
    }
    let kind = if operands == Kind::Int { Kind::Int } else { Kind::Bool };
    Ok(Resolved { operator: Operator::Logic(logic), outputs: vec![Fact::Runtime { shape, kind }], inputs })
}

impl Logic {
    pub(crate) fn run(self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let first = inputs.get(0)?;
        match self {
            Logic::IsInf { negative, positive } => first.test(|x| match (negative, positive) {
                (true, true) => x.is_inf(),
                (true, false) => x.equal_elem(f32::NEG_INFINITY),
                (false, true) => x.equal_elem(f32::INFINITY),
                (false, false) => x.zeros_like().greater_elem(0.0),
            }),
            Logic::IsNaN => first.test(|x| x.is_nan()),
            Logic::Not => first.map_bool(|x| x.bool_not()),
            _ => self.of_two(first, inputs.get(1)?),
        }
    }

    fn of_two(self, left: &Value, right: &Value) -> Result<Value, GraphError> {
        let (pair, shape) = left.detached().pair(&right.detached(), "logic")?;
        Ok(match pair {
            Pair::Bool(left, right) => Value::bool_of(
                match self {
                    Logic::And => left.bool_and(right),
                    Logic::Or => left.bool_or(right),
                    _ => left.bool_xor(right),
                },
                shape,
            ),
            Pair::Int(left, right) => Value::int_of(
                match self {
                    Logic::BitwiseAnd => left.bitwise_and(right),
                    Logic::BitwiseOr => left.bitwise_or(right),
                    // Shifts by less than nothing, or beyond the width, leave the sign alone.
                    Logic::ShiftRight => {
                        let beyond = right.clone().lower_elem(0).bool_or(right.clone().greater_elem(WIDEST_SHIFT));
                        left.bitwise_right_shift(right.mask_fill(beyond, WIDEST_SHIFT))
                    }
                    _ => left.bitwise_xor(right),
                },
                shape,
            ),
            Pair::Float(..) => return Err(GraphError::Kind { operation: "logic", expected: "boolean or integer" }),
        })
    }
}
