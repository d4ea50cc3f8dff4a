//! A picture as the decoders leave it.

use vitrine_protocol::Picture;

/// Most pixels of an image that is accepted. Decoding takes at most about 16 bytes for each: twice 16-bit RGBA, when
/// such a picture is turned.
pub const MAX_PIXELS: u64 = 64_000_000;

/// Eight-bit sRGB pixels, row by row from the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pixels {
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// `3 * width * height` bytes: red, green, blue.
    pub rgb: Vec<u8>,
}

impl Pixels {
    /// The same pixels, opaque, as page and worker exchange them.
    pub fn to_picture(&self) -> Picture {
        let rgba = self.rgb.as_chunks().0.iter().flat_map(|&[red, green, blue]| [red, green, blue, 255]).collect();
        Picture { width: self.width, height: self.height, rgba }
    }

    /// A picture's pixels, composited on white where they are not opaque.
    pub fn from_picture(picture: &Picture) -> Self {
        Pixels { width: picture.width, height: picture.height, rgb: on_white(&picture.rgba) }
    }
}

/// Composites RGBA bytes on white, rounding to the nearest level.
pub(crate) fn on_white(rgba: &[u8]) -> Vec<u8> {
    let blend = |level: u8, opacity: u8| {
        let (level, opacity) = (u32::from(level), u32::from(opacity));
        ((level * opacity + 255 * (255 - opacity) + 127) / 255) as u8
    };
    rgba.as_chunks()
        .0
        .iter()
        .flat_map(|&[red, green, blue, opacity]| [blend(red, opacity), blend(green, opacity), blend(blue, opacity)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transparent_pixels_become_white_and_opaque_ones_stay() {
        let rgba = vec![10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 255, 51];
        // One fifth of the colour, four fifths of white: 204, 204 + 20, 255.
        assert_eq!(on_white(&rgba), [10, 20, 30, 255, 255, 255, 204, 224, 255]);
    }

    #[test]
    fn a_picture_and_back_is_the_same() {
        let pixels = Pixels { width: 2, height: 1, rgb: vec![1, 2, 3, 4, 5, 6] };
        assert_eq!(pixels.to_picture().rgba, [1, 2, 3, 255, 4, 5, 6, 255]);
        assert_eq!(Pixels::from_picture(&pixels.to_picture()), pixels);
    }
}
