//! NPY files: one array of numbers, as NumPy saves it.
//!
//! The header is read here rather than by a library because those at hand trust it: its length and shape decide how
//! much memory they take, and nested brackets how deep they recurse.

use crate::ImageError;
use crate::error::check_length;

/// An array in C order, the last axis fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Length of each axis; empty for a single number.
    pub shape: Vec<usize>,
    /// The values, as many as the product of the shape.
    pub values: Vec<f32>,
}

const MAGIC: &[u8] = b"\x93NUMPY";
/// NumPy's own limit for headers it trusts.
const LONGEST_HEADER: usize = 10_000;

/// Reads an NPY file (format versions 1, 2 and 3) as float32.
///
/// Taken are real numbers of either byte order, in C or Fortran order (the result is in C order): float16, float32,
/// float64, signed and unsigned integers up to 64 bits, and booleans. float64 is rounded to float32. Whole numbers that
/// float32 cannot hold exactly (the first is 16,777,217) are refused, because labels must not run together.
///
/// # Errors
/// [`ImageError::Array`] for anything else, with what was found: other element types by their name, a header that
/// cannot be read, fewer or more bytes than the shape asks for. The memory taken is at most a small multiple of `bytes`.
pub fn read_npy(bytes: &[u8]) -> Result<Array, ImageError> {
    let (header, data) = split(bytes)?;
    let header = Header::parse(header)?;
    let element = Element::of(&header.descr)?;
    let count = header.shape.iter().try_fold(1_usize, |count, &length| count.checked_mul(length));
    let needed = count.and_then(|count| count.checked_mul(element.size));
    if needed != Some(data.len()) {
        let needed = needed.map_or("more bytes than can be counted".to_owned(), |needed| format!("{needed} bytes"));
        let (shape, found) = (&header.shape, data.len());
        return refuse(format!("its shape {shape:?} of {:?} needs {needed} and it holds {found}", header.descr));
    }
    let values = data.chunks_exact(element.size).map(|bytes| element.read(bytes)).collect::<Result<Vec<f32>, _>>()?;
    let values = if header.fortran_order { to_c_order(&values, &header.shape) } else { values };
    Ok(Array { shape: header.shape, values })
}

/// An NPY file (version 1.0, little-endian float32, C order) of these values.
///
/// # Errors
/// [`ImageError::Length`] when there are not as many values as the shape says, [`ImageError::Array`] when the shape has
/// more axes than a header can hold.
pub fn write_npy(shape: &[usize], values: &[f32]) -> Result<Vec<u8>, ImageError> {
    check_length("the array", shape.iter().fold(1, |count, &length| count.saturating_mul(length)), values.len())?;
    let axes: String = shape.iter().map(|length| format!("{length}, ")).collect();
    let axes = if shape.len() == 1 { axes.trim_end() } else { axes.trim_end_matches(", ") };
    let dictionary = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({axes}), }}");
    // Spaces and a newline bring the data to a multiple of 64 bytes.
    let before_data = (MAGIC.len() + 4 + dictionary.len() + 1).next_multiple_of(64);
    let length = before_data - MAGIC.len() - 4;
    let Ok(length_field) = u16::try_from(length) else {
        return refuse(format!("{} axes are too many", shape.len()));
    };
    let mut bytes = Vec::with_capacity(before_data + 4 * values.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[1, 0]);
    bytes.extend_from_slice(&length_field.to_le_bytes());
    bytes.extend_from_slice(format!("{dictionary:<width$}\n", width = length - 1).as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    Ok(bytes)
}

fn refuse<T>(reason: String) -> Result<T, ImageError> {
    Err(ImageError::Array { format: "NPY", reason })
}

/// Header text and data.
fn split(bytes: &[u8]) -> Result<(&str, &[u8]), ImageError> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return refuse("it does not begin as NPY files do".to_owned());
    };
    let (length, rest) = match rest {
        [1, 0, low, high, rest @ ..] => (usize::from(u16::from_le_bytes([*low, *high])), rest),
        [2 | 3, 0, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        [1..=3, 0, ..] | [] | [_] => return refuse("it ends within its header".to_owned()),
        [major, minor, ..] => return refuse(format!("its version {major}.{minor} is not 1.0, 2.0 or 3.0")),
    };
    if length > LONGEST_HEADER {
        return refuse(format!("its header of {length} bytes is longer than {LONGEST_HEADER}"));
    }
    let Some((header, data)) = rest.split_at_checked(length) else {
        return refuse("it ends within its header".to_owned());
    };
    match std::str::from_utf8(header) {
        Ok(header) => Ok((header, data)),
        Err(_) => refuse("its header is not text".to_owned()),
    }
}

