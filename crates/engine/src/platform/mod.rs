//! What differs between a native program and a browser tab: the same names in both files.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod wasm;

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::{builtin_onnx, let_others_run, run_constructors};
#[cfg(target_family = "wasm")]
pub(crate) use wasm::{builtin_onnx, let_others_run, run_constructors};
