//! Integrated gradients and Grad-CAM against Captum, RISE against its definition written in NumPy.

use std::collections::BTreeMap;

use burn::tensor::Device;
use serde::Deserialize;
use vitrine_explain::{
    Attribution, Context, Head, Target, Unobserved, find,
    path::ExpectedGradients,
    sampling::{Hsic, KernelShap, Lime, Rise, Sobol},
};
use vitrine_graph::{Graph, Value};
use vitrine_protocol::{Channels, ImageInput, Layout};

use super::{Read, TOLERANCE, array, compare, load, words};

/// The index, as far as explanations need it.
#[derive(Debug, Deserialize)]
pub struct Index {
    /// Explanations that Captum made.
    pub captum: Vec<CaptumCase>,
    /// Explanations by masks that are given.
    pub rise: Vec<RiseCase>,
}

/// What is explained.
#[derive(Debug, Deserialize)]
pub struct Subject {
    /// Name of the case.
    pub name: String,
    model: String,
    input: String,
    image: usize,
    target: usize,
}

/// An explanation that Captum made.
#[derive(Debug, Deserialize)]
pub struct CaptumCase {
    /// What it explains.
    #[serde(flatten)]
    pub subject: Subject,
    #[serde(flatten)]
    expected: Captum,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case")]
enum Captum {
    IntegratedGradients(IntegratedGradients),
    GradCam(GradCam),
}

/// Captum's integrated gradients.
#[derive(Debug, Deserialize)]
pub(super) struct IntegratedGradients {
    pub(super) rule: String,
    pub(super) steps: usize,
    baseline: Option<String>,
    weight_sum: f32,
    prediction: f32,
    baseline_prediction: f32,
    completeness_gap: f32,
    attribution: String,
}

/// Captum's Grad-CAM.
#[derive(Debug, Deserialize)]
pub(super) struct GradCam {
    pub(super) layer: String,
    without_relu: String,
    with_relu: String,
    enlarged: String,
}

/// The three estimates of RISE from the same masks.
#[derive(Debug, Deserialize)]
pub struct RiseCase {
    /// What it explains.
    #[serde(flatten)]
    pub subject: Subject,
    scalar: String,
    keep: f64,
    masks: String,
    unbiased: String,
    per_pixel: String,
    mean: String,
}

/// A map that another library made.
#[derive(Debug, Deserialize)]
pub struct Reference {
    /// What it explains.
    #[serde(flatten)]
    pub subject: Subject,
    method: String,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    #[serde(default)]
    layers: Vec<String>,
    range: Option<[f32; 2]>,
    /// Files of references for methods that draw from several, and what was drawn: a reference and a position.
    #[serde(default)]
    references: Vec<String>,
    #[serde(default)]
    draws: Vec<(usize, f32)>,
    coalitions: Option<String>,
    expected: String,
    map: Option<String>,
    tolerance: Option<f32>,
}

/// The same numbers divided by the same scores in another order: closer than gradients are.
const RISE_TOLERANCE: f32 = 1e-5;

/// The completeness gap is a small difference of the predictions, so its rounding error goes with theirs.
const GAP_TOLERANCE: f32 = 1e-5;

/// A model on a device with one image.
struct Prepared {
    graph: Graph,
    input_name: String,
    input: Value,
    target: Target,
}

impl Prepared {
    async fn new(subject: &Subject, scalar: &str, device: &Device, read: Read<'_>) -> Result<Prepared, String> {
        let graph = load(&read(&subject.model), device)?;
        graph.settle_batching().await.map_err(words)?;
        let images = array(read, &subject.input)?;
        let length: usize = images.shape[1..].iter().product();
        let image = &images.values[subject.image * length..][..length];
        let input = Value::from_f32(image, &[&[1][..], &images.shape[1..]].concat(), device);
        let input_name = graph.inputs().first().ok_or("has no input")?.0.to_owned();
        let head = Head::of(&graph).map_err(words)?;
        let scores = head.scores(&graph, &input_name, &input).await.map_err(words)?;
        let prefix = if scalar == "probability" { "prob:" } else { "" };
        let target = Target::parse(&format!("{prefix}{}", subject.target), &head, &[], &scores).map_err(words)?;
        Ok(Prepared { graph, input_name, input, target })
    }

