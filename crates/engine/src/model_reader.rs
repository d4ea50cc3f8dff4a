//! A model's file on its way in.

use std::io::{self, Write};

use sha2::{Digest, Sha256};
use vitrine_onnx::{Model, OnnxError, Reader};

/// Takes a model's file in pieces and works out its hash meanwhile, so that nobody has to hold all of it.
pub struct ModelReader {
    onnx: Reader,
    hash: Sha256,
}

impl ModelReader {
    /// Begins a file of this many bytes.
    pub fn new(size: usize) -> ModelReader {
        ModelReader { onnx: Reader::new(size), hash: Sha256::new() }
    }

    /// Takes the next bytes of the file.
    pub fn push(&mut self, piece: &[u8]) {
        self.hash.update(piece);
        self.onnx.push(piece);
    }

    /// The model alone.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn decode(self) -> Result<Model, OnnxError> {
        self.onnx.finish()
    }

    /// The model, and the file's SHA-256 in hexadecimal.
    pub(crate) fn finish(self) -> Result<(Model, String), OnnxError> {
        let hash = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok((self.onnx.finish()?, hash))
    }
}

/// For [`std::io::copy`] from a file.
impl Write for ModelReader {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.push(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is in memory already.
impl From<&[u8]> for ModelReader {
    fn from(bytes: &[u8]) -> Self {
        let mut reader = ModelReader::new(bytes.len());
        reader.push(bytes);
        reader
    }
}
