//! Batches of examples, for training and for the test.

use burn::tensor::{Device, Int, Tensor, TensorData};
use vitrine_scenes::Image;

/// Mean and standard deviation of the pixels of many scenes, per channel, on a scale from 0 to 1.
pub(crate) const MEAN: [f32; 3] = [0.61, 0.58, 0.55];
pub(crate) const STD: [f32; 3] = [0.21, 0.20, 0.20];

/// Scenes with seeds from here on are never trained on: they are the test.
pub(crate) const TEST_SEEDS: u64 = 1 << 32;

/// One picture with what should be answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Example {
    /// Normalised, all of one channel after the other.
    pub(crate) pixels: Vec<f32>,
    /// Number of channels.
    pub(crate) channels: usize,
    /// The class of each place.
    pub(crate) classes: Vec<i64>,
    /// Further numbers, for a detector.
    pub(crate) boxes: Vec<f32>,
}

impl Example {
    /// A colour picture of one class.
    pub(crate) fn of_class(image: &Image, class: usize) -> Self {
        Example { pixels: normalised(image), channels: 3, classes: vec![class as i64], boxes: Vec::new() }
    }
}

/// Red, then green, then blue values of all pixels, as the networks take them.
pub(crate) fn normalised(image: &Image) -> Vec<f32> {
    let planes = (0..3).flat_map(|channel| {
        let values = image.rgb.iter().skip(channel).step_by(3);
        values.map(move |&value| (f32::from(value) / 255.0 - MEAN[channel]) / STD[channel])
    });
    planes.collect()
}

/// Examples of one kind, ready for a device.
pub(crate) struct Batch {
    examples: Vec<Example>,
}

impl Batch {
    pub(crate) fn of(examples: impl IntoIterator<Item = Example>) -> Self {
        Batch { examples: examples.into_iter().collect() }
    }

    pub(crate) fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// Square pictures `[batch, channels, side, side]`.
    pub(crate) fn pictures(&self, device: &Device) -> Tensor<4> {
        let channels = self.examples.first().map_or(1, |example| example.channels);
        let values = self.gather(|example| &example.pixels);
        let count = self.examples.len();
        let side = (values.len() / (count * channels).max(1)).isqrt();
        Tensor::from_data(TensorData::new(values, [count, channels, side, side]), device)
    }

    /// The classes of all places `[batch * places]`.
    pub(crate) fn classes(&self, device: &Device) -> Tensor<1, Int> {
        let values = self.gather(|example| &example.classes);
        let count = values.len();
        Tensor::from_data(TensorData::new(values, [count]), device)
    }

    /// Further numbers `[batch, rows, places]`.
    pub(crate) fn boxes(&self, rows: usize, device: &Device) -> Tensor<3> {
        let values = self.gather(|example| &example.boxes);
        let count = self.examples.len();
        let places = values.len() / (count * rows).max(1);
        Tensor::from_data(TensorData::new(values, [count, rows, places]), device)
    }

    fn gather<T: Copy>(&self, of: impl Fn(&Example) -> &Vec<T>) -> Vec<T> {
        self.examples.iter().flat_map(|example| of(example).iter().copied()).collect()
    }
}
