//! IROF, the iterative removal of features (Rieger and Hansen 2020): superpixels are replaced by the mean colour, those
//! of the largest mean relevance first. The number is the area over the curve of the probability, taken as a part of that
//! of the whole picture.

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Metric, Question,
    metric::Found,
    removal::{Defaults, Removal, most_first},
    statistics::area,
};

const DEFAULTS: Defaults = &[("regions", "slic:100"), ("infill", "mean"), ("scale", "probability"), ("steps", "100")];

const REMOVAL: Removal<'_> = Removal { defaults: DEFAULTS, without: &[], fill: None, plan: &most_first };

/// Iterative removal of features.
pub struct Irof;

impl Metric for Irof {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "irof".to_owned(),
            name: "IROF".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Higher,
            range: [None, None],
            meaning: "How much of the answer is lost, on average, while the superpixels that the map shows most \
                      are removed first."
                .to_owned(),
            caveat: "It depends on how the picture is cut into superpixels, and on what takes their place.".to_owned(),
            reference: Reference {
                authors: "Rieger, Hansen".to_owned(),
                year: 2020,
                title: "IROF: a low resource evaluation metric for explanation methods".to_owned(),
                venue: "ICLR workshop AI for Affordable Healthcare".to_owned(),
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
            let whole = removed.whole;
            let curve = removed.curve("", 0..removed.parts.len(), false, "part of the target", &|score| score / whole);
            let value = (whole != 0.0).then(|| 1.0 - area(&curve.xs, &curve.ys));
            Ok(removed.found(value, vec![curve]))
        })
    }
}
