//! The model card: what a file of weights does not say about itself.

use serde::{Deserialize, Serialize};

/// A model card, `NAME.card.json` beside `NAME.onnx`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ModelCard {
    /// Name for people.
    pub name: String,
    /// One or two sentences: what it was trained on, what it tells apart.
    #[serde(default)]
    pub description: String,
    /// What the outputs mean.
    #[serde(default)]
    pub task: Task,
    /// How pixels become the input tensor.
    pub input: ImageInput,
    /// Class names in output order; empty where there are none.
    #[serde(default)]
    pub labels: Vec<String>,
    /// The value CAM methods look at by default, by its name in the graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_layer: Option<String>,
    /// Licence of the weights, as an SPDX expression.
    #[serde(default)]
    pub licence: String,
    /// The command that made the weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_command: Option<String>,
    /// Fraction of held-out images answered rightly, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_accuracy: Option<f64>,
}

/// What a model's outputs mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// One of several classes.
    #[default]
    Classification,
}

/// How pixels become a model's input tensor: resize, scale to `range`, subtract `mean`, divide by `std`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ImageInput {
    /// Order of the axes.
    #[serde(default)]
    pub layout: Layout,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Which channels, in which order.
    #[serde(default)]
    pub channels: Channels,
    /// What pixel values 0 and 255 become before `mean` and `std`.
    #[serde(default = "unit_range")]
    pub range: [f32; 2],
    /// Subtracted per channel; empty for zero.
    #[serde(default)]
    pub mean: Vec<f32>,
    /// Divided by per channel; empty for one.
    #[serde(default)]
    pub std: Vec<f32>,
}

fn unit_range() -> [f32; 2] {
    [0.0, 1.0]
}

impl ImageInput {
    /// An RGB (3), grey (1) input of this size with values 0 to 1, for a model that says nothing more.
    pub fn plain(layout: Layout, channels: Channels, height: usize, width: usize) -> Self {
        ImageInput { layout, width, height, channels, range: unit_range(), mean: Vec::new(), std: Vec::new() }
    }

    /// Subtracted from channel `channel` after scaling to `range`.
    pub fn mean_of(&self, channel: usize) -> f32 {
        self.mean.get(channel).copied().unwrap_or(0.0)
    }

    /// Divides channel `channel` after its mean is subtracted.
    pub fn std_of(&self, channel: usize) -> f32 {
        self.std.get(channel).copied().unwrap_or(1.0)
    }
}

/// Order of an image tensor's axes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// Batch, channels, height, width.
    #[default]
    #[serde(rename = "NCHW")]
    Nchw,
    /// Batch, height, width, channels.
    #[serde(rename = "NHWC")]
    Nhwc,
}

/// Channels of an image tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channels {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red.
    Bgr,
    /// One channel of luma (ITU-R 601).
    Grey,
}

impl Channels {
    /// How many there are.
    pub fn count(self) -> usize {
        match self {
            Channels::Rgb | Channels::Bgr => 3,
            Channels::Grey => 1,
        }
    }
}
