//! Faithfulness estimate (Alvarez-Melis and Jaakkola 2018): every part of the picture is removed alone, and the falls of
//! the score are correlated (Pearson) with what the map says of the parts.

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Metric, Question,
    metric::Found,
    statistics::pearson,
    subsets::{Subsets, alone, one_each},
};

const SUBSETS: Subsets<'_> =
    Subsets { defaults: &[], without: &["samples", "size"], fill: None, sets: &one_each, draw: &alone };

/// Faithfulness estimate.
pub struct FaithfulnessEstimate;

impl Metric for FaithfulnessEstimate {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "faithfulness-estimate".to_owned(),
            name: "Faithfulness estimate".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Higher,
            range: [Some(-1.0), Some(1.0)],
            meaning: "Whether the parts that the map shows more move the answer more when each is removed alone: \
                      one if in proportion."
                .to_owned(),
            caveat: "What parts do only together is not seen.".to_owned(),
            reference: Reference {
                authors: "Alvarez-Melis, Jaakkola".to_owned(),
                year: 2018,
                title: "Towards Robust Interpretability with Self-Explaining Neural Networks".to_owned(),
                venue: "NeurIPS".to_owned(),
            },
            needs: Vec::new(),
            parameters: SUBSETS.parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        SUBSETS.cost(question)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move { Ok(SUBSETS.run(question).await?.agreement(pearson)) })
    }
}
