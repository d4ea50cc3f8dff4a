//! `critters-nobias`: convolutions and rectifiers without any bias or normalisation. Its logits are homogeneous of degree
//! one, so input times gradient adds up to the logit exactly.

use anyhow::Result;
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use vitrine_protocol::ModelCard;
use vitrine_scenes::Class;

use crate::batch::Example;
use crate::export::{File, INPUT};
use crate::layers::{Window, averages};
use crate::recipe::{Network, Purpose, Recipe};
use crate::recipes::{SIZE, critter, critters_card};

/// Channels and window of each layer.
const LAYERS: [(usize, Window); 5] = [
    (16, Window::padded(5, 2)),
    (32, Window::padded(3, 2)),
    (48, Window::padded(3, 1)),
    (80, Window::padded(3, 2)),
    (80, Window::padded(3, 1)),
];

pub(crate) struct CrittersNoBias;

impl Recipe for CrittersNoBias {
    type Network = NoBiasNetwork;
    const ID: &'static str = "critters-nobias";
    const STEPS: u64 = 350;
    const RATE: f64 = 2e-3;

    fn example(position: u64, purpose: Purpose) -> Example {
        critter(position, purpose)
    }

    fn card() -> ModelCard {
        let description = "The creatures of `critters`, told apart by five convolutions and rectifiers without biases \
                           and without normalisation: input times gradient adds up to the logit exactly.";
        critters_card("Critters without biases", description, SIZE)
    }
}

#[derive(Module, Debug)]
pub(crate) struct NoBiasNetwork {
    convolutions: Vec<Conv2d>,
    classifier: Linear,
}

impl Network for NoBiasNetwork {
    fn new(device: &Device) -> Self {
        // Without normalisation the first weights have to keep the values' size (He et al., 2015).
        let first = Initializer::KaimingNormal { gain: std::f64::consts::SQRT_2, fan_out_only: false };
        let before = [3].into_iter().chain(LAYERS.map(|(channels, _)| channels));
        let convolutions = before.zip(LAYERS).map(|(from, (to, window))| {
            window.convolution(from, to).with_bias(false).with_initializer(first.clone()).init(device)
        });
        NoBiasNetwork {
            convolutions: convolutions.collect(),
            classifier: LinearConfig::new(LAYERS[4].0, Class::ALL.len()).with_bias(false).init(device),
        }
    }

    fn forward(&self, pictures: Tensor<4>) -> Tensor<3> {
        let features = self.convolutions.iter().fold(pictures, |input, layer| relu(layer.forward(input)));
        self.classifier.forward(averages(features)).unsqueeze_dim(2)
    }

    fn export(&self, file: &mut File) -> Result<Option<String>> {
        let mut features = INPUT.to_owned();
        for (index, layer) in self.convolutions.iter().enumerate() {
            let name = format!("layer{}", index + 1);
            let convolved = file.convolution(layer, &features, &format!("{name}.conv"))?;
            features = file.node("Relu", &[&convolved], &format!("{name}.relu"));
        }
        let flat = file.averages(&features);
        file.classifier(&self.classifier, &flat)?;
        Ok(Some(features))
    }
}
