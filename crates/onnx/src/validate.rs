//! To come.
use crate::{Model, OnnxError};
pub(crate) fn model(_: &Model) -> Result<(), OnnxError> {
    Ok(())
}
