//! Tensors: every form in which a file may store the elements becomes packed little-endian bytes.

use bytes::Bytes;

use super::Result;
use crate::wire::Message;
use crate::{ElementType, OnnxError, Tensor};

/// Reads a tensor; errors call it `fallback` where it has no name of its own.
pub(super) fn tensor(message: Message<'_>, fallback: &str) -> Result<Tensor> {
    let name = message.text(8)?;
    let label = if name.is_empty() { fallback } else { &name };
    refuse_external(message, label)?;
    if message.has(3)? {
        return Err(OnnxError::Unsupported { what: format!("tensor '{label}' is stored in segments") });
    }
    let element_type = element_type(message.int(2)?.unwrap_or(0), label)?;
    let data = elements(message, element_type, label)?;
    let shape = message.ints(1)?.into_iter().map(|dimension| length(dimension, label)).collect::<Result<_>>()?;
    let tensor = Tensor { name, element_type, shape, data };
    tensor.check(fallback)?;
    Ok(tensor)
}

/// A dimension as a length; `label` is the tensor or value it belongs to.
pub(super) fn length(dimension: i64, label: &str) -> Result<usize> {
    usize::try_from(dimension).map_err(|_| OnnxError::Dimension { tensor: label.to_owned(), dimension })
}

/// The element type of this number; `label` is the tensor or value it belongs to.
pub(super) fn element_type(code: i64, label: &str) -> Result<ElementType> {
    ElementType::from_code(code).ok_or_else(|| OnnxError::UnknownElementType { tensor: label.to_owned(), code })
}

fn refuse_external(message: Message<'_>, label: &str) -> Result<()> {
    const EXTERNAL: i64 = 1;
    if message.int(14)?.unwrap_or(0) != EXTERNAL && !message.has(13)? {
        return Ok(());
    }
    let entries = message.each(13, |entry| Ok((entry.text(1)?, entry.text(2)?)))?;
    let file = entries.into_iter().find(|(key, _)| key == "location").map(|(_, file)| file);
    Err(OnnxError::ExternalData { tensor: label.to_owned(), file: file.unwrap_or_default() })
}

/// The elements: raw, or in the typed field that the format gives to their type.
fn elements(message: Message<'_>, element_type: ElementType, label: &str) -> Result<Bytes> {
    use ElementType::*;
    let Some(size) = element_type.size() else {
        return Err(OnnxError::UnsupportedElements { tensor: label.to_owned(), element_type });
    };
    if let Some(raw) = message.kept_bytes(9)? {
        return Ok(raw);
    }
    let ints = match element_type {
        Float32 | Complex64 => return message.little_endian_fixed::<4>(4),
        Float64 | Complex128 => return message.little_endian_fixed::<8>(10),
        Int64 => message.little_endian_ints(7, size),
        Uint32 | Uint64 => message.little_endian_ints(11, size),
        // The bits of the small floats stand there too, as integers.
        _ => message.little_endian_ints(5, size),
    };
    ints.map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use crate::{Graph, Model, OnnxError, Tensor};

    /// Decodes a constant named `w` from the bytes of its other fields; all are shorter than 100 bytes.
    fn decode(fields: &[u8]) -> Result<Tensor, OnnxError> {
        let constant = [b"\x42\x01w", fields].concat();
        let graph = [&[0x2a, constant.len() as u8], constant.as_slice()].concat();
        let file = [&[0x3a, graph.len() as u8], graph.as_slice()].concat();
        Model::decode(&file).map(|model| model.graph.initializers[0].clone())
    }

    #[test]
    fn numbers_may_stand_alone_where_they_are_usually_packed() {
        // dims: 2 packed (field 1); data_type: int64 (field 2); int64_data: 5 and -1, each with its own key (field 7).
        let fields = b"\x0a\x01\x02\x10\x07\x38\x05\x38\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
        assert_eq!(decode(fields), Ok(Tensor::from_i64("w", &[2], &[5, -1])));
        // The same for float_data (field 4): 1.0 alone and 2.0 packed.
        let fields = b"\x08\x02\x10\x01\x25\0\0\x80\x3f\x22\x04\0\0\0\x40";
        assert_eq!(decode(fields), Ok(Tensor::from_f32("w", &[2], &[1.0, 2.0])));
    }

    #[test]
    fn a_constant_without_dimensions_is_a_scalar() {
        assert_eq!(decode(b"\x10\x07\x3a\x01\x05"), Ok(Tensor::from_i64("w", &[], &[5])));
    }

    #[test]
    fn shapes_that_cannot_be_are_refused_with_the_name_of_the_tensor() {
        let negative = b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\x07";
        assert_eq!(decode(negative), Err(OnnxError::Dimension { tensor: "w".into(), dimension: -1 }));

        // Three axes of 2^40; and one of them 0, which would hide the others in a plain product.
        let huge = b"\x80\x80\x80\x80\x80\x20";
        let axis = [b"\x08", &huge[..]].concat();
        for (first, length) in [(axis.clone(), 1 << 40), (b"\x08\0".to_vec(), 0)] {
            let shape = vec![length, 1 << 40, 1 << 40];
            let fields = [first, axis.clone(), axis.clone(), b"\x10\x07".to_vec()].concat();
            assert_eq!(decode(&fields), Err(OnnxError::ShapeTooLarge { tensor: "w".into(), shape }));
        }
    }

    #[test]
    fn more_or_less_data_than_the_shape_says_is_refused() {
        let error = decode(b"\x08\x03\x10\x07\x3a\x02\x05\x06").unwrap_err().to_string();
        assert_eq!(error, "Tensor 'w' of shape [3] and type int64 needs 24 bytes of data and has 16.");
    }

    #[test]
    fn an_unknown_element_type_is_refused_with_the_name_of_the_tensor() {
        assert_eq!(decode(b"\x10\x63"), Err(OnnxError::UnknownElementType { tensor: "w".into(), code: 99 }));
        assert_eq!(decode(b""), Err(OnnxError::UnknownElementType { tensor: "w".into(), code: 0 }));
    }

    #[test]
    fn bits_of_small_types_are_cut_from_larger_integers() {
        // float16_data in int32_data: 0x3c00 is 1.0.
        let one = decode(b"\x10\x0a\x2a\x02\x80\x78").unwrap();
        assert_eq!(one.to_f32(), Ok(vec![1.0]));
        // int8 -2 as the ten-byte number that negative int32 values take.
        let minus_two = decode(b"\x10\x03\x28\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01").unwrap();
        assert_eq!(minus_two.to_i64(), Ok(vec![-2]));
    }

    #[test]
    fn the_smallest_graph_has_no_constants() {
        assert_eq!(Model::decode(b"\x3a\x00").map(|model| model.graph), Ok(Graph::default()));
    }
}
