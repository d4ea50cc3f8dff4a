//! The built-in models and sample images, and the code that trains them.
//!
//! The library is data: model cards and eight small pictures. The models themselves are ONNX files in this crate's
//! `models` folder; with the feature `embed` their bytes are part of the program, without it the program fetches
//! [`Builtin::file`] and checks it against [`Builtin::sha256`].
//!
//! ```
//! let model = &vitrine_zoo::models()[0];
//! assert_eq!(model.id, "critters");
//!
//! let sample = &vitrine_zoo::samples()[0];
//! assert!(model.card.contains(sample.label), "the card lists the label");
//! assert!(sample.png.starts_with(b"\x89PNG") && sample.parts.is_some_and(|parts| parts.starts_with(b"\x89PNG")));
//! ```
//!
//! `critters`, the default, is a residual network of about 150,000 parameters for 64x64 pictures of the ten creatures that
//! `vitrine-scenes` draws. The others are there to try explanations on:
//!
//! | model | what is known of it |
//! |---|---|
//! | `critters-watermark` | it takes whatever carries a watermark for a hobbin, a Clever Hans |
//! | `critters-vit` | a vision transformer: four blocks of four heads, patches of 8x8 pixels, a class token |
//! | `critters-nobias` | no biases and no normalisation: input times gradient adds up to the logit |
//! | `critters-bagnet` | it averages the evidence of windows of 17x17 pixels, which is one of its values |
//! | `digits` | it reads stroke digits beside distractions |
//! | `critters-detector` | boxes around one to four creatures |
//! | `critters-segmenter` | the creature at each pixel of such pictures |
//!
//! The program `train` (feature `train`) made them, and makes them again:
//!
//! ```text
//! cargo run --release -p vitrine-zoo --features train --bin train -- critters-bagnet
//! ```
//!
//! It trains on the CPU, on pictures that never repeat; every second creature that stands alone lacks a part or two, so that
//! a network learns to use whatever it sees of it, and a picture without a part is nothing unheard of when an explanation is
//! tested with it. The accuracy on a card is that on whole creatures with seeds of their own.

mod generated;
mod models;
mod samples;

pub use models::{Builtin, models};
pub use samples::{PARTS, Sample, samples};
