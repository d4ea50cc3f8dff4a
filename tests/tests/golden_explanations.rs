//! Integrated gradients and Grad-CAM against Captum, RISE against its definition written in NumPy: `golden/README.md`.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::{collections::BTreeMap, fs, path::PathBuf, sync::OnceLock};

use burn::tensor::Device;
use serde::Deserialize;
use vitrine_explain::{Attribution, Context, Head, Target, Unobserved, find, sampling::Rise};
use vitrine_graph::{Graph, InputShapes, Value};
use vitrine_image::{Array, read_npy};
use vitrine_onnx::Model;

#[derive(Deserialize)]
struct Index {
    captum: Vec<CaptumCase>,
    rise: Vec<RiseCase>,
}

#[derive(Deserialize)]
struct Subject {
    name: String,
    model: String,
    input: String,
    image: usize,
    target: usize,
}

#[derive(Deserialize)]
struct CaptumCase {
    #[serde(flatten)]
    subject: Subject,
    #[serde(flatten)]
    expected: Captum,
}

#[derive(Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case")]
enum Captum {
    IntegratedGradients {
        rule: String,
        steps: usize,
        baseline: Option<String>,
        weight_sum: f32,
        prediction: f32,
        baseline_prediction: f32,
        completeness_gap: f32,
        attribution: String,
    },
    GradCam {
        layer: String,
        without_relu: String,
        with_relu: String,
        enlarged: String,
    },
}

#[derive(Deserialize)]
struct RiseCase {
    #[serde(flatten)]
    subject: Subject,
    scalar: String,
    keep: f64,
    masks: String,
    unbiased: String,
    per_pixel: String,
    mean: String,
}

fn data(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/data").join(path)
}

fn index() -> Index {
    serde_json::from_str(&fs::read_to_string(data("cases.json")).unwrap()).unwrap()
}

fn array(path: &str) -> Array {
    read_npy(&fs::read(data(path)).unwrap()).unwrap()
}

/// A model on a device with one image.
struct Prepared {
    graph: Graph,
    input_name: String,
    input: Value,
    target: Target,
}

impl Prepared {
    fn new(subject: &Subject, scalar: &str, device: &Device) -> Prepared {
        let model = Model::decode(&fs::read(data(&subject.model)).unwrap()).unwrap();
        let graph = Graph::new(model, device, &InputShapes::new()).unwrap();
        pollster::block_on(graph.settle_batching()).unwrap();
        let images = array(&subject.input);
        let length: usize = images.shape[1..].iter().product();
        let image = &images.values[subject.image * length..][..length];
        let input = Value::from_f32(image, &[&[1][..], &images.shape[1..]].concat(), device);
        let input_name = graph.inputs()[0].0.to_owned();
        let head = Head::of(&graph).unwrap();
        let scores = pollster::block_on(head.scores(&graph, &input_name, &input)).unwrap();
        let prefix = if scalar == "probability" { "prob:" } else { "" };
        let target = Target::parse(&format!("{prefix}{}", subject.target), &head, &[], &scores).unwrap();
        Prepared { graph, input_name, input, target }
    }

    fn context<'a>(
        &'a self,
        parameters: &'a BTreeMap<String, String>,
        layer: Option<&'a str>,
        infill_files: &'a BTreeMap<String, Vec<f32>>,
    ) -> Context<'a> {
        Context {
            graph: &self.graph,
            input_name: &self.input_name,
            input: &self.input,
            pixels: None,
            target: &self.target,
            layer,
            parameters,
            seed: 0,
            batch: 8,
            infill_files,
            observer: &Unobserved,
        }
    }

    fn explain(&self, method: &str, parameters: &[(&str, &str)], layer: Option<&str>) -> Attribution {
        let parameters: BTreeMap<String, String> =
            parameters.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let mut files = BTreeMap::new();
        if let Some(path) = parameters.get("baseline").filter(|path| path.ends_with(".npy")) {
            files.insert(path.clone(), array(path).values);
        }
        let context = self.context(&parameters, layer, &files);
        pollster::block_on(find(method).unwrap().explain(&context)).unwrap()
    }
}

/// Largest difference relative to the largest expected value.
fn relative_error(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len(), "the number of values differs");
    let largest = expected.iter().fold(1e-12_f32, |largest, value| largest.max(value.abs()));
    found.iter().zip(expected).fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs())) / largest
}

fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    let error = relative_error(found, expected);
    assert!(error <= tolerance, "{what}: relative error {error:.2e}");
}