    fn context<'a>(
        &'a self,
        parameters: &'a BTreeMap<String, String>,
        layers: &'a [&'a str],
        infill_files: &'a BTreeMap<String, Vec<f32>>,
    ) -> Context<'a> {
        Context {
            graph: &self.graph,
            input_name: &self.input_name,
            input: &self.input,
            pixels: None,
            target: &self.target,
            layers,
            tokens: None,
            parameters,
            seed: 0,
            batch: 8,
            infill_files,
            observer: &Unobserved,
        }
    }

    async fn explain(
        &self,
        method: &str,
        parameters: &[(&str, &str)],
        layer: Option<&str>,
        read: Read<'_>,
    ) -> Result<Attribution, String> {
        let parameters = owned(parameters);
        let mut files = BTreeMap::new();
        if let Some(path) = parameters.get("baseline").filter(|path| path.ends_with(".npy")) {
            files.insert(path.clone(), array(read, path)?.values);
        }
        let layers = Vec::from_iter(layer);
        let context = self.context(&parameters, &layers, &files);
        find(method).map_err(words)?.explain(&context).await.map_err(words)
    }
}

pub(super) fn owned(parameters: &[(&str, &str)]) -> BTreeMap<String, String> {
    parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Makes an explanation and compares it with Captum's.
///
/// # Errors
/// Names what differs, where and by how much.
pub async fn captum(case: &CaptumCase, device: &Device, read: Read<'_>) -> Result<(), String> {
    let prepared = Prepared::new(&case.subject, "logit", device, read).await?;
    match &case.expected {
        Captum::IntegratedGradients(expected) => {
            let (steps, baseline) = (expected.steps.to_string(), expected.baseline.as_deref().unwrap_or("zero"));
            let parameters = [("rule", expected.rule.as_str()), ("steps", &steps), ("baseline", baseline)];
            expected.check(&prepared.explain("integrated-gradients", &parameters, None, read).await?, read)
        }
        Captum::GradCam(expected) => {
            let layer = Some(expected.layer.as_str());
            let signed = prepared.explain("grad-cam", &[("relu", "false")], layer, read).await?;
            let positive = prepared.explain("grad-cam", &[("relu", "true")], layer, read).await?;
            expected.check(&signed, &positive, read)
        }
    }
}

impl IntegratedGradients {
    /// Compares the map, the predictions at both ends, and the gap where the rule is Captum's.
    pub(super) fn check(&self, found: &Attribution, read: Read<'_>) -> Result<(), String> {
        // The weights of Captum's trapezoid do not sum to one; ours do.
        let captums: Vec<f32> = array(read, &self.attribution)?.values;
        let expected: Vec<f32> = captums.iter().map(|value| value / self.weight_sum).collect();
        compare("the attribution", &found.values, &expected, TOLERANCE)?;
        compare("the prediction", &[found.prediction], &[self.prediction], TOLERANCE)?;
        let baseline_prediction = found.baseline_prediction.ok_or("there is no prediction at the baseline")?;
        compare("the prediction at the baseline", &[baseline_prediction], &[self.baseline_prediction], TOLERANCE)?;
        let gap = found.completeness_gap.ok_or("there is no completeness gap")?;
        let allowed = GAP_TOLERANCE * self.prediction.abs().max(self.baseline_prediction.abs()).max(1.0);
        if (self.weight_sum - 1.0).abs() < 1e-6 && (gap - self.completeness_gap).abs() > allowed {
            return Err(format!("the completeness gap is {gap}, not {}", self.completeness_gap));
        }
        Ok(())
    }
}

impl GradCam {
    /// Compares the maps without and with ReLU, and the second one at the input's size.
    pub(super) fn check(&self, signed: &Attribution, positive: &Attribution, read: Read<'_>) -> Result<(), String> {
        let expected = |path: &str| Ok::<_, String>(array(read, path)?.values);
        compare("the map without ReLU", &signed.values, &expected(&self.without_relu)?, TOLERANCE)?;
        compare("the map", &positive.values, &expected(&self.with_relu)?, TOLERANCE)?;
        compare("the enlarged map", &positive.map.values, &expected(&self.enlarged)?, TOLERANCE)
    }
}

/// Makes an explanation and compares it with the other library's.
///
/// # Errors
/// Names what differs, where and by how much.
pub async fn reference(case: &Reference, device: &Device, read: Read<'_>) -> Result<(), String> {
    let prepared = Prepared::new(&case.subject, "logit", device, read).await?;
    let shape = prepared.input.shape().to_vec();
    let pixels = case
        .range
        .map(|range| ImageInput { range, ..ImageInput::plain(Layout::Nchw, Channels::Rgb, shape[3], shape[2]) });
    let mut files = BTreeMap::new();
    for path in case.parameters.values().filter(|value| value.ends_with(".npy")) {
        files.insert(path.clone(), array(read, path)?.values);
    }
    let layers: Vec<&str> = case.layers.iter().map(String::as_str).collect();
    let context = Context { pixels: pixels.as_ref(), ..prepared.context(&case.parameters, &layers, &files) };
    let found = if let Some(path) = &case.coalitions {
        let coalitions = array(read, path)?.values;
        match case.method.as_str() {
            "kernel-shap" => KernelShap::explain_with_coalitions(&context, &coalitions).await,
            "lime" => Lime::explain_with_coalitions(&context, &coalitions).await,
            "rise" => Rise::explain_with_masks(&context, &coalitions).await,
            "sobol" => Sobol::explain_with_designs(&context, &coalitions).await,
            "hsic" => Hsic::explain_with_masks(&context, &coalitions).await,
            method => return Err(format!("{method} takes no coalitions")),
        }
    } else if case.draws.is_empty() {
        find(&case.method).map_err(words)?.explain(&context).await
    } else {
        let arrays: Vec<_> = case.references.iter().map(|path| array(read, path)).collect::<Result<_, _>>()?;
        let references: Vec<&[f32]> = arrays.iter().map(|array| array.values.as_slice()).collect();
        ExpectedGradients::explain_with_draws(&context, &references, &case.draws).await
    };
    let found = found.map_err(words)?;
    let tolerance = case.tolerance.unwrap_or(TOLERANCE);
    compare("the attribution", &found.values, &array(read, &case.expected)?.values, tolerance)?;
    match &case.map {
        Some(map) => compare("the map", &found.map.values, &array(read, map)?.values, tolerance),
        None => Ok(()),
    }
}

/// Runs RISE with the masks of the case, in its three normalisations.
///
/// # Errors
/// Names what differs, where and by how much.
pub async fn rise(case: &RiseCase, device: &Device, read: Read<'_>) -> Result<(), String> {
    let prepared = Prepared::new(&case.subject, &case.scalar, device, read).await?;
    let masks = array(read, &case.masks)?;
    for (normalisation, expected) in
        [("unbiased", &case.unbiased), ("per-pixel", &case.per_pixel), ("mean", &case.mean)]
    {
        let keep = case.keep.to_string();
        let parameters = owned(&[("normalisation", normalisation), ("keep", &keep), ("infill", "zero")]);
        let files = BTreeMap::new();
        let context = prepared.context(&parameters, &[], &files);
        let found = Rise::explain_with_masks(&context, &masks.values).await.map_err(words)?;
        compare(normalisation, &found.values, &array(read, expected)?.values, RISE_TOLERANCE)?;
    }
    Ok(())
}
