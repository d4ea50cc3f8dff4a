//! The sample images.

use crate::generated::samples::SAMPLES;

/// A picture to try a model on.
#[derive(Debug)]
pub struct Sample {
    /// The class it shows, by the label of the default model.
    pub label: &'static str,
    /// A name for the picture as a file.
    pub file: &'static str,
    /// The seed of the scene; with the class it gives the parts' masks and the picture without any of them.
    pub seed: u64,
    /// The picture, a PNG file's bytes.
    pub png: &'static [u8],
}

/// Six pictures of six classes, which the default model names rightly and is more or less sure of; the surest first.
pub fn samples() -> &'static [Sample] {
    SAMPLES
}
