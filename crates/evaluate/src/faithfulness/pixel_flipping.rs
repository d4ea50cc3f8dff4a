//! Pixel flipping (Bach et al. 2015): pixels are removed, the most important first, and the score of the class is
//! followed. The number is the area under the curve, the mean of the score on the way. Departure: the authors flip binary
//! pixels and, for photographs, look at the curve alone; here removed pixels take the infill.

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Metric, Question,
    metric::Found,
    removal::{Defaults, Removal, most_first},
};

const DEFAULTS: Defaults = &[];

const REMOVAL: Removal<'_> = Removal { defaults: DEFAULTS, without: &[], fill: None, plan: &most_first };

/// Pixel flipping.
pub struct PixelFlipping;

impl Metric for PixelFlipping {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "pixel-flipping".to_owned(),
            name: "Pixel flipping".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Lower,
            range: [None, None],
            meaning: "How high the score of the class stays, on average, while the pixels that the map shows most \
                      are removed first."
                .to_owned(),
            caveat: "The number has the unit of the score, so only maps of the same picture and class can be \
                     compared."
                .to_owned(),
            reference: Reference {
                authors: "Bach, Binder, Montavon, Klauschen, Müller, Samek".to_owned(),
                year: 2015,
                title: "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance \
                        Propagation"
                    .to_owned(),
                venue: "PLOS ONE 10(7)".to_owned(),
            },
            needs: Vec::new(),
            parameters: REMOVAL.parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        REMOVAL.cost(question)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(REMOVAL.area(question, false))
    }
}
