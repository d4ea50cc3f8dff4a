//! Batches of rendered pictures, for training and for the test.

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand_pcg::Pcg32;
use rand_pcg::rand_core::{Rng, SeedableRng};
use vitrine_scenes::{Class, Image, Part, Scene};

/// Side of the pictures in pixels.
pub(crate) const SIZE: u16 = 64;
/// Mean and standard deviation of the pixels of many pictures, per channel, on a scale from 0 to 1.
pub(crate) const MEAN: [f32; 3] = [0.61, 0.58, 0.55];
pub(crate) const STD: [f32; 3] = [0.21, 0.20, 0.20];

/// Scenes with seeds from here on are never trained on: they are the test.
pub(crate) const TEST_SEEDS: u64 = 1 << 32;
/// Scenes with seeds from here on are neither trained on nor tested on: the samples come from them.
pub(crate) const SAMPLE_SEEDS: u64 = 2 << 32;

/// Pictures and classes, ready for a device.
pub(crate) struct Batch {
    pixels: Vec<f32>,
    classes: Vec<i64>,
}

impl Batch {
    /// Renders scenes.
    pub(crate) fn render(scenes: impl IntoIterator<Item = Scene>) -> Self {
        let mut batch = Batch { pixels: Vec::new(), classes: Vec::new() };
        for scene in scenes {
            batch.pixels.extend(normalised(&scene.render(SIZE)));
            batch.classes.push(scene.class().index() as i64);
        }
        batch
    }

    /// Pictures `[batch, 3, 64, 64]` and classes `[batch]`.
    pub(crate) fn to_device(&self, device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
        let (count, side) = (self.classes.len(), usize::from(SIZE));
        let pictures = TensorData::new(self.pixels.clone(), [count, 3, side, side]);
        let classes = TensorData::new(self.classes.clone(), [count]);
        (Tensor::from_data(pictures, device), Tensor::from_data(classes, device))
    }

    /// The index of each picture's class.
    pub(crate) fn classes(&self) -> &[i64] {
        &self.classes
    }
}

/// What the training sees at this position. All classes come in turn. Every second critter lacks a part or two: that
/// keeps the network from leaning on one part alone, and makes a picture without a part nothing unheard of.
pub(crate) fn training_scene(position: u64) -> Scene {
    let scene = class_in_turn(position, position);
    let mut random = Pcg32::seed_from_u64(!position);
    let missing = [0, 0, 1, 2][random.next_u32() as usize % 4];
    (0..missing).fold(scene, |scene, _| scene.without(Part::ALL[random.next_u32() as usize % Part::ALL.len()]))
}

/// Whole critters that the training never sees.
pub(crate) fn test_scene(position: u64) -> Scene {
    class_in_turn(TEST_SEEDS + position, position)
}

fn class_in_turn(seed: u64, position: u64) -> Scene {
    Scene::sample(seed, Class::ALL[position as usize % Class::ALL.len()])
}

/// Red, then green, then blue values of all pixels, as the network takes them.
fn normalised(image: &Image) -> impl Iterator<Item = f32> {
    (0..3).flat_map(move |channel| {
        let values = image.rgb.iter().skip(channel).step_by(3);
        values.map(move |&value| (f32::from(value) / 255.0 - MEAN[channel]) / STD[channel])
    })
}
