//! A tensor whose rank is known only when the model runs.

use burn::tensor::{
    AllocationProperty, Bool, Bytes, DType, Device, Int, Shape, Slice, Tensor, TensorData, kind::Basic,
};
use vitrine_onnx::{ElementType, OnnxError, Tensor as OnnxTensor};

use crate::GraphError;

mod elementwise;
pub(crate) mod indexing;

pub(crate) use elementwise::{Pair, equal_ints};

/// Largest rank a [`Value`] may have.
pub const MAX_RANK: usize = 6;

/// A tensor on a device: float, integer or boolean, of any rank up to [`MAX_RANK`], with its shape.
///
/// burn's tensors carry their rank in their type. A `Value` keeps the tensor under a nominal rank of one and its true
/// shape beside it; [`Value::tensor`] hands the typed tensor back. A scalar (shape `[]`) is held as one element.
#[derive(Clone, Debug)]
pub struct Value {
    data: Data,
    shape: Vec<usize>,
}

/// The tensor under its nominal rank: shape-dependent operations must retype it first.
#[derive(Clone, Debug)]
enum Data {
    Float(Tensor<1>),
    Int(Tensor<1, Int>),
    Bool(Tensor<1, Bool>),
}

/// Gives a tensor another nominal rank; the data and its real shape stay.
fn retype<const A: usize, const B: usize, K: Basic>(tensor: Tensor<A, K>) -> Tensor<B, K> {
    Tensor::from_bridge(tensor.into_bridge())
}

/// Evaluates an expression with `$d` bound to a value's physical rank (1 for a scalar).
macro_rules! with_rank {
    ($rank:expr, $d:ident => $body:expr) => {
        match $rank {
            0 | 1 => {
                const $d: usize = 1;
                $body
            }
            2 => {
                const $d: usize = 2;
                $body
            }
            3 => {
                const $d: usize = 3;
                $body
            }
            4 => {
                const $d: usize = 4;
                $body
            }
            5 => {
                const $d: usize = 5;
                $body
            }
            // Larger ranks are refused where values are made.
            _ => {
                const $d: usize = 6;
                $body
            }
        }
    };
}
pub(crate) use with_rank;

/// The shape a tensor of this logical shape has on the device.
fn physical(shape: &[usize]) -> Vec<usize> {
    if shape.is_empty() { vec![1] } else { shape.to_vec() }
}

impl Value {
    /// Uploads row-major float32 data. `shape` must hold as many elements as `data`.
    pub fn from_f32(data: &[f32], shape: &[usize], device: &Device) -> Value {
        Value::from_tensor_data(TensorData::new(data.to_vec(), physical(shape)), shape, device)
    }

    /// Hands a constant of the file over, as float32. The CPU computes with the file's own bytes where they can be read as
    /// that; for other types and devices one weight at a time is in memory once more.
    ///
    /// # Errors
    /// [`OnnxError`] unless the elements are numbers.
    pub(crate) fn from_onnx(tensor: OnnxTensor, device: &Device) -> Result<Value, OnnxError> {
        let shape = tensor.shape.as_slice();
        let readable = cfg!(target_endian = "little") && tensor.data.as_ptr().cast::<f32>().is_aligned();
        let data = if tensor.element_type == ElementType::Float32 && readable {
            let bytes = Bytes::from_shared(tensor.data, AllocationProperty::Other);
            TensorData::from_bytes(bytes, physical(shape), DType::F32)
        } else {
            TensorData::new(tensor.to_f32()?, physical(shape))
        };
        Ok(Value::from_tensor_data(data, shape, device))
    }

    fn from_tensor_data(data: TensorData, shape: &[usize], device: &Device) -> Value {
        let float = with_rank!(shape.len(), D => retype(Tensor::<D>::from_data(data, device)));
        Value { data: Data::Float(float), shape: shape.to_vec() }
    }

