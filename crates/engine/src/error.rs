//! What can go wrong in a session, and whose fault it is.

use vitrine_evaluate::EvaluateError;
use vitrine_explain::ExplainError;
use vitrine_graph::GraphError;
use vitrine_image::ImageError;
use vitrine_onnx::OnnxError;
use vitrine_protocol::{Problem, ProblemKind};

/// Why a request to a session failed. What was loaded before is still loaded.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The browser or the system does not give the file's bytes.
    #[error("{0} could not be read. Is it a folder, or was it moved meanwhile?")]
    Unreadable(String),
    /// The model file is not right.
    #[error("{name:?} could not be loaded: {source}")]
    Model {
        /// File name.
        name: String,
        /// What is wrong.
        source: OnnxError,
    },
    /// The model's graph cannot be planned.
    #[error("{name:?} could not be loaded: {source}")]
    Plan {
        /// File name.
        name: String,
        /// What is wrong.
        source: GraphError,
    },
    /// The image file is not right.
    #[error("{name:?} could not be loaded: {source}")]
    Image {
        /// File name.
        name: String,
        /// What is wrong.
        source: ImageError,
    },
    /// The model card is no JSON, or has other fields than a model card.
    #[error("The model card of {name:?} cannot be read: {reason}; CARD.md lists the fields that a card has.")]
    CardText {
        /// The model's name.
        name: String,
        /// What is wrong and where, without a full stop.
        reason: String,
    },
    /// A field of the model card is not right.
    #[error("The model card of {name:?} is not right in `{field}`: {problem}; {advice}.")]
    Card {
        /// The model's name.
        name: String,
        /// The field, with dots for fields within fields.
        field: &'static str,
        /// What it says and what it should, without a full stop.
        problem: String,
        /// What to do, without a full stop.
        advice: &'static str,
    },
    /// The model takes words.
    #[error("{name:?} takes text (its input {input:?} is {declared}); choose a model that takes images.")]
    TextModel {
        /// The model's name.
        name: String,
        /// The graph input.
        input: String,
        /// Its declared type and shape.
        declared: String,
    },
    /// The model does not take an image.
    #[error(
        "{name:?} takes an input of shape [{shape}], which is no image (batch, 1 or 3 channels, height, width); {advice}."
    )]
    NotAnImageModel {
        /// The model's name.
        name: String,
        /// Declared shape.
        shape: String,
        /// What to do, without a full stop.
        advice: String,
    },
    /// A ready-made tensor does not fit the model.
    #[error("{name:?} has shape {found:?}, but the model's input {input:?} takes {expected:?}.")]
    InputShape {
        /// File name.
        name: String,
        /// The graph input.
        input: String,
        /// Shape that was given.
        found: Vec<usize>,
        /// Shape of one input.
        expected: Vec<usize>,
    },
    /// No built-in model has this id.
    #[error("There is no built-in model {id:?}; there are: {known}.")]
    UnknownModel {
        /// What was asked for.
        id: String,
        /// The ids that exist.
        known: String,
    },
    /// No sample image has this number.
    #[error("There is no sample image {0}.")]
    UnknownSample(usize),
    /// A model or an image has to be loaded first.
    #[error("Load {0} first.")]
    NothingLoaded(&'static str),
    /// A built-in file could not be fetched.
    #[error("{0} could not be fetched; check the connection and reload the page.")]
    Fetch(String),
    /// An explanation failed.
    #[error(transparent)]
    Explain(#[from] ExplainError),
    /// A score could not be found.
    #[error(transparent)]
    Evaluate(EvaluateError),
    /// A run failed.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The GPU was asked for and cannot be used.
    #[error("No GPU can be used here: {0}.")]
    NoGpu(String),
    /// The GPU reported an error outside any request's own answer.
    #[error("The GPU failed: {0}")]
    Gpu(String),
}

impl EngineError {
    /// Whose fault it is.
    pub fn kind(&self) -> ProblemKind {
        match self {
            EngineError::Gpu(_) | EngineError::Graph(GraphError::Device(_)) => ProblemKind::Device,
            EngineError::Explain(error) => error.kind(),
            EngineError::Evaluate(error) => error.kind(),
            _ => ProblemKind::Input,
        }
    }

    /// The failure in words for people.
    pub fn problem(&self) -> Problem {
        let field = match self {
            EngineError::Card { field, .. } => Some((*field).to_owned()),
            EngineError::Explain(
                ExplainError::Parameter { name, .. } | ExplainError::UnknownParameter { name, .. },
            ) => Some(name.clone()),
            EngineError::Evaluate(EvaluateError::UnknownParameter { name, .. }) => Some(name.clone()),
            _ => None,
        };
        Problem { kind: self.kind(), message: self.to_string(), field }
    }

    /// Whether a run was stopped on request, which is no failure.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, EngineError::Explain(ExplainError::Cancelled))
    }
}

impl From<EvaluateError> for EngineError {
    /// What an explanation can be refused for too stays that.
    fn from(error: EvaluateError) -> Self {
        match error {
            EvaluateError::Explain(error) => EngineError::Explain(error),
            error => EngineError::Evaluate(error),
        }
    }
}
