//! Scores against Captum, Quantus, Xplique's arithmetic, SciPy and scikit-image.

use std::collections::BTreeMap;

use burn::tensor::Device;
use serde::Deserialize;
use vitrine_evaluate::{Method, Question, evaluate, find};
use vitrine_explain::{Context, Head, HeatMap, Target, Unobserved};
use vitrine_graph::Value;

use super::{Read, array, load, relative_error, words};

/// Largest difference from the reference, over the reference.
const TOLERANCE: f32 = 1e-4;

/// Fallen scores are differences of logits near each other, whose rounding goes with the logits: squares of what is left
/// after that are known less well.
const INFIDELITY_TOLERANCE: f32 = 2e-3;

/// A score that another library found.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// Name of the case.
    pub name: String,
    model: String,
    input: String,
    image: usize,
    target: usize,
    seed: u64,
    attribution: String,
    map: String,
    other: String,
    mask: String,
    metric: String,
    parameters: BTreeMap<String, String>,
    value: Option<f64>,
    /// Values along the first curve.
    curve: Option<Vec<f32>>,
}

/// Scores the case's map and compares.
///
/// # Errors
/// In words, what differs.
pub async fn score(case: &Case, device: &Device, read: Read<'_>) -> Result<(), String> {
    let graph = load(&read(&case.model), device)?;
    graph.settle_batching().await.map_err(words)?;
    let images = array(read, &case.input)?;
    let length: usize = images.shape[1..].iter().product();
    let image = &images.values[case.image * length..][..length];
    let input = Value::from_f32(image, &[&[1][..], &images.shape[1..]].concat(), device);
    let input_name = graph.inputs().first().ok_or("has no input")?.0.to_owned();
    let head = Head::of(&graph).map_err(words)?;
    let target = Target::logit(&head, case.target).map_err(words)?;
    let map = |path: &str| -> Result<HeatMap, String> {
        let found = array(read, path)?;
        let [height, width] = found.shape[..] else { return Err(format!("{path} is no map")) };
        Ok(HeatMap { height, width, values: found.values })
    };
    let none = BTreeMap::new();
    let context = Context {
        graph: &graph,
        input_name: &input_name,
        input: &input,
        pixels: None,
        target: &target,
        layers: &[],
        tokens: None,
        parameters: &case.parameters,
        seed: case.seed,
        batch: 16,
        infill_files: &BTreeMap::new(),
        observer: &Unobserved,
    };
    let (attribution, scored, mask) = (array(read, &case.attribution)?.values, map(&case.map)?, map(&case.mask)?);
    let explainer = vitrine_explain::find("input-x-gradient").map_err(words)?;
    let question = Question {
        context,
        map: &scored,
        attribution: Some(&attribution),
        method: Some(Method { explainer, parameters: &none, seed: 0 }),
        mask: Some(&mask),
        others: &[("other".to_owned(), map(&case.other)?)],
    };
    let metric = find(&case.metric).map_err(words)?;
    let found = evaluate(metric, &question).await.map_err(words)?;
    if let Some(expected) = case.value {
        let tolerance = if case.metric == "infidelity" { INFIDELITY_TOLERANCE } else { TOLERANCE };
        let value = found.value.ok_or("has no value")?;
        let error = ((value - expected) / expected).abs();
        if error > f64::from(tolerance) {
            return Err(format!("is {value} instead of {expected}, off by {error:e}"));
        }
    }
    if let Some(expected) = &case.curve {
        let curve = found.curves.first().ok_or("has no curve")?;
        // The input as it is comes first here, and not there.
        let values: Vec<f32> = curve.ys.iter().skip(1).map(|value| *value as f32).collect();
        if values.len() != expected.len() {
            return Err(format!("has {} steps instead of {}", values.len(), expected.len()));
        }
        let (error, at) = relative_error(&values, expected);
        if error > TOLERANCE {
            return Err(format!("is off by {error:e} at step {at}"));
        }
    }
    Ok(())
}
