//! Faithfulness correlation (Bhatt, Weller, Moura 2020): random sets of pixels are removed, and the fall of the score is
//! correlated (Pearson) with the sum of the map over the set. Departure: the size of the sets is given as a part of the
//! picture.

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Metric, Question,
    metric::Found,
    statistics::pearson,
    subsets::{Subsets, as_asked, evenly},
};

const SUBSETS: Subsets<'_> = Subsets {
    defaults: &[("regions", "elements"), ("size", "0.05")],
    without: &[],
    fill: None,
    sets: &as_asked,
    draw: &evenly,
};

/// Faithfulness correlation.
pub struct FaithfulnessCorrelation;

impl Metric for FaithfulnessCorrelation {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "faithfulness-correlation".to_owned(),
            name: "Faithfulness correlation".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Higher,
            range: [Some(-1.0), Some(1.0)],
            meaning: "Whether removing pixels moves the answer the more, the larger the sum of the map over them \
                      is: one if in proportion."
                .to_owned(),
            caveat: "Single pixels strewn over a picture hardly move most models, so that much of the number can \
                     be chance."
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
        Box::pin(async move { Ok(SUBSETS.run(question).await?.agreement(pearson)) })
    }
}
