//! Messages between the page and its worker. The worker says [`Event::Ready`] first; every request that can fail
//! answers with its own event or with [`Event::Failed`], and a failure leaves what was loaded before in place.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Curve, MethodInfo, MetricInfo, ModelCard, Report, Score};

/// Both sides are built together; a difference means a stale file.
pub const PROTOCOL_VERSION: u32 = 4;

/// What the page asks of the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// First message: choose a device, load the model and the image, say [`Event::Ready`].
    Start {
        /// [`PROTOCOL_VERSION`] of the page.
        version: u32,
        /// Which device the visitor wants.
        device: DeviceChoice,
    },
    /// Load a model; answers [`Event::ModelLoaded`], then [`Event::ImageLoaded`] for the image at hand.
    LoadModel(ModelSource),
    /// Load an image; answers [`Event::ImageLoaded`].
    LoadImage(ImageSource),
    /// Use another card, its JSON text, for the model at hand; answers as [`Request::LoadModel`] does.
    SetCard(String),
    /// Say what a run would cost; answers [`Event::Estimated`], or what is wrong with the question under this number.
    /// Images that parameters name as infills need not come along.
    Estimate(ExplainRequest),
    /// Say what every metric would cost, with its default parameters, for this map; answers [`Event::MetricsEstimated`], or
    /// what is wrong with the question under its number. The request's metric and parameters do not count.
    EstimateMetrics(Box<EvaluateRequest>),
    /// Run a method; answers progress, partial maps, frames and one of done, cancelled or failed.
    Explain(ExplainRequest),
    /// Score a map; answers progress and one of [`Event::Scored`], cancelled or failed.
    Evaluate(Box<EvaluateRequest>),
    /// Hide parts of the picture; answers [`Event::Hidden`], or what is wrong under the question's number. Of the
    /// parameters those of `feature-ablation` count, which the question names as its method.
    Hide {
        /// About which target, and by what the parts are replaced.
        question: ExplainRequest,
        /// What is left of each pixel: 1 all, 0 nothing.
        kept: Map,
    },
    /// Say which regions the question's parameters name; answers [`Event::Regions`], or what is wrong under its number. The
    /// method is `feature-ablation`, as above.
    Regions(ExplainRequest),
    /// Stop the run of this number within one batch.
    Cancel {
        /// [`ExplainRequest::run`] or [`EvaluateRequest::run`].
        run: u32,
    },
}

/// Where the visitor wants to compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceChoice {
    /// A real GPU when one answers and passes the self-check, else the CPU.
    #[default]
    Auto,
    /// The CPU backend.
    Cpu,
    /// Any WebGPU adapter, a software one too.
    Gpu,
}

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ModelSource {
    /// A built-in model's id.
    Builtin(String),
    /// The visitor's ONNX file, which travels beside the message, with its model card if one was dropped beside it.
    File {
        /// Its name, for messages.
        name: String,
        /// The card's JSON text.
        card: Option<String>,
    },
}

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ImageSource {
    /// The index of a sample image.
    Sample(usize),
    /// The visitor's file, encoded (PNG, JPEG ...).
    File(File),
}

/// A file that was dropped, picked, pasted or fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name, for messages.
    pub name: String,
    /// Its bytes.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// One run of one method.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExplainRequest {
    /// A number the page chooses; the run's events repeat it.
    pub run: u32,
    /// Method id.
    pub method: String,
    /// Target as on the command line: `auto`, a class index, a label, `prob:T`, `logodds:T`, `A-B`, `box:N`,
    /// `box:N/CLASS`.
    pub target: String,
    /// The layer, by its value name, or several with commas between; the model's default when absent.
    pub layer: Option<String>,
    /// Parameters that differ from their defaults.
    pub parameters: BTreeMap<String, String>,
    /// The seed of all randomness.
    pub seed: u64,
    /// The images that parameters name as infills, encoded (PNG, JPEG ...), and label maps that they name as regions
    /// (`.npy`). On the command line files are read instead.
    #[serde(default)]
    pub infill_files: Vec<File>,
}

