//! SaCo, the salience-guided faithfulness coefficient (Wu et al. 2024): the pixels are put into ten groups of equal size
//! by their salience, and each group alone is removed. Every pair of groups counts the difference of their saliences: for
//! the map where the more salient group moves the probability at least as much, against it otherwise. The number is the
//! balance over the sum of all differences.

use std::ops::Range;

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, Curve, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Metric, Question,
    metric::Found,
    removal::{Defaults, Removal, RemovalOptions, marks},
};

const DEFAULTS: Defaults = &[("steps", "10"), ("infill", "mean"), ("scale", "probability")];

const REMOVAL: Removal<'_> = Removal { defaults: DEFAULTS, without: &[], fill: None, plan: &groups };

/// Each group alone.
fn groups(count: usize, options: &RemovalOptions) -> Vec<Range<usize>> {
    marks(count, options.steps).windows(2).map(|pair| pair[0]..pair[1]).collect()
}

/// Salience-guided faithfulness coefficient.
pub struct Saco;

impl Metric for Saco {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "saco".to_owned(),
            name: "SaCo".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Higher,
            range: [Some(-1.0), Some(1.0)],
            meaning: "Whether a group of pixels moves the answer the more, the more the map shows it: one if \
                      always, minus one if never."
                .to_owned(),
            caveat: "Groups are removed one by one, so what only several of them do together is not seen.".to_owned(),
            reference: Reference {
                authors: "Wu, Kang, Tang, Hong, Yan".to_owned(),
                year: 2024,
                title: "On the Faithfulness of Vision Transformer Explanations".to_owned(),
                venue: "CVPR".to_owned(),
            },
            needs: Vec::new(),
            parameters: REMOVAL.parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        REMOVAL.cost(question)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let removed = REMOVAL.run(question).await?;
            let sums = &removed.units.sums;
            let salience = |range: &Range<usize>| -> f64 {
                let units = removed.units.order.get(range.clone()).unwrap_or_default();
                units.iter().filter_map(|unit| sums.get(*unit)).sum()
            };
            let groups: Vec<(f64, f64)> = removed
                .ranges
                .iter()
                .zip(&removed.scores)
                .map(|(range, score)| (salience(range), removed.whole - score))
                .collect();
            let (mut balance, mut all) = (0.0, 0.0);
            for (number, (salience, fall)) in groups.iter().enumerate() {
                for (other_salience, other_fall) in groups.iter().skip(number + 1) {
                    let weight = salience - other_salience;
                    balance += if fall >= other_fall { weight } else { -weight };
                    all += weight.abs();
                }
            }
            let curve = Curve {
                x_label: "group, the most salient first".to_owned(),
                y_label: "fall of the target".to_owned(),
                xs: (1..=groups.len()).map(|number| number as f64).collect(),
                ys: groups.iter().map(|(_, fall)| *fall).collect(),
                ..Curve::default()
            };
            Ok(removed.found((all > 0.0).then(|| balance / all), vec![curve]))
        })
    }
}
