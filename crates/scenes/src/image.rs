//! Pixels.

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Red, green and blue in sRGB, 0 to 255, row by row from the top: `3 * width * height` bytes.
    pub rgb: Vec<u8>,
}

impl Image {
    /// A black picture.
    pub fn black(width: usize, height: usize) -> Self {
        Image { width, height, rgb: vec![0; 3 * width * height] }
    }

    /// Lays a picture over this one, its top left corner at (`left`, `top`); what reaches beyond the edge is lost.
    pub fn paste(&mut self, picture: &Image, left: usize, top: usize) {
        self.paste_where(picture, left, top, |_| 1.0);
    }

    /// [`Image::paste`] of a picture with its coverage, 0 to 1 for each of its pixels; none where values are missing.
    pub fn paste_masked(&mut self, picture: &Image, coverage: &[f32], left: usize, top: usize) {
        self.paste_where(picture, left, top, |pixel| coverage.get(pixel).copied().unwrap_or(0.0));
    }

    fn paste_where(&mut self, picture: &Image, left: usize, top: usize, coverage: impl Fn(usize) -> f32) {
        for (pixel, colour) in picture.rgb.chunks_exact(3).enumerate() {
            let (x, y) = (left + pixel % picture.width, top + pixel / picture.width);
            if x >= self.width || y >= self.height {
                continue;
            }
            let share = coverage(pixel);
            let start = 3 * (y * self.width + x);
            for (below, &above) in self.rgb.iter_mut().skip(start).zip(colour) {
                let below_value = f32::from(*below);
                *below = (below_value + share * (f32::from(above) - below_value) + 0.5) as u8;
            }
        }
    }
}

/// A mask of a picture of another size: `mask` of a square of `side` pixels put at (`left`, `top`) of a plane of zeros.
pub fn place_mask(mask: &[f32], side: usize, at: (usize, usize), width: usize, height: usize) -> Vec<f32> {
    let mut plane = vec![0.0; width * height];
    for (pixel, &value) in mask.iter().enumerate() {
        let (x, y) = (at.0 + pixel % side.max(1), at.1 + pixel / side.max(1));
        if x < width
            && let Some(place) = plane.get_mut(y * width + x)
        {
            *place = value;
        }
    }
    plane
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasting_covers_what_lies_below_by_the_mask() {
        let mut below = Image { width: 3, height: 1, rgb: vec![100; 9] };
        let above = Image { width: 2, height: 1, rgb: vec![200, 0, 100, 200, 0, 100] };
        below.paste_masked(&above, &[1.0, 0.5], 1, 0);
        assert_eq!(below.rgb, [100, 100, 100, 200, 0, 100, 150, 50, 100]);
        below.paste(&above, 2, 0);
        assert_eq!(below.rgb[6..], [200, 0, 100]);
    }

    #[test]
    fn a_placed_mask_keeps_its_values_and_loses_what_reaches_over() {
        assert_eq!(place_mask(&[0.1, 0.2, 0.3, 0.4], 2, (2, 1), 3, 2), [0.0, 0.0, 0.0, 0.0, 0.0, 0.1]);
    }
}
