//! The sample images.

use crate::generated::samples::SAMPLES;

/// A picture to try a model on.
#[derive(Debug)]
pub struct Sample {
    /// The class it shows, by the label of the default model, or `crowd` for several critters and `digit` for a stroke digit.
    pub label: &'static str,
    /// A name for the picture as a file.
    pub file: &'static str,
    /// The seed of the scene; with the class it gives a critter's parts' masks and the picture without any of them.
    pub seed: u64,
    /// The picture, a PNG file's bytes.
    pub png: &'static [u8],
    /// Of a single critter which part each pixel shows most of, a grey PNG file's bytes: 1 for the first of [`PARTS`], 0 for
    /// the surroundings.
    pub parts: Option<&'static [u8]>,
}

/// The parts of the creatures in the samples.
pub const PARTS: [&str; 7] = ["body", "head", "beak", "eyes", "wings", "tail", "feet"];

/// Six pictures of six classes, which the default model names rightly and is more or less sure of, the surest first; then a
/// crowd for the detector and the segmenter, and a digit beside the null block.
pub fn samples() -> &'static [Sample] {
    SAMPLES
}
