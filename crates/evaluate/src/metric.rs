//! What every metric is.

use std::collections::BTreeMap;

use vitrine_explain::{Context, Cost, Explainer, HeatMap, LocalBoxFuture, toolkit::picture_size};
use vitrine_protocol::{MetricGroup, MetricInfo, ParameterValue, Score};
use web_time::Instant;

use crate::EvaluateError;

/// A map, what it explains, and whatever else a metric may want to know.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// Model, input, target, seed, batch and observer; the parameters are the metric's.
    pub context: Context<'a>,
    /// The map, one number per pixel of the input.
    pub map: &'a HeatMap,
    /// The attribution behind the map, of the input's shape without the batch axis, where there is one.
    pub attribution: Option<&'a [f32]>,
    /// How the map was made.
    pub method: Option<Method<'a>>,
    /// Where the map should lie: above zero inside.
    pub mask: Option<&'a HeatMap>,
    /// Maps of other methods, by their names.
    pub others: &'a [(String, HeatMap)],
}

/// A method and how it was asked.
#[derive(Clone, Copy)]
pub struct Method<'a> {
    /// The method.
    pub explainer: &'a dyn Explainer,
    /// Its parameters as typed.
    pub parameters: &'a BTreeMap<String, String>,
    /// Its seed.
    pub seed: u64,
}

/// A metric of explanations.
pub trait Metric {
    /// What the metric says of itself.
    fn info(&self) -> MetricInfo;

    /// Whether the exact map of a linear model scores better than a random one and that better than the reversed one.
    /// Tests hold every metric to it that does not say otherwise.
    fn ranks_maps(&self) -> bool {
        matches!(self.info().group, MetricGroup::Faithfulness | MetricGroup::Localisation)
    }

    /// What [`Metric::score`] will run, known beforehand.
    ///
    /// # Errors
    /// What `score` would refuse about the parameters.
    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError>;

    /// Scores a map; [`evaluate`] adds what all scores have. Memory does not grow with the number of passes, and a
    /// cancelled run ends within one batch.
    ///
    /// # Errors
    /// What the metric needs and the question lacks, parameters that do not fit, a cancelled run, a failing model.
    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>>;
}

/// What a metric finds: a [`Score`] without what is the same for all metrics.
pub type Found = Score;

/// Scores a map by a metric.
///
/// # Errors
/// [`EvaluateError::Size`] and [`EvaluateError::NotFinite`] for a map that does not fit the input, and what
/// [`Metric::score`] refuses.
pub async fn evaluate(metric: &dyn Metric, question: &Question<'_>) -> Result<Score, EvaluateError> {
    let expected = question.size();
    let maps = [("map".to_owned(), question.map)].into_iter();
    let maps = maps.chain(question.mask.map(|mask| ("mask".to_owned(), mask)));
    let others = question.others.iter().map(|(name, map)| (format!("map of {name}"), map));
    for (what, &HeatMap { height, width, ref values }) in maps.chain(others) {
        if [height, width] != expected || values.len() != height * width {
            return Err(EvaluateError::Size { what, height, width, expected });
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err(EvaluateError::NotFinite(what));
        }
    }
    let started = Instant::now();
    let found = metric.score(question).await?;
    let mut notes = found.notes;
    let value = found.value.filter(|value| value.is_finite());
    if value.is_none() && notes.is_empty() {
        notes.push("The numbers do not vary, so the metric has no value here.".to_owned());
    }
    let (metric, seconds) = (metric.info().id, started.elapsed().as_secs_f64());
    Ok(Score { metric, value, notes, seed: question.context.seed, seconds, ..found })
}

impl Question<'_> {
    /// Height and width that maps of the input have.
    pub(crate) fn size(&self) -> [usize; 2] {
        let shape = self.context.shape();
        picture_size(shape, self.context.layout()).unwrap_or([1, shape.iter().product()])
    }
}

/// A score of the map alone, which runs nothing.
pub(crate) fn of_map(value: Option<f64>, parameters: BTreeMap<String, ParameterValue>) -> Found {
    Found { value, parameters, ..Found::default() }
}

/// The cost of a metric of the map alone.
pub(crate) const FREE: Cost = Cost { forward_passes: 0, backward_passes: 0 };
