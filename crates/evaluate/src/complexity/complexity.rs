//! Complexity (Bhatt, Weller, Moura 2020): the entropy, in nats, of the map's absolute values taken as parts of their
//! sum.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::no_options};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, Reference};

use crate::{
    EvaluateError, Metric, Question,
    metric::{FREE, Found, of_map},
    statistics::{entropy, wide},
};

/// Complexity (entropy).
pub struct Complexity;

impl Metric for Complexity {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "complexity".to_owned(),
            name: "Complexity (entropy)".to_owned(),
            group: MetricGroup::Complexity,
            better: Better::Lower,
            range: [Some(0.0), None],
            meaning: "How widely the map is strewn over the pixels: zero where a single one has it all, and the \
                      larger the more count alike."
                .to_owned(),
            caveat: "A map is easier to read when it is less complex, and no truer.".to_owned(),
            reference: Reference {
                authors: "Bhatt, Weller, Moura".to_owned(),
                year: 2020,
                title: "Evaluating and Aggregating Feature-based Model Explanations".to_owned(),
                venue: "IJCAI".to_owned(),
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
            Ok(of_map(entropy(&wide(&question.map.values)), parameters))
        })
    }
}
