//! Consistency over parameters (after Bansal, Agarwal, Nguyen 2020): every numeric parameter of the method is halved and
//! doubled, one at a time and within its range, and the number is the mean similarity of the new maps and the original.
//! Departure: the authors choose values for each method.

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, MetricNeed, ParameterKind, ParameterValue, Reference};

use crate::{
    EvaluateError, Metric, Question,
    again::{self, Again, Change},
    metric::Found,
    similarity::Comparison,
    statistics::mean,
};

const ID: &str = "parameter-consistency";

/// Every numeric parameter halved and doubled.
fn changes(question: &Question<'_>) -> Result<Vec<Change>, EvaluateError> {
    let method = again::method(question, ID)?;
    let mut changes = Vec::new();
    for parameter in method.explainer.info().parameters {
        let given = method.parameters.get(&parameter.id).and_then(|text| parameter.kind.parse(text).ok());
        let value = given.unwrap_or(parameter.default);
        let other = |factor: f64| match (&parameter.kind, &value) {
            (ParameterKind::Integer { min, max }, ParameterValue::Integer(value)) => {
                let other = ((*value as f64 * factor).round() as i64).clamp(*min, *max);
                (other != *value).then(|| other.to_string())
            }
            (ParameterKind::Number { min, max }, ParameterValue::Number(value)) => {
                let other = (value * factor).clamp(*min, *max);
                (other != *value).then(|| other.to_string())
            }
            _ => None,
        };
        for text in [0.5, 2.0].into_iter().filter_map(other) {
            let mut parameters = method.parameters.clone();
            parameters.insert(parameter.id.clone(), text);
            changes.push(Change { parameters: Some(parameters), ..Change::default() });
        }
    }
    Ok(changes)
}

/// Consistency over parameters.
pub struct ParameterConsistency;

impl Metric for ParameterConsistency {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "parameter-consistency".to_owned(),
            name: "Consistency over parameters".to_owned(),
            group: MetricGroup::Robustness,
            better: Better::Higher,
            range: [Some(-1.0), Some(1.0)],
            meaning: "How much the map stays the same when a number among the parameters of its method is halved \
                      or doubled: one if wholly."
                .to_owned(),
            caveat: "Some parameters are meant to change the map, such as the size of its parts.".to_owned(),
            reference: Reference {
                authors: "Bansal, Agarwal, Nguyen".to_owned(),
                year: 2020,
                title: "SAM: The Sensitivity of Attribution Methods to Hyperparameters".to_owned(),
                venue: "CVPR".to_owned(),
            },
            needs: vec![MetricNeed::Method],
            parameters: Comparison::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        Comparison::parse(question.context.parameters)?;
        again::cost_of(question, ID, &changes(question)?)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let options = Comparison::parse(question.context.parameters)?;
            let changes = changes(question)?;
            let mut again = Again::start(question, ID, again::cost_of(question, ID, &changes)?)?;
            let mut similarities = Vec::new();
            for change in &changes {
                let found = again.explain(change).await?;
                similarities.extend(options.compare(&question.map.values, &found.map.values, question.map.width));
            }
            let value = (!similarities.is_empty()).then(|| mean(&similarities));
            let mut notes = Vec::new();
            if changes.is_empty() {
                notes.push("The method has no numeric parameter, so there is nothing to change.".to_owned());
            }
            Ok(Found { parameters: options.values(), notes, ..again.found(value) })
        })
    }
}
