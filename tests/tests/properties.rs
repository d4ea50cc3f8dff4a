//! Every method on the CPU and, where there is an adapter, on the GPU: the bodies are in `vitrine_tests::properties`.

use std::sync::OnceLock;

use burn::tensor::Device;
use vitrine_tests::properties;

/// The GPU backend, once for all tests; nothing where no adapter answers.
fn gpu() -> Option<&'static Device> {
    static GPU: OnceLock<Option<Device>> = OnceLock::new();
    GPU.get_or_init(|| pollster::block_on(Device::wgpu_options().init_async()).ok()).as_ref()
}

macro_rules! on_every_device {
    ($($property:ident),+ $(,)?) => {
        mod cpu {
            $( #[test] fn $property() { pollster::block_on(super::properties::$property(&super::Device::flex())); } )+
        }
        mod gpu {
            $( #[test] fn $property() {
                match super::gpu() {
                    Some(device) => pollster::block_on(super::properties::$property(device)),
                    None => eprintln!("skipped: no GPU adapter answers"),
                }
            } )+
        }
    };
}

on_every_device!(
    maps_have_the_shape_of_what_they_explain,
    the_seed_decides,
    batch_size_does_not_matter,
    promised_completeness_holds,
    a_constant_model_gets_a_zero_map,
    a_black_picture_gets_finite_numbers,
    a_cancelled_run_ends_within_one_batch,
    parameters_out_of_range_are_refused,
    the_cost_is_what_is_run_and_progress_reaches_it,
    promised_partial_maps_come,
);
