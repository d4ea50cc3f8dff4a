//! Effective complexity (Nguyen and Martinez 2020): how many pixels of the map are more than a threshold away from zero,
//! as Quantus counts them. Departure: the threshold is a part of the largest absolute value, so that the map's unit does
//! not count.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::number};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Metric, Question,
    metric::{FREE, Found, of_map},
};

vitrine_explain::options! {
    /// Options of effective complexity.
    pub struct EffectiveComplexityOptions {
        /// What counts as more than nothing, as a part of the largest absolute value of the map.
        threshold: f64 [number(0.0, 1.0)] = 0.01,
    }
}

/// Effective complexity.
pub struct EffectiveComplexity;

impl Metric for EffectiveComplexity {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "effective-complexity".to_owned(),
            name: "Effective complexity".to_owned(),
            group: MetricGroup::Complexity,
            better: Better::Lower,
            range: [Some(0.0), None],
            meaning: "How many pixels the map marks at all.".to_owned(),
            caveat: "A map is easier to read when it marks few pixels, and no truer.".to_owned(),
            reference: Reference {
                authors: "Nguyen, Martinez".to_owned(),
                year: 2020,
                title: "On quantitative aspects of model interpretability".to_owned(),
                venue: "arXiv 2007.07584".to_owned(),
            },
            needs: Vec::new(),
            parameters: EffectiveComplexityOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        EffectiveComplexityOptions::parse(question.context.parameters)?;
        Ok(FREE)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let options = EffectiveComplexityOptions::parse(question.context.parameters)?;
            let values = &question.map.values;
            let most = values.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            let threshold = most * options.threshold as f32;
            let count = values.iter().filter(|value| value.abs() > threshold).count();
            Ok(of_map(Some(count as f64), options.values()))
        })
    }
}
