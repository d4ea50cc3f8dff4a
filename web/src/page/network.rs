//! Models and images from the network, and what the browser keeps of them.
//!
//! - [`request`]: one request, and why it failed
//! - [`failure`]: the same in words
//! - [`transfer`]: a body as it comes in
//! - [`hub`]: which files a repository has
//! - [`model`]: a model from its place, or from what is kept of it
//! - [`image`]: an image
//! - [`kept`]: the browser's storage

mod failure;
mod hub;
mod image;
mod kept;
mod model;
mod request;
mod transfer;

pub(crate) use failure::Failure;
pub(crate) use image::fetch_image;
pub(crate) use kept::{forget, keep, keep_card, list};
pub(crate) use model::Downloading;
