//! What the parts of the page are made of.

mod drop_zone;
mod picture;
mod select;

pub(crate) use drop_zone::DropZone;
pub(crate) use picture::Picture;
pub(crate) use select::{Entry, Select};
