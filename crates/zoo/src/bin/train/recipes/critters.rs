//! `critters`, the default model: a residual network (He et al., 2016) small enough for a browser tab.

use std::path::Path;

use anyhow::Result;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use vitrine_protocol::ModelCard;
use vitrine_scenes::Class;

use crate::batch::Example;
use crate::export::{File, INPUT};
use crate::layers::{Layer, Window, averages};
use crate::recipe::{Network, Purpose, Recipe};
use crate::recipes::{SIZE, critter, critters_card};
use crate::samples;

/// Channels after each stage; the first works at half the image's resolution, each further one at half of the last.
const CHANNELS: [usize; 3] = [16, 40, 96];

pub(crate) struct Critters;

impl Recipe for Critters {
    type Network = ResidualNetwork;
    const ID: &'static str = "critters";

    fn example(position: u64, purpose: Purpose) -> Example {
        critter(position, purpose)
    }

    fn card() -> ModelCard {
        let description = "Tells ten kinds of drawn creatures apart by their parts: body, head, beak, eyes, wings, tail \
                           and feet. A small residual network trained on rendered scenes.";
        critters_card("Critters", description, SIZE)
    }

    fn publish_more(network: &ResidualNetwork, folder: &Path, device: &Device) -> Result<()> {
        samples::publish(network, folder, device)
    }
}

/// A stem, three stages of one residual block each, an average over the picture, a linear layer.
#[derive(Module, Debug)]
pub(crate) struct ResidualNetwork {
    stem: Layer,
    stages: Vec<Block>,
    classifier: Linear,
}

/// Two layers with a way round them.
#[derive(Module, Debug)]
struct Block {
    first: Layer,
    second: Layer,
    /// Where the number of channels or the resolution changes.
    shortcut: Option<Layer>,
}

impl Network for ResidualNetwork {
    fn new(device: &Device) -> Self {
        let [narrow, .., wide] = CHANNELS;
        let before = [narrow].into_iter().chain(CHANNELS);
        let stages = before.zip(CHANNELS).enumerate();
        ResidualNetwork {
            stem: Layer::new(3, narrow, Window::padded(3, 2), device),
            stages: stages
                .map(|(index, (from, to))| Block::new(from, to, if index == 0 { 1 } else { 2 }, device))
                .collect(),
            classifier: LinearConfig::new(wide, Class::ALL.len()).init(device),
        }
    }

    fn forward(&self, pictures: Tensor<4>) -> Tensor<3> {
        let mut features = self.stem.rectified(pictures);
        for block in &self.stages {
            features = block.forward(features);
        }
        self.classifier.forward(averages(features)).unsqueeze_dim(2)
    }

    fn export(&self, file: &mut File) -> Result<Option<String>> {
        let mut features = self.stem.export_rectified(file, INPUT, "stem")?;
        for (index, stage) in self.stages.iter().enumerate() {
            features = stage.export(file, &features, &format!("stage{}.block1", index + 1))?;
        }
        let flat = file.averages(&features);
        file.classifier(&self.classifier, &flat)?;
        Ok(Some(features))
    }
}

impl Block {
    fn new(from: usize, to: usize, stride: usize, device: &Device) -> Self {
        let changes = from != to || stride != 1;
        Block {
            first: Layer::new(from, to, Window::padded(3, stride), device),
            second: Layer::new(to, to, Window::padded(3, 1), device),
            shortcut: changes.then(|| Layer::new(from, to, Window::padded(1, stride), device)),
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let inner = self.second.forward(self.first.rectified(input.clone()));
        let around = match &self.shortcut {
            Some(layer) => layer.forward(input),
            None => input,
        };
        relu(inner + around)
    }

    fn export(&self, file: &mut File, input: &str, name: &str) -> Result<String> {
        let named = |end: &str| format!("{name}.{end}");
        let first = self.first.export(file, input, [&named("conv1"), &named("norm1")])?;
        let first = file.node("Relu", &[&first], &named("relu1"));
        let second = self.second.export(file, &first, [&named("conv2"), &named("norm2")])?;
        let around = match &self.shortcut {
            Some(shortcut) => shortcut.export(file, input, [&named("shortcut.conv"), &named("shortcut.norm")])?,
            None => input.to_owned(),
        };
        file.node("Add", &[&second, &around], &named("add"));
        Ok(file.node("Relu", &[&named("add")], &named("relu")))
    }
}
