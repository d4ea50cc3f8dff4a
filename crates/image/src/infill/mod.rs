//! What "removed" looks like, in pixel space: pictures of the same size to put in place of the input or parts of it.
//!
//! Each function takes the input's [`Planes`] and gives the planes of the infill; [`to_planes`](crate::to_planes) and
//! [`from_planes`](crate::from_planes) lead there from a normalised tensor and back. [`inpaint`], [`interpolate`] and
//! [`tile`] also take which pixels are removed, and leave all others as they are.

mod holes;
mod inpaint;
mod sizes;
mod smooth;
mod tile;

pub use inpaint::{inpaint, interpolate};
pub use tile::tile;

use crate::{Planes, gaussian_blur};

/// Every pixel black.
pub fn black(planes: &Planes) -> Planes {
    planes.map(|_| 0.0)
}

/// Every pixel white.
pub fn white(planes: &Planes) -> Planes {
    planes.map(|_| 1.0)
}

/// Every pixel of half brightness.
pub fn grey(planes: &Planes) -> Planes {
    planes.map(|_| 0.5)
}

/// Every pixel the picture's mean colour, taken per channel.
pub fn mean(planes: &Planes) -> Planes {
    let area = (planes.height * planes.width).max(1);
    let mean_of = |plane: &[f32]| (plane.iter().map(|&value| f64::from(value)).sum::<f64>() / area as f64) as f32;
    let values =
        planes.values.chunks(area).flat_map(|plane| std::iter::repeat_n(mean_of(plane), plane.len())).collect();
    Planes { values, ..*planes }
}

/// The picture out of focus: [`gaussian_blur`] with [`blur_sigma`].
pub fn blur(planes: &Planes) -> Planes {
    gaussian_blur(planes, blur_sigma(planes))
}

/// The standard deviation that [`blur`] uses, in pixels: a sixteenth of the shorter side, so that the picture looks
/// alike at any size; 4 at 64 pixels, 14 at 224. Shapes larger than about a fifth of the picture remain as shadows.
pub fn blur_sigma(planes: &Planes) -> f32 {
    planes.height.min(planes.width) as f32 / 16.0
}

/// Noise that knows nothing of the picture: every value of every channel is the next of `uniform`, which the caller
/// draws from 0 to 1 out of its own seeded generator. Channel by channel, rows from the top.
pub fn noise(planes: &Planes, mut uniform: impl FnMut() -> f32) -> Planes {
    planes.map(|_| uniform())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planes() -> Planes {
        Planes { channels: 2, height: 1, width: 3, values: vec![0.0, 0.3, 0.6, 1.0, 0.5, 0.0] }
    }

    #[test]
    fn constant_infills_have_their_brightness_everywhere() {
        assert_eq!(black(&planes()), Planes::constant(2, 1, 3, 0.0));
        assert_eq!(white(&planes()), Planes::constant(2, 1, 3, 1.0));
        assert_eq!(grey(&planes()), Planes::constant(2, 1, 3, 0.5));
    }

    #[test]
    fn the_mean_is_taken_per_channel() {
        assert_eq!(mean(&planes()).values, [0.3, 0.3, 0.3, 0.5, 0.5, 0.5]);
    }

    #[test]
    fn blur_is_wider_in_a_larger_picture() {
        assert_eq!(blur_sigma(&Planes::constant(3, 64, 80, 0.0)), 4.0);
        assert_eq!(blur_sigma(&Planes::constant(3, 224, 224, 0.0)), 14.0);
        // A checkerboard of single pixels becomes flat grey, but for the repeated pixels at the edges.
        let checkers = Planes::constant(1, 32, 32, 0.0);
        let mut index = 0;
        let checkers = checkers.map(|_| {
            index += 1;
            ((index - 1) / 32 % 2 + index) as f32 % 2.0
        });
        let blurred = blur(&checkers);
        assert!(blurred.values.iter().all(|value| (value - 0.5).abs() < 0.03), "{:?}", &blurred.values[..4]);
    }

    #[test]
    fn noise_takes_the_callers_numbers_in_order() {
        let mut next = 0.0;
        let filled = noise(&planes(), || {
            next += 0.125;
            next
        });
        assert_eq!(filled.values, [0.125, 0.25, 0.375, 0.5, 0.625, 0.75]);
    }
}