/// One metric of one map.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EvaluateRequest {
    /// A number the page chooses; the run's events repeat it.
    pub run: u32,
    /// Metric id.
    pub metric: String,
    /// Parameters of the metric that differ from their defaults.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// How the map was made: target, layer and, for metrics that explain again, the method with its parameters. An empty
    /// method says that nobody knows.
    pub explained: ExplainRequest,
    /// The map, at input resolution.
    pub map: Map,
    /// Where the map should lie, for metrics that need to know: above zero inside.
    #[serde(default)]
    pub mask: Option<Map>,
    /// Maps of other methods by their names, for metrics that compare.
    #[serde(default)]
    pub others: Vec<(String, Map)>,
    /// The seed of all randomness of the metric.
    #[serde(default)]
    pub seed: u64,
    /// The images that parameters of the metric name as infills, encoded (PNG, JPEG ...).
    #[serde(default)]
    pub infill_files: Vec<File>,
}

/// What the worker tells the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    /// The device is chosen and methods are known; the default model and sample follow in their own events.
    Ready {
        /// [`PROTOCOL_VERSION`] of the worker.
        version: u32,
        /// Where it computes, and why there.
        device: Device,
        /// Every method, in menu order.
        methods: Vec<MethodInfo>,
        /// Every metric, in menu order.
        #[serde(default)]
        metrics: Vec<MetricInfo>,
        /// Ids and names of the built-in models, the default first.
        models: Vec<(String, String)>,
        /// The sample images.
        samples: Vec<Sample>,
    },
    /// A model is loaded.
    ModelLoaded(Box<ModelSummary>),
    /// An image is loaded and predicted.
    ImageLoaded {
        /// Its name.
        name: String,
        /// The pixels as the model sees them, resized.
        picture: Picture,
        /// All classes, best first.
        predictions: Vec<Prediction>,
        /// Whether `predictions` are probabilities (0 to 1) or raw outputs.
        probabilities: bool,
    },
    /// What a run would cost.
    Estimated {
        /// [`ExplainRequest::run`] of the question.
        run: u32,
        /// Single-image forward passes.
        forward_passes: u64,
        /// Single-image backward passes.
        backward_passes: u64,
        /// Seconds of one forward pass, where they were measured.
        pass_seconds: Option<f64>,
    },
    /// What metrics would cost.
    MetricsEstimated {
        /// [`EvaluateRequest::run`] of the question.
        run: u32,
        /// Single-image forward and backward passes of each metric of [`Event::Ready`]; nothing for one that cannot be
        /// measured.
        passes: Vec<Option<[u64; 2]>>,
    },
    /// A run has moved on.
    Progress {
        /// Which run.
        run: u32,
        /// Units done.
        done: u64,
        /// Units in all.
        total: u64,
        /// Seconds left at the present pace, once known.
        seconds_left: Option<f64>,
    },
    /// The map so far.
    Partial {
        /// Which run.
        run: u32,
        /// The map at input resolution.
        map: Map,
    },
    /// Some of the masked pictures that a sampling method has just tried.
    Tried {
        /// Which run.
        run: u32,
        /// A few, small.
        tried: Vec<Tried>,
    },
    /// The picture so far, of a method that makes one.
    Frame {
        /// Which run.
        run: u32,
        /// The picture at input resolution.
        picture: Picture,
    },
    /// A run has ended well.
    Done {
        /// Which run.
        run: u32,
        /// The map at input resolution.
        map: Map,
        /// Standard error of every value of the map, where a method estimates it from random samples.
        #[serde(default)]
        error: Option<Map>,
        /// The picture that the method has made, if it makes one.
        #[serde(default)]
        picture: Option<Picture>,
        /// How it was made.
        report: Box<Report>,
    },
    /// The curve that a metric follows, so far.
    Curve {
        /// Which run.
        run: u32,
        /// Its points until now.
        curve: Curve,
    },
    /// A map is scored.
    Scored {
        /// Which run.
        run: u32,
        /// What was found.
        score: Box<Score>,
    },
    /// Parts of the picture were hidden.
    Hidden {
        /// [`ExplainRequest::run`] of the question.
        run: u32,
        /// The target's value at the picture as it is.
        before: f32,
        /// The target's value with the parts hidden.
        after: f32,
        /// What the model saw.
        picture: Picture,
        /// Its answers, best first.
        predictions: Vec<Prediction>,
    },
    /// The regions of the picture.
    Regions {
        /// [`ExplainRequest::run`] of the question.
        run: u32,
        /// The number of each pixel's region, from 0; where a pixel is in none, a number larger than all others.
        labels: Map,
    },
    /// A run was stopped on request.
    Cancelled {
        /// Which run.
        run: u32,
    },
    /// A request failed; what was loaded before is still there.
    Failed {
        /// The run or the question that failed, or nothing for a file that did not load.
        run: Option<u32>,
        /// What is wrong and what to do.
        problem: Problem,
    },
}

