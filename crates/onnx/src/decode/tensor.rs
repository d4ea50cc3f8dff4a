//! Tensors: every form in which a file may store the elements becomes packed little-endian bytes.

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
    let element_type = ElementType::from_code(message.int(2)?.unwrap_or(0))?;
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
fn elements(message: Message<'_>, element_type: ElementType, label: &str) -> Result<Vec<u8>> {
    use ElementType::*;
    let Some(size) = element_type.size() else {
        return Err(OnnxError::UnsupportedElements { tensor: label.to_owned(), element_type });
    };
    if let Some(raw) = message.bytes(9)? {
        return message.owned(raw);
    }
    match element_type {
        Float32 | Complex64 => message.little_endian_fixed::<4>(4),
        Float64 | Complex128 => message.little_endian_fixed::<8>(10),
        Int64 => message.little_endian_ints(7, size),
        Uint32 | Uint64 => message.little_endian_ints(11, size),
        // The bits of the small floats stand there too, as integers.
        _ => message.little_endian_ints(5, size),
    }
}
