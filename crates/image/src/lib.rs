//! Pixels: decode, resize and normalise, blur, infills, regions, colour maps, overlays, PNG and NPY.
//!
//! The way of a picture through Vitrine: [`decode`] a file, [`to_tensor`] for the model, and, once a map is computed,
//! [`upsample_bilinear`] it to the input's size, [`render`] it in the colours of a [`Palette`] and [`overlay`] it on
//! the picture. The crate knows no models and works alone from any Rust program.
//!
//! - Without features: tensors, infills, regions, maps and colours, in plain arithmetic; small enough for the page.
//! - `codecs`: decoding, resizing and encoding image files.
//! - `npy`: NPY and NPZ files.
//!
//! ```
//! use vitrine_image::{Palette, Pixels, Scale, from_planes, infill, overlay, render, to_planes, upsample_bilinear};
//! use vitrine_protocol::{Channels, ImageInput, Layout};
//!
//! // A model's input of one grey pixel beside one white pixel, and the same picture filled with its mean.
//! let input = ImageInput::plain(Layout::Nchw, Channels::Grey, 1, 2);
//! let baseline = infill::mean(&to_planes(&[0.5, 1.0], &input)?);
//! assert_eq!(from_planes(&baseline, &input)?, [0.75, 0.75]);
//!
//! // A map of one row, drawn half transparent over a black picture.
//! let map = upsample_bilinear(&[-1.0, 1.0], [1, 2], [1, 4]);
//! let palette = Palette::BlueRed;
//! let heat = render(&map, palette, Scale::fit(&map, palette, 100.0));
//! let black = Pixels { width: 4, height: 1, rgb: vec![0; 12] }.to_picture();
//! let shown = overlay(&black.rgba, &heat, 0.5);
//! assert!(shown[2] > shown[0], "the negative end is blue");
//! assert!(shown[12] > shown[14], "the positive end is red");
//! # Ok::<(), vitrine_image::ImageError>(())
//! ```

mod blur;
#[cfg(feature = "codecs")]
mod decode;
#[cfg(feature = "codecs")]
mod encode;
mod error;
mod heat_map;
pub mod infill;
#[cfg(feature = "npy")]
mod npy;
#[cfg(feature = "npy")]
mod npz;
mod palette;
mod pixels;
#[cfg(feature = "codecs")]
mod recognise;
#[cfg(feature = "codecs")]
mod resize;
pub mod segment;
mod tensor;
mod upsample;

pub use blur::gaussian_blur;
#[cfg(feature = "codecs")]
pub use decode::decode;
#[cfg(feature = "codecs")]
pub use encode::encode_png;
pub use error::ImageError;
pub use heat_map::{Scale, legend, overlay, render};
#[cfg(feature = "npy")]
pub use npy::{Array, read_npy, write_npy};
#[cfg(feature = "npy")]
pub use npz::{read_npz, write_npz};
pub use palette::Palette;
pub use pixels::{MAX_PIXELS, Pixels};
#[cfg(feature = "codecs")]
pub use resize::resize;
#[cfg(feature = "codecs")]
pub use tensor::to_tensor;
pub use tensor::{Planes, check_input, from_planes, from_tensor, to_planes};
pub use upsample::upsample_bilinear;
