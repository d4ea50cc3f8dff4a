//! What can stand in the way of an explanation.

use vitrine_graph::GraphError;
use vitrine_image::ImageError;
use vitrine_protocol::{ParameterError, ParameterKind, ProblemKind};

/// Why there is no explanation.
#[derive(Debug, thiserror::Error)]
pub enum ExplainError {
    /// The run was stopped on request.
    #[error("The run was cancelled.")]
    Cancelled,
    /// No method has this id.
    #[error("There is no method {id:?}; the methods are {}.", known.join(", "))]
    UnknownMethod {
        /// What was asked for.
        id: String,
        /// Every method's id.
        known: Vec<String>,
    },
    /// The method has no parameter of this name.
    #[error("This method has no parameter {name:?}; {}.", parameter_names(known))]
    UnknownParameter {
        /// What was given.
        name: String,
        /// The method's parameters.
        known: Vec<String>,
    },
    /// A parameter's value was refused.
    #[error("Parameter {name:?}: {source}.")]
    Parameter {
        /// Which parameter.
        name: String,
        /// What was given and what is accepted.
        source: ParameterError,
    },
    /// No class has this label.
    #[error("The model has no class {label:?}{}.", nearest_names(.nearest, "labels"))]
    UnknownLabel {
        /// What was given.
        label: String,
        /// The most similar labels; empty when the model has none.
        nearest: Vec<String>,
    },
    /// Several classes have this label.
    #[error("{} classes are called {label:?}; give one of their numbers instead: {}.", classes.len(), listed(classes))]
    AmbiguousLabel {
        /// What was given.
        label: String,
        /// The classes of that name.
        classes: Vec<usize>,
    },
    /// The class index is too large.
    #[error("There is no class {class}: the model has {classes} classes, numbered from 0.")]
    NoSuchClass {
        /// What was given.
        class: usize,
        /// How many there are.
        classes: usize,
    },
    /// A margin between a class and itself is always zero.
    #[error("The margin {text:?} is between a class and itself, which is always zero; name two classes.")]
    SameClass {
        /// What was given.
        text: String,
    },
    /// The model's first output is not a list of class scores.
    #[error("The model's output {output:?} has shape {shape:?}; a target needs one score per class, [1, classes].")]
    NotClassScores {
        /// The output's name.
        output: String,
        /// Its shape at a batch of one.
        shape: Vec<usize>,
    },
    /// The model's first output has no plane of scores for each class.
    #[error("The model's output {output:?} has shape {shape:?}, which is no plane of scores for each class.")]
    NotPlanes {
        /// The output's name.
        output: String,
        /// Its shape at a batch of one.
        shape: Vec<usize>,
    },
    /// The outputs cannot be read into boxes as the model card says.
    #[error("The model's outputs cannot be read into boxes, because of `{field}` in its card: {problem}.")]
    NotBoxes {
        /// The field of the card.
        field: &'static str,
        /// What it says and what the graph has, without a full stop.
        problem: String,
    },
    /// There is no such box.
    #[error("{text:?} names no box that is detected here; {}.", boxes(found))]
    NoSuchBox {
        /// What was given.
        text: String,
        /// The candidates that are detected, best first.
        found: Vec<usize>,
    },
    /// The answer is no probability.
    #[error("What the model gives has no such number: {text:?}; leave out `prob:` and `logodds:`.")]
    NoProbability {
        /// What was given.
        text: String,
    },
    /// The layer has no picture to look at.
    #[error(
        "Layer {layer:?} has shape {shape:?}, and this method needs channels, height and width, both above 1, or the \
         tokens of a picture{}.",
        nearest_names(.nearest, "such layers")
    )]
    NotSpatial {
        /// The layer asked for.
        layer: String,
        /// Its shape at a batch of one.
        shape: Vec<usize>,
        /// The closest layers, in graph order, that would do.
        nearest: Vec<String>,
    },
    /// Several layers for a method that looks at one.
    #[error("This method looks at one layer, and {} are named: {}.", layers.len(), layers.join(", "))]
    OneLayer {
        /// The layers asked for.
        layers: Vec<String>,
    },
    /// The model has no layer with channels, height and width.
    #[error("The model has no layer with channels, height and width, which this method needs; use another method.")]
    NoSpatialLayer,
    /// The model has no attention over the picture's tokens.
    #[error("The model has no attention over tokens of the picture, so it has no heads; take its channels.")]
    NoHeads,
    /// The target does not depend on the layer.
    #[error("Layer {layer:?} does not influence the {target}, so it explains nothing about it; choose another layer.")]
    NoInfluence {
        /// The layer asked for.
        layer: String,
        /// The target in words.
        target: String,
    },
    /// The layer is gone once batch normalisations are folded.
    #[error(
        "Layer {layer:?} becomes part of the batch normalisation after it, which this method folds; choose that one, or a \
         later layer."
    )]
    FoldedLayer {
        /// The layer asked for.
        layer: String,
    },
    /// The way from the layer to the target is not linear.
    #[error(
        "Between layer {layer:?} and the target stands {obstacle}, and this method needs a way that is linear: one average \
         over all places and one linear layer. Look at a later layer, or use grad-cam."
    )]
    NotLinear {
        /// The layer asked for.
        layer: String,
        /// The first node in the way.
        obstacle: String,
    },
    /// The target weighs a layer's places differently.
    #[error(
        "The target weighs the places of layer {layer:?} differently, and this method needs one average over all of them; \
         use hires-cam, which does not."
    )]
    NotPooled {
        /// The layer asked for.
        layer: String,
    },
    /// The method compares logits.
    #[error(
        "This method compares the logit of a class with those of others, and the target is the {target}; name a class."
    )]
    NotALogit {
        /// The target in words.
        target: String,
    },
    /// Relevance propagation has no rule for some nodes.
    #[error(
        "Relevance propagation has no rule for {}; use a method by gradients, such as integrated-gradients.",
        nodes.join(", ")
    )]
    NoRule {
        /// Operators with the values they make.
        nodes: Vec<String>,
    },
    /// The method works on pictures, and the input is none.
    #[error("This method needs an image, and the model's input has shape {shape:?}.")]
    NotAnImage {
        /// The input's shape without the batch axis.
        shape: Vec<usize>,
    },
    /// An infill that means pixels, for an input that has none.
    #[error("The infill {infill:?} is made of pixels, and the model's input is not an image; use zero or value:V.")]
    NoPixels {
        /// The infill.
        infill: String,
    },
    /// An infill that continues what is kept, where the whole input is replaced.
    #[error(
        "The infill {infill:?} continues what is kept around a removed part, and here the whole input is replaced; use \
         another one, such as blur or mean."
    )]
    NothingKept {
        /// The infill.
        infill: String,
    },
    /// An infill names a file that was not read beforehand.
    #[error("There is no file {path:?} to fill with; give {}.", ParameterKind::Infill.expectation())]
    NoInfillFile {
        /// The path.
        path: String,
    },
    /// An infill of another size than the input.
    #[error("The infill {path:?} has {found} values, and the model's input has {expected}.")]
    InfillSize {
        /// The path.
        path: String,
        /// Values in the file.
        found: usize,
        /// Values in the input.
        expected: usize,
    },
    /// No label map of this path was read.
    #[error(
        "There is no file {path:?} for the regions; regions are auto, grid:HxW, slic:N, felzenszwalb:SCALE, quickshift, \
         watershed:N, elements, parts or the path of a .npy file of whole numbers."
    )]
    NoRegionsFile {
        /// What was given.
        path: String,
    },
    /// Regions are to be the parts of what the picture shows, and nobody knows them.
    #[error(
        "The parts of this picture are not known, only those of the built-in ones; take one of them, or name other regions."
    )]
    NoParts,
    /// The regions do not fit the input.
    #[error("The regions {regions:?} do not fit: {problem}.")]
    Regions {
        /// The regions as written.
        regions: String,
        /// What is wrong with them.
        problem: String,
    },
    /// More regions than can be enumerated.
    #[error(
        "The input has {found} regions, and running every coalition takes 2^{found} passes; give at most {most} regions, such \
         as regions=grid:4x4, or take samples."
    )]
    TooManyRegions {
        /// How many there are.
        found: usize,
        /// How many can be enumerated.
        most: usize,
    },
    /// More regions than a surrogate is fitted to.
    #[error(
        "The input has {found} regions, and a fit takes at most {most}; give larger ones, such as regions=grid:16x16."
    )]
    TooManyToFit {
        /// How many there are.
        found: usize,
        /// How many can be fitted.
        most: usize,
    },
    /// Fewer samples than the surrogate has coefficients to find.
    #[error("{found} samples do not decide the shares of {regions} regions; take at least {least}, or larger regions.")]
    TooFewSamples {
        /// How many were asked for.
        found: usize,
        /// How many regions there are.
        regions: usize,
        /// How many it takes.
        least: usize,
    },
    /// A sliding window that the input has no room for.
    #[error("The window does not fit: {problem}.")]
    Window {
        /// What is wrong with it.
        problem: String,
    },
    /// The input's description does not fit the input.
    #[error("The infill cannot be made: {0}.")]
    Image(#[from] ImageError),
    /// An infinite number or no number at all came out.
    #[error("{what} is not a finite number, so there is no map; {advice}.")]
    NotFinite {
        /// Which number.
        what: &'static str,
        /// What to try.
        advice: &'static str,
    },
    /// The model could not be run.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

impl ExplainError {
    /// Whose fault it is. A cancelled run is nobody's; it counts as the caller's wish.
    pub fn kind(&self) -> ProblemKind {
        match self {
            ExplainError::Graph(error) => match error {
                GraphError::Device(_) => ProblemKind::Device,
                GraphError::Shapes { .. } | GraphError::Kind { .. } | GraphError::NotRecorded(_) => {
                    ProblemKind::Internal
                }
                GraphError::Onnx(_)
                | GraphError::Unsupported(_)
                | GraphError::Node { .. }
                | GraphError::OpenShape { .. }
                | GraphError::NotFinite { .. }
                | GraphError::TooLarge { .. }
                | GraphError::FeedShape { .. }
                | GraphError::MissingInput(_)
                | GraphError::UnknownValue { .. }
                | GraphError::LeftOut { .. }
                | GraphError::NoGradient(_) => ProblemKind::Input,
            },
            _ => ProblemKind::Input,
        }
    }
}

/// `; the nearest labels are "a", "b"`, or nothing.
fn nearest_names(names: &[String], what: &str) -> String {
    match names {
        [] => String::new(),
        names => {
            let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
            format!("; the nearest {what} are {}", quoted.join(", "))
        }
    }
}

/// `its parameters are a, b`, or that there are none.
fn parameter_names(names: &[String]) -> String {
    if names.is_empty() { "it has none at all".to_owned() } else { format!("its parameters are {}", names.join(", ")) }
}

/// Which boxes could be named.
fn boxes(found: &[usize]) -> String {
    match found {
        [] => "nothing is detected".to_owned(),
        found => {
            format!("detected are box:{}", found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", box:"))
        }
    }
}

fn listed(numbers: &[usize]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Up to three of `candidates` that are spelled most like `text`, best first.
pub(crate) fn most_similar<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let text = text.to_lowercase();
    let mut scored: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&text, &candidate.to_lowercase()), candidate))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(3).map(|(_, candidate)| candidate.to_owned()).collect()
}
