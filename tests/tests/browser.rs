//! The same bodies as the native tests, in a worker of a real browser: on the CPU backend and on WebGPU.

#![cfg(target_family = "wasm")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

use burn::tensor::Device;
use vitrine_tests::{
    golden::{self, Index},
    properties,
};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// The WebGPU device, once for all tests. A browser without an adapter fails them: it would test nothing.
async fn gpu() -> Device {
    thread_local! {
        static GPU: std::cell::OnceCell<Device> = const { std::cell::OnceCell::new() };
    }
    if let Some(device) = GPU.with(|gpu| gpu.get().cloned()) {
        return device;
    }
    let device = Device::wgpu_options().init_async().await.expect("a WebGPU adapter");
    GPU.with(|gpu| gpu.get_or_init(|| device).clone())
}

macro_rules! on_every_device {
    ($($property:ident),+ $(,)?) => {
        mod cpu {
            $( #[super::wasm_bindgen_test] async fn $property() { super::properties::$property(&super::Device::flex()).await; } )+
        }
        mod gpu {
            $( #[super::wasm_bindgen_test] async fn $property() { super::properties::$property(&super::gpu().await).await; } )+
        }
    };
}

on_every_device!(
    maps_have_the_shape_of_what_they_explain,
    the_seed_decides,
    batch_size_does_not_matter,
    promised_completeness_holds,
    a_constant_model_gets_a_zero_map,
    a_cancelled_run_ends_within_one_batch,
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
);

async fn networks_on(device: &Device) {
    let index: Index = golden::json(&read("cases.json")).unwrap();
    let mut results = Vec::new();
    for case in &index.networks {
        if case.name.starts_with("residual_batch_norm") || case.name.starts_with("upsampling_head") {
            results.push((case.name.as_str(), golden::network(case, device, &read).await));
        }
    }
    golden::report(results).unwrap();
}

#[wasm_bindgen_test]
async fn exported_networks_agree_with_pytorch_on_the_cpu() {
    networks_on(&Device::flex()).await;
}

#[wasm_bindgen_test]
async fn exported_networks_agree_with_pytorch_on_webgpu() {
    networks_on(&gpu().await).await;
}
