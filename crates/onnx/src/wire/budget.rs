//! How much memory decoding may take.

use std::cell::Cell;

use crate::OnnxError;

/// Bytes of memory for each byte of the file. Real models need less than two, files without weights up to ten.
const MULTIPLE: usize = 16;
/// Bytes of memory that every file may take, so that the multiple need not fit tiny ones.
const BASE: usize = 64 * 1024;

/// What is left of the memory that one file may take.
pub(crate) struct Budget {
    file: usize,
    limit: usize,
    left: Cell<usize>,
}

impl Budget {
    /// The budget of a file of this many bytes.
    pub(crate) fn new(file: usize) -> Budget {
        let limit = file.saturating_mul(MULTIPLE).saturating_add(BASE);
        Budget { file, limit, left: Cell::new(limit) }
    }

    /// Takes memory for `count` things of `size` bytes, before it is allocated.
    pub(crate) fn take(&self, count: usize, size: usize) -> Result<(), OnnxError> {
        let left = count.checked_mul(size).and_then(|bytes| self.left.get().checked_sub(bytes));
        self.left.set(left.ok_or(OnnxError::OutOfProportion { found: self.file, limit: self.limit })?);
        Ok(())
    }
}
