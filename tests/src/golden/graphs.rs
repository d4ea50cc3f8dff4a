//! Outputs and gradients of exported networks against PyTorch, single operators against ONNX Runtime.

use burn::tensor::Device;
use serde::Deserialize;
use vitrine_graph::{Batching, Probe, Run, Value};

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
    model: String,
    inputs: Vec<NamedArray>,
    outputs: Vec<NamedArray>,
}

#[derive(Debug, Deserialize)]
struct NamedArray {
    name: String,
    shape: Vec<usize>,
    values: Vec<f32>,
}

async fn deviation(what: &str, found: &Value, shape: &[usize], expected: &[f32]) -> Result<(), String> {
    if found.shape() != shape {
        return Err(format!("{what} has shape {:?} instead of {shape:?}", found.shape()));
    }
    compare(what, &found.to_vec().await.map_err(words)?, expected, TOLERANCE)
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
    let names = (graph.inputs(), graph.outputs());
    let (Some((input_name, _)), Some(output_name)) = (names.0.first(), names.1.first()) else {
        return Err("has no input or output".to_owned());
    };
    let run = Run::of([*output_name])
        .feed(input_name, Value::from_f32(&input.values, &input.shape, device))
        .probe(input_name, Probe::Gradient)
        .probe(&case.inner_value, Probe::Gradient)
        .probe(&case.inner_value, Probe::Record);
    let trace = graph.run(&run).map_err(words)?;
    let output = trace.value(output_name).map_err(words)?;
    let mut targets = Vec::new();
    for (image, &target) in case.targets.iter().enumerate() {
        targets.push(output.narrow(0, image, 1).and_then(|row| row.narrow(1, target, 1)).map_err(words)?);
    }
    let gradients = trace.gradients(&Value::concat(&targets, 0).map_err(words)?).map_err(words)?;
    let inner = trace.value(&case.inner_value).map_err(words)?;
    let checks = [
        ("the output", output, &case.output),
        ("the inner value", inner, &case.inner_output),
        ("the inner gradient", &gradients[&case.inner_value], &case.inner_gradient),
        ("the input gradient", &gradients[*input_name], &case.input_gradient),
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
        run = run.feed(&input.name, Value::from_f32(&input.values, &input.shape, device));
    }
    let trace = graph.run(&run).map_err(words)?;
    for output in &case.outputs {
        let found = trace.value(&output.name).map_err(words)?;
        deviation(&output.name, found, &output.shape, &output.values).await?;
    }
    Ok(())
}
