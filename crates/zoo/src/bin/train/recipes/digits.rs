//! `digits`: reads one stroke digit in a grey picture, which may stand beside the null block and beside noise.

use anyhow::Result;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use vitrine_protocol::{Channels, ImageInput, Layout, ModelCard};
use vitrine_scenes::DigitScene;

use crate::batch::{Example, TEST_SEEDS};
use crate::export::{File, INPUT};
use crate::layers::{Layer, Window, averages};
use crate::recipe::{Network, Purpose, Recipe};

/// Side of the pictures in pixels.
pub(crate) const SIZE: u16 = 56;
/// Mean and standard deviation of the pixels.
const MEAN: f32 = 0.15;
const STD: f32 = 0.3;

/// Channels and window of each layer.
const LAYERS: [(usize, Window); 5] = [
    (12, Window::padded(5, 2)),
    (24, Window::padded(3, 1)),
    (48, Window::padded(3, 2)),
    (64, Window::padded(3, 2)),
    (64, Window::padded(3, 1)),
];

pub(crate) struct Digits;

impl Recipe for Digits {
    type Network = DigitNetwork;
    const ID: &'static str = "digits";
    const STEPS: u64 = 300;

    fn example(position: u64, purpose: Purpose) -> Example {
        let seed = if purpose == Purpose::Test { TEST_SEEDS + position } else { position };
        let scene = DigitScene::sample(seed);
        Example {
            pixels: scene.render(SIZE).iter().map(|value| (value - MEAN) / STD).collect(),
            channels: 1,
            classes: vec![scene.digit() as i64],
            boxes: Vec::new(),
        }
    }

    fn card() -> ModelCard {
        let side = usize::from(SIZE);
        let input = ImageInput::plain(Layout::Nchw, Channels::Grey, side, side);
        ModelCard {
            description: "Reads one digit, white on black and drawn in strokes, which stands alone or in a quarter of \
                          the picture beside noise and a sign that is no digit. A small convolutional network."
                .to_owned(),
            labels: (0..10).map(|digit| digit.to_string()).collect(),
            licence: "MIT OR Apache-2.0".to_owned(),
            ..ModelCard::plain("Stroke digits", ImageInput { mean: vec![MEAN], std: vec![STD], ..input })
        }
    }
}

#[derive(Module, Debug)]
pub(crate) struct DigitNetwork {
    layers: Vec<Layer>,
    classifier: Linear,
}

impl Network for DigitNetwork {
    fn new(device: &Device) -> Self {
        let before = [1].into_iter().chain(LAYERS.map(|(channels, _)| channels));
        let layers = before.zip(LAYERS).map(|(from, (to, window))| Layer::new(from, to, window, device));
        DigitNetwork { layers: layers.collect(), classifier: LinearConfig::new(LAYERS[4].0, 10).init(device) }
    }

    fn forward(&self, pictures: Tensor<4>) -> Tensor<3> {
        let features = self.layers.iter().fold(pictures, |input, layer| layer.rectified(input));
        self.classifier.forward(averages(features)).unsqueeze_dim(2)
    }

    fn export(&self, file: &mut File) -> Result<Option<String>> {
        let mut features = INPUT.to_owned();
        for (index, layer) in self.layers.iter().enumerate() {
            features = layer.export_rectified(file, &features, &format!("layer{}", index + 1))?;
        }
        let flat = file.averages(&features);
        file.classifier(&self.classifier, &flat)?;
        Ok(Some(features))
    }
}
