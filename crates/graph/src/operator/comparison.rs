//! Comparisons of computed values, and the choice that follows them. They have no gradient of their own; gradients flow
//! through what is chosen.

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, Kind, invalid, unsupported},
};
use crate::{
    GraphError, Value,
    value::{Pair, broadcast, equal_ints},
};

/// A comparison of two values that broadcast.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Comparison {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

pub(crate) fn comparison(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let operator = match arguments.node.operator.as_str() {
        "Equal" => Comparison::Equal,
        "Greater" => Comparison::Greater,
        "GreaterOrEqual" => Comparison::GreaterOrEqual,
        "Less" => Comparison::Less,
        "LessOrEqual" => Comparison::LessOrEqual,
        other => return unsupported(format!("comparison {other}")),
    };
    let (left, right) = (arguments.fact(0)?, arguments.fact(1)?);
    if left.kind() != right.kind() || (left.kind() == Kind::Bool && !matches!(operator, Comparison::Equal)) {
        return invalid("its inputs have types that do not compare");
    }
    let Some(shape) = broadcast(left.shape(), right.shape()) else {
        return invalid(format!("shapes {:?} and {:?} do not broadcast", left.shape(), right.shape()));
    };
    let outputs = vec![Fact::Runtime { shape, kind: Kind::Bool }];
    Ok(Resolved { operator: Operator::Comparison(operator), outputs, inputs: 2 })
}

impl Comparison {
    pub(crate) fn run(self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let (pair, shape) = inputs.get(0)?.detached().pair(&inputs.get(1)?.detached(), "a comparison")?;
        let result = match pair {
            Pair::Float(left, right) => match self {
                Comparison::Equal => left.equal(right),
                Comparison::Greater => left.greater(right),
                Comparison::GreaterOrEqual => left.greater_equal(right),
                Comparison::Less => left.lower(right),
                Comparison::LessOrEqual => left.lower_equal(right),
            },
            Pair::Int(left, right) => match self {
                Comparison::Equal => equal_ints(left, right),
                Comparison::Greater => right.lower(left),
                Comparison::GreaterOrEqual => left.greater_equal(right),
                Comparison::Less => left.lower(right),
                Comparison::LessOrEqual => left.lower_equal(right),
            },
            Pair::Bool(left, right) => left.equal(right),
        };
        Ok(Value::bool_of(result, shape))
    }
}

/// Elements of the second input where the condition holds, of the third elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Where;

pub(crate) fn choose(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let condition = arguments.fact(0)?;
    if condition.kind() != Kind::Bool {
        return invalid("its condition is not boolean");
    }
    let (yes, no) = (arguments.fact(1)?, arguments.fact(2)?);
    if yes.kind() != no.kind() {
        return invalid("its choices differ in type");
    }
    let shape = broadcast(yes.shape(), no.shape()).and_then(|shape| broadcast(&shape, condition.shape()));
    let Some(shape) = shape else {
        let (condition, yes, no) = (condition.shape(), yes.shape(), no.shape());
        return invalid(format!("shapes {condition:?}, {yes:?} and {no:?} do not broadcast"));
    };
    let outputs = vec![Fact::Runtime { shape, kind: yes.kind() }];
    Ok(Resolved { operator: Operator::Where(Where), outputs, inputs: 3 })
}

impl Where {
    pub(crate) fn run(self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        Value::either(inputs.get(0)?, inputs.get(1)?, inputs.get(2)?)
    }
}