    /// Uploads row-major integers.
    pub fn from_i64(data: &[i64], shape: &[usize], device: &Device) -> Value {
        let data = TensorData::new(data.to_vec(), physical(shape));
        let int = with_rank!(shape.len(), D => retype(Tensor::<D, Int>::from_data(data, device)));
        Value { data: Data::Int(int), shape: shape.to_vec() }
    }

    /// Uploads row-major booleans.
    pub fn from_bool(data: &[bool], shape: &[usize], device: &Device) -> Value {
        let data = TensorData::new(data.to_vec(), physical(shape));
        let bool = with_rank!(shape.len(), D => retype(Tensor::<D, Bool>::from_data(data, device)));
        Value { data: Data::Bool(bool), shape: shape.to_vec() }
    }

    /// A float value with every element `fill`.
    pub fn full(fill: f32, shape: &[usize], device: &Device) -> Value {
        let float = with_rank!(shape.len(), D => retype(Tensor::<D>::full(Shape::from(physical(shape)), fill, device)));
        Value { data: Data::Float(float), shape: shape.to_vec() }
    }

    /// Wraps a float tensor of any rank.
    pub fn new<const D: usize>(tensor: Tensor<D>) -> Value {
        Value { shape: tensor.dims().to_vec(), data: Data::Float(retype(tensor)) }
    }

    /// Wraps an integer tensor of any rank.
    pub fn new_int<const D: usize>(tensor: Tensor<D, Int>) -> Value {
        Value { shape: tensor.dims().to_vec(), data: Data::Int(retype(tensor)) }
    }

    /// Wraps a boolean tensor of any rank.
    pub fn new_bool<const D: usize>(tensor: Tensor<D, Bool>) -> Value {
        Value { shape: tensor.dims().to_vec(), data: Data::Bool(retype(tensor)) }
    }

    /// Lengths of the axes; empty for a scalar.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the elements are floating-point numbers.
    pub fn is_float(&self) -> bool {
        matches!(self.data, Data::Float(_))
    }

    /// Where the elements are.
    pub fn device(&self) -> Device {
        match &self.data {
            Data::Float(tensor) => tensor.device(),
            Data::Int(tensor) => tensor.device(),
            Data::Bool(tensor) => tensor.device(),
        }
    }

    /// The float tensor of rank `D`; a scalar is handed out as one element of rank 1.
    ///
    /// # Errors
    /// [`GraphError::Kind`] for other element types, [`GraphError::Shapes`] for another rank.
    pub fn tensor<const D: usize>(&self) -> Result<Tensor<D>, GraphError> {
        if self.shape.len().max(1) != D {
            let right = vec![0; D];
            return Err(GraphError::Shapes {
                operation: "taking a tensor of fixed rank",
                left: self.shape.clone(),
                right,
            });
        }
        Ok(retype(self.float()?.clone()))
    }

    fn float(&self) -> Result<&Tensor<1>, GraphError> {
        match &self.data {
            Data::Float(tensor) => Ok(tensor),
            _ => Err(GraphError::Kind { operation: "this arithmetic", expected: "floating-point" }),
        }
    }

    /// The same elements as integers, rounded toward zero.
    pub fn to_int_value(&self) -> Value {
        let int = match &self.data {
            Data::Float(tensor) => with_rank!(self.shape.len(), D => retype(retype::<1, D, _>(tensor.clone()).int())),
            Data::Int(tensor) => tensor.clone(),
            Data::Bool(tensor) => with_rank!(self.shape.len(), D => retype(retype::<1, D, _>(tensor.clone()).int())),
        };
        Value { data: Data::Int(int), shape: self.shape.clone() }
    }

    /// The same elements as floating-point numbers.
    pub fn to_float_value(&self) -> Value {
        let float = match &self.data {
            Data::Float(tensor) => tensor.clone(),
            Data::Int(tensor) => with_rank!(self.shape.len(), D => retype(retype::<1, D, _>(tensor.clone()).float())),
            Data::Bool(tensor) => with_rank!(self.shape.len(), D => retype(retype::<1, D, _>(tensor.clone()).float())),
        };
        Value { data: Data::Float(float), shape: self.shape.clone() }
    }

