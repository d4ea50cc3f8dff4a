//! A constant: shape, element type and packed bytes, with readers that convert.

use bytes::Bytes;
use half::{bf16, f16};

use crate::{ElementType, OnnxError};

/// A constant tensor, whatever form the file kept it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Name of the value; empty in attributes.
    pub name: String,
    /// What one element is.
    pub element_type: ElementType,
    /// Length of each axis; empty for a scalar.
    pub shape: Vec<usize>,
    /// The elements: little-endian, packed, row-major. Copies of the tensor share them.
    pub data: Bytes,
}

impl Tensor {
    /// A float32 tensor. The values must be as many as the shape says; [`crate::Model::validate`] checks it.
    pub fn from_f32(name: impl Into<String>, shape: &[usize], values: &[f32]) -> Tensor {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>().into();
        Tensor { name: name.into(), element_type: ElementType::Float32, shape: shape.to_vec(), data }
    }

    /// An int64 tensor. The values must be as many as the shape says; [`crate::Model::validate`] checks it.
    pub fn from_i64(name: impl Into<String>, shape: &[usize], values: &[i64]) -> Tensor {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>().into();
        Tensor { name: name.into(), element_type: ElementType::Int64, shape: shape.to_vec(), data }
    }

    /// Number of elements by the data there is, which for a valid tensor is the product of its shape.
    pub fn len(&self) -> usize {
        self.element_type.size().map_or(0, |size| self.data.len() / size)
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The elements as float32, rounded to nearest: floats of 16, 32 and 64 bits, integers and truth values.
    ///
    /// # Errors
    ///
    /// [`OnnxError::CannotConvert`] for other element types.
    pub fn to_f32(&self) -> Result<Vec<f32>, OnnxError> {
        let data = self.data.as_ref();
        Ok(match self.element_type {
            ElementType::Float32 => map(data, f32::from_le_bytes),
            ElementType::Float64 => map(data, |bytes| f64::from_le_bytes(bytes) as f32),
            ElementType::Float16 => map(data, |bytes| f16::from_le_bytes(bytes).to_f32()),
            ElementType::BFloat16 => map(data, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            ElementType::Uint64 => map(data, |bytes| u64::from_le_bytes(bytes) as f32),
            ElementType::Int64 => map(data, |bytes| i64::from_le_bytes(bytes) as f32),
            ElementType::Uint32 => map(data, |bytes| u32::from_le_bytes(bytes) as f32),
            ElementType::Int32 => map(data, |bytes| i32::from_le_bytes(bytes) as f32),
            ElementType::Uint16 => map(data, |bytes| u16::from_le_bytes(bytes).into()),
            ElementType::Int16 => map(data, |bytes| i16::from_le_bytes(bytes).into()),
            ElementType::Uint8 => map(data, |bytes| u8::from_le_bytes(bytes).into()),
            ElementType::Int8 => map(data, |bytes| i8::from_le_bytes(bytes).into()),
            ElementType::Bool => map(data, |[byte]| f32::from(byte != 0)),
            _ => return Err(self.cannot_convert("float")),
        })
    }

    /// How many elements are floats that pass a test, as float32; none of a tensor of other elements.
    ///
    /// ```
    /// # use vitrine_onnx::Tensor;
    /// assert_eq!(Tensor::from_f32("w", &[3], &[0.0, f32::NAN, 1.0]).count_floats(f32::is_nan), 1);
    /// ```
    pub fn count_floats(&self, test: impl Fn(f32) -> bool) -> usize {
        let data = self.data.as_ref();
        match self.element_type {
            ElementType::Float32 => count(data, |bytes| test(f32::from_le_bytes(bytes))),
            ElementType::Float64 => count(data, |bytes| test(f64::from_le_bytes(bytes) as f32)),
            ElementType::Float16 => count(data, |bytes| test(f16::from_le_bytes(bytes).to_f32())),
            ElementType::BFloat16 => count(data, |bytes| test(bf16::from_le_bytes(bytes).to_f32())),
            _ => 0,
        }
    }

    /// The elements as int64: integers and truth values (0 and 1).
    ///
    /// # Errors
    ///
    /// [`OnnxError::CannotConvert`] for other element types and for an unsigned value beyond the range of int64.
    pub fn to_i64(&self) -> Result<Vec<i64>, OnnxError> {
        let data = self.data.as_ref();
        Ok(match self.element_type {
            ElementType::Int64 => map(data, i64::from_le_bytes),
            ElementType::Uint64 => {
                let values = map(data, |bytes| i64::try_from(u64::from_le_bytes(bytes)));
                values.into_iter().collect::<Result<_, _>>().map_err(|_| self.cannot_convert("int64"))?
            }
            ElementType::Uint32 => map(data, |bytes| u32::from_le_bytes(bytes).into()),
            ElementType::Int32 => map(data, |bytes| i32::from_le_bytes(bytes).into()),
            ElementType::Uint16 => map(data, |bytes| u16::from_le_bytes(bytes).into()),
            ElementType::Int16 => map(data, |bytes| i16::from_le_bytes(bytes).into()),
            ElementType::Uint8 => map(data, |bytes| u8::from_le_bytes(bytes).into()),
            ElementType::Int8 => map(data, |bytes| i8::from_le_bytes(bytes).into()),
            ElementType::Bool => map(data, |[byte]| i64::from(byte != 0)),
            _ => return Err(self.cannot_convert("int64")),
        })
    }

    /// Checks that shape and data agree; errors call the tensor `fallback` where it has no name.
    pub(crate) fn check(&self, fallback: &str) -> Result<(), OnnxError> {
        let tensor = || if self.name.is_empty() { fallback.to_owned() } else { self.name.clone() };
        let Some(size) = self.element_type.size() else {
            return Err(OnnxError::UnsupportedElements { tensor: tensor(), element_type: self.element_type });
        };
        // Axes of length 0 count as 1 here, so that no part of the product overflows later either.
        let product = self.shape.iter().try_fold(size, |product, length| product.checked_mul((*length).max(1)));
        if product.is_none_or(|bytes| isize::try_from(bytes).is_err()) {
            return Err(OnnxError::ShapeTooLarge { tensor: tensor(), shape: self.shape.clone() });
        }
        let expected = size * self.shape.iter().product::<usize>();
        if self.data.len() != expected {
            let (shape, element_type, found) = (self.shape.clone(), self.element_type, self.data.len());
            return Err(OnnxError::DataLength { tensor: tensor(), shape, element_type, expected, found });
        }
        Ok(())
    }

    fn cannot_convert(&self, to: &'static str) -> OnnxError {
        OnnxError::CannotConvert { tensor: self.name.clone(), from: self.element_type, to }
    }
}

/// How many elements' bytes pass a test.
fn count<const SIZE: usize>(data: &[u8], test: impl Fn([u8; SIZE]) -> bool) -> usize {
    data.as_chunks::<SIZE>().0.iter().filter(|bytes| test(**bytes)).count()
}

/// Applies a function to each element's bytes.
fn map<const SIZE: usize, T>(data: &[u8], convert: impl Fn([u8; SIZE]) -> T) -> Vec<T> {
    data.as_chunks::<SIZE>().0.iter().copied().map(convert).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsigned_values_beyond_int64_are_refused_rather_than_wrapped() {
        let data = u64::MAX.to_le_bytes().to_vec().into();
        let tensor = Tensor { name: "large".into(), element_type: ElementType::Uint64, shape: vec![1], data };
        assert!(matches!(tensor.to_i64(), Err(OnnxError::CannotConvert { .. })));
        assert_eq!(tensor.to_f32(), Ok(vec![18_446_744_073_709_551_615.0]));
    }

    #[test]
    fn values_are_read_as_they_were_given() {
        let tensor = Tensor::from_f32("w", &[2, 2], &[0.1, -0.0, f32::MAX, f32::MIN_POSITIVE]);
        assert_eq!(tensor.to_f32().unwrap(), [0.1, -0.0, f32::MAX, f32::MIN_POSITIVE]);
        assert_eq!((tensor.len(), tensor.check("")), (4, Ok(())));
        assert_eq!(Tensor::from_i64("i", &[2], &[i64::MIN, 9]).to_i64().unwrap(), [i64::MIN, 9]);
    }
}
