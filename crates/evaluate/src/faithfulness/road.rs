//! ROAD, remove and debias (Rong et al. 2022): removed pixels become the weighted mean of their neighbours and a little
//! noise, which tells the model less of where pixels are missing than one colour does. Parts of 10 to 90 percent are
//! removed, once the most important (MoRF), once the least important (LeRF); the number is half the mean difference of
//! the two, as the library pytorch-grad-cam combines them. Departure: the noise has a deviation of 0.01 in pixels from 0
//! to 1 instead of in the normalised input.

use std::ops::Range;

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question,
    altered::Fill,
    metric::Found,
    removal::{Defaults, Removal, RemovalOptions, marks},
    statistics::mean,
};

const DEFAULTS: Defaults = &[("steps", "10"), ("scale", "probability")];

const REMOVAL: Removal<'_> =
    Removal { defaults: DEFAULTS, without: &["infill"], fill: Some(Fill::Neighbours), plan: &both_ways };

/// The most important parts go, by one step more each time, then the least important; never all.
fn both_ways(count: usize, options: &RemovalOptions) -> Vec<Range<usize>> {
    let marks = marks(count, options.steps);
    let inner = marks.get(1..marks.len() - 1).unwrap_or_default();
    inner.iter().map(|mark| 0..*mark).chain(inner.iter().map(|mark| count - mark..count)).collect()
}

/// Remove and debias.
pub struct Road;

impl Metric for Road {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "road".to_owned(),
            name: "ROAD".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Higher,
            range: [None, None],
            meaning: "How much more of the answer is left when the least important pixels are removed than when \
                      the most important are."
                .to_owned(),
            caveat: "Means of neighbours still leave a smooth patch that a model can notice.".to_owned(),
            reference: Reference {
                authors: "Rong, Leemann, Borisov, Kasneci, Kasneci".to_owned(),
                year: 2022,
                title: "A Consistent and Efficient Evaluation Strategy for Attribution Methods".to_owned(),
                venue: "ICML".to_owned(),
            },
            needs: vec![MetricNeed::Image],
            parameters: REMOVAL.parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        REMOVAL.cost(question)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let removed = REMOVAL.run(question).await?;
            let half = removed.parts.len() / 2;
            let most = removed.curve("most important first", 0..half, false, "target", &|score| score);
            let least = removed.curve("least important first", half..2 * half, false, "target", &|score| score);
            let value = (half > 0).then(|| (mean(&least.ys) - mean(&most.ys)) / 2.0);
            Ok(removed.found(value, vec![most, least]))
        })
    }
}
