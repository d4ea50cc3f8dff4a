//! Scores against Captum, Quantus, Xplique's arithmetic, SciPy and scikit-image: `golden/README.md`.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::{fs, path::Path};

use burn::tensor::Device;
use vitrine_tests::{
    golden::{self, evaluations},
    on_every_device,
};

fn read(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/data").join(path)).unwrap()
}

on_every_device!(scores_agree_with_other_libraries);

async fn scores_agree_with_other_libraries(device: &Device) {
    let cases: Vec<evaluations::Case> = golden::json(&read("evaluations.json")).unwrap();
    let mut results = Vec::new();
    for case in &cases {
        results.push((case.name.as_str(), evaluations::score(case, device, &read).await));
    }
    golden::report(results).unwrap();
}
