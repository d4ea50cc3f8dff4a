//! What a built-in model consists of: a network, what it is shown, what it should have answered, and what its card says.

use std::path::Path;

use anyhow::Result;
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::{Device, Tensor};
use vitrine_protocol::ModelCard;

use crate::batch::{Batch, Example};
use crate::export::File;

/// Examples of a training, or held-out ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Training,
    Test,
}

/// A network that can be written down as an ONNX graph.
pub(crate) trait Network: Module {
    /// Random weights; the device's seed decides which.
    fn new(device: &Device) -> Self;

    /// Scores `[batch, channels, places]` of normalised pictures `[batch, colours, height, width]`. A classifier has one
    /// place, its channels are the classes; a segmenter has a place for each pixel, a detector for each cell.
    fn forward(&self, pictures: Tensor<4>) -> Tensor<3>;

    /// Writes the nodes from the input on; the outputs' shapes are the file's affair. Gives the name of the value that
    /// class activation maps should look at.
    fn export(&self, file: &mut File) -> Result<Option<String>>;
}

/// How a built-in model is made.
pub(crate) trait Recipe: 'static {
    type Network: Network;

    /// Name of the model.
    const ID: &'static str;
    /// Batches to train on, unless told otherwise.
    const STEPS: u64 = 500;
    /// The highest learning rate, reached after the warm-up.
    const RATE: f64 = 4e-3;

    /// The example at this position; the same position never shows the same picture in training and test.
    fn example(position: u64, purpose: Purpose) -> Example;

    /// What the training makes small: cross entropy over the channels, averaged over the places.
    fn loss(scores: Tensor<3>, batch: &Batch) -> Tensor<1> {
        let [count, channels, places] = scores.dims();
        let device = scores.device();
        let criterion = CrossEntropyLossConfig::new().with_smoothing(Some(0.05)).init(&device);
        criterion.forward(scores.swap_dims(1, 2).reshape([count * places, channels]), batch.classes(&device))
    }

    /// How well one answer (`channels` rows of a number for each place) fits the example.
    fn grade(answer: &[f32], example: &Example) -> Grade {
        let places = example.classes.len();
        let right = (0..places).filter(|&place| best_channel(answer, place, places) as i64 == example.classes[place]);
        Grade { right: right.count() as f64, of: places as f64 }
    }

    /// The card, without what follows from the training.
    fn card() -> ModelCard;

    /// Writes what there is besides the model, below this folder.
    fn publish_more(_: &Self::Network, _: &Path, _: &Device) -> Result<()> {
        Ok(())
    }
}

/// A share of right answers, to be added up over examples.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Grade {
    pub(crate) right: f64,
    pub(crate) of: f64,
}

impl std::ops::Add for Grade {
    type Output = Grade;

    fn add(self, other: Grade) -> Grade {
        Grade { right: self.right + other.right, of: self.of + other.of }
    }
}

/// The channel with the highest score at a place.
pub(crate) fn best_channel(answer: &[f32], place: usize, places: usize) -> usize {
    let channels = answer.len() / places.max(1);
    let score = |channel: usize| answer[channel * places + place];
    (0..channels).max_by(|&a, &b| score(a).total_cmp(&score(b))).unwrap_or(0)
}
