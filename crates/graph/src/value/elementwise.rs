//! Functions of single elements beyond floating-point arithmetic: comparison, logic, choice, integers.

use burn::tensor::{Bool, Int, Tensor, ops::PadMode};

use super::{Data, Value, broadcast, retype, with_rank};
use crate::GraphError;

/// Two values of one kind after broadcasting, under the nominal rank: ready for functions of single elements.
pub(crate) enum Pair {
    Float(Tensor<1>, Tensor<1>),
    Int(Tensor<1, Int>, Tensor<1, Int>),
    Bool(Tensor<1, Bool>, Tensor<1, Bool>),
}

/// Where two lists of integers agree. burn's own test takes its answer for integers, and panics when it is used.
pub(crate) fn equal_ints<const D: usize>(left: Tensor<D, Int>, right: Tensor<D, Int>) -> Tensor<D, Bool> {
    left.clone().lower_equal(right.clone()).bool_and(left.greater_equal(right))
}

impl Value {
    /// Applies a function of integers.
    pub(crate) fn map_int(&self, function: impl FnOnce(Tensor<1, Int>) -> Tensor<1, Int>) -> Result<Value, GraphError> {
        match &self.data {
            Data::Int(tensor) => Ok(Value { data: Data::Int(function(tensor.clone())), shape: self.shape.clone() }),
            _ => Err(GraphError::Kind { operation: "this arithmetic", expected: "integer" }),
        }
    }

    /// Applies a function of booleans.
    pub(crate) fn map_bool(
        &self,
        function: impl FnOnce(Tensor<1, Bool>) -> Tensor<1, Bool>,
    ) -> Result<Value, GraphError> {
        match &self.data {
            Data::Bool(tensor) => Ok(Value { data: Data::Bool(function(tensor.clone())), shape: self.shape.clone() }),
            _ => Err(GraphError::Kind { operation: "logic", expected: "boolean" }),
        }
    }

    /// Asks a question of each float.
    pub(crate) fn test(&self, question: impl FnOnce(Tensor<1>) -> Tensor<1, Bool>) -> Result<Value, GraphError> {
        Ok(Value { data: Data::Bool(question(self.detached().float()?.clone())), shape: self.shape.clone() })
    }

    /// Whether each element is something else than zero.
    pub(crate) fn to_bool_value(&self) -> Value {
        let data = match self.detached().data {
            Data::Float(tensor) => Data::Bool(tensor.not_equal_elem(0.0)),
            Data::Int(tensor) => Data::Bool(tensor.clone().lower_elem(0).bool_or(tensor.greater_elem(0))),
            Data::Bool(tensor) => Data::Bool(tensor),
        };
        Value { data, shape: self.shape.clone() }
    }

    /// Two values under one shape, which is given beside them.
    pub(crate) fn pair(&self, other: &Value, operation: &'static str) -> Result<(Pair, Vec<usize>), GraphError> {
        let shape = broadcast(&self.shape, &other.shape).ok_or_else(|| GraphError::Shapes {
            operation,
            left: self.shape.clone(),
            right: other.shape.clone(),
        })?;
        let pair = match (self.expand(&shape)?.data, other.expand(&shape)?.data) {
            (Data::Float(left), Data::Float(right)) => Pair::Float(left, right),
            (Data::Int(left), Data::Int(right)) => Pair::Int(left, right),
            (Data::Bool(left), Data::Bool(right)) => Pair::Bool(left, right),
            _ => return Err(GraphError::Kind { operation, expected: "two equal kinds of" }),
        };
        Ok((pair, shape))
    }

    /// Wraps floats that have this shape under the nominal rank.
    pub(crate) fn float_of(tensor: Tensor<1>, shape: Vec<usize>) -> Value {
        Value { data: Data::Float(tensor), shape }
    }

    /// The integer tensor of rank `D`.
    pub(crate) fn as_int<const D: usize>(&self) -> Result<Tensor<D, Int>, GraphError> {
        match &self.data {
            Data::Int(tensor) if self.shape.len().max(1) == D => Ok(retype(tensor.clone())),
            _ => Err(GraphError::Kind { operation: "picking by position", expected: "integer" }),
        }
    }

    /// Wraps integers that have this shape under the nominal rank.
    pub(crate) fn int_of(tensor: Tensor<1, Int>, shape: Vec<usize>) -> Value {
        Value { data: Data::Int(tensor), shape }
    }

    /// Wraps booleans that have this shape under the nominal rank.
    pub(crate) fn bool_of(tensor: Tensor<1, Bool>, shape: Vec<usize>) -> Value {
        Value { data: Data::Bool(tensor), shape }
    }

    /// The same kind of elements computed from floats: rounded toward zero for integers, compared with zero for booleans.
    pub(crate) fn from_floats_like(value: Value, kind: &Value) -> Value {
        match kind.data {
            Data::Float(_) => value,
            Data::Int(_) => value.to_int_value(),
            Data::Bool(_) => value.to_bool_value(),
        }
    }

    /// Surrounds the value with `fill`, before and after along each axis.
    pub(crate) fn padded(&self, pads: &[(usize, usize)], fill: f32) -> Result<Value, GraphError> {
        if pads.iter().all(|&pad| pad == (0, 0)) {
            return Ok(self.clone());
        }
        let shape = self.shape.iter().zip(pads).map(|(length, (before, after))| length + before + after).collect();
        let rank = self.shape.len();
        let data = match &self.data {
            Data::Float(tensor) => Data::Float(with_rank!(rank, D => {
                retype(retype::<1, D, _>(tensor.clone()).pad(pads, PadMode::Constant(fill)))
            })),
            Data::Int(tensor) => Data::Int(with_rank!(rank, D => {
                retype(retype::<1, D, _>(tensor.clone()).pad(pads, PadMode::Constant(fill)))
            })),
            Data::Bool(_) => {
                let padded = self.to_int_value().padded(pads, fill)?;
                return Ok(padded.to_bool_value());
            }
        };
        Ok(Value { data, shape })
    }

    /// The mean over `axes`, which keep a length of one.
    pub(crate) fn mean_axes(&self, axes: &[usize]) -> Result<Value, GraphError> {
        let count: usize = axes.iter().filter_map(|&axis| self.shape.get(axis)).product();
        self.sum_axes(axes)?.map(|sum| sum / count as f32)
    }

    /// `x^(1/p)` of numbers that are not negative, with a gradient of zero at zero, where the true one is infinite.
    pub(crate) fn root(&self, p: f32) -> Result<Value, GraphError> {
        if p == 1.0 {
            return Ok(self.clone());
        }
        self.map(|x| {
            let zero = x.clone().equal_elem(0.0);
            let safe = x.mask_fill(zero.clone(), 1.0);
            let root = if p == 2.0 { safe.sqrt() } else { safe.powf_scalar(1.0 / p) };
            root.mask_fill(zero, 0.0)
        })
    }
}
