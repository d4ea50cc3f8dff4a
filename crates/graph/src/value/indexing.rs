//! Picking, placing and choosing elements of a [`Value`] of any kind.

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData, kind::Basic};

use super::{Data, Value, broadcast, retype};
use crate::GraphError;

/// Applies a function that is generic over the kind of tensor, and wraps the result again.
macro_rules! each_kind {
    ($data:expr, $function:ident($($argument:expr),*)) => {
        match $data {
            Data::Float(tensor) => Data::Float($function(tensor, $($argument),*)),
            Data::Int(tensor) => Data::Int($function(tensor, $($argument),*)),
            Data::Bool(tensor) => Data::Bool($function(tensor, $($argument),*)),
        }
    };
}

/// A list of positions on a device.
pub(crate) fn positions(list: impl IntoIterator<Item = usize>, device: &Device) -> Tensor<1, Int> {
    let list: Vec<i64> = list.into_iter().map(|position| position as i64).collect();
    let count = list.len();
    Tensor::from_data(TensorData::new(list, [count]), device)
}

fn select<K: Basic>(tensor: Tensor<1, K>, positions: Tensor<1, Int>) -> Tensor<1, K> {
    retype(retype::<1, 3, K>(tensor).select(1, positions))
}

fn gather<K: Basic>(tensor: Tensor<1, K>, positions: Tensor<3, Int>) -> Tensor<1, K> {
    retype(retype::<1, 3, K>(tensor).gather(1, positions))
}

impl Value {
    /// The integer tensor of rank `D`; a scalar is handed out as one element of rank 1.
    ///
    /// # Errors
    /// [`GraphError::Kind`] for other element types or another rank.
    pub(crate) fn integers<const D: usize>(&self) -> Result<Tensor<D, Int>, GraphError> {
        match &self.data {
            Data::Int(tensor) if self.shape.len().max(1) == D => Ok(retype(tensor.clone())),
            _ => Err(GraphError::Kind { operation: "indexing", expected: "integer" }),
        }
    }

    /// The value, able to stand beside another one that may be tracked.
    pub(crate) fn beside(&self, other: &Value) -> Value {
        if other.is_tracked() { self.lifted() } else { self.clone() }
    }

    /// The axes before one as one, it, and those after it as one.
    fn around(&self, axis: usize) -> Result<Value, GraphError> {
        let (before, rest) = self.shape.split_at(axis.min(self.shape.len()));
        let (length, after) = rest.split_first().unwrap_or((&1, &[]));
        self.reshape(&[before.iter().product(), *length, after.iter().product()])
    }

    /// Slices of one axis. Positions outside it are the caller's fault: the CPU backend panics, a GPU reads anything.
    pub(crate) fn select(&self, axis: usize, positions: Tensor<1, Int>) -> Result<Value, GraphError> {
        if self.is_bool() {
            // burn's CPU backend hands picked booleans out as bytes.
            return Ok(self.to_int_value().select(axis, positions)?.to_bool_value());
        }
        let around = self.around(axis)?;
        let mut shape = around.shape.clone();
        shape[1] = positions.dims()[0];
        let picked = Value { data: each_kind!(around.data, select(positions)), shape };
        let mut shape = self.shape.clone();
        shape.splice(axis..=axis, [picked.shape[1]]);
        picked.reshape(&shape)
    }

    /// For each of `positions`, the element there along one axis, at the position's own place along the others, whose
    /// lengths are equal. Positions must lie in the axis.
    pub(crate) fn gather(&self, axis: usize, positions: &Value) -> Result<Value, GraphError> {
        if self.is_bool() {
            return Ok(self.to_int_value().gather(axis, positions)?.to_bool_value());
        }
        let picks = positions.around(axis)?;
        let indices = picks.integers::<3>()?;
        let data = each_kind!(self.around(axis)?.data, gather(indices));
        Value { data, shape: picks.shape }.reshape(&positions.shape)
    }

    /// A matrix with rows of `updates` added to those at `positions`, which may repeat.
    pub(crate) fn add_rows(&self, positions: Tensor<1, Int>, updates: &Value) -> Result<Value, GraphError> {
        let add = IndexingUpdateOp::Add;
        let data = match (&self.data, &updates.data) {
            (Data::Float(rows), Data::Float(updates)) => {
                let (rows, updates) = (retype::<1, 2, _>(rows.clone()), retype::<1, 2, _>(updates.clone()));
                Data::Float(retype(rows.select_assign(0, positions, updates, add)))
            }
            (Data::Int(rows), Data::Int(updates)) => {
                let (rows, updates) = (retype::<1, 2, _>(rows.clone()), retype::<1, 2, _>(updates.clone()));
                Data::Int(retype(rows.select_assign(0, positions, updates, add)))
            }
            _ => return Err(GraphError::Kind { operation: "placing rows", expected: "two floating-point or integer" }),
        };
        Ok(Value { data, shape: self.shape.clone() })
    }