/// A failure in words for the visitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Whose fault.
    pub kind: ProblemKind,
    /// One sentence: what is wrong, where, what to do.
    pub message: String,
    /// The field of the model card that is at fault, with dots for fields within fields, or the parameter.
    #[serde(default)]
    pub field: Option<String>,
}

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The file or the argument is at fault; another one may work.
    Input,
    /// The GPU or its driver failed; the worker must be started again.
    Device,
    /// A fault of this program.
    Internal,
}

/// Where a worker or the command line computes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Which backend.
    pub kind: DeviceKind,
    /// Backend and adapter in words: `WebGPU (SwiftShader)`, `CPU`.
    pub name: String,
    /// One plain sentence: why this one.
    pub reason: String,
}

/// A backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceKind {
    /// The processor.
    Cpu,
    /// A graphics processor, through WebGPU or a native API.
    Gpu,
}

/// What the page shows of a loaded model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelSummary {
    /// Built-in id or file name.
    pub name: String,
    /// The card, given or inferred.
    pub card: ModelCard,
    /// Whether the card was inferred from the graph.
    pub inferred: bool,
    /// Whether the file leaves width and height to the card.
    pub open_size: bool,
    /// What follows the scores that are explained and makes them probabilities: `softmax` or `sigmoid`.
    pub split_off: Option<String>,
    /// Length of the sequence that attention is over, where there is one.
    pub sequence: Option<usize>,
    /// Layers CAM methods can look at, in graph order.
    pub layers: Vec<Layer>,
    /// What the visitor should know: runs one image at a time ...
    pub notes: Vec<String>,
}

/// A layer that can be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Name of the value in the graph.
    pub name: String,
    /// Operator that makes it.
    pub operator: String,
    /// Shape without the batch axis.
    pub shape: Vec<usize>,
}

/// One class and how strongly the model answers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Class index.
    pub class: usize,
    /// Class name, or the index in words.
    pub label: String,
    /// Probability where the task has one, else the raw output; of a segmenter the share of the picture.
    pub score: f32,
    /// Where a detector sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<DetectedBox>,
}

/// Where a detector sees something, in pixels of the model's input from the left and from the top.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DetectedBox {
    /// Number of the candidate; the target `box:N` asks about it.
    pub candidate: usize,
    /// Left edge.
    pub left: f32,
    /// Upper edge.
    pub top: f32,
    /// Right edge.
    pub right: f32,
    /// Lower edge.
    pub bottom: f32,
}

/// A sample image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// What it shows.
    pub label: String,
    /// Its pixels.
    pub picture: Picture,
    /// Which part of that each pixel shows, where it is known.
    #[serde(default)]
    pub parts: Option<Parts>,
}

/// The parts of something in a picture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// What they are called.
    pub names: Vec<String>,
    /// The number of each pixel's part, from 0; -1 for the surroundings.
    pub labels: Map,
}

/// Pixels, four bytes each (red, green, blue, opacity), row by row from the top.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `4 * width * height` bytes.
    #[serde(with = "serde_bytes")]
    pub rgba: Vec<u8>,
}

/// A masked picture and what the model made of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// What the model saw.
    pub picture: Picture,
    /// The target's value for it.
    pub score: f32,
}

/// A heat map, row by row from the top.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Map {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Little-endian float32, so that it travels as one typed array.
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
}

impl Map {
    /// Packs `width * height` values.
    pub fn new(height: usize, width: usize, values: &[f32]) -> Self {
        debug_assert_eq!(values.len(), height * width, "a map has one value per pixel");
        Map { width, height, bytes: bytemuck::cast_slice(values).to_vec() }
    }

    /// Unpacks the values.
    pub fn values(&self) -> Vec<f32> {
        // Copied because a byte vector need not lie on a float's boundary.
        bytemuck::allocation::pod_collect_to_vec(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_keeps_its_values() {
        let map = Map::new(1, 3, &[-1.5, 0.0, f32::MAX]);
        assert_eq!(map.values(), [-1.5, 0.0, f32::MAX]);
    }
}
