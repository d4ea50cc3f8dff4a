//! To come.
use crate::{Lookalike, Model, OnnxError};
pub(crate) fn model(_: &[u8]) -> Result<Model, OnnxError> {
    Err(OnnxError::NotOnnx { lookalike: Lookalike::WebPage })
}
