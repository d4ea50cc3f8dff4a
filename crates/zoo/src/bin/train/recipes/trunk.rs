//! What detector and segmenter share: pictures of crowds, and the layers that look at them.

use anyhow::Result;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use vitrine_scenes::Crowd;

use crate::batch::TEST_SEEDS;
use crate::export::{File, INPUT};
use crate::layers::{Layer, Window};
use crate::recipe::Purpose;

/// Side of the pictures of crowds in pixels.
pub(crate) const CROWD_SIZE: u16 = 96;

/// The crowd at this position.
pub(crate) fn crowd(position: u64, purpose: Purpose) -> Crowd {
    Crowd::sample(if purpose == Purpose::Test { TEST_SEEDS + position } else { position })
}

/// Channels and window of each layer: from 96 to 48, 24 and 12 places along a side.
const LAYERS: [(usize, Window); 6] = [
    (16, Window::padded(3, 2)),
    (32, Window::padded(3, 2)),
    (32, Window::padded(3, 1)),
    (64, Window::padded(3, 2)),
    (64, Window::padded(3, 1)),
    (80, Window::padded(3, 1)),
];

/// Channels of what [`Trunk::forward`] gives.
pub(crate) const CHANNELS: [usize; 3] = [16, 32, 80];

#[derive(Module, Debug)]
pub(crate) struct Trunk {
    layers: Vec<Layer>,
}

impl Trunk {
    pub(crate) fn new(device: &Device) -> Self {
        let before = [3].into_iter().chain(LAYERS.map(|(channels, _)| channels));
        let layers = before.zip(LAYERS).map(|(from, (to, window))| Layer::new(from, to, window, device));
        Trunk { layers: layers.collect() }
    }

    /// The values at a half, a quarter and an eighth of the resolution.
    pub(crate) fn forward(&self, pictures: Tensor<4>) -> [Tensor<4>; 3] {
        let run = |input, layers: &[Layer]| layers.iter().fold(input, |input, layer| layer.rectified(input));
        let half = run(pictures, &self.layers[..1]);
        let quarter = run(half.clone(), &self.layers[1..3]);
        let eighth = run(quarter.clone(), &self.layers[3..]);
        [half, quarter, eighth]
    }

    /// The names of those values.
    pub(crate) fn export(&self, file: &mut File) -> Result<[String; 3]> {
        let mut names = vec![INPUT.to_owned()];
        for (index, layer) in self.layers.iter().enumerate() {
            names.push(layer.export_rectified(file, &names[index], &format!("layer{}", index + 1))?);
        }
        Ok([names[1].clone(), names[3].clone(), names[6].clone()])
    }
}