/// The three facts of a header, which is written as a Python dictionary.
#[derive(Debug, Default, PartialEq)]
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Result<Self, ImageError> {
        let unreadable =
            || ImageError::Array { format: "NPY", reason: format!("its header {:?} cannot be read", text.trim()) };
        let inner = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}')).ok_or_else(unreadable)?;
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        let mut rest = inner.trim();
        while !rest.is_empty() {
            let (key, after) = quoted(rest).ok_or_else(unreadable)?;
            let value = after.trim_start().strip_prefix(':').ok_or_else(unreadable)?.trim_start();
            let after = match key {
                "descr" if value.starts_with('[') => return refuse("it holds records, not plain numbers".to_owned()),
                "descr" => quoted(value).map(|(value, after)| (descr = Some(value.to_owned()), after).1),
                "fortran_order" => boolean(value).map(|(value, after)| (fortran_order = Some(value), after).1),
                "shape" => tuple(value).map(|(value, after)| (shape = Some(value), after).1),
                _ => None,
            };
            let after = after.ok_or_else(unreadable)?.trim_start();
            rest = match after.strip_prefix(',') {
                Some(after) => after.trim_start(),
                None if after.is_empty() => after,
                None => return Err(unreadable()),
            };
        }
        match (descr, fortran_order, shape) {
            (Some(descr), Some(fortran_order), Some(shape)) => Ok(Header { descr, fortran_order, shape }),
            _ => Err(unreadable()),
        }
    }
}

/// A quoted string at the beginning, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|letter| matches!(letter, '\'' | '"'))?;
    text.get(1..)?.split_once(quote)
}

fn boolean(text: &str) -> Option<(bool, &str)> {
    let as_true = text.strip_prefix("True").map(|after| (true, after));
    as_true.or_else(|| text.strip_prefix("False").map(|after| (false, after)))
}

/// A tuple of lengths. Python 2 wrote an `L` behind long integers.
fn tuple(text: &str) -> Option<(Vec<usize>, &str)> {
    let (inner, after) = text.strip_prefix('(')?.split_once(')')?;
    let inner = inner.trim();
    let inner = inner.strip_suffix(',').unwrap_or(inner);
    if inner.is_empty() {
        return Some((Vec::new(), after));
    }
    let lengths = inner.split(',').map(|length| length.trim().trim_end_matches('L').parse().ok());
    Some((lengths.collect::<Option<_>>()?, after))
}

/// How one number is stored.
#[derive(Clone, Copy)]
struct Element {
    kind: Kind,
    /// In bytes.
    size: usize,
    big_endian: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Boolean,
    Signed,
    Unsigned,
    Float,
}

impl Element {
    /// From NumPy's type string: byte order, kind, bytes.
    fn of(descr: &str) -> Result<Self, ImageError> {
        let (order, rest) = descr.split_at_checked(1).unwrap_or_default();
        let (kind, size) = match rest {
            "b1" => (Kind::Boolean, 1),
            "i1" => (Kind::Signed, 1),
            "i2" => (Kind::Signed, 2),
            "i4" => (Kind::Signed, 4),
            "i8" => (Kind::Signed, 8),
            "u1" => (Kind::Unsigned, 1),
            "u2" => (Kind::Unsigned, 2),
            "u4" => (Kind::Unsigned, 4),
            "u8" => (Kind::Unsigned, 8),
            "f2" => (Kind::Float, 2),
            "f4" => (Kind::Float, 4),
            "f8" => (Kind::Float, 8),
            _ => return refuse(format!("its element type {descr:?} is not supported; save it as float32")),
        };
        match order {
            "<" | "|" | "=" => Ok(Element { kind, size, big_endian: false }),
            ">" => Ok(Element { kind, size, big_endian: true }),
            _ => refuse(format!("its element type {descr:?} has no known byte order; save it as float32")),
        }
    }

    /// One number out of `size` bytes.
    fn read(self, bytes: &[u8]) -> Result<f32, ImageError> {
        // In a word of eight bytes, the first in the lowest place.
        let place = |(index, byte): (usize, &u8)| u64::from(*byte) << (8 * index);
        let word: u64 = match self.big_endian {
            true => bytes.iter().rev().enumerate().map(place).sum(),
            false => bytes.iter().enumerate().map(place).sum(),
        };
        let unused = 64 - 8 * self.size as u32;
        match (self.kind, self.size) {
            (Kind::Float, 2) => Ok(half_to_single(word as u16)),
            (Kind::Float, 4) => Ok(f32::from_bits(word as u32)),
            (Kind::Float, _) => Ok(f64::from_bits(word) as f32),
            (Kind::Boolean, _) => Ok(if word == 0 { 0.0 } else { 1.0 }),
            (Kind::Unsigned, _) => exact(i128::from(word)),
            // Shifted up and down again to carry the sign.
            (Kind::Signed, _) => exact(i128::from((word << unused).cast_signed() >> unused)),
        }
    }
}

fn exact(whole: i128) -> Result<f32, ImageError> {
    let value = whole as f32;
    if value as i128 == whole {
        Ok(value)
    } else {
        refuse(format!("the whole number {whole} cannot be held exactly; save it as float32"))
    }
}

/// IEEE 754 binary16.
fn half_to_single(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let fraction = f32::from(bits & 0x3ff);
    sign * match i32::from(bits >> 10 & 0x1f) {
        0 => fraction * 2_f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        exponent => (1.0 + fraction / 1024.0) * 2_f32.powi(exponent - 15),
    }
}

/// Values whose first axis is fastest, with the last one fastest.
fn to_c_order(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1;
    for &length in shape {
        strides.push(stride);
        stride *= length;
    }
    let mut index = vec![0; shape.len()];
    let mut at = 0;
    let mut ordered = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        ordered.push(values[at]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    ordered
}
