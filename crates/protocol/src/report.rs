//! The record of one explanation: everything needed to make it again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ParameterValue, Prediction};

/// Value of [`Report::schema`]; raised when a field changes its meaning.
pub const REPORT_SCHEMA: &str = "vitrine-report-1";

/// What `report.json` holds and what the page's JSON download holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`REPORT_SCHEMA`].
    pub schema: String,
    /// Version of the program.
    pub version: String,
    /// Method id.
    pub method: String,
    /// Every parameter with the value used, defaults included.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// The layer looked at, by its value name, where the method has one; several with commas between.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// The seed of all randomness.
    pub seed: u64,
    /// The scalar explained, resolved: `logit of 3 (owl)`.
    pub target: String,
    /// Index of the class explained.
    pub target_index: usize,
    /// Which model.
    pub model: ModelIdentity,
    /// Name of the input.
    pub input: String,
    /// The backend and adapter it ran on.
    pub device: String,
    /// The model's leading answers on the input, best first.
    pub predictions: Vec<Prediction>,
    /// The explained scalar at the input.
    pub prediction: f32,
    /// The explained scalar at the baseline, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_prediction: Option<f32>,
    /// Sum of the attributions minus (prediction - baseline prediction), where the method promises they are equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completeness_gap: Option<f32>,
    /// Shape of the raw attribution.
    pub shape: Vec<usize>,
    /// Images in one batch.
    pub batch: usize,
    /// Single-image forward passes.
    pub forward_passes: u64,
    /// Single-image backward passes.
    pub backward_passes: u64,
    /// Wall-clock times.
    pub seconds: Seconds,
    /// What the reader should know: an all-zero map, one image at a time ...
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Which model was explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// Built-in id or file name.
    pub name: String,
    /// SHA-256 of the ONNX bytes, in hexadecimal.
    pub sha256: String,
}

/// Wall-clock seconds of the phases of an explanation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    /// Decoding, planning and uploading the model.
    pub load: f64,
    /// The first forward pass, kernels compiled.
    pub first_run: f64,
    /// The explanation itself.
    pub explain: f64,
}
