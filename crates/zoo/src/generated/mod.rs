//! What the training command wrote: lists of the files that it made.

#[rustfmt::skip]
pub(crate) mod models;
#[rustfmt::skip]
pub(crate) mod samples;
