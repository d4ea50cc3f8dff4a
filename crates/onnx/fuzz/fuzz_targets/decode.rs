//! Any bytes give a model that survives the round trip, also with its functions written out, or an error that is a
//! sentence.
//!
//! From `crates/onnx`: `cargo +nightly fuzz run decode -- -malloc_limit_mb=64` (with `tests/data` as a second corpus).
#![no_main]

use libfuzzer_sys::fuzz_target;
use vitrine_onnx::{Model, OnnxError, Reader};

fuzz_target!(|bytes: &[u8]| {
    let result = Model::decode(bytes);
    let mut reader = Reader::new(bytes.len());
    bytes.chunks(7).for_each(|piece| reader.push(piece));
    assert_eq!(format!("{:?}", reader.finish()), format!("{result:?}"), "pieces make a difference");
    let Some(model) = or_sentence(result) else { return };
    for tensor in &model.graph.initializers {
        assert_eq!(tensor.to_f32().map_or(tensor.len(), |values| values.len()), tensor.len());
        assert_eq!(tensor.to_i64().map_or(tensor.len(), |values| values.len()), tensor.len());
    }
    assert_eq!(round_trip(&model), text(&model));
    let valid = or_sentence(model.validate()).is_some();
    let Some(inlined) = or_sentence(model.inline_functions()) else { return };
    if valid {
        inlined.validate().expect("a valid model with its functions written out is valid");
        if !text(&inlined).contains("opset: Some") {
            assert_eq!(round_trip(&inlined), text(&inlined));
        }
    }
});

fn or_sentence<T>(result: Result<T, OnnxError>) -> Option<T> {
    result.inspect_err(|error| assert!(error.to_string().ends_with('.'), "no sentence: {error}")).ok()
}

/// Debug text, because NaN differs from itself.
fn text(model: &Model) -> String {
    format!("{model:?}")
}

fn round_trip(model: &Model) -> String {
    text(&Model::decode(&model.encode()).expect("what is written can be read"))
}
