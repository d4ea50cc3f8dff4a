//! Outputs and gradients of exported networks against PyTorch, single operators against ONNX Runtime.

use std::collections::HashMap;

use burn::tensor::Device;
use serde::Deserialize;
use vitrine_graph::{Batching, Graph, GraphError, Probe, Run, Trace, Value};

use super::{Read, TOLERANCE, array, compare, load, words};

/// The index, as far as graphs need it.
#[derive(Debug, Deserialize)]
pub struct Index {
    /// Exported networks.
    pub networks: Vec<Network>,
}

/// A small network with its reference values.
#[derive(Debug, Deserialize)]
pub struct Network {
    /// Name of the case.
    pub name: String,
    model: String,
    input: String,
    output: String,
    targets: Vec<usize>,
    input_gradient: String,
    inner_value: String,
    inner_output: String,
    inner_gradient: String,
}

/// A model of one operator with its reference values.
#[derive(Debug, Deserialize)]
pub struct OperatorCase {
    /// Name of the case.
    pub name: String,
    /// The operator it is about.
    pub operator: String,
    pub(super) model: String,
    pub(super) inputs: Vec<NamedArray>,
    pub(super) outputs: Vec<NamedArray>,
}

#[derive(Debug, Deserialize)]
pub(super) struct NamedArray {
    pub(super) name: String,
    #[serde(default)]
    pub(super) kind: Kind,
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// What the elements of an array are.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    #[default]
    Float,
    Int,
    Bool,
}

impl NamedArray {
    pub(super) fn upload(&self, device: &Device) -> Value {
        match self.kind {
            Kind::Float => Value::from_f32(&self.values, &self.shape, device),
            Kind::Int => {
                let ints: Vec<i64> = self.values.iter().map(|&value| value as i64).collect();
                Value::from_i64(&ints, &self.shape, device)
            }
            Kind::Bool => {
                let bools: Vec<bool> = self.values.iter().map(|&value| value != 0.0).collect();
                Value::from_bool(&bools, &self.shape, device)
            }
        }
    }
}

async fn deviation(what: &str, found: &Value, shape: &[usize], expected: &[f32]) -> Result<(), String> {
    if found.shape() != shape {
        return Err(format!("{what} has shape {:?} instead of {shape:?}", found.shape()));
    }
    compare(what, &found.to_vec().await.map_err(words)?, expected, TOLERANCE)
}

/// Runs a graph of one input, records every output and `probed`, and gives the gradients of an objective, one number
/// per image, at `probed`.
pub(crate) fn explained(
    graph: &Graph,
    images: Value,
    probed: &[&str],
    objective: impl Fn(&Trace) -> Result<Value, GraphError>,
) -> Result<(Trace, HashMap<String, Value>), GraphError> {
    let inputs = graph.inputs();
    let (input, _) = inputs.first().ok_or_else(|| GraphError::MissingInput("any".to_owned()))?;
    let run = probed.iter().fold(Run::of(graph.outputs()).feed(input, images), |run, name| {
        run.probe(name, Probe::Gradient).probe(name, Probe::Record)
    });
    let trace = graph.run(&run)?;
    let gradients = trace.gradients(&objective(&trace)?)?;
    Ok((trace, gradients))
}

/// Compares a network's outputs, an inner value and the gradients at both with PyTorch's, for two images in one batch.
///
/// # Errors
/// Names what differs, where and by how much.
pub async fn network(case: &Network, device: &Device, read: Read<'_>) -> Result<(), String> {
    let graph = load(&read(&case.model), device)?;
    let batching = graph.settle_batching().await.map_err(words)?;
    if batching != Batching::Any {
        return Err(format!("does not run in batches: {batching:?}"));
    }
    let input = array(read, &case.input)?;
    let (Some((input_name, _)), Some(output_name)) =
        (graph.inputs().into_iter().next(), graph.outputs().first().copied())
    else {
        return Err("has no input or output".to_owned());
    };
    let targets = |trace: &Trace| {
        let output = trace.value(output_name)?;
        let target = |(image, &class): (usize, &usize)| output.narrow(0, image, 1)?.narrow(1, class, 1);
        Value::concat(&case.targets.iter().enumerate().map(target).collect::<Result<Vec<_>, _>>()?, 0)
    };
    let images = Value::from_f32(&input.values, &input.shape, device);
    let (trace, gradients) = explained(&graph, images, &[input_name, &case.inner_value], targets).map_err(words)?;
    let output = trace.value(output_name).map_err(words)?;
    let inner = trace.value(&case.inner_value).map_err(words)?;
    let checks = [
        ("the output", output, &case.output),
        ("the inner value", inner, &case.inner_output),
        ("the inner gradient", &gradients[&case.inner_value], &case.inner_gradient),
        ("the input gradient", &gradients[input_name], &case.input_gradient),
    ];
    for (what, found, path) in checks {
        let expected = array(read, path)?;
        deviation(what, found, &expected.shape, &expected.values).await?;
    }
    Ok(())
}

/// Compares a model of one operator with ONNX Runtime.
///
/// # Errors
/// Names what differs, where and by how much.
pub async fn operator(case: &OperatorCase, device: &Device, read: Read<'_>) -> Result<(), String> {
    let graph = load(&read(&case.model), device)?;
    let mut run = Run::of(case.outputs.iter().map(|output| output.name.as_str()));
    for input in &case.inputs {
        run = run.feed(&input.name, input.upload(device));
    }
    let trace = graph.run(&run).map_err(words)?;
    for output in &case.outputs {
        let found = trace.value(&output.name).map_err(words)?;
        deviation(&output.name, found, &output.shape, &output.values).await?;
    }
    Ok(())
}
