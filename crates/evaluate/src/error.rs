//! What can stand in the way of a score.

use vitrine_explain::ExplainError;
use vitrine_graph::GraphError;
use vitrine_image::ImageError;
use vitrine_protocol::ProblemKind;

/// Why there is no score.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    /// What an explanation can be refused for too: parameters, infills, regions, a cancelled run, the model.
    #[error(transparent)]
    Explain(ExplainError),
    /// The metric has no parameter of this name.
    #[error("This metric has no parameter {name:?}; {}.", parameter_names(known))]
    UnknownParameter {
        /// What was given.
        name: String,
        /// The metric's parameters.
        known: Vec<String>,
    },
    /// No metric has this id.
    #[error("There is no metric {id:?}; the metrics are {}.", known.join(", "))]
    UnknownMetric {
        /// What was asked for.
        id: String,
        /// Every metric's id.
        known: Vec<String>,
    },
    /// The map is of another size than the picture.
    #[error(
        "The {what} has {height} x {width} values, and the model's input has {} x {} pixels; give one of that size.",
        expected[0], expected[1]
    )]
    Size {
        /// Which map.
        what: String,
        /// Its height.
        height: usize,
        /// Its width.
        width: usize,
        /// Height and width of the input.
        expected: [usize; 2],
    },
    /// The map holds something that is no number.
    #[error("The {0} holds values that are no finite numbers; make it again.")]
    NotFinite(String),
    /// The metric runs the method again, and nobody knows which that was.
    #[error("The metric {0:?} explains again, and it is not known how this map was made; name a method.")]
    NoMethod(&'static str),
    /// The metric asks whether the map lies on a known place.
    #[error("The metric {0:?} compares the map with the place where it should lie; give a mask of that place.")]
    NoMask(&'static str),
    /// The mask says nothing.
    #[error("The mask marks {0}, so there is nothing to tell apart; values above zero are inside.")]
    Mask(&'static str),
    /// A region is asked about by its number, and there are not so many.
    #[error("There is no region {asked}: they are numbered from 1 to {count}; ask about one of these.")]
    NoRegion {
        /// The number.
        asked: usize,
        /// How many there are.
        count: usize,
    },
    /// The metric compares maps.
    #[error("The metric {0:?} compares the maps of several methods; give at least two.")]
    NoOthers(&'static str),
    /// The metric asks about another class, and there is none.
    #[error("The metric {0:?} asks about another class, and the model has no other; choose another metric.")]
    NoOtherClass(&'static str),
    /// Nothing in the model can be changed as the metric wants it.
    #[error(
        "The metric {0:?} changes the model's weights, and no layer with weights was found; choose another metric."
    )]
    NoWeights(&'static str),
    /// No protocol has this id.
    #[error("There is no protocol {id:?}; the protocols are {}.", known.join(", "))]
    UnknownProtocol {
        /// What was asked for.
        id: String,
        /// Every protocol's id.
        known: Vec<String>,
    },
    /// A protocol with rendered pictures cannot be run with this model.
    #[error("Protocols with rendered pictures need {0}; choose another model.")]
    Scenes(&'static str),
    /// The same, where it is known which protocol that is.
    #[error("The protocol {id:?} needs {needs}; of the built-in models {} fits.", models.join(" or "))]
    Misfit {
        /// The protocol.
        id: String,
        /// What the model lacks.
        needs: String,
        /// Ids of the models that it is meant for.
        models: Vec<String>,
    },
}

impl EvaluateError {
    /// Whose fault it is.
    pub fn kind(&self) -> ProblemKind {
        match self {
            EvaluateError::Explain(error) => error.kind(),
            _ => ProblemKind::Input,
        }
    }
}

impl From<ExplainError> for EvaluateError {
    fn from(error: ExplainError) -> Self {
        match error {
            ExplainError::UnknownParameter { name, known } => EvaluateError::UnknownParameter { name, known },
            error => EvaluateError::Explain(error),
        }
    }
}

impl From<GraphError> for EvaluateError {
    fn from(error: GraphError) -> Self {
        EvaluateError::Explain(error.into())
    }
}

impl From<ImageError> for EvaluateError {
    fn from(error: ImageError) -> Self {
        EvaluateError::Explain(error.into())
    }
}

/// `its parameters are a, b`, or that there are none.
fn parameter_names(names: &[String]) -> String {
    if names.is_empty() { "it has none at all".to_owned() } else { format!("its parameters are {}", names.join(", ")) }
}
