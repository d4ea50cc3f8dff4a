//! What a resolver sees of a node: attributes, opset, and the shapes or constant values of its inputs.

use std::sync::Arc;

use vitrine_onnx::{AttributeValue, ElementType, Node};

use super::Operator;
use crate::{host::HostTensor, value::MAX_RANK};

/// What is known of a value while planning.
#[derive(Clone, Debug)]
pub(crate) enum Fact {
    /// Its elements.
    Known(Arc<HostTensor>),
    /// Its shape; the elements come when the model runs.
    Runtime {
        /// Lengths of the axes.
        shape: Vec<usize>,
        /// What the elements are.
        kind: Kind,
    },
}

/// What a value's elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Float,
    Int,
    Bool,
}

impl Fact {
    /// A float value that comes when the model runs.
    pub(crate) fn float(shape: Vec<usize>) -> Fact {
        Fact::Runtime { shape, kind: Kind::Float }
    }

    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Fact::Known(tensor) => &tensor.shape,
            Fact::Runtime { shape, .. } => shape,
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        use crate::host::HostData;
        match self {
            Fact::Known(tensor) => match tensor.data {
                HostData::Float(_) => Kind::Float,
                HostData::Int(_) => Kind::Int,
                HostData::Bool(_) => Kind::Bool,
            },
            Fact::Runtime { kind, .. } => *kind,
        }
    }
}

/// A resolved node.
pub(crate) struct Resolved {
    pub(crate) operator: Operator,
    /// One per output that the operator makes.
    pub(crate) outputs: Vec<Fact>,
    /// How many leading inputs are read when the model runs; later ones are resolved already.
    pub(crate) inputs: usize,
}

impl Resolved {
    /// An operator that reads its first input and makes one float value.
    pub(crate) fn unary(operator: Operator, shape: Vec<usize>) -> Resolved {
        Resolved { operator, outputs: vec![Fact::float(shape)], inputs: 1 }
    }
}

/// Why a node was refused, without a full stop.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The operator runs, this form of it does not: part of the list of unsupported operators.
    Unsupported(String),
    /// The node contradicts the operator's definition.
    Invalid(String),
    /// The shape of its outputs is known only when the model runs: planning ends here, and what comes before still runs.
    Open {
        /// What is not known before, without a verb: "how many boxes it keeps".
        what: &'static str,
    },
}

impl Refusal {
    /// A refusal for nodes whose outputs have no shape before the model runs.
    pub(crate) fn open<T>(what: &'static str) -> Result<T, Refusal> {
        Err(Refusal::Open { what })
    }
}

/// A refusal for nodes that contradict the operator's definition.
pub(crate) fn invalid<T>(reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Invalid(reason.into()))
}

/// A refusal for forms that are right but not run.
pub(crate) fn unsupported<T>(form: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Unsupported(form.into()))
}

/// A node with what is known of its inputs.
pub(crate) struct Arguments<'a> {
    pub(crate) node: &'a Node,
    /// Version of ONNX's own operator set that the model uses.
    pub(crate) opset: i64,
    /// One per input; absent where the input is left out.
    pub(crate) facts: &'a [Option<Fact>],
    /// Element types of the inputs that are the file's own constants or inputs.
    pub(crate) types: &'a [Option<ElementType>],
    /// How to re-plan a graph whose batch size was baked in.
    pub(crate) rebatch: Option<Rebatch<'a>>,
}

/// The plan at the declared batch size, when planning for another one.
#[derive(Clone, Copy)]
pub(crate) struct Rebatch<'a> {
    /// Batch size in the file.
    pub(crate) declared: usize,
    /// Batch size wanted.
    pub(crate) wanted: usize,
    /// Shapes of this node's inputs in the declared plan.
    pub(crate) inputs: &'a [Option<Vec<usize>>],
    /// Shapes of this node's outputs in the declared plan.
    pub(crate) outputs: &'a [Vec<usize>],
}

impl<'a> Arguments<'a> {
    /// An input's fact.
    pub(crate) fn fact(&self, index: usize) -> Result<&Fact, Refusal> {
        match self.facts.get(index) {
            Some(Some(fact)) => Ok(fact),
            _ => invalid(format!("input {index} is missing")),
        }
    }

    /// An input's shape.
    pub(crate) fn shape(&self, index: usize) -> Result<&[usize], Refusal> {
        Ok(self.fact(index)?.shape())
    }

    /// A float input's shape.
    pub(crate) fn float_shape(&self, index: usize) -> Result<&[usize], Refusal> {
        let fact = self.fact(index)?;
        if fact.kind() != Kind::Float {
            return unsupported("integer or boolean input");
        }
        Ok(fact.shape())
    }

    /// The constant at an input: absent when the input is left out, refused when it comes only at run time.
    pub(crate) fn constant(&self, index: usize) -> Result<Option<&HostTensor>, Refusal> {
        match self.facts.get(index) {
            None | Some(None) => Ok(None),
            Some(Some(Fact::Known(tensor))) => Ok(Some(tensor)),
            Some(Some(Fact::Runtime { .. })) => unsupported(format!("input {index} computed from pixel values")),
        }
    }

    /// Integers from a constant input, or from an attribute as older opsets have it.
    pub(crate) fn ints_from(&self, index: usize, attribute: &str) -> Result<Option<Vec<i64>>, Refusal> {
        if let Some(tensor) = self.constant(index)? {
            return Ok(Some(tensor.to_ints()));
        }
        Ok(self.ints(attribute).map(<[i64]>::to_vec))
    }

    fn attribute(&self, name: &str) -> Option<&'a AttributeValue> {
        self.node.attribute(name)
    }

    pub(crate) fn ints(&self, name: &str) -> Option<&'a [i64]> {
        match self.attribute(name)? {
            AttributeValue::Ints(values) => Some(values),
            _ => None,
        }
    }

    pub(crate) fn int(&self, name: &str, default: i64) -> i64 {
        match self.attribute(name) {
            Some(AttributeValue::Int(value)) => *value,
            _ => default,
        }
    }

    pub(crate) fn float(&self, name: &str, default: f32) -> f32 {
        match self.attribute(name) {
            Some(AttributeValue::Float(value)) => *value,
            _ => default,
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        match self.attribute(name)? {
            AttributeValue::String(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }
}

/// Turns a possibly negative axis into an index.
pub(crate) fn axis(axis: i64, rank: usize) -> Result<usize, Refusal> {
    let signed = i64::try_from(rank).unwrap_or(i64::MAX);
    let index = if axis < 0 { axis + signed } else { axis };
    match usize::try_from(index) {
        Ok(index) if index < rank => Ok(index),
        _ => invalid(format!("axis {axis} does not exist in a value of rank {rank}")),
    }
}

/// Turns possibly negative axes into sorted indices without repeats.
pub(crate) fn axes(given: &[i64], rank: usize) -> Result<Vec<usize>, Refusal> {
    let mut indices = given.iter().map(|&given| axis(given, rank)).collect::<Result<Vec<_>, _>>()?;
    indices.sort_unstable();
    indices.dedup();
    if indices.len() != given.len() {
        return invalid(format!("axes {given:?} name one axis twice"));
    }
    Ok(indices)
}

/// Refuses ranks beyond what values can have.
pub(crate) fn check_rank(rank: usize) -> Result<(), Refusal> {
    if rank > MAX_RANK { unsupported(format!("rank {rank}")) } else { Ok(()) }
}
