//! Deletion (Petsiuk, Das, Saenko 2018): pixels are removed, the most important first, and the probability should fall
//! at once. The score is the area under the curve of the probability over the part of the picture that is removed.
//!
//! Departures: the authors remove as many pixels per step as a row has; here the number of steps is given and does not
//! depend on the picture's size. Their pixels become zero after normalisation, here black.

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Metric, Question,
    metric::Found,
    removal::{Defaults, Removal, most_first},
};

const DEFAULTS: Defaults = &[("scale", "probability")];

const REMOVAL: Removal<'_> = Removal { defaults: DEFAULTS, without: &[], fill: None, plan: &most_first };

/// Deletion.
pub struct Deletion;

impl Metric for Deletion {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "deletion".to_owned(),
            name: "Deletion".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Lower,
            range: [None, None],
            meaning: "How much of the answer is left, on average, while the pixels that the map shows most are \
                      removed first."
                .to_owned(),
            caveat: "Pictures with holes are unlike any that the model has learnt from, so that a fall may come from the holes \
                     themselves."
                .to_owned(),
            reference: petsiuk(),
            needs: Vec::new(),
            parameters: REMOVAL.parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        REMOVAL.cost(question)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(REMOVAL.area(question, false))
    }
}

pub(crate) fn petsiuk() -> Reference {
    Reference {
        authors: "Petsiuk, Das, Saenko".to_owned(),
        year: 2018,
        title: "RISE: Randomized Input Sampling for Explanation of Black-box Models".to_owned(),
        venue: "BMVC".to_owned(),
    }
}
