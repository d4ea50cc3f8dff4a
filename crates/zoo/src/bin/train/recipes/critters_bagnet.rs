//! `critters-bagnet`: small receptive fields only, after BagNet (Brendel & Bethge, 2019). Every place of the value
//! `evidence` sees a window of 17x17 pixels, and the logits are the average over the places: what each window says for
//! each class is exactly known.

use anyhow::Result;
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use vitrine_protocol::ModelCard;
use vitrine_scenes::Class;

use crate::batch::Example;
use crate::export::{File, INPUT};
use crate::layers::{Layer, Window, averages};
use crate::recipe::{Network, Purpose, Recipe};
use crate::recipes::{SIZE, critter, critters_card};

/// Channels and window of each layer. Windows lie inside the picture, so no place sees a border: place (x, y) of the
/// last layer sees pixels 4x to 4x + 16 and 4y to 4y + 16.
const LAYERS: [(usize, Window); 5] = [
    (16, Window::inside(3, 1)),
    (24, Window::inside(3, 2)),
    (48, Window::inside(3, 2)),
    (64, Window::inside(3, 1)),
    (96, Window::inside(1, 1)),
];

pub(crate) struct CrittersBagNet;

impl Recipe for CrittersBagNet {
    type Network = BagNetwork;
    const ID: &'static str = "critters-bagnet";
    const STEPS: u64 = 300;

    fn example(position: u64, purpose: Purpose) -> Example {
        critter(position, purpose)
    }

    fn card() -> ModelCard {
        let description = "The creatures of `critters`, told apart by windows of 17x17 pixels, 4 pixels apart, whose \
                           evidence is averaged: the value `evidence` holds what each window says for each class.";
        critters_card("Critters by small windows", description, SIZE)
    }
}

#[derive(Module, Debug)]
pub(crate) struct BagNetwork {
    layers: Vec<Layer>,
    evidence: Conv2d,
}

impl Network for BagNetwork {
    fn new(device: &Device) -> Self {
        let before = [3].into_iter().chain(LAYERS.map(|(channels, _)| channels));
        let layers = before.zip(LAYERS).map(|(from, (to, window))| Layer::new(from, to, window, device));
        BagNetwork {
            layers: layers.collect(),
            evidence: Window::inside(1, 1).convolution(LAYERS[4].0, Class::ALL.len()).init(device),
        }
    }

    fn forward(&self, pictures: Tensor<4>) -> Tensor<3> {
        let features = self.layers.iter().fold(pictures, |input, layer| layer.rectified(input));
        averages(self.evidence.forward(features)).unsqueeze_dim(2)
    }

    fn export(&self, file: &mut File) -> Result<Option<String>> {
        let mut features = INPUT.to_owned();
        for (index, layer) in self.layers.iter().enumerate() {
            features = layer.export_rectified(file, &features, &format!("layer{}", index + 1))?;
        }
        let evidence = file.convolution(&self.evidence, &features, "evidence")?;
        file.node("GlobalAveragePool", &[&evidence], "pool");
        file.node("Flatten", &["pool"], "logits");
        file.output("logits", &[Class::ALL.len()]);
        Ok(Some(features))
    }
}
