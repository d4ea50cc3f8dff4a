//! Resizing as Pillow does.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::error::check_length;
use crate::{ImageError, Pixels};

/// Resizes the whole picture to `width` x `height`, without keeping its proportions.
///
/// Bilinear with antialiasing: when shrinking, the triangle filter widens with the factor, as in Pillow's
/// `Image.resize(..., BILINEAR)` and torchvision's `Resize` on Pillow images. Levels agree with Pillow within 1.
///
/// # Errors
/// [`ImageError::Length`] when the picture's buffer does not fit its size, [`ImageError::Size`] when either size is
/// zero or too large to hold.
pub fn resize(pixels: &Pixels, width: usize, height: usize) -> Result<Pixels, ImageError> {
    let rgb = resize_bytes((pixels.width, pixels.height), &pixels.rgb, (width, height), PixelType::U8x3)?;
    Ok(Pixels { width, height, rgb })
}

/// The same for one byte per pixel; sizes are (width, height).
pub(crate) fn resize_grey(from: (usize, usize), levels: &[u8], to: (usize, usize)) -> Result<Vec<u8>, ImageError> {
    resize_bytes(from, levels, to, PixelType::U8)
}

fn resize_bytes(
    from: (usize, usize),
    bytes: &[u8],
    to: (usize, usize),
    kind: PixelType,
) -> Result<Vec<u8>, ImageError> {
    let unusable = |reason: String| ImageError::Size { reason };
    let side = |length: usize| match u32::try_from(length) {
        Ok(length) if length > 0 => Ok(length),
        _ => Err(unusable(format!("from {} x {} to {} x {} pixels", from.0, from.1, to.0, to.1))),
    };
    check_length("the picture", from.0.saturating_mul(from.1).saturating_mul(kind.size()), bytes.len())?;
    let source =
        ImageRef::new(side(from.0)?, side(from.1)?, bytes, kind).map_err(|error| unusable(error.to_string()))?;
    let mut target = Image::new(side(to.0)?, side(to.1)?, kind);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).use_alpha(false);
    Resizer::new().resize(&source, &mut target, &options).map_err(|error| unusable(error.to_string()))?;
    Ok(target.into_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halving_a_row_widens_the_filter() {
        // At half size the triangle spans two source pixels to each side: weights 1/8, 3/8, 3/8, 1/8 inside, and at
        // an edge what remains of them, 3/7, 3/7, 1/7.
        let row = |levels: &[u8]| Pixels {
            width: levels.len(),
            height: 1,
            rgb: levels.iter().flat_map(|&level| [level; 3]).collect(),
        };
        let halved = resize(&row(&[0, 70, 140, 0, 0, 0, 0, 0]), 4, 1).unwrap();
        // (3 * 0 + 3 * 70 + 140) / 7 = 50; (70 + 3 * 140) / 8 = 61.25; 140 * 1/8 would reach the third from 1 away,
        // but its span starts at pixel 3, so the rest is 0.
        assert_eq!(halved, row(&[50, 61, 0, 0]));
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let pixels = Pixels { width: 3, height: 2, rgb: (0..18).map(|level| level * 14).collect() };
        assert_eq!(resize(&pixels, 3, 2).unwrap(), pixels);
    }

    #[test]
    fn sizes_of_zero_and_short_buffers_are_refused() {
        let pixels = Pixels { width: 3, height: 2, rgb: vec![0; 18] };
        assert!(matches!(resize(&pixels, 0, 2), Err(ImageError::Size { .. })));
        let none = Pixels { width: 0, height: 0, rgb: vec![] };
        assert!(matches!(resize(&none, 2, 2), Err(ImageError::Size { .. })));
        let short = Pixels { rgb: vec![0; 17], ..pixels };
        assert!(matches!(resize(&short, 2, 2), Err(ImageError::Length { expected: 18, found: 17, .. })));
    }
}
