//! The built-in models and sample images, and the code that trains them.
//!
//! The library is data: model cards and six small pictures. The models themselves are ONNX files in this crate's
//! `models` folder; with the feature `embed` their bytes are part of the program, without it the program fetches
//! [`Builtin::file`] and checks it against [`Builtin::sha256`].
//!
//! ```
//! let model = &vitrine_zoo::models()[0];
//! assert_eq!(model.id, "critters");
//!
//! let sample = &vitrine_zoo::samples()[0];
//! assert!(model.card.contains(sample.label), "the card lists the label");
//! assert!(sample.png.starts_with(b"\x89PNG"));
//! ```
//!
//! `critters` is a residual network of about 150,000 parameters for 64x64 pictures of the ten creatures that
//! `vitrine-scenes` draws. The program `train` (feature `train`) made it, and makes it again:
//!
//! ```text
//! cargo run --release -p vitrine-zoo --features train --bin train
//! ```
//!
//! It trains on the CPU, on pictures that never repeat; every second one lacks a part or two, so that the network learns
//! to use whatever it sees of a creature, and a picture without a part is nothing unheard of when an explanation is
//! tested with it. The accuracy on the card is that on whole creatures with seeds of their own.

mod generated;
mod models;
mod samples;

pub use models::{Builtin, models};
pub use samples::{Sample, samples};
