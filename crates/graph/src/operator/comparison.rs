//! Comparisons of computed values, and the choice that follows them. They have no gradient of their own; gradients flow
//! through what is chosen.

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, Kind, invalid, unsupported},
};
use crate::{
    GraphError, Value,
    value::{broadcast, with_rank},
};

/// A comparison of two float values that broadcast.
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
    let (left, right) = (arguments.float_shape(0)?, arguments.float_shape(1)?);
    let Some(shape) = broadcast(left, right) else {
        return invalid(format!("shapes {left:?} and {right:?} do not broadcast"));
    };
    let outputs = vec![Fact::Runtime { shape, kind: Kind::Bool }];
    Ok(Resolved { operator: Operator::Comparison(operator), outputs, inputs: 2 })
}

impl Comparison {
    pub(crate) fn run(self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let (left, right) = (inputs.get(0)?.detached(), inputs.get(1)?.detached());
        let shape = broadcast(left.shape(), right.shape()).unwrap_or_default();
        let (left, right) = (left.expand(&shape)?, right.expand(&shape)?);
        let result = with_rank!(shape.len(), D => {
            let (left, right) = (left.tensor::<D>()?, right.tensor::<D>()?);
            Value::new_bool(match self {
                Comparison::Equal => left.equal(right),
                Comparison::Greater => left.greater(right),
                Comparison::GreaterOrEqual => left.greater_equal(right),
                Comparison::Less => left.lower(right),
                Comparison::LessOrEqual => left.lower_equal(right),
            })
        });
        result.reshape(&shape)
    }
}

/// Elements of the second input where the condition holds, of the third elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Where {
    shape: Vec<usize>,
}

pub(crate) fn choose(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let condition = arguments.fact(0)?;
    if condition.kind() != Kind::Bool {
        return invalid("its condition is not boolean");
    }
    let (yes, no) = (arguments.float_shape(1)?, arguments.float_shape(2)?);
    let shape = broadcast(yes, no).and_then(|shape| broadcast(&shape, condition.shape()));
    let Some(shape) = shape else {
        return invalid(format!("shapes {:?}, {yes:?} and {no:?} do not broadcast", condition.shape()));
    };
    let outputs = vec![Fact::float(shape.clone())];
    Ok(Resolved { operator: Operator::Where(Where { shape }), outputs, inputs: 3 })
}

impl Where {
    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let [condition, yes, no] = [0, 1, 2].map(|index| inputs.get(index)?.expand(&self.shape));
        let (condition, yes, no) = (condition?, yes?, no?);
        let chosen = with_rank!(self.shape.len(), D => {
            Value::new(no.tensor::<D>()?.mask_where(condition.as_bool::<D>()?, yes.tensor::<D>()?))
        });
        chosen.reshape(&self.shape)
    }
}
