//! Everything one explanation is about.

use std::collections::BTreeMap;

use vitrine_graph::{Graph, GraphError, Probe, Run, Value};
use vitrine_protocol::{ImageInput, Tokens};

use crate::{ExplainError, Observer, Target};

/// A model, an input, a question, and how to answer it.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The model.
    pub graph: &'a Graph,
    /// Name of the graph input that is explained.
    pub input_name: &'a str,
    /// The input tensor, shape `[1, ...]`, on the graph's device.
    pub input: &'a Value,
    /// How pixels become the input tensor, for infills named by colour and for the order of the axes. Nothing where the
    /// input is not an image, or where nobody knows how it was made.
    pub pixels: Option<&'a ImageInput>,
    /// The scalar to explain.
    pub target: &'a Target,
    /// The layers to look at, by their value names; layer methods take that of [`default_layer`](crate::default_layer)
    /// without any.
    pub layers: &'a [&'a str],
    /// How the tokens of a vision transformer lie over the picture; found from the graph without it.
    pub tokens: Option<Tokens>,
    /// The method's parameters as typed; those left out take their defaults.
    pub parameters: &'a BTreeMap<String, String>,
    /// The seed of all randomness.
    pub seed: u64,
    /// Most images in one batch; at least 1. The result does not depend on it.
    pub batch: usize,
    /// Contents of the infills given as files, by the path as typed: ready-made tensors of the input's shape.
    /// [`infill_paths`](crate::infill_paths) says which are needed.
    pub infill_files: &'a BTreeMap<String, Vec<f32>>,
    /// Who watches.
    pub observer: &'a dyn Observer,
}

impl Context<'_> {
    /// The input's shape without the batch axis.
    pub fn shape(&self) -> &[usize] {
        self.input.shape().get(1..).unwrap_or_default()
    }

    /// The target's value for each sample of a batch of inputs; shape `[batch]`.
    ///
    /// # Errors
    /// What running the model refuses.
    pub fn predict(&self, inputs: Value) -> Result<Value, ExplainError> {
        let logits = self.target.head().logits();
        let trace = self.graph.run(&Run::of([logits]).feed(self.input_name, inputs))?;
        self.target.objective(trace.value(logits)?)
    }

    /// The target's value `[batch]` and its gradient at each sample of a batch of inputs; no gradient where the target
    /// does not depend on the input at all.
    pub(crate) fn gradient(&self, inputs: Value) -> Result<(Value, Option<Value>), ExplainError> {
        let logits = self.target.head().logits();
        let run = Run::of([logits]).feed(self.input_name, inputs).probe(self.input_name, Probe::Gradient);
        let trace = self.graph.run(&run)?;
        let objective = self.target.objective(trace.value(logits)?)?;
        match trace.gradients(&objective) {
            Ok(mut gradients) => Ok((objective, gradients.remove(self.input_name))),
            Err(GraphError::NoGradient(_)) => Ok((objective, None)),
            Err(error) => Err(error.into()),
        }
    }

    /// The target for given logits `[1, classes]` of a graph, and its gradient there, zero where it has none.
    pub(crate) fn gradient_at_logits(&self, graph: &Graph, scores: &Value) -> Result<(Value, Value), ExplainError> {
        let logits = self.target.head().logits();
        let trace = graph.run(&Run::of([logits]).feed(logits, scores.clone()).probe(logits, Probe::Gradient))?;
        let objective = self.target.objective(trace.value(logits)?)?;
        let gradient = match trace.gradients(&objective)?.remove(logits) {
            Some(gradient) => gradient,
            None => scores.map(|scores| scores.zeros_like())?,
        };
        Ok((objective, gradient))
    }

    /// Number of images per batch when `count` are to be run.
    pub fn batch_for(&self, count: usize) -> usize {
        self.batch.clamp(1, count.max(1))
    }

    /// The input's shape in a batch of so many.
    pub fn repeated(&self, count: usize) -> Vec<usize> {
        [&[count], self.shape()].concat()
    }

    /// The shape of numbers that go one to each sample: `[count, 1, 1 ...]`.
    pub(crate) fn per_sample(&self, count: usize) -> Vec<usize> {
        let mut shape = vec![1; self.input.shape().len()];
        if let Some(first) = shape.first_mut() {
            *first = count;
        }
        shape
    }
}
