//! What the parts of the page are made of.

mod chart;
mod drop_zone;
mod file_picker;
mod picture;
mod select;

pub(crate) use chart::{Chart, Line};
pub(crate) use drop_zone::DropZone;
pub(crate) use file_picker::FilePicker;
pub(crate) use picture::Picture;
pub(crate) use select::{Entry, Select};
