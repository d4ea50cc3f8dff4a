//! To come.
use crate::Model;
pub(crate) fn model(_: &Model) -> Vec<u8> {
    Vec::new()
}
