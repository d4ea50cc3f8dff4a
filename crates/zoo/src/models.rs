//! The built-in models.

use crate::generated::models::MODELS;

/// A model that comes with the program.
#[derive(Debug)]
pub struct Builtin {
    /// What `--model` and `#model=` call it.
    pub id: &'static str,
    /// Its model card, as JSON.
    pub card: &'static str,
    /// Name of its ONNX file.
    pub file: &'static str,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: &'static str,
    #[cfg(feature = "embed")]
    pub(crate) onnx: &'static [u8],
}

#[cfg(feature = "embed")]
impl Builtin {
    /// The ONNX file's bytes.
    pub fn onnx(&self) -> &'static [u8] {
        self.onnx
    }
}

/// Every built-in model, the default first.
pub fn models() -> &'static [Builtin] {
    MODELS
}
