//! Layers that several networks are made of.

use anyhow::Result;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::export::File;

/// A convolution without bias, and batch normalisation.
#[derive(Module, Debug)]
pub(crate) struct Layer {
    convolution: Conv2d,
    normalisation: BatchNorm,
}

/// How a convolution moves over the picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    /// Zeros around the picture keep its size; without them the windows lie inside it.
    pub(crate) padded: bool,
}

impl Window {
    /// Padded to keep the picture's size, but for the stride.
    pub(crate) const fn padded(kernel: usize, stride: usize) -> Self {
        Window { kernel, stride, padded: true }
    }

    /// Inside the picture.
    pub(crate) const fn inside(kernel: usize, stride: usize) -> Self {
        Window { kernel, stride, padded: false }
    }

    pub(crate) fn convolution(self, from: usize, to: usize) -> Conv2dConfig {
        let padding = if self.padded { self.kernel / 2 } else { 0 };
        Conv2dConfig::new([from, to], [self.kernel, self.kernel])
            .with_stride([self.stride, self.stride])
            .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
    }
}

impl Layer {
    pub(crate) fn new(from: usize, to: usize, window: Window, device: &Device) -> Self {
        Layer {
            convolution: window.convolution(from, to).with_bias(false).init(device),
            normalisation: BatchNormConfig::new(to).init(device),
        }
    }

    pub(crate) fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        self.normalisation.forward(self.convolution.forward(input))
    }

    /// The layer and a rectifier.
    pub(crate) fn rectified(&self, input: Tensor<4>) -> Tensor<4> {
        relu(self.forward(input))
    }

    /// The convolution and the normalisation, kept as two nodes.
    pub(crate) fn export(&self, file: &mut File, input: &str, [conv, norm]: [&str; 2]) -> Result<String> {
        file.convolution(&self.convolution, input, conv)?;
        file.batch_norm(&self.normalisation, conv, norm)?;
        Ok(norm.to_owned())
    }

    /// Three nodes, `NAME.conv`, `NAME.norm` and `NAME.relu`.
    pub(crate) fn export_rectified(&self, file: &mut File, input: &str, name: &str) -> Result<String> {
        let normalised = self.export(file, input, [&format!("{name}.conv"), &format!("{name}.norm")])?;
        Ok(file.node("Relu", &[&normalised], &format!("{name}.relu")))
    }
}

/// The average over all places of a value, `[batch, channels]`.
pub(crate) fn averages(features: Tensor<4>) -> Tensor<2> {
    features.mean_dims(&[2, 3]).flatten(1, 3)
}