fn integrated_gradients_and_grad_cam_agree_with_captum(device: &Device) {
    let cases = index().captum;
    assert!(cases.len() >= 10, "only {} cases", cases.len());
    for case in cases {
        let name = &case.subject.name;
        let prepared = Prepared::new(&case.subject, "logit", device);
        match &case.expected {
            Captum::IntegratedGradients { rule, steps, baseline, weight_sum, attribution, .. } => {
                let (steps, baseline) = (steps.to_string(), baseline.as_deref().unwrap_or("zero"));
                let parameters = [("rule", rule.as_str()), ("steps", &steps), ("baseline", baseline)];
                let found = prepared.explain("integrated-gradients", &parameters, None);
                // The weights of Captum's trapezoid do not sum to one; ours do.
                let expected: Vec<f32> = array(attribution).values.iter().map(|value| value / weight_sum).collect();
                assert_close(name, &found.values, &expected, 1e-4);
                assert_same_ends(name, &found, &case.expected);
            }
            Captum::GradCam { layer, without_relu, with_relu, enlarged } => {
                let of = |relu: &str| prepared.explain("grad-cam", &[("relu", relu)], Some(layer));
                let (signed, positive) = (of("false"), of("true"));
                assert_close(name, &signed.values, &array(without_relu).values, 1e-4);
                assert_close(name, &positive.values, &array(with_relu).values, 1e-4);
                assert_close(name, &positive.map.values, &array(enlarged).values, 1e-4);
            }
        }
    }
}

/// Predictions at both ends, and the gap where the rule is Captum's.
fn assert_same_ends(name: &str, found: &Attribution, expected: &Captum) {
    let Captum::IntegratedGradients { weight_sum, prediction, baseline_prediction, completeness_gap, .. } = expected
    else {
        return;
    };
    assert_close(name, &[found.prediction], &[*prediction], 1e-4);
    assert_close(name, &[found.baseline_prediction.unwrap()], &[*baseline_prediction], 1e-4);
    let gap = found.completeness_gap.unwrap();
    let off = (gap - completeness_gap).abs();
    assert!((weight_sum - 1.0).abs() > 1e-6 || off < 1e-5, "{name}: gap {gap}, not {completeness_gap}");
}

fn rise_with_the_same_masks_agrees_with_its_definition(device: &Device) {
    let cases = index().rise;
    assert!(cases.len() >= 4, "only {} cases", cases.len());
    for case in cases {
        let prepared = Prepared::new(&case.subject, &case.scalar, device);
        let masks = array(&case.masks);
        for (normalisation, expected) in
            [("unbiased", &case.unbiased), ("per-pixel", &case.per_pixel), ("mean", &case.mean)]
        {
            let parameters = [
                ("normalisation", normalisation.to_owned()),
                ("keep", case.keep.to_string()),
                ("infill", "zero".to_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value));
            let (parameters, files) = (BTreeMap::from(parameters), BTreeMap::new());
            let context = prepared.context(&parameters, None, &files);
            let found = pollster::block_on(Rise::explain_with_masks(&context, &masks.values)).unwrap();
            let what = format!("{} {normalisation}", case.subject.name);
            assert_close(&what, &found.values, &array(expected).values, 1e-5);
        }
    }
}

/// The GPU backend, once for all tests; nothing where no adapter answers.
fn gpu() -> Option<&'static Device> {
    static GPU: OnceLock<Option<Device>> = OnceLock::new();
    GPU.get_or_init(|| pollster::block_on(Device::wgpu_options().init_async()).ok()).as_ref()
}

#[test]
fn integrated_gradients_and_grad_cam_agree_with_captum_on_the_cpu() {
    integrated_gradients_and_grad_cam_agree_with_captum(&Device::flex());
}

#[test]
fn integrated_gradients_and_grad_cam_agree_with_captum_on_the_gpu() {
    match gpu() {
        Some(device) => integrated_gradients_and_grad_cam_agree_with_captum(device),
        None => eprintln!("skipped: no GPU adapter answers"),
    }
}

#[test]
fn rise_with_the_same_masks_agrees_with_its_definition_on_the_cpu() {
    rise_with_the_same_masks_agrees_with_its_definition(&Device::flex());
}

#[test]
fn rise_with_the_same_masks_agrees_with_its_definition_on_the_gpu() {
    match gpu() {
        Some(device) => rise_with_the_same_masks_agrees_with_its_definition(device),
        None => eprintln!("skipped: no GPU adapter answers"),
    }
}
