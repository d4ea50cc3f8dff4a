//! What can be wrong with a file or a model, in sentences for the person who brought it.

use crate::{ElementType, Lookalike};

/// Why bytes are no model, or a model is not well formed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// The file has no bytes.
    #[error("The file is empty; choose an ONNX model.")]
    Empty,
    /// The bytes are recognised as something else.
    #[error("This is not an ONNX model: it looks like {lookalike}. {}", lookalike.advice())]
    NotOnnx {
        /// What they look like.
        lookalike: Lookalike,
    },
    /// The file ends in the middle of something.
    #[error(
        "The file is cut short: it has {found} bytes and says that it goes on for at least {missing} more; download or copy \
         it again."
    )]
    Truncated {
        /// Bytes there are.
        found: usize,
        /// Bytes that are missing at least.
        missing: u64,
    },
    /// The bytes break the rules of the format.
    #[error("This is not an ONNX model, or it is damaged: {problem} at byte {offset}.")]
    Malformed {
        /// Where, from the start of the file.
        offset: usize,
        /// What is wrong there.
        problem: &'static str,
    },
    /// The bytes describe so many empty things that memory would not be in proportion to the file.
    #[error(
        "The file is refused: decoded it would take more than {limit} bytes of memory, out of proportion to its {found} bytes."
    )]
    TooLarge {
        /// Bytes of the file.
        found: usize,
        /// Bytes of memory allowed for it.
        limit: usize,
    },
    /// An element type that the standard does not have.
    #[error("Element type {code} is unknown; the file is damaged or newer than this program.")]
    UnknownElementType {
        /// Its number in the file.
        code: i64,
    },
    /// A tensor's values cannot be read as the wanted type.
    #[error("The values of tensor '{tensor}' are {from} and cannot be read as {to}.")]
    CannotConvert {
        /// Name of the tensor.
        tensor: String,
        /// What they are.
        from: ElementType,
        /// What was wanted.
        to: &'static str,
    },
}