    /// Applies an elementwise function, which cannot tell the nominal rank from the true one.
    ///
    /// # Errors
    /// [`GraphError::Kind`] unless the elements are floats.
    pub fn map(&self, function: impl FnOnce(Tensor<1>) -> Tensor<1>) -> Result<Value, GraphError> {
        Ok(Value { data: Data::Float(function(self.float()?.clone())), shape: self.shape.clone() })
    }

    /// Applies an elementwise function of two values after broadcasting them as NumPy does.
    fn zip(&self, other: &Value, operation: &'static str, function: Zip) -> Result<Value, GraphError> {
        let shape = broadcast(&self.shape, &other.shape).ok_or_else(|| GraphError::Shapes {
            operation,
            left: self.shape.clone(),
            right: other.shape.clone(),
        })?;
        let left = self.with_rank(shape.len())?;
        let right = other.with_rank(shape.len())?;
        let data = match (&left.data, &right.data) {
            (Data::Float(left), Data::Float(right)) => with_rank!(shape.len(), D => {
                let (left, right) = (retype::<1, D, _>(left.clone()), retype::<1, D, _>(right.clone()));
                Data::Float(retype(match function {
                    Zip::Add => left + right,
                    Zip::Sub => left - right,
                    Zip::Mul => left * right,
                    Zip::Div => left / right,
                    Zip::Pow => left.powf(right),
                    Zip::Max => {
                        let (left, right) = (left.expand(shape_of::<D>(&shape)), right.expand(shape_of::<D>(&shape)));
                        left.max_pair(right)
                    }
                    Zip::Min => {
                        let (left, right) = (left.expand(shape_of::<D>(&shape)), right.expand(shape_of::<D>(&shape)));
                        left.min_pair(right)
                    }
                }))
            }),
            (Data::Int(left), Data::Int(right)) => with_rank!(shape.len(), D => {
                let (left, right) = (retype::<1, D, _>(left.clone()), retype::<1, D, _>(right.clone()));
                Data::Int(retype(match function {
                    Zip::Add => left + right,
                    Zip::Sub => left - right,
                    Zip::Mul => left * right,
                    // A zero would end the program on the CPU.
                    Zip::Div => {
                        let zero = equal_ints(right.clone(), right.zeros_like());
                        left / right.mask_fill(zero, 1)
                    }
                    Zip::Pow => left.powi(right),
                    Zip::Max => left.max_pair(right),
                    Zip::Min => left.min_pair(right),
                }))
            }),
            _ => return Err(GraphError::Kind { operation, expected: "two floating-point or two integer" }),
        };
        Ok(Value { data, shape })
    }

    /// Sum, elementwise with broadcasting.
    ///
    /// # Errors
    /// [`GraphError::Shapes`] when the shapes do not broadcast, [`GraphError::Kind`] for mixed element types; so for
    /// the other arithmetic.
    pub fn add(&self, other: &Value) -> Result<Value, GraphError> {
        self.zip(other, "a sum", Zip::Add)
    }

    /// Difference, elementwise with broadcasting.
    ///
    /// # Errors
    /// As [`Value::add`].
    pub fn sub(&self, other: &Value) -> Result<Value, GraphError> {
        self.zip(other, "a difference", Zip::Sub)
    }

    /// Product, elementwise with broadcasting.
    ///
    /// # Errors
    /// As [`Value::add`].
    pub fn mul(&self, other: &Value) -> Result<Value, GraphError> {
        self.zip(other, "a product", Zip::Mul)
    }

    /// Quotient, elementwise with broadcasting.
    ///
    /// # Errors
    /// As [`Value::add`].
    pub fn div(&self, other: &Value) -> Result<Value, GraphError> {
        self.zip(other, "a quotient", Zip::Div)
    }

    /// Power, elementwise with broadcasting.
    ///
    /// # Errors
    /// As [`Value::add`].
    pub fn pow(&self, other: &Value) -> Result<Value, GraphError> {
        self.zip(other, "a power", Zip::Pow)
    }

