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
    /// Which part each pixel shows most of, a grey PNG file's bytes: 1 for the first of [`PARTS`], 0 for the surroundings.
    pub parts: &'static [u8],
}

/// The parts of the creatures in the samples.
pub const PARTS: [&str; 7] = ["body", "head", "beak", "eyes", "wings", "tail", "feet"];

/// Six pictures of six classes, which the default model names rightly and is more or less sure of; the surest first.
pub fn samples() -> &'static [Sample] {
    SAMPLES
}
