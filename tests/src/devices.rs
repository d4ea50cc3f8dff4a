//! The devices that tests run on: the CPU backend and, where an adapter answers, wgpu.
//!
//! A test that is to run on both is an `async` function of a [`Device`]; [`on_every_device!`](crate::on_every_device)
//! makes two tests of it, for whichever runner the target has.

use vitrine_engine::Place;
use vitrine_protocol::DeviceChoice;

#[cfg(not(target_family = "wasm"))]
pub use native::{gpu, on_cpu, on_gpu};
#[cfg(target_family = "wasm")]
pub use web::{gpu, on_cpu, on_gpu};

async fn choose() -> Option<Place> {
    Place::choose(DeviceChoice::Gpu).await.ok()
}

#[cfg(not(target_family = "wasm"))]
mod native {
    use std::sync::OnceLock;

    use burn::tensor::Device;
    use pollster::block_on;
    use vitrine_engine::Place;

    /// The GPU backend, once for all tests; nothing where no adapter answers.
    pub fn gpu() -> Option<&'static Place> {
        static GPU: OnceLock<Option<Place>> = OnceLock::new();
        GPU.get_or_init(|| block_on(super::choose())).as_ref()
    }

    /// Runs a test on the CPU backend.
    pub fn on_cpu(test: impl AsyncFn(&Device)) {
        block_on(test(&Device::flex()));
    }

    /// Runs a test on wgpu, if there is an adapter.
    pub fn on_gpu(test: impl AsyncFn(&Device)) {
        match gpu() {
            Some(place) => block_on(test(&place.device)),
            None => eprintln!("skipped: no GPU adapter answers"),
        }
    }
}

#[cfg(target_family = "wasm")]
mod web {
    #![allow(clippy::expect_used, reason = "a browser without an adapter would test nothing")]

    use std::cell::OnceCell;

    use burn::tensor::Device;
    use vitrine_engine::Place;

    /// The WebGPU device, once for all tests; a browser without an adapter fails them.
    pub async fn gpu() -> Place {
        thread_local! {
            static GPU: OnceCell<Place> = const { OnceCell::new() };
        }
        if let Some(place) = GPU.with(|gpu| gpu.get().cloned()) {
            return place;
        }
        let place = super::choose().await.expect("a WebGPU adapter");
        GPU.with(|gpu| gpu.get_or_init(|| place).clone())
    }

    /// Runs a test on the CPU backend.
    pub async fn on_cpu(test: impl AsyncFn(&Device)) {
        test(&Device::flex()).await;
    }

    /// Runs a test on WebGPU.
    pub async fn on_gpu(test: impl AsyncFn(&Device)) {
        test(&gpu().await.device).await;
    }
}

/// Makes two tests of each function in scope that takes a device: one on the CPU backend, one on wgpu.
#[cfg(not(target_family = "wasm"))]
#[macro_export]
macro_rules! on_every_device {
    ($($test:ident),+ $(,)?) => {
        mod cpu { $( #[test] fn $test() { $crate::devices::on_cpu(super::$test); } )+ }
        mod gpu { $( #[test] fn $test() { $crate::devices::on_gpu(super::$test); } )+ }
    };
}

/// Makes two tests of each function in scope that takes a device: one on the CPU backend, one on WebGPU.
#[cfg(target_family = "wasm")]
#[macro_export]
macro_rules! on_every_device {
    ($($test:ident),+ $(,)?) => {
        mod cpu { $( #[::wasm_bindgen_test::wasm_bindgen_test] async fn $test() { $crate::devices::on_cpu(super::$test).await; } )+ }
        mod gpu { $( #[::wasm_bindgen_test::wasm_bindgen_test] async fn $test() { $crate::devices::on_gpu(super::$test).await; } )+ }
    };
}
