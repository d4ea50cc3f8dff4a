//! Exported architectures, each by both exporters of PyTorch, against ONNX Runtime and PyTorch.
//!
//! The models are not part of the repository: `conformance/README.md` says how to make them and what the environment
//! variables do.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::{
    env, fs, iter,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Instant,
};

use burn::tensor::Device;
use pollster::block_on;
use vitrine_tests::{
    architectures::{Entry, Index, Outcome, Tested, outcome, table},
    devices, golden,
};

fn folder() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/architectures");
    env::var_os("VITRINE_ARCHITECTURES").map_or_else(beside, PathBuf::from)
}

/// Whether a variable that holds names separated by commas, or `all`, names an architecture; nothing where it is not set.
fn named(variable: &str, entry: &Entry) -> Option<bool> {
    let names = env::var(variable).ok()?;
    Some(names.split(',').any(|name| name == entry.architecture || name == "all"))
}

#[test]
fn exported_architectures_agree_with_onnx_runtime_and_pytorch() {
    let folder = folder();
    let Ok(bytes) = fs::read(folder.join("index.json")) else {
        eprintln!("skipped: {} has no models; conformance/architectures.py makes them", folder.display());
        return;
    };
    let index: Index = golden::json(&bytes).unwrap();
    let read = |path: &str| fs::read(folder.join(path)).unwrap();
    let run = |entry: &Entry, device: &Device| {
        let start = Instant::now();
        // A panic is one entry's failure and must not hide what the others do.
        let found = catch_unwind(AssertUnwindSafe(|| block_on(outcome(entry, device, &read))));
        let found = found.unwrap_or_else(|_| Outcome::Fails("a panic".to_owned()));
        println!("{} by {} on {device:?}: {:.1?}: {found:?}", entry.architecture, entry.exporter, start.elapsed());
        found
    };
    let tests: Vec<Tested<'_>> = index
        .entries
        .iter()
        .filter(|entry| named("VITRINE_ONLY", entry).unwrap_or(true))
        .map(|entry| {
            let on_gpu = entry.is_made() && named("VITRINE_GPU", entry).unwrap_or(false);
            let gpu = on_gpu.then(|| run(entry, &devices::gpu().unwrap().device));
            Tested { entry, cpu: run(entry, &Device::flex()), gpu }
        })
        .collect();
    if env::var_os("VITRINE_WRITE_STATUS").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/ARCHITECTURES.md");
        fs::write(path, table(&index, &tests)).unwrap();
    }
    let wrong: Vec<String> = tests
        .iter()
        .filter(|test| test.entry.is_made())
        .flat_map(|test| iter::once(&test.cpu).chain(&test.gpu).map(move |outcome| (test.entry, outcome)))
        .filter(|(_, outcome)| !outcome.agrees())
        .map(|(entry, outcome)| format!("{} by {}: {outcome:?}", entry.architecture, entry.exporter))
        .collect();
    assert!(wrong.is_empty(), "{} of {} do not agree:\n{}", wrong.len(), tests.len(), wrong.join("\n"));
}
