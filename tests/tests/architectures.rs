//! Exported architectures, each by both exporters of PyTorch, against ONNX Runtime and PyTorch.
//!
//! The models are not part of the repository: `conformance/README.md` says how to make them and what the environment
//! variables do.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::{
    env, fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Instant,
};

use burn::tensor::Device;
use pollster::block_on;
use vitrine_tests::{
    architectures::{Entry, Index, Outcome, outcome, table},
    devices, golden,
};

/// Architectures that Vitrine cannot run.
const CANNOT: [&str; 0] = [];

fn folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/architectures");
    env::var_os("VITRINE_ARCHITECTURES").map_or_else(beside, PathBuf::from)
}

#[test]
fn exported_architectures_agree_with_onnx_runtime_and_pytorch() {
    let folder = folder();
    let Ok(bytes) = fs::read(folder.join("index.json")) else {
        eprintln!("skipped: {} has no models; conformance/architectures.py makes them", folder.display());
        return;
    };
    let index: Index = golden::json(&bytes).unwrap();
    let only = env::var("VITRINE_ONLY").unwrap_or_default();
    let chosen: Vec<&Entry> = index
        .entries
        .iter()
        .filter(|entry| only.is_empty() || only.split(',').any(|name| name == entry.architecture))
        .collect();
    let device = match env::var("VITRINE_DEVICE").as_deref() {
        Ok("gpu") => devices::gpu().unwrap().device.clone(),
        _ => Device::flex(),
    };
    let read = |path: &str| fs::read(folder.join(path)).unwrap();
    let mut outcomes = Vec::new();
    for entry in chosen {
        let start = Instant::now();
        // A panic is one entry's failure and must not hide what the others do.
        let found = catch_unwind(AssertUnwindSafe(|| block_on(outcome(entry, &device, &read))));
        let found = found.unwrap_or_else(|_| Outcome::Fails("a panic".to_owned()));
        println!("{} by {}: {:.1?}: {found:?}", entry.architecture, entry.exporter, start.elapsed());
        outcomes.push((entry, found));
    }
    if env::var_os("VITRINE_WRITE_STATUS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/ARCHITECTURES.md");
        fs::write(path, table(&index, &outcomes)).unwrap();
    }
    let wrong: Vec<String> = outcomes
        .iter()
        .filter(|(entry, outcome)| {
            let expected = !CANNOT.contains(&entry.architecture.as_str());
            !matches!(outcome, Outcome::NotExported(_)) && outcome.agrees() != expected
        })
        .map(|(entry, outcome)| format!("{} by {}: {outcome:?}", entry.architecture, entry.exporter))
        .collect();
    assert!(wrong.is_empty(), "{} of {} are not as expected:\n{}", wrong.len(), outcomes.len(), wrong.join("\n"));
}
