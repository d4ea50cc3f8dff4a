//! A case as `collect.py` writes it: a model that carries its inputs and expected outputs as further constants.

use std::collections::BTreeMap;

use serde::Deserialize;
use vitrine_onnx::{Model, OnnxError, Tensor};

/// What `index.json` holds.
#[derive(Debug, Deserialize)]
pub struct Index {
    /// Version of the Python package that the cases come from.
    pub onnx: String,
    /// The cases, sorted by name.
    pub cases: Vec<Case>,
}

/// What the index says of a case.
#[derive(Debug, Deserialize)]
pub struct Case {
    /// Name of the case, and of its file.
    pub name: String,
    /// The operator tested, with its domain unless it is ONNX's own.
    pub operator: String,
    /// Version of that operator's domain.
    pub opset: i64,
    /// Allowed difference, relative to the expected value.
    pub rtol: f32,
    /// Allowed difference beside that.
    pub atol: f32,
    /// Inputs and outputs that the file does not hold, with what they are instead of readable tensors.
    pub left_out: BTreeMap<String, String>,
}

/// A case's file, taken apart.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The model under test.
    pub model: Model,
    /// A tensor for each of the model's inputs.
    pub inputs: Vec<Tensor>,
    /// What the model's outputs should be.
    pub outputs: Vec<Tensor>,
}

impl Sample {
    /// Reads a case's file.
    ///
    /// # Errors
    /// What the decoder refuses.
    pub fn decode(bytes: &[u8]) -> Result<Sample, OnnxError> {
        let mut model = Model::decode(bytes)?;
        let constants = &mut model.graph.initializers;
        let mut take = |prefix: &str| -> Vec<Tensor> {
            let taken = constants.extract_if(.., |tensor| tensor.name.starts_with(prefix));
            taken.map(|tensor| Tensor { name: tensor.name.replacen(prefix, "", 1), ..tensor }).collect()
        };
        let (inputs, outputs) = (take("case/input/"), take("case/output/"));
        Ok(Sample { model, inputs, outputs })
    }
}
