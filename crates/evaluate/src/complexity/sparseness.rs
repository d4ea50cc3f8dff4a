//! Sparseness (Chalasani et al. 2020): the coefficient of Gini of the map's absolute values.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::no_options};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Metric, Question,
    metric::{FREE, Found, of_map},
    statistics::{gini, wide},
};

/// Sparseness.
pub struct Sparseness;

impl Metric for Sparseness {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "sparseness".to_owned(),
            name: "Sparseness (Gini)".to_owned(),
            group: MetricGroup::Complexity,
            better: Better::Higher,
            range: [Some(0.0), Some(1.0)],
            meaning: "How much the map gathers on few pixels: zero where all count alike, near one where a single \
                      one has it all."
                .to_owned(),
            caveat: "A map is easier to read when it is sparse, and no truer.".to_owned(),
            reference: Reference {
                authors: "Chalasani, Chen, Chowdhury, Jha, Wu".to_owned(),
                year: 2020,
                title: "Concise Explanations of Neural Networks using Adversarial Training".to_owned(),
                venue: "ICML".to_owned(),
            },
            needs: Vec::new(),
            parameters: Vec::new(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        no_options(question.context.parameters)?;
        Ok(FREE)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let parameters = no_options(question.context.parameters)?;
            Ok(of_map(gini(&wide(&question.map.values)), parameters))
        })
    }
}
