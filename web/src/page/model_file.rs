//! A model's file, of which this program holds a name and a handle: the bytes stay with the browser, which may keep them
//! on disk, and the worker reads them there.

use std::fmt::{self, Debug, Formatter};
use std::rc::Rc;

use web_sys::Blob;

/// The largest file that is taken, in bytes. Its weights are in memory once, or twice if they are float16; running needs
/// room beside them, and a worker has 4 GB.
pub(crate) const MAX_BYTES: u64 = 1_000_000_000;

/// An ONNX file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ModelFile {
    pub(crate) name: String,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) content: Content,
    /// The text of its model card.
    pub(crate) card: Option<String>,
    /// What the browser keeps it under: its address, or a name for the visitor's own file.
    pub(crate) key: String,
    /// What tells this version of the file from others at the same address, as far as the server says.
    pub(crate) version: Option<String>,
    /// Whether the browser is to keep it once it has turned out to be a model.
    pub(crate) keep: bool,
}

/// A handle of bytes that the browser has. Two handles are equal when they are copies of one.
#[derive(Clone)]
pub(crate) struct Content(Rc<Blob>);

impl Content {
    pub(crate) fn new(blob: Blob) -> Self {
        Content(Rc::new(blob))
    }

    pub(crate) fn blob(&self) -> &Blob {
        &self.0
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Content) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Debug for Content {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "Content({:p})", self.0)
    }
}

/// A model that the browser keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeptModel {
    /// [`ModelFile::key`].
    pub(crate) key: String,
    pub(crate) name: String,
    /// In bytes.
    pub(crate) size: u64,
    /// [`ModelFile::version`].
    pub(crate) version: Option<String>,
}

/// Begins the keys of files that came from no address.
const OWN: &str = "file:";

/// The key of a visitor's own file.
pub(crate) fn own_key(name: &str, size: u64, modified: f64) -> String {
    format!("{OWN}{name}:{size}:{modified}")
}

/// The address that a key stands for.
pub(crate) fn address_of(key: &str) -> Option<&str> {
    Some(key).filter(|key| !key.starts_with(OWN))
}
