//! Consistency over seeds (after Bansal, Agarwal, Nguyen 2020): the explanation is made again with other seeds, and the
//! number is the mean similarity of the new maps and the original.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::integer};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question,
    again::{self, Again, Change},
    metric::Found,
    similarity::Comparison,
    statistics::mean,
};

vitrine_explain::options! {
    /// Options of consistency over seeds.
    pub struct SeedOptions {
        /// How many other seeds.
        samples: usize [integer(1, 1000)] = 4,
        ..comparison: Comparison,
    }
}

const ID: &str = "seed-consistency";

/// Consistency over seeds.
pub struct SeedConsistency;

impl Metric for SeedConsistency {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "seed-consistency".to_owned(),
            name: "Consistency over seeds".to_owned(),
            group: MetricGroup::Robustness,
            better: Better::Higher,
            range: [Some(-1.0), Some(1.0)],
            meaning: "How much the map stays the same when only the seed of its random numbers changes: one if \
                      wholly."
                .to_owned(),
            caveat: "Maps that are made without chance are always consistent, right or wrong.".to_owned(),
            reference: Reference {
                authors: "Bansal, Agarwal, Nguyen".to_owned(),
                year: 2020,
                title: "SAM: The Sensitivity of Attribution Methods to Hyperparameters".to_owned(),
                venue: "CVPR".to_owned(),
            },
            needs: vec![MetricNeed::Method],
            parameters: SeedOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        let options = SeedOptions::parse(question.context.parameters)?;
        again::cost(question, ID, options.samples)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let options = SeedOptions::parse(question.context.parameters)?;
            let mut again = Again::start(question, ID, self.cost(question)?)?;
            let mut similarities = Vec::new();
            let first = again::method(question, ID)?.seed;
            for number in 1..=options.samples as u64 {
                let seed = Some(first.wrapping_add(question.context.seed).wrapping_add(number));
                let found = again.explain(&Change { seed, ..Change::default() }).await?;
                let comparison = &options.comparison;
                similarities.extend(comparison.compare(&question.map.values, &found.map.values, question.map.width));
            }
            let value = (!similarities.is_empty()).then(|| mean(&similarities));
            Ok(Found { parameters: options.values(), ..again.found(value) })
        })
    }
}
