//! Insertion (Petsiuk, Das, Saenko 2018): pixels are put back into a blurred picture, the most important first, and the
//! probability should rise at once. The score is the area under the curve of the probability over the part of the picture
//! that is there.
//!
//! Departures: the number of steps is given, as for deletion; the authors blur by a deviation of 5 pixels, here blur is
//! that of every method, a sixteenth of the shorter side.

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, MetricGroup, MetricInfo};

use crate::{
    EvaluateError, Metric, Question,
    faithfulness::deletion::petsiuk,
    metric::Found,
    removal::{Defaults, Removal, most_back_first},
};

const DEFAULTS: Defaults = &[("infill", "blur"), ("scale", "probability")];

const REMOVAL: Removal<'_> = Removal { defaults: DEFAULTS, without: &[], fill: None, plan: &most_back_first };

/// Insertion.
pub struct Insertion;

impl Metric for Insertion {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "insertion".to_owned(),
            name: "Insertion".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Higher,
            range: [None, None],
            meaning: "How much of the answer is there, on average, while the pixels that the map shows most come back first into \
                      a blurred picture."
                .to_owned(),
            caveat: "A map that gathers its largest values in one place does well, as the model sees that place whole, even \
                     where it looks elsewhere too."
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
        Box::pin(REMOVAL.area(question, true))
    }
}
