//! The bytes of a file: what is walked, and long lists of numbers that were put aside.

use bytes::Bytes;

/// A file in memory.
#[derive(Debug, Default)]
pub(crate) struct File {
    /// The file without what was put aside.
    walked: Vec<u8>,
    /// In file order.
    aside: Vec<Aside>,
    /// How many bytes were put aside.
    aside_length: usize,
}

/// Bytes that were put aside.
#[derive(Debug)]
struct Aside {
    bytes: Bytes,
    /// Where they begin in the file.
    start: usize,
    /// How many bytes were put aside before them.
    before: usize,
}

impl File {
    /// Length of the file, so far.
    pub(crate) fn len(&self) -> usize {
        self.walked.len() + self.aside_length
    }

    /// Bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        self.walked.capacity() + self.aside_length
    }

    /// Makes room for bytes that will be pushed.
    pub(crate) fn reserve(&mut self, length: usize) {
        self.walked.reserve(length);
    }

    /// Adds bytes to those that are walked.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.walked.extend_from_slice(bytes);
    }

    /// Adds the whole content of a field.
    pub(crate) fn put_aside(&mut self, bytes: Vec<u8>) {
        let (start, before) = (self.len(), self.aside_length);
        self.aside_length += bytes.len();
        self.aside.push(Aside { bytes: Bytes::from(bytes), start, before });
    }

    /// What is walked.
    pub(crate) fn walked(&self) -> &[u8] {
        &self.walked
    }

    /// The content of a field, if it was put aside.
    pub(super) fn aside_at(&self, start: usize) -> Option<&Bytes> {
        let at = self.aside.binary_search_by_key(&start, |aside| aside.start).ok()?;
        self.aside.get(at).map(|aside| &aside.bytes)
    }

    /// How many of the file's bytes in front of this one were put aside.
    pub(super) fn aside_before(&self, offset: usize) -> usize {
        let next = self.aside.partition_point(|aside| aside.start < offset);
        self.aside.get(next).map_or(self.aside_length, |aside| aside.before)
    }

    /// Everything that was put aside, and where it begins.
    #[cfg(test)]
    pub(crate) fn aside(&self) -> impl Iterator<Item = (usize, &Bytes)> {
        self.aside.iter().map(|aside| (aside.start, &aside.bytes))
    }
}

/// A file of which nothing is put aside.
#[cfg(test)]
impl From<&[u8]> for File {
    fn from(bytes: &[u8]) -> Self {
        File { walked: bytes.to_vec(), ..File::default() }
    }
}
