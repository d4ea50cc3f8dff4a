//! Region perturbation (Samek et al. 2017): patches are replaced by noise, the most relevant first, and the fall of the
//! score is averaged over all steps, the first, at which nothing is removed, included (the area over the perturbation
//! curve, AOPC). Departure: the authors replace the first 100 patches of 9 x 9 pixels one by one; here all of them in the
//! steps given.

use vitrine_explain::{Cost, LocalBoxFuture};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Metric, Question,
    metric::Found,
    removal::{Defaults, Removal, most_first},
    statistics::mean,
};

const DEFAULTS: Defaults = &[("regions", "auto"), ("infill", "noise")];

const REMOVAL: Removal<'_> = Removal { defaults: DEFAULTS, without: &[], fill: None, plan: &most_first };

/// Region perturbation (AOPC).
pub struct RegionPerturbation;

impl Metric for RegionPerturbation {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "region-perturbation".to_owned(),
            name: "Region perturbation (AOPC)".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Higher,
            range: [None, None],
            meaning: "How far the score of the class falls, on average, while the patches that the map shows most \
                      are replaced by noise first."
                .to_owned(),
            caveat: "Noise is unlike anything that the model has learnt from, so a part of the fall may come from \
                     the noise itself."
                .to_owned(),
            reference: Reference {
                authors: "Samek, Binder, Montavon, Lapuschkin, Müller".to_owned(),
                year: 2017,
                title: "Evaluating the Visualization of What a Deep Neural Network Has Learned".to_owned(),
                venue: "IEEE TNNLS 28(11)".to_owned(),
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
