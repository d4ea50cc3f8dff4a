//! The same explanation made again after something has changed: the input, the seed, the question, a parameter or the
//! model. What metrics of robustness and randomisation stand on.

use std::collections::BTreeMap;

use vitrine_explain::{Attribution, Context, Cost, ExplainError, Target, toolkit::Stage};
use vitrine_graph::{Graph, Value};

use crate::{EvaluateError, Method, Question, metric::Found, statistics::wide};

/// What is different the next time; the rest stays.
#[derive(Default)]
pub(crate) struct Change {
    /// Input without the batch axis.
    pub(crate) input: Option<Vec<f32>>,
    pub(crate) seed: Option<u64>,
    pub(crate) parameters: Option<BTreeMap<String, String>>,
    pub(crate) target: Option<Target>,
    pub(crate) graph: Option<Graph>,
}

/// Explanations by the method that made the map.
pub(crate) struct Again<'a> {
    question: &'a Question<'a>,
    method: Method<'a>,
    /// Forward passes of all of them.
    total: u64,
    done: Cost,
}

/// The method that made the map.
pub(crate) fn method<'a>(question: &Question<'a>, metric: &'static str) -> Result<Method<'a>, EvaluateError> {
    question.method.ok_or(EvaluateError::NoMethod(metric))
}

/// What one explanation with these parameters costs.
fn cost_of_one(question: &Question<'_>, metric: &'static str, change: &Change) -> Result<Cost, EvaluateError> {
    let method = method(question, metric)?;
    let parameters = change.parameters.as_ref().unwrap_or(method.parameters);
    let context = Context { parameters, seed: method.seed, ..question.context };
    method.explainer.cost(&context).map_err(EvaluateError::Explain)
}

/// What so many explanations cost.
pub(crate) fn cost(question: &Question<'_>, metric: &'static str, times: usize) -> Result<Cost, EvaluateError> {
    let one = cost_of_one(question, metric, &Change::default())?;
    let times = times as u64;
    Ok(Cost { forward_passes: times * one.forward_passes, backward_passes: times * one.backward_passes })
}

/// What explanations with these changes cost.
pub(crate) fn cost_of(
    question: &Question<'_>,
    metric: &'static str,
    changes: &[Change],
) -> Result<Cost, EvaluateError> {
    changes.iter().try_fold(Cost::default(), |sum, change| {
        let one = cost_of_one(question, metric, change)?;
        let forward_passes = sum.forward_passes + one.forward_passes;
        Ok(Cost { forward_passes, backward_passes: sum.backward_passes + one.backward_passes })
    })
}

/// That, and so many forward passes.
pub(crate) fn and_passes(cost: Cost, passes: u64) -> Cost {
    Cost { forward_passes: cost.forward_passes + passes, ..cost }
}

impl<'a> Again<'a> {
    /// Explanations that will cost this much.
    pub(crate) fn start(
        question: &'a Question<'a>,
        metric: &'static str,
        cost: Cost,
    ) -> Result<Again<'a>, EvaluateError> {
        let total = cost.forward_passes;
        question.context.observer.progress(0, total);
        Ok(Again { question, method: method(question, metric)?, total, done: Cost::default() })
    }

    /// Explains under a change.
    pub(crate) async fn explain(&mut self, change: &Change) -> Result<Attribution, EvaluateError> {
        let context = &self.question.context;
        let input = change.input.as_ref();
        let input = input.map(|values| Value::from_f32(values, context.input.shape(), &context.input.device()));
        let stage = Stage { observer: context.observer, before: self.done.forward_passes, all: self.total };
        let changed = Context {
            graph: change.graph.as_ref().unwrap_or(context.graph),
            input: input.as_ref().unwrap_or(context.input),
            target: change.target.as_ref().unwrap_or(context.target),
            parameters: change.parameters.as_ref().unwrap_or(self.method.parameters),
            seed: change.seed.unwrap_or(self.method.seed),
            observer: &stage,
            ..*context
        };
        let found = self.method.explainer.explain(&changed).await.map_err(EvaluateError::Explain)?;
        self.done.forward_passes += found.forward_passes;
        self.done.backward_passes += found.backward_passes;
        Ok(found)
    }

    /// Counts forward passes that were made elsewhere, and ends the run if that is wanted by now.
    pub(crate) async fn count(&mut self, passes: u64) -> Result<(), EvaluateError> {
        self.done.forward_passes += passes;
        let observer = self.question.context.observer;
        observer.progress(self.done.forward_passes, self.total);
        observer.breathe().await;
        if observer.cancelled() { Err(ExplainError::Cancelled.into()) } else { Ok(()) }
    }

    /// The numbers of the map that is scored, as they are compared with others.
    pub(crate) fn original(&self) -> Vec<f64> {
        wide(self.question.attribution.unwrap_or(&self.question.map.values))
    }

    /// The numbers of an explanation that go beside [`Again::original`].
    pub(crate) fn beside(&self, found: &Attribution) -> Vec<f64> {
        wide(if self.question.attribution.is_some() { &found.values } else { &found.map.values })
    }

    /// The score of this value.
    pub(crate) fn found(&self, value: Option<f64>) -> Found {
        let Cost { forward_passes, backward_passes } = self.done;
        Found { value, forward_passes, backward_passes, ..Found::default() }
    }
}