    /// Elements of `yes` where the condition holds, of `no` elsewhere, after broadcasting all three.
    ///
    /// # Errors
    /// [`GraphError::Shapes`] when they do not broadcast, [`GraphError::Kind`] when `yes` and `no` differ in kind.
    pub(crate) fn either(condition: &Value, yes: &Value, no: &Value) -> Result<Value, GraphError> {
        let shape = broadcast(&yes.shape, &no.shape).and_then(|shape| broadcast(&shape, &condition.shape));
        let shape = shape.ok_or_else(|| GraphError::Shapes {
            operation: "a choice",
            left: yes.shape.clone(),
            right: no.shape.clone(),
        })?;
        let count = shape.iter().product();
        let flat = |value: &Value| value.expand(&shape)?.reshape(&[count]);
        let (condition, yes, no) = (flat(condition)?.as_bool::<1>()?, flat(yes)?, flat(no)?);
        let data = match (yes.data, no.data) {
            (Data::Float(yes), Data::Float(no)) => Data::Float(no.mask_where(condition, yes)),
            (Data::Int(yes), Data::Int(no)) => Data::Int(no.mask_where(condition, yes)),
            (Data::Bool(yes), Data::Bool(no)) => {
                Data::Bool(yes.bool_and(condition.clone()).bool_or(no.bool_and(condition.bool_not())))
            }
            _ => return Err(GraphError::Kind { operation: "a choice", expected: "two of one kind of" }),
        };
        Value { data, shape: vec![count] }.reshape(&shape)
    }

    /// What stands for an element that an index outside its axis asked for: not a number, or the smallest integer.
    pub(crate) fn poison(&self) -> Value {
        match &self.data {
            Data::Float(_) => Value::full(f32::NAN, &[], &self.device()),
            Data::Int(_) => Value::from_i64(&[i64::from(i32::MIN)], &[], &self.device()),
            Data::Bool(_) => Value::from_bool(&[false], &[], &self.device()),
        }
    }

    /// A value of the same kind with every element zero or false, beside this one.
    pub(crate) fn zeros(&self, shape: &[usize]) -> Result<Value, GraphError> {
        let zero = match &self.data {
            Data::Float(_) => return Ok(Value::full(0.0, shape, &self.device())),
            Data::Int(_) => Value::from_i64(&[0], &[], &self.device()),
            Data::Bool(_) => Value::from_bool(&[false], &[], &self.device()),
        };
        zero.expand(shape)
    }

    /// A value of the same kind and of no elements.
    pub(super) fn emptied(&self, shape: &[usize]) -> Value {
        let device = self.device();
        let empty = match &self.data {
            Data::Float(_) => Value::from_f32(&[], shape, &device),
            Data::Int(_) => Value::from_i64(&[], shape, &device),
            Data::Bool(_) => Value::from_bool(&[], shape, &device),
        };
        empty.beside(self)
    }

    /// A number or integer value with every element one, beside this one.
    pub(crate) fn ones(&self, shape: &[usize]) -> Result<Value, GraphError> {
        match &self.data {
            Data::Int(_) => Value::from_i64(&[1], &[], &self.device()).expand(shape),
            _ => Ok(Value::full(1.0, shape, &self.device())),
        }
    }

    /// Whether the elements are booleans.
    pub fn is_bool(&self) -> bool {
        matches!(self.data, Data::Bool(_))
    }

    /// Sums, or products, of all elements up to each one along an axis.
    ///
    /// # Errors
    /// [`GraphError::Kind`] for booleans.
    pub(crate) fn accumulated(&self, axis: usize, product: bool) -> Result<Value, GraphError> {
        let around = self.around(axis)?;
        let data = match around.data {
            Data::Float(tensor) => {
                let tensor = retype::<1, 3, _>(tensor);
                Data::Float(retype(if product { tensor.cumprod(1) } else { tensor.cumsum(1) }))
            }
            Data::Int(tensor) => {
                let tensor = retype::<1, 3, _>(tensor);
                Data::Int(retype(if product { tensor.cumprod(1) } else { tensor.cumsum(1) }))
            }
            Data::Bool(_) => return Err(GraphError::Kind { operation: "accumulating", expected: "numeric" }),
        };
        Value { data, shape: around.shape }.reshape(&self.shape)
    }

    /// The same elements in the opposite order along one axis.
    pub(crate) fn reversed(&self, axis: usize) -> Result<Value, GraphError> {
        let mut slices = vec![burn::tensor::Slice::full(); self.shape.len()];
        if let Some(slice) = slices.get_mut(axis) {
            *slice = burn::tensor::Slice::new(0, None, -1);
        }
        self.slice(&slices)
    }
}
