//! Checks against `golden/data`, for native and browser tests alike: `golden/README.md` describes the files.

pub mod critters;
pub mod evaluations;
pub mod explanations;
pub mod gradients;
pub mod graphs;

use burn::tensor::Device;
use serde::de::DeserializeOwned;
use vitrine_graph::{Graph, InputShapes};
use vitrine_image::{Array, read_npy};
use vitrine_onnx::Model;

/// Largest difference from the reference, over the largest reference value of the array.
pub const TOLERANCE: f32 = 1e-4;

/// The bytes of a file of the golden data, by its path there.
pub type Read<'a> = &'a dyn Fn(&str) -> Vec<u8>;

/// Reads a JSON file.
///
/// # Errors
/// In words, as all functions here: tests print them.
pub fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(words)
}

pub(crate) fn words(error: impl ToString) -> String {
    error.to_string()
}

fn load(model: &[u8], device: &Device) -> Result<Graph, String> {
    Graph::new(Model::decode(model).map_err(words)?, device, &InputShapes::new()).map_err(words)
}

pub(crate) fn array(read: Read<'_>, path: &str) -> Result<Array, String> {
    read_npy(&read(path)).map_err(words)
}

/// The largest difference over the largest expected value, and where it is; what is not a number differs from every
/// number by infinity.
pub(crate) fn relative_error(found: &[f32], expected: &[f32]) -> (f32, usize) {
    let finite = expected.iter().filter(|value| value.is_finite());
    let scale = finite.fold(f32::MIN_POSITIVE, |scale, value| scale.max(value.abs()));
    let error = |(a, b): (&f32, &f32)| match (a.is_nan(), b.is_nan()) {
        (true, true) => 0.0,
        (false, false) if a == b => 0.0,
        (false, false) => (a - b).abs() / scale,
        _ => f32::INFINITY,
    };
    let errors = found.iter().zip(expected).map(error).enumerate();
    errors.fold((0.0, 0), |largest, (at, error)| if error > largest.0 { (error, at) } else { largest })
}

/// What is wrong with these numbers, if anything.
fn compare(what: &str, found: &[f32], expected: &[f32], tolerance: f32) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{what} has {} values instead of {}", found.len(), expected.len()));
    }
    match relative_error(found, expected) {
        (error, _) if error <= tolerance => Ok(()),
        (error, at) => Err(format!("{what} is off by {error:e} at {at}: {} instead of {}", found[at], expected[at])),
    }
}

/// Fails with every wrong case.
///
/// # Errors
/// When a case is wrong, or there are hardly any.
pub fn report(results: Vec<(&str, Result<(), String>)>) -> Result<(), String> {
    let total = results.len();
    if total < 3 {
        return Err("the index is nearly empty".to_owned());
    }
    let wrong: Vec<String> =
        results.into_iter().filter_map(|(name, result)| Some(format!("{name}: {}", result.err()?))).collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!("{} of {total} cases are wrong:\n{}", wrong.len(), wrong.join("\n")))
    }
}
