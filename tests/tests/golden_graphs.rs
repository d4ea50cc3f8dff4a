//! Outputs and gradients of small exported networks and of single operators against PyTorch and ONNX Runtime, on the
//! CPU backend and, where an adapter answers, on wgpu: `golden/README.md`.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use burn::tensor::Device;
use pollster::block_on;
use serde::Deserialize;
use vitrine_graph::{Batching, Graph, InputShapes, Probe, Run, Value};
use vitrine_image::{Array, read_npy};
use vitrine_onnx::Model;

/// Largest difference from the reference, over the largest reference value of the array.
const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Index {
    networks: Vec<Network>,
}

#[derive(Deserialize)]
struct Network {
    name: String,
    model: String,
    input: String,
    output: String,
    targets: Vec<usize>,
    input_gradient: String,
    inner_value: String,
    inner_output: String,
    inner_gradient: String,
}

#[derive(Deserialize)]
struct OperatorCase {
    name: String,
    model: String,
    inputs: Vec<NamedArray>,
    outputs: Vec<NamedArray>,
}

#[derive(Deserialize)]
struct NamedArray {
    name: String,
    shape: Vec<usize>,
    values: Vec<f32>,
}

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/data").join(path)
}

fn array(path: &str) -> Array {
    read_npy(&fs::read(data(path)).unwrap()).unwrap()
}

fn json<T: serde::de::DeserializeOwned>(path: &str) -> T {
    serde_json::from_str(&fs::read_to_string(data(path)).unwrap()).unwrap()
}

fn load(path: &str, device: &Device) -> Result<Graph, String> {
    let model = Model::decode(&fs::read(data(path)).unwrap()).map_err(|error| error.to_string())?;
    Graph::new(model, device, &InputShapes::new()).map_err(|error| error.to_string())
}

/// The GPU backend, once for all tests; nothing where no adapter answers.
fn gpu() -> Option<&'static Device> {
    static GPU: OnceLock<Option<Device>> = OnceLock::new();
    GPU.get_or_init(|| block_on(Device::wgpu_options().init_async()).ok()).as_ref()
}

fn on_gpu(test: impl Fn(&Device)) {
    match gpu() {
        Some(device) => test(device),
        None => eprintln!("skipped: no GPU adapter answers"),
    }
}

/// What is wrong with a value, if anything.
fn deviation(what: &str, found: &Value, shape: &[usize], expected: &[f32]) -> Option<String> {
    if found.shape() != shape {
        return Some(format!("{what} has shape {:?} instead of {shape:?}", found.shape()));
    }
    let found = block_on(found.to_vec()).unwrap();
    let scale = expected.iter().fold(f32::MIN_POSITIVE, |scale, value| scale.max(value.abs()));
    let (at, error) = found
        .iter()
        .zip(expected)
        .map(|(a, b)| if a.is_nan() == b.is_nan() { (a - b).abs() / scale } else { f32::INFINITY })
        .enumerate()
        .fold((0, 0.0), |worst, (at, error)| if error > worst.1 { (at, error) } else { worst });
    let wrong = error > TOLERANCE || found.len() != expected.len();
    wrong.then(|| format!("{what} is off by {error:e} at {at}: {} instead of {}", found[at], expected[at]))
}

fn network(case: &Network, device: &Device) -> Result<(), String> {
    let graph = load(&case.model, device)?;
    let batching = block_on(graph.settle_batching()).map_err(|error| error.to_string())?;
    if batching != Batching::Any {
        return Err(format!("does not run in batches: {batching:?}"));
    }
    let input = array(&case.input);
    let (input_name, output_name) = (graph.inputs()[0].0.to_owned(), graph.outputs()[0].to_owned());
    let run = Run::of([output_name.as_str()])
        .feed(&input_name, Value::from_f32(&input.values, &input.shape, device))
        .probe(&input_name, Probe::Gradient)
        .probe(&case.inner_value, Probe::Gradient)
        .probe(&case.inner_value, Probe::Record);
    let trace = graph.run(&run).map_err(|error| error.to_string())?;
    let output = trace.value(&output_name).map_err(|error| error.to_string())?;
    let targets: Vec<Value> = case
        .targets
        .iter()
        .enumerate()
        .map(|(image, &target)| output.narrow(0, image, 1).unwrap().narrow(1, target, 1).unwrap())
        .collect();
    let objective = Value::concat(&targets, 0).unwrap();
    let gradients = trace.gradients(&objective).map_err(|error| error.to_string())?;
    let checks = [
        ("the output", output, &case.output),
        ("the input gradient", &gradients[&input_name], &case.input_gradient),
        ("the inner value", trace.value(&case.inner_value).unwrap(), &case.inner_output),
        ("the inner gradient", &gradients[&case.inner_value], &case.inner_gradient),
    ];
    let wrong: Vec<String> = checks
        .into_iter()
        .filter_map(|(what, found, path)| {
            let expected = array(path);
            deviation(what, found, &expected.shape, &expected.values)
        })
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

fn operator(case: &OperatorCase, device: &Device) -> Result<(), String> {
    let graph = load(&case.model, device)?;
    let mut run = Run::of(case.outputs.iter().map(|output| output.name.as_str()));
    for input in &case.inputs {
        run = run.feed(&input.name, Value::from_f32(&input.values, &input.shape, device));
    }
    let trace = graph.run(&run).map_err(|error| error.to_string())?;
    let wrong: Vec<String> = case
        .outputs
        .iter()
        .filter_map(|output| deviation(&output.name, trace.value(&output.name).unwrap(), &output.shape, &output.values))
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

fn report(results: Vec<(&String, Result<(), String>)>) {
    let total = results.len();
    assert!(total > 5, "the index is nearly empty");
    let wrong: Vec<String> =
        results.into_iter().filter_map(|(name, result)| Some(format!("{name}: {}", result.err()?))).collect();
    assert!(wrong.is_empty(), "{} of {total} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn networks_on(device: &Device) {
    let index: Index = json("cases.json");
    report(index.networks.iter().map(|case| (&case.name, network(case, device))).collect());
}

fn operators_on(device: &Device) {
    let cases: Vec<OperatorCase> = json("operators.json");
    report(cases.iter().map(|case| (&case.name, operator(case, device))).collect());
}

#[test]
fn exported_networks_agree_with_pytorch_on_the_cpu() {
    networks_on(&Device::flex());
}

#[test]
fn exported_networks_agree_with_pytorch_on_the_gpu() {
    on_gpu(networks_on);
}

#[test]
fn single_operators_agree_with_onnx_runtime_on_the_cpu() {
    operators_on(&Device::flex());
}

#[test]
fn single_operators_agree_with_onnx_runtime_on_the_gpu() {
    on_gpu(operators_on);
}
