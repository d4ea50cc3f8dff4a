//! Small constants on the host: the integer arithmetic that computes shapes, and scalar parameters.

use burn::tensor::Device;

use vitrine_onnx::{ElementType, OnnxError, Tensor};

use crate::Value;

/// A constant known while planning.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HostTensor {
    /// Lengths of the axes; empty for a scalar.
    pub(crate) shape: Vec<usize>,
    /// Elements, row by row.
    pub(crate) data: HostData,
}

/// Elements of a [`HostTensor`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum HostData {
    /// Every float type of ONNX.
    Float(Vec<f32>),
    /// Every integer type of ONNX.
    Int(Vec<i64>),
    /// Booleans.
    Bool(Vec<bool>),
}

impl HostTensor {
    /// A list of integers.
    pub(crate) fn ints(values: Vec<i64>) -> Self {
        HostTensor { shape: vec![values.len()], data: HostData::Int(values) }
    }

    /// Number of elements.
    pub(crate) fn len(&self) -> usize {
        match &self.data {
            HostData::Float(values) => values.len(),
            HostData::Int(values) => values.len(),
            HostData::Bool(values) => values.len(),
        }
    }

    /// Converts an ONNX tensor.
    ///
    /// # Errors
    /// [`OnnxError`] when the element type has no such reading.
    pub(crate) fn from_onnx(tensor: &Tensor) -> Result<Self, OnnxError> {
        let data = match tensor.element_type {
            ElementType::Float32 | ElementType::Float64 | ElementType::Float16 | ElementType::BFloat16 => {
                HostData::Float(tensor.to_f32()?)
            }
            ElementType::Bool => HostData::Bool(tensor.to_i64()?.into_iter().map(|value| value != 0).collect()),
            _ => HostData::Int(tensor.to_i64()?),
        };
        Ok(HostTensor { shape: tensor.shape.clone(), data })
    }

    /// The elements as integers, floats rounded toward zero.
    pub(crate) fn to_ints(&self) -> Vec<i64> {
        match &self.data {
            HostData::Float(values) => values.iter().map(|&value| value as i64).collect(),
            HostData::Int(values) => values.clone(),
            HostData::Bool(values) => values.iter().map(|&value| i64::from(value)).collect(),
        }
    }

    /// The elements as floats.
    pub(crate) fn to_floats(&self) -> Vec<f32> {
        match &self.data {
            HostData::Float(values) => values.clone(),
            HostData::Int(values) => values.iter().map(|&value| value as f32).collect(),
            HostData::Bool(values) => values.iter().map(|&value| f32::from(u8::from(value))).collect(),
        }
    }

    /// Copies the constant to a device.
    pub(crate) fn upload(&self, device: &Device) -> Value {
        match &self.data {
            HostData::Float(values) => Value::from_f32(values, &self.shape, device),
            HostData::Int(values) => Value::from_i64(values, &self.shape, device),
            HostData::Bool(values) => Value::from_bool(values, &self.shape, device),
        }
    }

    /// The elements picked by `indices` (flat, row-major), under a new shape.
    pub(crate) fn pick(&self, indices: &[usize], shape: Vec<usize>) -> Option<HostTensor> {
        fn take<T: Copy>(values: &[T], indices: &[usize]) -> Option<Vec<T>> {
            indices.iter().map(|&index| values.get(index).copied()).collect()
        }
        let data = match &self.data {
            HostData::Float(values) => HostData::Float(take(values, indices)?),
            HostData::Int(values) => HostData::Int(take(values, indices)?),
            HostData::Bool(values) => HostData::Bool(take(values, indices)?),
        };
        Some(HostTensor { shape, data })
    }

    /// Flat positions of the elements that differ from zero.
    pub(crate) fn nonzero(&self) -> Vec<usize> {
        let differs: Vec<bool> = match &self.data {
            HostData::Float(values) => values.iter().map(|&value| value != 0.0).collect(),
            HostData::Int(values) => values.iter().map(|&value| value != 0).collect(),
            HostData::Bool(values) => values.clone(),
        };
        (0..differs.len()).filter(|&at| differs[at]).collect()
    }

    /// These elements and then another constant's, as one list of this one's kind, or of floats where kinds differ.
    pub(crate) fn followed_by(&self, other: &HostTensor) -> HostTensor {
        let data = match (&self.data, &other.data) {
            (HostData::Int(first), HostData::Int(second)) => HostData::Int([&first[..], second].concat()),
            (HostData::Bool(first), HostData::Bool(second)) => HostData::Bool([&first[..], second].concat()),
            _ => HostData::Float([self.to_floats(), other.to_floats()].concat()),
        };
        HostTensor { shape: vec![self.len() + other.len()], data }
    }

    /// These elements and a zero, as one list.
    pub(crate) fn followed_by_zero(&self) -> HostTensor {
        let zero = match &self.data {
            HostData::Float(_) => HostData::Float(vec![0.0]),
            HostData::Int(_) => HostData::Int(vec![0]),
            HostData::Bool(_) => HostData::Bool(vec![false]),
        };
        self.followed_by(&HostTensor { shape: vec![1], data: zero })
    }
}