    /// Larger of two, elementwise with broadcasting.
    ///
    /// # Errors
    /// As [`Value::add`].
    pub fn maximum(&self, other: &Value) -> Result<Value, GraphError> {
        self.zip(other, "a maximum", Zip::Max)
    }

    /// Smaller of two, elementwise with broadcasting.
    ///
    /// # Errors
    /// As [`Value::add`].
    pub fn minimum(&self, other: &Value) -> Result<Value, GraphError> {
        self.zip(other, "a minimum", Zip::Min)
    }

    /// The same elements, row by row, under another shape.
    ///
    /// # Errors
    /// [`GraphError::Shapes`] when the number of elements differs or the rank exceeds [`MAX_RANK`].
    pub fn reshape(&self, shape: &[usize]) -> Result<Value, GraphError> {
        if shape.iter().product::<usize>() != self.len() || shape.len() > MAX_RANK {
            let (left, right) = (self.shape.clone(), shape.to_vec());
            return Err(GraphError::Shapes { operation: "a reshape", left, right });
        }
        if physical(&self.shape) == physical(shape) {
            return Ok(Value { data: self.data.clone(), shape: shape.to_vec() });
        }
        if self.is_empty() {
            // burn would take a zero of the new shape for the old axis's length.
            return Ok(self.emptied(shape));
        }
        fn between<K: Basic>(tensor: &Tensor<1, K>, from: usize, to: &[usize]) -> Tensor<1, K> {
            with_rank!(from, A => {
                let typed = retype::<1, A, K>(tensor.clone());
                with_rank!(to.len(), B => retype(typed.reshape(shape_of::<B>(to))))
            })
        }
        let rank = self.shape.len();
        let data = match &self.data {
            Data::Float(tensor) => Data::Float(between(tensor, rank, shape)),
            Data::Int(tensor) => Data::Int(between(tensor, rank, shape)),
            Data::Bool(tensor) => Data::Bool(between(tensor, rank, shape)),
        };
        Ok(Value { data, shape: shape.to_vec() })
    }

    /// Prepends axes of length one up to this rank.
    fn with_rank(&self, rank: usize) -> Result<Value, GraphError> {
        let mut shape = vec![1; rank.saturating_sub(self.shape.len())];
        shape.extend_from_slice(&self.shape);
        self.reshape(&shape)
    }

    /// Repeats axes of length one to reach `shape`, prepending axes as needed.
    ///
    /// # Errors
    /// [`GraphError::Shapes`] when the value does not broadcast to `shape`.
    pub fn expand(&self, shape: &[usize]) -> Result<Value, GraphError> {
        if broadcast(&self.shape, shape).as_deref() != Some(shape) {
            let (left, right) = (self.shape.clone(), shape.to_vec());
            return Err(GraphError::Shapes { operation: "an expansion", left, right });
        }
        let value = self.with_rank(shape.len())?;
        if value.shape == shape {
            return Ok(value);
        }
        if shape.contains(&0) {
            return Ok(self.emptied(shape));
        }
        Ok(value.rearrange(shape.to_vec(), Rearrange::Expand(shape)))
    }

    /// Reorders the axes: axis `i` of the result is axis `order[i]` of the value.
    ///
    /// # Errors
    /// [`GraphError::Shapes`] unless `order` names every axis once.
    pub fn permute(&self, order: &[usize]) -> Result<Value, GraphError> {
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        if sorted != (0..self.shape.len()).collect::<Vec<_>>() {
            let (left, right) = (self.shape.clone(), order.to_vec());
            return Err(GraphError::Shapes { operation: "a transposition", left, right });
        }
        let shape: Vec<usize> = order.iter().map(|&axis| self.shape[axis]).collect();
        if order.len() < 2 {
            return Ok(self.clone());
        }
        Ok(self.rearrange(shape, Rearrange::Permute(order)))
    }

