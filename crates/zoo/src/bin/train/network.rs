//! The network: a residual network (He et al., 2016) small enough for a browser tab.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

/// Channels after each stage; the first works at half the image's resolution, each further one at half of the last.
const CHANNELS: [usize; 3] = [16, 40, 96];

/// A stem, three stages of one residual block each, an average over the picture, a linear layer.
#[derive(Module, Debug)]
pub(crate) struct Network {
    pub(crate) stem: Layer,
    pub(crate) stages: Vec<Block>,
    pub(crate) classifier: Linear,
}

/// A convolution without bias, and batch normalisation.
#[derive(Module, Debug)]
pub(crate) struct Layer {
    pub(crate) convolution: Conv2d,
    pub(crate) normalisation: BatchNorm,
}

/// Two layers with a way round them.
#[derive(Module, Debug)]
pub(crate) struct Block {
    pub(crate) first: Layer,
    pub(crate) second: Layer,
    /// Where the number of channels or the resolution changes.
    pub(crate) shortcut: Option<Layer>,
}

impl Network {
    /// Random weights; the device's seed decides which.
    pub(crate) fn new(classes: usize, device: &Device) -> Self {
        let [narrow, .., wide] = CHANNELS;
        let before = [narrow].into_iter().chain(CHANNELS);
        let stages = before.zip(CHANNELS).enumerate();
        Network {
            stem: Layer::new(3, narrow, 3, 2, device),
            stages: stages
                .map(|(index, (from, to))| Block::new(from, to, if index == 0 { 1 } else { 2 }, device))
                .collect(),
            classifier: LinearConfig::new(wide, classes).init(device),
        }
    }

    /// Logits `[batch, classes]` of normalised pictures `[batch, 3, height, width]`.
    pub(crate) fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut features = relu(self.stem.forward(images));
        for block in &self.stages {
            features = block.forward(features);
        }
        self.classifier.forward(features.mean_dims(&[2, 3]).flatten(1, 3))
    }
}

impl Layer {
    fn new(from: usize, to: usize, kernel: usize, stride: usize, device: &Device) -> Self {
        let padding = kernel / 2;
        Layer {
            convolution: Conv2dConfig::new([from, to], [kernel, kernel])
                .with_stride([stride, stride])
                .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
                .with_bias(false)
                .init(device),
            normalisation: BatchNormConfig::new(to).init(device),
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        self.normalisation.forward(self.convolution.forward(input))
    }
}

impl Block {
    fn new(from: usize, to: usize, stride: usize, device: &Device) -> Self {
        let changes = from != to || stride != 1;
        Block {
            first: Layer::new(from, to, 3, stride, device),
            second: Layer::new(to, to, 3, 1, device),
            shortcut: changes.then(|| Layer::new(from, to, 1, stride, device)),
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let inner = self.second.forward(relu(self.first.forward(input.clone())));
        let around = match &self.shortcut {
            Some(layer) => layer.forward(input),
            None => input,
        };
        relu(inner + around)
    }
}
