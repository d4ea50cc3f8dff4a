//! Reading messages: each accessor walks the fields of one message and picks those of one number.
//!
//! Walking costs little, because whatever lies inside a field is skipped by its length. Where a field that should
//! stand once stands several times, the last one counts, as protobuf has it for everything but messages, which no
//! writer splits.

use bytes::Bytes;

use super::{Budget, File};
use crate::OnnxError;

/// How deep messages may nest: a graph inside a control-flow node of a graph costs three levels.
const MAX_DEPTH: usize = 64;
/// The highest field number that a model itself has.
const LAST_MODEL_FIELD: u64 = 26;

/// One message: its bytes, without those that the file keeps aside, and where they are in the file.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    bytes: &'a [u8],
    offset: usize,
    depth: usize,
    file: &'a File,
    budget: &'a Budget,
}

/// The value of a field, by its wire type.
#[derive(Clone, Copy)]
enum Value<'a> {
    Varint(u64),
    Fixed64(&'a [u8]),
    Fixed32(&'a [u8]),
    Bytes(&'a [u8]),
}

/// One field of a message; `offset` is where its content starts in the file.
#[derive(Clone, Copy)]
struct Field<'a> {
    number: u64,
    value: Value<'a>,
    offset: usize,
}

impl Field<'_> {
    fn malformed(&self, problem: &'static str) -> OnnxError {
        OnnxError::Malformed { offset: self.offset, problem }
    }

    fn wrong_type(&self) -> OnnxError {
        self.malformed("a field has another type than the format says")
    }
}