    /// Takes a slice of every axis.
    ///
    /// # Errors
    /// [`GraphError::Shapes`] when there is not one slice per axis.
    pub fn slice(&self, slices: &[Slice]) -> Result<Value, GraphError> {
        if slices.len() != self.shape.len() {
            let (left, right) = (self.shape.clone(), vec![0; slices.len()]);
            return Err(GraphError::Shapes { operation: "a slice", left, right });
        }
        if slices.is_empty() {
            return Ok(self.clone());
        }
        let shape = slices.iter().zip(&self.shape).map(|(slice, &length)| slice.output_size(length)).collect();
        Ok(self.rearrange(shape, Rearrange::Slice(slices)))
    }

    /// Elements `start..start + length` of one axis.
    ///
    /// # Errors
    /// [`GraphError::Shapes`] when the range leaves the axis.
    pub fn narrow(&self, axis: usize, start: usize, length: usize) -> Result<Value, GraphError> {
        if self.shape.get(axis).is_none_or(|&whole| start + length > whole) {
            let (left, right) = (self.shape.clone(), vec![axis, start, length]);
            return Err(GraphError::Shapes { operation: "a narrowing (axis, start, length)", left, right });
        }
        let slices: Vec<Slice> = (0..self.shape.len())
            .map(|index| {
                let (from, to) = if index == axis { (start, start + length) } else { (0, self.shape[index]) };
                Slice::new(from as isize, Some(to as isize), 1)
            })
            .collect();
        self.slice(&slices)
    }

    fn rearrange(&self, shape: Vec<usize>, how: Rearrange<'_>) -> Value {
        fn apply<K: Basic>(tensor: &Tensor<1, K>, rank: usize, how: &Rearrange<'_>) -> Tensor<1, K> {
            with_rank!(rank, D => {
                let typed = retype::<1, D, K>(tensor.clone());
                retype(match how {
                    Rearrange::Permute(order) => {
                        let mut axes = [0_isize; D];
                        axes.iter_mut().zip(order.iter()).for_each(|(axis, &from)| *axis = from as isize);
                        typed.permute(axes)
                    }
                    Rearrange::Expand(shape) => typed.expand(shape_of::<D>(shape)),
                    Rearrange::Slice(slices) => typed.slice(*slices),
                })
            })
        }
        let rank = self.shape.len();
        let data = match &self.data {
            Data::Float(tensor) => Data::Float(apply(tensor, rank, &how)),
            Data::Int(tensor) => Data::Int(apply(tensor, rank, &how)),
            Data::Bool(tensor) => Data::Bool(apply(tensor, rank, &how)),
        };
        Value { data, shape }
    }

    /// Joins values along one axis.
    ///
    /// # Errors
    /// [`GraphError::Shapes`] when the other axes differ, [`GraphError::Kind`] when the element types do.
    pub fn concat(values: &[Value], axis: usize) -> Result<Value, GraphError> {
        let Some(first) = values.first() else {
            return Err(GraphError::Shapes { operation: "a concatenation of nothing", left: vec![], right: vec![] });
        };
        let mut shape = first.shape.clone();
        for value in &values[1..] {
            let fits = value.shape.len() == shape.len()
                && value.shape.iter().zip(&first.shape).enumerate().all(|(index, (a, b))| index == axis || a == b);
            if !fits || axis >= shape.len() {
                let (left, right) = (first.shape.clone(), value.shape.clone());
                return Err(GraphError::Shapes { operation: "a concatenation", left, right });
            }
            shape[axis] += value.shape[axis];
        }
        let floats: Option<Vec<Tensor<1>>> = values.iter().map(|value| value.float().ok().cloned()).collect();
        let ints: Option<Vec<Tensor<1, Int>>> = values
            .iter()
            .map(|value| if let Data::Int(tensor) = &value.data { Some(tensor.clone()) } else { None })
            .collect();
        let bools: Option<Vec<Tensor<1, Bool>>> = values
            .iter()
            .map(|value| if let Data::Bool(tensor) = &value.data { Some(tensor.clone()) } else { None })
            .collect();
        fn join<K: Basic>(tensors: Vec<Tensor<1, K>>, rank: usize, axis: usize) -> Tensor<1, K> {
            with_rank!(rank, D => retype(Tensor::<D, K>::cat(tensors.into_iter().map(retype).collect(), axis)))
        }
        let data = match (floats, ints, bools) {
            (Some(floats), ..) => Data::Float(join(floats, shape.len(), axis)),
            (_, Some(ints), _) => Data::Int(join(ints, shape.len(), axis)),
            (.., Some(bools)) => Data::Bool(join(bools, shape.len(), axis)),
            _ => return Err(GraphError::Kind { operation: "a concatenation", expected: "one kind of" }),
        };
        Ok(Value { data, shape })
    }

