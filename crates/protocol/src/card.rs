//! The model card: what a file of weights does not say about itself. `CARD.md` of this crate explains every field.

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
    /// Whether batch normalisations become part of the layers before them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fold_batch_norm: bool,
    /// How the tokens of a vision transformer lie over the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Tokens>,
    /// How to read a detector's outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detections: Option<Detections>,
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

impl ModelCard {
    /// The card of a model of which nothing but its name and its input is known: a classifier.
    pub fn plain(name: impl Into<String>, input: ImageInput) -> ModelCard {
        ModelCard {
            name: name.into(),
            description: String::new(),
            task: Task::default(),
            input,
            labels: Vec::new(),
            target_layer: None,
            fold_batch_norm: false,
            tokens: None,
            detections: None,
            licence: String::new(),
            training_command: None,
            test_accuracy: None,
        }
    }
}

/// What a model's outputs mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// One of several classes.
    #[default]
    Classification,
    /// Any number of several classes, each for itself.
    MultiLabel,
    /// Boxes with classes.
    Detection,
    /// A class for each pixel.
    Segmentation,
    /// A direction in a space in which similar pictures are near one another.
    Embedding,
}

/// How the tokens of a vision transformer lie over the picture: row by row, after some that stand for no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tokens {
    /// Tokens from top to bottom.
    pub rows: usize,
    /// Tokens from left to right.
    pub columns: usize,
    /// Tokens before those of the picture: a class token, a distillation token, registers.
    #[serde(default)]
    pub prefix: usize,
}

impl Tokens {
    /// Length of the sequence.
    pub fn count(&self) -> usize {
        self.prefix.saturating_add(self.rows.saturating_mul(self.columns))
    }
}

/// How to read a detector's outputs: a table of candidates, each with a box and scores.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Detections {
    /// The output that holds the boxes, by its name in the graph.
    pub boxes: String,
    /// The output that holds the scores; the same where one table holds both.
    pub scores: String,
    /// What the four numbers of a box are.
    #[serde(default)]
    pub format: BoxFormat,
    /// What they are counted in.
    #[serde(default)]
    pub unit: BoxUnit,
    /// Which axis of the outputs counts the candidates.
    #[serde(default)]
    pub candidates: CandidateAxis,
    /// Position of the first of a box's four numbers among the numbers of its candidate.
    #[serde(default)]
    pub box_at: usize,
    /// Position of the score that there is anything at all, which multiplies those of the classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objectness_at: Option<usize>,
    /// Position of the first class's score.
    #[serde(default)]
    pub scores_at: usize,
    /// Strides of the grids whose cells the candidates are, where the graph leaves their boxes in the grids' own terms:
    /// the centre from the cell's corner and the logarithms of width and height, both counted in strides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grid_strides: Vec<usize>,
}

/// The four numbers of a box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoxFormat {
    /// Left, top, right, bottom.
    #[default]
    Corners,
    /// Top, left, bottom, right.
    CornersYx,
    /// Centre from the left, centre from the top, width, height.
    Centre,
    /// Left, top, width, height.
    Size,
}

/// What a box's numbers are counted in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoxUnit {
    /// Pixels of the model's input.
    #[default]
    Pixels,
    /// Fractions of the input's width and height.
    Fractions,
}

/// The axis that counts a detector's candidates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CandidateAxis {
    /// The last but one: a candidate is a row of numbers.
    #[default]
    Rows,
    /// The last: a candidate is a column of numbers.
    Columns,
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
