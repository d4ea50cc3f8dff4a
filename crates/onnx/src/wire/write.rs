//! Writing messages, each field in the form that the ONNX format declares for it.

/// Bytes of a message in the making.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// The finished message.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn int(&mut self, number: u64, value: i64) {
        self.key(number, 0);
        self.bytes.extend(varint(value.cast_unsigned()));
    }

    pub(crate) fn float(&mut self, number: u64, value: f32) {
        self.key(number, 5);
        self.bytes.extend(value.to_le_bytes());
    }

    pub(crate) fn bytes(&mut self, number: u64, bytes: &[u8]) {
        self.key(number, 2);
        self.bytes.extend(varint(bytes.len() as u64));
        self.bytes.extend_from_slice(bytes);
    }

    /// A text, left out where it is empty.
    pub(crate) fn text(&mut self, number: u64, text: &str) {
        if !text.is_empty() {
            self.bytes(number, text.as_bytes());
        }
    }

    /// Every text, the empty ones too, for their place counts.
    pub(crate) fn texts(&mut self, number: u64, texts: &[String]) {
        texts.iter().for_each(|text| self.bytes(number, text.as_bytes()));
    }

    /// A message, filled in by `write`.
    pub(crate) fn message(&mut self, number: u64, write: impl FnOnce(&mut Writer)) {
        self.key(number, 2);
        let start = self.bytes.len();
        write(self);
        // The length stands before the content and takes as many bytes as it needs, so the content moves up once.
        let length = (self.bytes.len() - start) as u64;
        self.bytes.splice(start..start, varint(length));
    }

    /// One message for each item.
    pub(crate) fn messages<T>(&mut self, number: u64, items: &[T], write: impl Fn(&mut Writer, &T)) {
        items.iter().for_each(|item| self.message(number, |writer| write(writer, item)));
    }

    fn key(&mut self, number: u64, wire_type: u64) {
        self.bytes.extend(varint(number << 3 | wire_type));
    }
}

/// The base-128 digits of a number, lowest first.
fn varint(value: u64) -> impl Iterator<Item = u8> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let value = rest?;
        rest = (value >= 0x80).then_some(value >> 7);
        Some((value & 0x7f) as u8 | if rest.is_some() { 0x80 } else { 0 })
    })
}
