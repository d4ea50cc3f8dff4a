//! What every protocol is.

use vitrine_explain::{HeatMap, LocalBoxFuture};
use vitrine_onnx::Model;
use vitrine_protocol::{ProtocolInfo, Shows};
use vitrine_scenes::Class;

use crate::{
    EvaluateError,
    ground_truth::{Measured, Subject},
};

/// What a protocol is run on.
#[derive(Clone, Copy)]
pub struct Trial<'a> {
    /// Model and method. The context's parameters are the protocol's, and its observer hears of every picture.
    pub subject: Subject<'a>,
    /// What the model calls its classes.
    pub labels: &'a [String],
    /// The file behind the subject's graph, for protocols that rewrite it.
    pub model: Option<&'a Model>,
    /// The same method on a second model, for protocols that compare two; [`ProtocolInfo::beside`] names it.
    pub other: Option<Subject<'a>>,
    /// How many pictures are drawn; mosaics count as one each.
    pub pictures: usize,
}

/// What a protocol finds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// The numbers.
    pub measured: Vec<Measured>,
    /// Maps that sum up many, by what they show.
    pub maps: Vec<(String, HeatMap)>,
}

/// A protocol with ground truth on rendered pictures.
pub trait Protocol {
    /// What the protocol says of itself.
    fn info(&self) -> ProtocolInfo;

    /// Draws the pictures and measures; [`measure`] first asks whether the model fits. A cancelled run ends within one
    /// batch.
    ///
    /// # Errors
    /// [`EvaluateError::Scenes`] for a model that does not fit, parameters that do not, a cancelled run, what the method
    /// refuses.
    fn measure<'a>(&'a self, trial: &'a Trial<'a>) -> LocalBoxFuture<'a, Result<Findings, EvaluateError>>;
}

impl From<Vec<Measured>> for Findings {
    fn from(measured: Vec<Measured>) -> Self {
        Findings { measured, maps: Vec::new() }
    }
}

/// Runs a protocol on a model that fits.
///
/// # Errors
/// [`EvaluateError::Misfit`] with the built-in models that fit, and what [`Protocol::measure`] refuses.
pub async fn measure(protocol: &dyn Protocol, trial: &Trial<'_>) -> Result<Findings, EvaluateError> {
    let ProtocolInfo { id, shows, models, .. } = protocol.info();
    let expected: Vec<String> = match shows {
        Shows::Critters => Class::ALL.iter().map(|class| class.label().to_owned()).collect(),
        Shows::Digits => (0..10).map(|digit| digit.to_string()).collect(),
    };
    if trial.labels != expected {
        let needs = format!("a classifier of {shows}, whose labels are {}", expected.join(", "));
        return Err(EvaluateError::Misfit { id, needs, models });
    }
    protocol.measure(trial).await.map_err(|error| match error {
        EvaluateError::Scenes(needs) => EvaluateError::Misfit { id, needs: needs.to_owned(), models },
        error => error,
    })
}
