//! Monotonicity (Nguyen and Martinez 2020): every part of the picture is replaced several times by random values, and the
//! mean square of what that does to the score is compared, by the rank correlation of Spearman, with the absolute value
//! of the map. Departure: values are drawn evenly between the smallest and the largest of the input, and a part is
//! replaced as a whole.

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Metric, Question,
    altered::Fill,
    metric::Found,
    statistics::{mean, spearman},
    subsets::{SubsetOptions, Subsets},
};

const SUBSETS: Subsets<'_> = Subsets {
    defaults: &[("samples", "8"), ("absolute", "true")],
    without: &["size", "infill"],
    fill: Some(Fill::Random),
    sets: &samples_of_each,
    draw: &one_of_several,
};

fn samples_of_each(options: &SubsetOptions, count: usize) -> usize {
    count * options.samples
}

fn one_of_several(options: &SubsetOptions, _: usize, _: u64, number: usize) -> Vec<usize> {
    vec![number / options.samples]
}

/// Monotonicity.
pub struct Monotonicity;

impl Metric for Monotonicity {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "monotonicity".to_owned(),
            name: "Monotonicity".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Higher,
            range: [Some(-1.0), Some(1.0)],
            meaning: "Whether the parts that the map shows more matter more to the answer, whatever stands in \
                      their place: one if always."
                .to_owned(),
            caveat: "Random values are unlike any picture, and parts that matter only together are not seen."
                .to_owned(),
            reference: Reference {
                authors: "Nguyen, Martinez".to_owned(),
                year: 2020,
                title: "On quantitative aspects of model interpretability".to_owned(),
                venue: "arXiv 2007.07584".to_owned(),
            },
            needs: Vec::new(),
            parameters: SUBSETS.parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        SUBSETS.cost(question)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let falls = SUBSETS.run(question).await?;
            let squares = |falls: &[f64]| mean(&falls.iter().map(|fall| fall * fall).collect::<Vec<_>>());
            let effects: Vec<f64> = falls.falls.chunks(falls.options.samples).map(squares).collect();
            let value = spearman(&falls.units.sums, &effects);
            Ok(falls.found(value, Vec::new()))
        })
    }
}
