//! Comprehensiveness (DeYoung et al. 2020): how far the probability falls when the most important part of the input is
//! removed, averaged over parts of 1, 5, 10, 20 and 50 percent.

use std::ops::Range;

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Metric, Question,
    metric::Found,
    removal::{Defaults, Removal, RemovalOptions},
    statistics::mean,
};

const DEFAULTS: Defaults = &[("scale", "probability")];

const REMOVAL: Removal<'_> = Removal { defaults: DEFAULTS, without: &["steps"], fill: None, plan: &shares };

/// The most important part, of each of five sizes.
fn shares(count: usize, _: &RemovalOptions) -> Vec<Range<usize>> {
    shares_of(count).into_iter().map(|taken| 0..taken).collect()
}

/// How many of `count` each share is, one at least.
pub(crate) fn shares_of(count: usize) -> [usize; 5] {
    [1, 5, 10, 20, 50].map(|percent| ((count * percent + 50) / 100).clamp(1, count.max(1)))
}

/// Comprehensiveness.
pub struct Comprehensiveness;

impl Metric for Comprehensiveness {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "comprehensiveness".to_owned(),
            name: "Comprehensiveness".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Higher,
            range: [None, None],
            meaning: "How much of the answer is lost without the pixels that the map shows most.".to_owned(),
            caveat: "A fall may come from the holes themselves, which are unlike any picture that the model has \
                     learnt from."
                .to_owned(),
            reference: Reference {
                authors: "DeYoung, Jain, Rajani, Lehman, Xiong, Socher, Wallace".to_owned(),
                year: 2020,
                title: "ERASER: A Benchmark to Evaluate Rationalized NLP Models".to_owned(),
                venue: "ACL".to_owned(),
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
            let curve = removed.curve("", 0..removed.parts.len(), false, "target", &|score| score);
            let value = removed.whole - mean(&curve.ys);
            Ok(removed.found(Some(value), vec![curve]))
        })
    }
}
