//! Random logit test (Sixt, Granz, Landgraf 2020): other classes are explained, drawn at random, and their maps should
//! differ from that of the class explained. The number is the mean similarity.

use vitrine_explain::{
    Cost, LocalBoxFuture,
    toolkit::{Purpose, Random, integer},
};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question,
    again::{self, Again, Change},
    metric::Found,
    similarity::Comparison,
    statistics::mean,
};

vitrine_explain::options! {
    /// Options of the random logit test.
    pub struct RandomLogitOptions {
        /// How many other classes, of those there are.
        samples: usize [integer(1, 1000)] = 4,
        ..comparison: Comparison,
    }
}

const ID: &str = "random-logit";

/// Other classes in a random order.
fn classes(question: &Question<'_>, samples: usize) -> Result<Vec<Change>, EvaluateError> {
    let target = question.context.target;
    let order = Random::new(question.context.seed, Purpose::Metrics, 0).permutation(target.head().classes());
    let others = order.into_iter().filter(|class| *class != target.class());
    let changes = others.filter_map(|class| target.of_another_class(class)).take(samples);
    let changes: Vec<Change> = changes.map(|target| Change { target: Some(target), ..Change::default() }).collect();
    if changes.is_empty() { Err(EvaluateError::NoOtherClass(ID)) } else { Ok(changes) }
}

/// Random logit.
pub struct RandomLogit;

impl Metric for RandomLogit {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "random-logit".to_owned(),
            name: "Random logit".to_owned(),
            group: MetricGroup::Randomisation,
            better: Better::Lower,
            range: [Some(-1.0), Some(1.0)],
            meaning: "How much the map of the class looks like the maps of other classes: one if the question \
                      does not matter to it."
                .to_owned(),
            caveat: "Where two classes rest on the same place, a right map is alike for both.".to_owned(),
            reference: Reference {
                authors: "Sixt, Granz, Landgraf".to_owned(),
                year: 2020,
                title: "When Explanations Lie: Why Many Modified BP Attributions Fail".to_owned(),
                venue: "ICML".to_owned(),
            },
            needs: vec![MetricNeed::Method],
            parameters: RandomLogitOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        let options = RandomLogitOptions::parse(question.context.parameters)?;
        again::cost(question, ID, classes(question, options.samples)?.len())
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let options = RandomLogitOptions::parse(question.context.parameters)?;
            let changes = classes(question, options.samples)?;
            let mut again = Again::start(question, ID, again::cost(question, ID, changes.len())?)?;
            let mut similarities = Vec::new();
            for change in &changes {
                let found = again.explain(change).await?;
                let comparison = &options.comparison;
                similarities.extend(comparison.compare(&question.map.values, &found.map.values, question.map.width));
            }
            let value = (!similarities.is_empty()).then(|| mean(&similarities));
            Ok(Found { parameters: options.values(), ..again.found(value) })
        })
    }
}
