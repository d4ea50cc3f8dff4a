//! Selectivity (Montavon, Samek, Müller 2018): patches are removed in the order of their relevance, and the score should
//! fall quickly. The number is the area under the curve.

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Metric, Question,
    metric::Found,
    removal::{Defaults, Removal, most_first},
};

const DEFAULTS: Defaults = &[("regions", "auto")];

const REMOVAL: Removal<'_> = Removal { defaults: DEFAULTS, without: &[], fill: None, plan: &most_first };

/// Selectivity.
pub struct Selectivity;

impl Metric for Selectivity {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "selectivity".to_owned(),
            name: "Selectivity".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Lower,
            range: [None, None],
            meaning: "How high the score of the class stays, on average, while the patches that the map shows \
                      most are removed first."
                .to_owned(),
            caveat: "The number has the unit of the score, and it depends on the size of the patches.".to_owned(),
            reference: Reference {
                authors: "Montavon, Samek, Müller".to_owned(),
                year: 2018,
                title: "Methods for Interpreting and Understanding Deep Neural Networks".to_owned(),
                venue: "Digital Signal Processing 73".to_owned(),
            },
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
