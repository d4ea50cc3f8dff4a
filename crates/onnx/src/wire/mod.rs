//! The protobuf wire format, as far as ONNX files need it.
//!
//! Generated message structs would be shorter to declare, but they cannot keep the promise about memory: two bytes of
//! a file can stand for an empty message of hundreds of bytes. Here the bytes are walked in place, everything that
//! decoding keeps is counted against a [`Budget`] first, and large tensor data, which a [`File`] keeps aside, is not copied.

mod budget;
mod file;
mod read;
mod write;

pub(crate) use budget::Budget;
pub(crate) use file::File;
pub(crate) use read::Message;
pub(crate) use write::Writer;
