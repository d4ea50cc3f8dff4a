//! Outputs and gradients of small exported networks and of single operators against PyTorch and ONNX Runtime, on the
//! CPU backend and, where an adapter answers, on wgpu.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::{fs, path::Path};

use burn::tensor::Device;
use vitrine_tests::{
    golden::{
        self, gradients,
        graphs::{self, Index, OperatorCase},
    },
    on_every_device,
};

fn read(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/data").join(path)).unwrap()
}

on_every_device!(
    exported_networks_agree_with_pytorch,
    single_operators_agree_with_onnx_runtime,
    single_operators_have_the_gradients_of_central_differences,
);

async fn exported_networks_agree_with_pytorch(device: &Device) {
    let index: Index = golden::json(&read("cases.json")).unwrap();
    let mut results = Vec::new();
    for case in &index.networks {
        results.push((case.name.as_str(), graphs::network(case, device, &read).await));
    }
    golden::report(results).unwrap();
}

async fn single_operators_agree_with_onnx_runtime(device: &Device) {
    let cases: Vec<OperatorCase> = golden::json(&read("operators.json")).unwrap();
    let mut results = Vec::new();
    for case in &cases {
        results.push((case.name.as_str(), graphs::operator(case, device, &read).await));
    }
    golden::report(results).unwrap();
}

/// Operators that give floats no gradient: their outputs are truth values, integers, or constant almost everywhere.
const NOT_DIFFERENTIABLE: &[&str] = &[
    "And",
    "ArgMax",
    "ArgMin",
    "BitShift",
    "BitwiseAnd",
    "BitwiseOr",
    "BitwiseXor",
    "Equal",
    "Greater",
    "GreaterOrEqual",
    "Hardmax",
    "IsInf",
    "IsNaN",
    "Less",
    "LessOrEqual",
    "Not",
    "Or",
    "Xor",
];

/// Cases of other operators without a gradient: integers, and reductions of nothing.
fn is_constant(name: &str) -> bool {
    let parts =
        ["_of_integers", "_of_booleans", "_of_nothing", "cast_to_", "cast_integers", "cast_booleans", "integer_base"];
    parts.iter().any(|part| name.contains(part))
}

/// Rounding is constant almost everywhere; its gradient here is by intent another, that of the identity.
fn rounds(name: &str) -> bool {
    let starts = ["quantizelinear_", "qdq_", "dynamicquantizelinear", "qlinear", "matmulinteger", "convinteger"];
    starts.iter().any(|start| name.starts_with(start))
}

async fn single_operators_have_the_gradients_of_central_differences(device: &Device) {
    let mut cases: Vec<OperatorCase> = golden::json(&read("operators.json")).unwrap();
    cases.retain(|case| !rounds(&case.name));
    let mut results = Vec::new();
    for case in &cases {
        let result = gradients::operator(case, device, &read).await;
        let expected = !NOT_DIFFERENTIABLE.contains(&case.operator.as_str()) && !is_constant(&case.name);
        let verdict = match result {
            Ok(found) if found == expected => Ok(()),
            Ok(true) => Err("has a gradient after all".to_owned()),
            Ok(false) => Err("has no gradient".to_owned()),
            Err(error) => Err(error),
        };
        results.push((case.name.as_str(), verdict));
    }
    golden::report(results).unwrap();
}
