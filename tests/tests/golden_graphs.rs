//! Outputs and gradients of small exported networks and of single operators against PyTorch and ONNX Runtime, on the
//! CPU backend and, where an adapter answers, on wgpu.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::{fs, path::Path, sync::OnceLock};

use burn::tensor::Device;
use pollster::block_on;
use vitrine_tests::golden::{self, Index, OperatorCase};

fn read(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/data").join(path)).unwrap()
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

fn networks_on(device: &Device) {
    let index: Index = golden::json(&read("cases.json")).unwrap();
    let check = |case| block_on(golden::network(case, device, &read));
    golden::report(index.networks.iter().map(|case| (case.name.as_str(), check(case))).collect()).unwrap();
}

/// Forms that are refused by name instead of being run.
const REFUSED: [&str; 1] = ["averagepool_dilated"];

fn operators_on(device: &Device) {
    let mut cases: Vec<OperatorCase> = golden::json(&read("operators.json")).unwrap();
    let refused: Vec<OperatorCase> = cases.extract_if(.., |case| REFUSED.contains(&case.name.as_str())).collect();
    for case in &refused {
        let error = block_on(golden::operator(case, device, &read)).unwrap_err();
        assert!(error.contains("does not run yet"), "{}: {error}", case.name);
    }
    let check = |case| block_on(golden::operator(case, device, &read));
    golden::report(cases.iter().map(|case| (case.name.as_str(), check(case))).collect()).unwrap();
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
