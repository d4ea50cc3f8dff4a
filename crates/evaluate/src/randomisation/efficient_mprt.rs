//! Efficient model parameter randomisation test (Hedström, Weber, Lapuschkin, Höhne 2024): all weights become random at
//! once, and instead of comparing maps their complexity is measured, which should rise, because random weights know less.
//! The number is the rise over the complexity of the original. Complexity is the entropy of the histogram of the map's
//! values. Departures are those of `randomised`.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::integer};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, MetricNeed, ParameterKind};

use crate::{
    EvaluateError, Metric, Question,
    again::{self, Again, Change},
    metric::Found,
    randomisation::hedstrom,
    randomised::{Cascade, Stages},
    statistics::{histogram_entropy, wide},
};

vitrine_explain::options! {
    /// Options of the efficient randomisation test.
    pub struct EfficientMprtOptions {
        /// Bins of the histogram.
        bins: usize [integer(2, 10_000)] = 100,
        /// Whether the sign of the map is left out.
        absolute: bool [ParameterKind::Boolean] = true,
    }
}

const ID: &str = "efficient-mprt";

/// Efficient model parameter randomisation test.
pub struct EfficientMprt;

impl Metric for EfficientMprt {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: ID.to_owned(),
            name: "Efficient model parameter randomisation".to_owned(),
            group: MetricGroup::Randomisation,
            better: Better::Higher,
            range: [Some(-1.0), None],
            meaning: "How much more complex the map becomes, as a part of its complexity, when all that the model has \
                      learnt is replaced by random numbers."
                .to_owned(),
            caveat: "Complexity looks at the values and not at where they are, and a map that is already noise cannot become \
                     much more complex."
                .to_owned(),
            reference: hedstrom(),
            needs: vec![MetricNeed::Method],
            parameters: EfficientMprtOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        EfficientMprtOptions::parse(question.context.parameters)?;
        Stages::of(question, ID, Cascade::BottomUp, 1)?;
        again::cost(question, ID, 1)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let options = EfficientMprtOptions::parse(question.context.parameters)?;
            let mut again = Again::start(question, ID, self.cost(question)?)?;
            let graph = Some(Stages::of(question, ID, Cascade::BottomUp, 1)?.graph(0).await?);
            let found = again.explain(&Change { graph, ..Change::default() }).await?;
            let complexity = |map: &[f32]| {
                let values = wide(map).into_iter().map(|value| if options.absolute { value.abs() } else { value });
                histogram_entropy(&values.collect::<Vec<_>>(), options.bins)
            };
            let (before, after) = (complexity(&question.map.values), complexity(&found.map.values));
            let value = (before > 0.0).then(|| (after - before) / before);
            Ok(Found { parameters: options.values(), ..again.found(value) })
        })
    }
}
