//! Sufficiency (DeYoung et al. 2020): how far the probability falls when only the most important part of the input is
//! kept, averaged over parts of 1, 5, 10, 20 and 50 percent.

use std::ops::Range;

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Metric, Question,
    faithfulness::comprehensiveness::shares_of,
    metric::Found,
    removal::{Defaults, Removal, RemovalOptions},
    statistics::mean,
};

const DEFAULTS: Defaults = &[("scale", "probability")];

const REMOVAL: Removal<'_> = Removal { defaults: DEFAULTS, without: &["steps"], fill: None, plan: &all_but_shares };

/// All but the most important part, of each of five sizes.
fn all_but_shares(count: usize, _: &RemovalOptions) -> Vec<Range<usize>> {
    shares_of(count).into_iter().map(|kept| kept..count).collect()
}

/// Sufficiency.
pub struct Sufficiency;

impl Metric for Sufficiency {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "sufficiency".to_owned(),
            name: "Sufficiency".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Lower,
            range: [None, None],
            meaning: "How much of the answer is missing when only the pixels that the map shows most are left; \
                      below zero it even rises."
                .to_owned(),
            caveat: "Few pixels on an empty ground are unlike any picture that the model has learnt from.".to_owned(),
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
            let curve = removed.curve("", 0..removed.parts.len(), true, "target", &|score| score);
            let value = removed.whole - mean(&curve.ys);
            Ok(removed.found(Some(value), vec![curve]))
        })
    }
}
