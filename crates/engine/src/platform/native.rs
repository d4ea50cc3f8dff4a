//! A native program: nothing waits for us, and the built-in models are part of the program.

use vitrine_zoo::Builtin;

use crate::EngineError;

/// Nothing: the caller's thread is our own.
pub(crate) async fn let_others_run() {}

/// The bytes of a built-in model.
pub(crate) async fn builtin_onnx(model: &Builtin) -> Result<Vec<u8>, EngineError> {
    Ok(model.onnx().to_vec())
}

/// Nothing: the system ran them before the program.
pub(crate) fn run_constructors() {}
