//! Any bytes give a model that survives the round trip, or an error that is a sentence.
//!
//! From `crates/onnx`: `cargo +nightly fuzz run decode -- -malloc_limit_mb=64` (with `tests/data` as a second corpus).
#![no_main]

use libfuzzer_sys::fuzz_target;
use vitrine_onnx::Model;

fuzz_target!(|bytes: &[u8]| {
    match Model::decode(bytes) {
        Err(error) => assert!(error.to_string().ends_with('.'), "no sentence: {error}"),
        Ok(model) => {
            if let Err(error) = model.validate() {
                assert!(error.to_string().ends_with('.'), "no sentence: {error}");
            }
            for tensor in &model.graph.initializers {
                assert_eq!(tensor.to_f32().map_or(tensor.len(), |values| values.len()), tensor.len());
                assert_eq!(tensor.to_i64().map_or(tensor.len(), |values| values.len()), tensor.len());
            }
            // Debug text, because NaN differs from itself.
            let read = Model::decode(&model.encode());
            assert_eq!(format!("{read:?}"), format!("{:?}", Ok::<_, vitrine_onnx::OnnxError>(model)));
        }
    }
});