    /// Sums over `axes`; the summed axes keep a length of one.
    ///
    /// # Errors
    /// [`GraphError::Kind`] unless the elements are floats.
    pub fn sum_axes(&self, axes: &[usize]) -> Result<Value, GraphError> {
        let mut shape = self.shape.clone();
        let mut tensor = self.float()?.clone();
        for &axis in axes {
            if let Some(length) = shape.get_mut(axis) {
                *length = 1;
                tensor = with_rank!(self.shape.len(), D => retype(retype::<1, D, _>(tensor).sum_dim(axis)));
            }
        }
        Ok(Value { data: Data::Float(tensor), shape })
    }

    /// Sums everything but the first axis: one number per sample, shape `[batch]`.
    ///
    /// # Errors
    /// [`GraphError::Kind`] unless the elements are floats.
    pub fn sum_per_sample(&self) -> Result<Value, GraphError> {
        let batch = self.shape.first().copied().unwrap_or(1);
        let flat = self.reshape(&[batch, self.len().checked_div(batch).unwrap_or(0)])?;
        flat.sum_axes(&[1])?.reshape(&[batch])
    }

    /// Makes gradients flow back to this value and no further.
    ///
    /// # Errors
    /// [`GraphError::Kind`] unless the elements are floats.
    pub fn leaf(&self) -> Result<Value, GraphError> {
        self.map(|tensor| tensor.inner().autodiff().require_grad())
    }

    /// Whether operations on the value are recorded for a backward pass.
    pub fn is_tracked(&self) -> bool {
        self.float().is_ok_and(Tensor::is_autodiff)
    }

    /// Whether a backward pass from the value reaches a leaf.
    pub(crate) fn has_history(&self) -> bool {
        self.float().is_ok_and(|tensor| tensor.is_autodiff() && tensor.is_tracked())
    }

    /// The same elements without their history.
    pub fn detached(&self) -> Value {
        let data = match &self.data {
            Data::Float(tensor) => Data::Float(tensor.clone().inner()),
            Data::Int(tensor) => Data::Int(tensor.clone().inner()),
            Data::Bool(tensor) => Data::Bool(tensor.clone().inner()),
        };
        Value { data, shape: self.shape.clone() }
    }

    /// The same elements, able to stand beside tracked values.
    pub(crate) fn lifted(&self) -> Value {
        let data = match &self.data {
            Data::Float(tensor) => Data::Float(tensor.clone().autodiff()),
            Data::Int(tensor) => Data::Int(tensor.clone().autodiff()),
            Data::Bool(tensor) => Data::Bool(tensor.clone().autodiff()),
        };
        Value { data, shape: self.shape.clone() }
    }

    pub(crate) fn as_float(&self) -> Result<&Tensor<1>, GraphError> {
        self.float()
    }

    pub(crate) fn as_bool<const D: usize>(&self) -> Result<Tensor<D, Bool>, GraphError> {
        match &self.data {
            Data::Bool(tensor) if self.shape.len().max(1) == D => Ok(retype(tensor.clone())),
            _ => Err(GraphError::Kind { operation: "a choice", expected: "boolean" }),
        }
    }

    /// Replaces the shape by one that describes the same physical tensor.
    pub(crate) fn from_parts(tensor: Tensor<1>, shape: Vec<usize>) -> Value {
        Value { data: Data::Float(tensor), shape }
    }

