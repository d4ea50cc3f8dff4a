//! ConstantOfShape beyond the size that is filled on the host.

use vitrine_onnx::AttributeValue;

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, Kind, check_rank, invalid, unsupported},
};
use crate::{
    GraphError, Value,
    host::{HostData, HostTensor},
};

/// One number everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Fill {
    element: HostTensor,
    shape: Vec<usize>,
}

/// More elements than any value of a vision model has.
const MAX_ELEMENTS: usize = 1 << 28;

pub(crate) fn constant_of_shape(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let Some(given) = arguments.constant(0)?.map(|shape| shape.to_ints()) else {
        return invalid("the shape is missing");
    };
    let shape: Option<Vec<usize>> = given.iter().map(|&length| usize::try_from(length).ok()).collect();
    let Some(shape) = shape else { return invalid(format!("shape {given:?} has a negative axis")) };
    check_rank(shape.len())?;
    let count = shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length));
    if count.is_none_or(|count| count > MAX_ELEMENTS) {
        return unsupported(format!("ConstantOfShape of {shape:?}"));
    }
    let element = match arguments.node.attribute("value") {
        Some(AttributeValue::Tensor(tensor)) => match HostTensor::from_onnx(tensor) {
            Ok(element) if element.len() == 1 => HostTensor { shape: Vec::new(), data: element.data },
            Ok(_) => return invalid("its value is not one element"),
            Err(error) => return unsupported(error.to_string()),
        },
        _ => HostTensor { shape: Vec::new(), data: HostData::Float(vec![0.0]) },
    };
    let kind = match element.data {
        HostData::Float(_) => Kind::Float,
        HostData::Int(_) => Kind::Int,
        HostData::Bool(_) => Kind::Bool,
    };
    let outputs = vec![Fact::Runtime { shape: shape.clone(), kind }];
    // The shape is read for nothing but the device it lies on.
    Ok(Resolved { operator: Operator::Fill(Fill { element, shape }), outputs, inputs: 1 })
}

impl Fill {
    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        self.element.upload(&inputs.get(0)?.device()).expand(&self.shape)
    }
}
