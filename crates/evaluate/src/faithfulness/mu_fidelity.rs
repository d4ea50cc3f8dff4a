//! Mu-fidelity: faithfulness correlation (Bhatt, Weller, Moura 2020) as the library Xplique computes it, over sets of a
//! fifth of the cells of a grid and by the rank correlation of Spearman. Departure: 8 x 8 cells instead of 9 x 9, as in
//! all methods here.

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Metric, Question,
    metric::Found,
    statistics::spearman,
    subsets::{Subsets, as_asked, evenly},
};

const SUBSETS: Subsets<'_> =
    Subsets { defaults: &[("samples", "200")], without: &[], fill: None, sets: &as_asked, draw: &evenly };

/// Mu-fidelity.
pub struct MuFidelity;

impl Metric for MuFidelity {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "mu-fidelity".to_owned(),
            name: "Mu-fidelity".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Higher,
            range: [Some(-1.0), Some(1.0)],
            meaning: "Whether sets of cells that the map shows more move the answer more when they are removed: \
                      one if always."
                .to_owned(),
            caveat: "Many cells at once leave little of the picture, and the model then answers about something else."
                .to_owned(),
            reference: Reference {
                authors: "Bhatt, Weller, Moura".to_owned(),
                year: 2020,
                title: "Evaluating and Aggregating Feature-based Model Explanations".to_owned(),
                venue: "IJCAI".to_owned(),
            },
            needs: Vec::new(),
            parameters: SUBSETS.parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        SUBSETS.cost(question)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move { Ok(SUBSETS.run(question).await?.agreement(spearman)) })
    }
}
