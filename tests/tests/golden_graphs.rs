//! Outputs and gradients of small exported networks and of single operators against PyTorch and ONNX Runtime, on the
//! CPU backend and, where an adapter answers, on wgpu.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::{fs, path::Path};

use burn::tensor::Device;
use vitrine_tests::{
    golden::{
        self,
        graphs::{self, Index, OperatorCase},
    },
    on_every_device,
};

fn read(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/data").join(path)).unwrap()
}

on_every_device!(exported_networks_agree_with_pytorch, single_operators_agree_with_onnx_runtime);

async fn exported_networks_agree_with_pytorch(device: &Device) {
    let index: Index = golden::json(&read("cases.json")).unwrap();
    let mut results = Vec::new();
    for case in &index.networks {
        results.push((case.name.as_str(), graphs::network(case, device, &read).await));
    }
    golden::report(results).unwrap();
}

/// Forms that are refused by name instead of being run.
const REFUSED: [&str; 1] = ["averagepool_dilated"];

async fn single_operators_agree_with_onnx_runtime(device: &Device) {
    let mut cases: Vec<OperatorCase> = golden::json(&read("operators.json")).unwrap();
    let refused: Vec<OperatorCase> = cases.extract_if(.., |case| REFUSED.contains(&case.name.as_str())).collect();
    for case in &refused {
        let error = graphs::operator(case, device, &read).await.unwrap_err();
        assert!(error.contains("does not run yet"), "{}: {error}", case.name);
    }
    let mut results = Vec::new();
    for case in &cases {
        results.push((case.name.as_str(), graphs::operator(case, device, &read).await));
    }
    golden::report(results).unwrap();
}