impl<'a> Message<'a> {
    /// The message that a whole file is.
    pub(crate) fn file(file: &'a File, budget: &'a Budget) -> Message<'a> {
        Message { bytes: file.walked(), offset: 0, depth: 0, file, budget }
    }

    /// What counts the memory that decoding takes.
    pub(crate) fn budget(&self) -> &'a Budget {
        self.budget
    }

    /// An error at the start of this message.
    pub(crate) fn malformed(&self, problem: &'static str) -> OnnxError {
        OnnxError::Malformed { offset: self.offset, problem }
    }

    /// Whether the field is there.
    pub(crate) fn has(&self, number: u64) -> Result<bool, OnnxError> {
        Ok(self.last(number)?.is_some())
    }

    /// An integer field.
    pub(crate) fn int(&self, number: u64) -> Result<Option<i64>, OnnxError> {
        let Some(field) = self.last(number)? else { return Ok(None) };
        match field.value {
            Value::Varint(value) => Ok(Some(value.cast_signed())),
            _ => Err(field.wrong_type()),
        }
    }

    /// A 32-bit float field.
    pub(crate) fn float(&self, number: u64) -> Result<Option<f32>, OnnxError> {
        let Some(field) = self.last(number)? else { return Ok(None) };
        match field.value {
            Value::Fixed32(bytes) => Ok(bytes.first_chunk().copied().map(f32::from_le_bytes)),
            _ => Err(field.wrong_type()),
        }
    }

    /// A field of bytes, to keep.
    pub(crate) fn kept_bytes(&self, number: u64) -> Result<Option<Bytes>, OnnxError> {
        self.last(number)?.map(|field| self.keep(field)).transpose()
    }

    /// A field of bytes, in place.
    pub(crate) fn bytes(&self, number: u64) -> Result<Option<&'a [u8]>, OnnxError> {
        self.last(number)?.map(content).transpose()
    }

    /// A text field; empty where it is missing.
    pub(crate) fn text(&self, number: u64) -> Result<String, OnnxError> {
        self.last(number)?.map_or(Ok(String::new()), |field| self.owned_text(field))
    }

    /// Every text of a repeated field.
    pub(crate) fn texts(&self, number: u64) -> Result<Vec<String>, OnnxError> {
        self.repeated(number, |field| self.owned_text(field))
    }

    /// Every byte string of a repeated field.
    pub(crate) fn byte_strings(&self, number: u64) -> Result<Vec<Vec<u8>>, OnnxError> {
        self.repeated(number, |field| self.owned(content(field)?))
    }

    /// A message field.
    pub(crate) fn message(&self, number: u64) -> Result<Option<Message<'a>>, OnnxError> {
        self.last(number)?.map(|field| self.nested(field)).transpose()
    }

    /// Every message of a repeated field, decoded.
    pub(crate) fn each<T>(
        &self,
        number: u64,
        decode: impl Fn(Message<'a>) -> Result<T, OnnxError>,
    ) -> Result<Vec<T>, OnnxError> {
        self.repeated(number, |field| decode(self.nested(field)?))
    }

    /// Every integer of a repeated field, packed or not.
    pub(crate) fn ints(&self, number: u64) -> Result<Vec<i64>, OnnxError> {
        let mut values = self.reserve(self.count_varints(number)?)?;
        self.varints(number, |value| values.push(value.cast_signed()))?;
        Ok(values)
    }

    /// Every integer of a repeated field, each cut to its lowest `size` bytes, little-endian.
    pub(crate) fn little_endian_ints(&self, number: u64, size: usize) -> Result<Vec<u8>, OnnxError> {
        let count = self.count_varints(number)?;
        self.budget.take(count, size)?;
        let mut bytes = Vec::with_capacity(count * size);
        self.varints(number, |value| bytes.extend(value.to_le_bytes().iter().take(size)))?;
        Ok(bytes)
    }

    /// Every fixed-width number (4 or 8 bytes) of a repeated field, packed or not, little-endian.
    pub(crate) fn little_endian_fixed<const SIZE: usize>(&self, number: u64) -> Result<Bytes, OnnxError> {
        let (mut total, mut last) = (0, None);
        for field in self.all(number) {
            let field = field?;
            total += fixed::<SIZE>(field)?.len();
            last = Some(field);
        }
        // Most writers pack all of them into one field.
        if let Some(field) = last.filter(|field| self.file.aside_at(field.offset).is_some_and(|all| all.len() == total))
        {
            return self.keep(field);
        }
        self.budget.take(total, 1)?;
        let mut bytes = Vec::with_capacity(total);
        for field in self.all(number) {
            bytes.extend_from_slice(fixed::<SIZE>(field?)?);
        }
        Ok(Bytes::from(bytes))
    }

    /// A copy of bytes of this message.
    pub(crate) fn owned(&self, bytes: &[u8]) -> Result<Vec<u8>, OnnxError> {
        self.budget.take(bytes.len(), 1)?;
        Ok(bytes.to_vec())
    }

    /// The content of a field: what the file keeps aside as it is, everything else as a copy that keeps nothing alive.
    fn keep(&self, field: Field<'a>) -> Result<Bytes, OnnxError> {
        match self.file.aside_at(field.offset) {
            Some(aside) => Ok(aside.clone()),
            None => self.owned(content(field)?).map(Bytes::from),
        }
    }

    fn owned_text(&self, field: Field<'a>) -> Result<String, OnnxError> {
        let text = std::str::from_utf8(content(field)?).map_err(|_| field.malformed("a text is not UTF-8"))?;
        self.budget.take(text.len(), 1)?;
        Ok(text.to_owned())
    }

    fn nested(&self, field: Field<'a>) -> Result<Message<'a>, OnnxError> {
        if self.depth == MAX_DEPTH {
            return Err(field.malformed("graphs are nested too deeply"));
        }
        Ok(Message { bytes: content(field)?, offset: field.offset, depth: self.depth + 1, ..*self })
    }

    /// Decodes every field of one number into a vector that is allocated once, at its final length.
    fn repeated<T>(
        &self,
        number: u64,
        decode: impl Fn(Field<'a>) -> Result<T, OnnxError>,
    ) -> Result<Vec<T>, OnnxError> {
        let mut values = self.reserve(self.count(number)?)?;
        for field in self.all(number) {
            values.push(decode(field?)?);
        }
        Ok(values)
    }

    fn reserve<T>(&self, count: usize) -> Result<Vec<T>, OnnxError> {
        self.budget.take(count, size_of::<T>())?;
        Ok(Vec::with_capacity(count))
    }

    fn count(&self, number: u64) -> Result<usize, OnnxError> {
        let mut count = 0;
        for field in self.all(number) {
            field?;
            count += 1;
        }
        Ok(count)
    }

    fn count_varints(&self, number: u64) -> Result<usize, OnnxError> {
        let mut count = 0;
        self.varints(number, |_| count += 1)?;
        Ok(count)
    }

    fn varints(&self, number: u64, mut visit: impl FnMut(u64)) -> Result<(), OnnxError> {
        for field in self.all(number) {
            let field = field?;
            match field.value {
                Value::Varint(value) => visit(value),
                Value::Bytes(mut rest) => {
                    while !rest.is_empty() {
                        visit(varint(&mut rest).ok_or_else(|| field.malformed("a number never ends"))?);
                    }
                }
                _ => return Err(field.wrong_type()),
            }
        }
        Ok(())
    }

    fn last(&self, number: u64) -> Result<Option<Field<'a>>, OnnxError> {
        let mut last = None;
        for field in self.all(number) {
            last = Some(field?);
        }
        Ok(last)
    }

    /// The fields of one number, and any error met while looking for them.
    fn all(&self, number: u64) -> impl Iterator<Item = Result<Field<'a>, OnnxError>> + use<'a> {
        let fields = Fields { message: *self, rest: self.bytes, offset: self.offset };
        fields.filter(move |field| field.as_ref().map_or(true, |field| field.number == number))
    }
}

/// The fields of a message in file order; ends after the first error.
struct Fields<'a> {
    message: Message<'a>,
    rest: &'a [u8],
    /// Where the rest begins in the file.
    offset: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, OnnxError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<Field<'a>, OnnxError> {
        let key = self.varint()?;
        let number = key >> 3;
        if number == 0 {
            return Err(self.malformed("a field has the number 0"));
        }
        let mut offset = self.offset;
        let value = match key & 7 {
            0 => {
                let value = self.varint()?;
                offset = self.offset;
                Value::Varint(value)
            }
            1 => Value::Fixed64(self.take(8, number)?),
            2 => {
                let length = self.varint()?;
                offset = self.offset;
                Value::Bytes(self.take(length, number)?)
            }
            5 => Value::Fixed32(self.take(4, number)?),
            _ => return Err(self.malformed("a field has a type that the format does not have")),
        };
        Ok(Field { number, value, offset })
    }

    fn varint(&mut self) -> Result<u64, OnnxError> {
        let before = self.rest.len();
        match varint(&mut self.rest) {
            Some(value) => {
                self.offset += before - self.rest.len();
                Ok(value)
            }
            None if self.message.depth == 0 && before < 10 => {
                Err(OnnxError::Truncated { found: self.message.file.len(), missing: 1 })
            }
            None => Err(self.malformed("a number never ends")),
        }
    }

    /// The next `length` bytes of the file, less those it keeps aside within them. Where the file itself ends before, it
    /// was cut, provided that it could be a model.
    fn take(&mut self, length: u64, number: u64) -> Result<&'a [u8], OnnxError> {
        let file = self.message.file;
        let end = usize::try_from(length).ok().and_then(|length| self.offset.checked_add(length));
        let split = end.and_then(|end| {
            let aside = file.aside_before(end) - file.aside_before(self.offset);
            self.rest.split_at_checked((end - self.offset).checked_sub(aside)?)
        });
        if let (Some(end), Some((taken, rest))) = (end, split) {
            let whole = file.aside_at(self.offset).filter(|aside| aside.len() == end - self.offset);
            (self.rest, self.offset) = (rest, end);
            return Ok(whole.map_or(taken, |aside| aside));
        }
        if self.message.depth == 0 && number <= LAST_MODEL_FIELD {
            let missing = length - (file.len() - self.offset) as u64;
            return Err(OnnxError::Truncated { found: file.len(), missing });
        }
        Err(self.malformed("something is longer than what it is part of"))
    }

    fn malformed(&self, problem: &'static str) -> OnnxError {
        OnnxError::Malformed { offset: self.offset, problem }
    }
}