    /// Reads the elements as float32, row by row; integers and booleans are converted.
    ///
    /// # Errors
    /// [`GraphError::Device`] when the device fails.
    pub async fn to_vec(&self) -> Result<Vec<f32>, GraphError> {
        let value = self.detached();
        let data = match value.to_float_value().data {
            Data::Float(tensor) => with_rank!(self.shape.len(), D => retype::<1, D, _>(tensor).into_data_async().await),
            Data::Int(_) | Data::Bool(_) => {
                return Err(GraphError::Kind { operation: "a read", expected: "floating-point" });
            }
        };
        let data = data.map_err(|error| GraphError::Device(format!("{error:?}")))?;
        data.convert::<f32>().try_to_vec::<f32>().map_err(|error| GraphError::Device(format!("{error:?}")))
    }
}

/// The elementwise functions of two values.
#[derive(Clone, Copy)]
enum Zip {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Max,
    Min,
}

/// The ways to move elements without changing them.
enum Rearrange<'a> {
    Permute(&'a [usize]),
    Expand(&'a [usize]),
    Slice(&'a [Slice]),
}

/// A dynamic shape as burn wants it; a scalar becomes one element.
pub(crate) fn shape_of<const D: usize>(shape: &[usize]) -> [usize; D] {
    let mut array = [1; D];
    array.iter_mut().zip(shape).for_each(|(to, &from)| *to = from);
    array
}

/// The shape two shapes broadcast to, as in NumPy, or nothing when they do not.
pub fn broadcast(left: &[usize], right: &[usize]) -> Option<Vec<usize>> {
    let rank = left.len().max(right.len());
    let axis = |shape: &[usize], index: usize| (index + shape.len()).checked_sub(rank).map_or(1, |at| shape[at]);
    (0..rank)
        .map(|index| match (axis(left, index), axis(right, index)) {
            (a, b) if a == b => Some(a),
            (1, b) => Some(b),
            (a, 1) => Some(a),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(data: &[f32], shape: &[usize]) -> Value {
        Value::from_f32(data, shape, &Device::flex())
    }

    fn read(value: &Value) -> Vec<f32> {
        pollster::block_on(value.to_vec()).unwrap()
    }

    #[test]
    fn shapes_broadcast_as_in_numpy() {
        assert_eq!(broadcast(&[2, 1, 4], &[3, 1]), Some(vec![2, 3, 4]));
        assert_eq!(broadcast(&[], &[5]), Some(vec![5]));
        assert_eq!(broadcast(&[2], &[3]), None);
    }

    #[test]
    fn a_scalar_and_a_matrix_add_up() {
        let sum = value(&[10.0], &[]).add(&value(&[1.0, 2.0, 3.0, 4.0], &[2, 2])).unwrap();
        assert_eq!(sum.shape(), [2, 2]);
        assert_eq!(read(&sum), [11.0, 12.0, 13.0, 14.0]);
    }

    #[test]
    fn nothing_takes_any_shape_of_nothing() {
        for empty in [value(&[], &[0, 3, 4]), value(&[], &[0, 3, 4]).to_int_value()] {
            assert_eq!(empty.reshape(&[3, 4, 0]).unwrap().shape(), [3, 4, 0]);
            assert!(read(&empty.reshape(&[2, 0]).unwrap()).is_empty());
        }
    }

    #[test]
    fn a_slice_may_run_backwards() {
        let row = value(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &[2, 3]);
        let flipped = row.slice(&[Slice::full(), Slice::new(0, None, -1)]).unwrap();
        assert_eq!(read(&flipped), [2.0, 1.0, 0.0, 5.0, 4.0, 3.0]);
    }

    #[test]
    fn gradients_stop_at_a_leaf_and_untracked_factors_are_allowed() {
        let leaf = value(&[1.0, 2.0], &[2]).leaf().unwrap();
        let product = leaf.mul(&value(&[3.0, -4.0], &[2]).lifted()).unwrap();
        let gradients = product.as_float().unwrap().clone().sum().backward();
        let gradient = leaf.as_float().unwrap().grad(&gradients).unwrap();
        assert_eq!(gradient.into_data().try_to_vec::<f32>().unwrap(), [3.0, -4.0]);
    }
}
