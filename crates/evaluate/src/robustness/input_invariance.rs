//! Input invariance (Kindermans et al. 2019): a constant is added to the input, and the model takes it away again before
//! it looks, so that it answers as before. The number is the distance of the new attributions from the original over the
//! original's length. Departure: the authors put the constant into the first layer's bias, here it is a subtraction of
//! its own.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::number};
use vitrine_graph::Value;
use vitrine_protocol::{Better, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question,
    again::{self, Again, Change},
    metric::Found,
    statistics::norm,
};

vitrine_explain::options! {
    /// Options of input invariance.
    pub struct InvarianceOptions {
        /// What is added to every number of the input, in the units of what the model sees.
        shift: f64 [number(-100.0, 100.0)] = 1.0,
    }
}

const ID: &str = "input-invariance";

/// Input invariance.
pub struct InputInvariance;

impl Metric for InputInvariance {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "input-invariance".to_owned(),
            name: "Input invariance".to_owned(),
            group: MetricGroup::Robustness,
            better: Better::Lower,
            range: [Some(0.0), None],
            meaning: "How far the map changes, as a part of itself, when the picture is moved by a constant that \
                      the model takes away again."
                .to_owned(),
            caveat: "Methods that compare with a fixed picture, such as black, answer another question after the \
                     shift."
                .to_owned(),
            reference: Reference {
                authors: "Kindermans, Hooker, Adebayo, Alber, Schütt, Dähne, Erhan, Kim".to_owned(),
                year: 2019,
                title: "The (Un)reliability of Saliency Methods".to_owned(),
                venue: "Explainable AI, Springer".to_owned(),
            },
            needs: vec![MetricNeed::Method],
            parameters: InvarianceOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        InvarianceOptions::parse(question.context.parameters)?;
        again::cost(question, ID, 1)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let options = InvarianceOptions::parse(question.context.parameters)?;
            let mut again = Again::start(question, ID, again::cost(question, ID, 1)?)?;
            let (context, shift) = (&question.context, options.shift as f32);
            let offset = Value::full(shift, &vec![1; context.input.shape().len()], &context.input.device());
            let graph = context.graph.with_offset(context.input_name, offset)?;
            let input = context.input.to_vec().await?.into_iter().map(|value| value + shift).collect();
            let found = again.explain(&Change { graph: Some(graph), input: Some(input), ..Change::default() }).await?;
            let original = again.original();
            let differences: Vec<f64> = again.beside(&found).iter().zip(&original).map(|(a, b)| a - b).collect();
            let length = norm(&original);
            let value = norm(&differences) / if length > 0.0 { length } else { 1.0 };
            Ok(Found { parameters: options.values(), ..again.found(Some(value)) })
        })
    }
}