/// Takes a base-128 number off the front; `None`, with nothing taken, where it does not end within ten bytes.
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (index, byte) in rest.iter().take(10).enumerate() {
        // The tenth byte has room for one bit; more are dropped, as other readers do.
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            *rest = rest.get(index + 1..)?;
            return Some(value);
        }
    }
    None
}

fn content(field: Field<'_>) -> Result<&[u8], OnnxError> {
    match field.value {
        Value::Bytes(bytes) => Ok(bytes),
        _ => Err(field.wrong_type()),
    }
}

/// The bytes of one number of `SIZE` bytes, or of several that are packed.
fn fixed<const SIZE: usize>(field: Field<'_>) -> Result<&[u8], OnnxError> {
    match field.value {
        Value::Bytes(bytes) if bytes.len() % SIZE == 0 => Ok(bytes),
        Value::Fixed32(bytes) | Value::Fixed64(bytes) if bytes.len() == SIZE => Ok(bytes),
        _ => Err(field.wrong_type()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ints(bytes: &[u8]) -> Result<Vec<i64>, OnnxError> {
        Message::file(&File::from(bytes), &Budget::new(bytes.len())).ints(1)
    }

    #[test]
    fn numbers_are_in_base_128_lowest_digit_first() {
        // 300 = 2 * 128 + 44.
        assert_eq!(ints(b"\x08\xac\x02"), Ok(vec![300]));
        assert_eq!(ints(b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), Ok(vec![-1]));
        // Zeros in front are no error.
        assert_eq!(ints(b"\x08\x81\x80\x00"), Ok(vec![1]));
    }

    #[test]
    fn packed_and_single_numbers_may_alternate_and_other_fields_are_skipped() {
        // 1; field 2 as eight bytes; [2, 3]; field 3 as four bytes; 4.
        assert_eq!(ints(b"\x08\x01\x11--------\x0a\x02\x02\x03\x1d----\x08\x04"), Ok(vec![1, 2, 3, 4]));
    }

    #[test]
    fn the_last_of_several_counts_where_there_should_be_one() {
        let file = File::from(&b"\x08\x01\x08\x02"[..]);
        assert_eq!(Message::file(&file, &Budget::new(4)).int(1), Ok(Some(2)));
    }

    #[test]
    fn what_breaks_the_format_is_malformed_where_it_is() {
        let malformed = |bytes: &[u8]| match ints(bytes) {
            Err(OnnxError::Malformed { offset, .. }) => offset,
            other => panic!("{other:?}"),
        };
        assert_eq!(malformed(b"\x08\x01\x0b"), 3, "a group");
        assert_eq!(malformed(b"\x08\x01\x00\x01"), 3, "field 0");
        assert_eq!(malformed(b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 1, "a number of eleven bytes");
        assert_eq!(malformed(b"\x0d----"), 1, "four bytes as an integer");
        assert_eq!(malformed(b"\x0a\x02\x01\x80"), 2, "a packed number that does not end");
    }

    #[test]
    fn a_file_that_ends_early_is_truncated() {
        assert_eq!(ints(b"\x0a\x05\x01\x02"), Err(OnnxError::Truncated { found: 4, missing: 3 }));
        assert_eq!(ints(b"\x0a"), Err(OnnxError::Truncated { found: 1, missing: 1 }));
        assert_eq!(ints(b"\x08\x80"), Err(OnnxError::Truncated { found: 2, missing: 1 }));
    }

    #[test]
    fn a_message_longer_than_what_it_is_in_is_malformed() {
        let file = File::from(&b"\x0a\x02\x0a\x05"[..]);
        let budget = Budget::new(file.len());
        let inner = Message::file(&file, &budget).message(1).unwrap().unwrap();
        assert!(matches!(inner.text(1), Err(OnnxError::Malformed { offset: 4, .. })));
    }

    #[test]
    fn text_that_is_not_utf8_is_malformed() {
        let file = File::from(&b"\x0a\x01\xff"[..]);
        let text = Message::file(&file, &Budget::new(3)).text(1);
        assert_eq!(text, Err(OnnxError::Malformed { offset: 2, problem: "a text is not UTF-8" }));
    }
}
