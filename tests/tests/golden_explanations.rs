//! Explanations against Captum and NumPy, and the built-in model against everybody: `golden/README.md`.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

use std::{fs, path::Path};

use burn::tensor::Device;
use pollster::block_on;
use vitrine_engine::Place;
use vitrine_tests::{
    devices,
    golden::{self, critters, explanations},
    on_every_device,
};

fn read(path: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/data").join(path)).unwrap()
}

on_every_device!(
    integrated_gradients_and_grad_cam_agree_with_captum,
    rise_with_the_same_masks_agrees_with_its_definition,
    maps_agree_with_other_libraries,
);

async fn maps_agree_with_other_libraries(device: &Device) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/data/references");
    let indices = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let families: Vec<_> =
        indices.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect();
    let read_family = |path| golden::json::<Vec<explanations::Reference>>(&fs::read(path).unwrap()).unwrap();
    let cases: Vec<_> = families.iter().flat_map(read_family).collect();
    let mut results = Vec::new();
    for case in &cases {
        results.push((case.subject.name.as_str(), explanations::reference(case, device, &read).await));
    }
    golden::report(results).unwrap();
}

async fn integrated_gradients_and_grad_cam_agree_with_captum(device: &Device) {
    let index: explanations::Index = golden::json(&read("cases.json")).unwrap();
    let mut results = Vec::new();
    for case in &index.captum {
        results.push((case.subject.name.as_str(), explanations::captum(case, device, &read).await));
    }
    golden::report(results).unwrap();
}

async fn rise_with_the_same_masks_agrees_with_its_definition(device: &Device) {
    let index: explanations::Index = golden::json(&read("cases.json")).unwrap();
    let mut results = Vec::new();
    for case in &index.rise {
        results.push((case.subject.name.as_str(), explanations::rise(case, device, &read).await));
    }
    golden::report(results).unwrap();
}

fn built_in_model(place: Place) {
    let index: critters::Index = golden::json(&read("cases.json")).unwrap();
    block_on(critters::built_in_model(&index.critters, place, &read)).unwrap();
}

#[test]
fn the_built_in_model_agrees_with_pytorch_on_the_cpu() {
    built_in_model(Place::cpu("This is a test."));
}

#[test]
fn the_built_in_model_agrees_with_pytorch_on_the_gpu() {
    match devices::gpu() {
        Some(place) => built_in_model(place.clone()),
        None => eprintln!("skipped: no GPU adapter answers"),
    }
}
