//! CumSum and CumProd.

use super::{
    Arguments, Operator, Refusal, Resolved,
    arguments::{Fact, Kind, axis, invalid, unsupported},
};
use crate::{GraphError, Value};

/// Sums or products of all elements up to each one along an axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cumulative {
    pub(crate) axis: usize,
    pub(crate) product: bool,
    /// Without the element itself.
    pub(crate) exclusive: bool,
    /// From the end.
    pub(crate) reverse: bool,
}

/// What a CumSum or CumProd node asks for.
pub(crate) fn settings(arguments: &Arguments<'_>) -> Result<Cumulative, Refusal> {
    let Some(given) = arguments.constant(1)?.and_then(|axis| axis.to_ints().first().copied()) else {
        return invalid("its axis is missing");
    };
    Ok(Cumulative {
        axis: axis(given, arguments.shape(0)?.len())?,
        product: arguments.node.operator == "CumProd",
        exclusive: arguments.int("exclusive", 0) != 0,
        reverse: arguments.int("reverse", 0) != 0,
    })
}

pub(crate) fn cumulative(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    if fact.kind() == Kind::Bool {
        return unsupported("booleans");
    }
    let outputs = vec![Fact::Runtime { shape: fact.shape().to_vec(), kind: fact.kind() }];
    Ok(Resolved { operator: Operator::Cumulative(settings(arguments)?), outputs, inputs: 1 })
}

impl Cumulative {
    pub(crate) fn run(self, input: &Value) -> Result<Value, GraphError> {
        let forwards = if self.reverse { input.reversed(self.axis)? } else { input.clone() };
        let mut summed = forwards.accumulated(self.axis, self.product)?;
        let length = input.shape()[self.axis];
        if self.exclusive && length > 0 {
            let mut first = input.shape().to_vec();
            first[self.axis] = 1;
            let neutral = if self.product { input.ones(&first)? } else { input.zeros(&first)? };
            summed = Value::concat(&[neutral, summed.narrow(self.axis, 0, length - 1)?], self.axis)?;
        }
        if self.reverse { summed.reversed(self.axis) } else { Ok(summed) }
    }
}
