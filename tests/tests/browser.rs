//! The same bodies as the native tests, in a worker of a real browser: on the CPU backend and on WebGPU.

#![cfg(target_family = "wasm")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use burn::tensor::Device;
use vitrine_engine::Place;
use vitrine_tests::{
    devices,
    golden::{self, critters, graphs},
    on_every_device,
    properties::*,
    speed::{self, Work},
};
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

on_every_device!(
    maps_have_the_shape_of_what_they_explain,
    the_seed_decides,
    batch_size_does_not_matter,
    promised_completeness_holds,
    a_constant_model_gets_a_zero_map,
    a_cancelled_run_ends_within_one_batch,
    exported_networks_agree_with_pytorch,
);

/// Golden files that travel inside the test.
macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        fn read(path: &str) -> Vec<u8> {
            match path {
                $( $path => include_bytes!(concat!("../golden/data/", $path)).to_vec(), )+
                other => panic!("{other} is not among the files of this test"),
            }
        }
    };
}

files!(
    "cases.json",
    "networks/residual_batch_norm/torchscript.onnx",
    "networks/residual_batch_norm/dynamo.onnx",
    "networks/residual_batch_norm/input.npy",
    "networks/residual_batch_norm/output.npy",
    "networks/residual_batch_norm/input_gradient.npy",
    "networks/residual_batch_norm/inner_output.npy",
    "networks/residual_batch_norm/inner_gradient.npy",
    "networks/upsampling_head/torchscript.onnx",
    "networks/upsampling_head/dynamo.onnx",
    "networks/upsampling_head/input.npy",
    "networks/upsampling_head/output.npy",
    "networks/upsampling_head/input_gradient.npy",
    "networks/upsampling_head/inner_output.npy",
    "networks/upsampling_head/inner_gradient.npy",
    "critters/logits.npy",
    "critters/probabilities.npy",
    "critters/bimble_input_gradient.npy",
    "critters/bimble_integrated_gradients.npy",
    "critters/bimble_grad_cam_without_relu.npy",
    "critters/bimble_grad_cam_with_relu.npy",
    "critters/bimble_grad_cam_enlarged.npy",
    "critters/fennick_input_gradient.npy",
    "critters/fennick_integrated_gradients.npy",
    "critters/fennick_grad_cam_without_relu.npy",
    "critters/fennick_grad_cam_with_relu.npy",
    "critters/fennick_grad_cam_enlarged.npy",
);

async fn exported_networks_agree_with_pytorch(device: &Device) {
    let index: graphs::Index = golden::json(&read("cases.json")).unwrap();
    let mut results = Vec::new();
    for case in &index.networks {
        if case.name.starts_with("residual_batch_norm") || case.name.starts_with("upsampling_head") {
            results.push((case.name.as_str(), graphs::network(case, device, &read).await));
        }
    }
    golden::report(results).unwrap();
}

async fn built_in_model(place: Place) {
    let index: critters::Index = golden::json(&read("cases.json")).unwrap();
    critters::built_in_model(&index.critters, place, &read).await.unwrap();
}

#[wasm_bindgen_test]
async fn the_built_in_model_agrees_with_pytorch_on_the_cpu() {
    built_in_model(Place::cpu("This is a test.")).await;
}

#[wasm_bindgen_test]
async fn the_built_in_model_agrees_with_pytorch_on_webgpu() {
    built_in_model(devices::gpu().await).await;
}

/// Not a test: `cargo xtask bench` runs it.
#[wasm_bindgen_test]
#[ignore = "a benchmark"]
async fn speed_on_the_cpu() {
    measure(Place::cpu("This is a benchmark."), Work::default()).await;
}

/// Not a test: `cargo xtask bench` runs it. Less work, since the GPU may be a simulated one.
#[wasm_bindgen_test]
#[ignore = "a benchmark"]
async fn speed_on_webgpu() {
    measure(devices::gpu().await, Work { batch: 16, masks: 64, steps: 50 }).await;
}

async fn measure(place: Place, work: Work) {
    let name = place.info.name.clone();
    let speed = speed::measure(&vitrine_tests::critters::session(place).await.unwrap(), work).await.unwrap();
    console_log!("built-in model, in a tab, {name}\n{speed}");
}
