//! Pictures to files.

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use vitrine_protocol::Picture;

use crate::ImageError;
use crate::error::check_length;

/// The picture as a PNG file.
///
/// # Errors
/// [`ImageError::Length`] when the buffer does not fit the size, [`ImageError::Size`] for a picture without pixels.
pub fn encode_png(picture: &Picture) -> Result<Vec<u8>, ImageError> {
    let refuse = |reason: String| ImageError::Size { reason };
    check_length("the picture", picture.width.saturating_mul(picture.height).saturating_mul(4), picture.rgba.len())?;
    let side = |length: usize| u32::try_from(length).map_err(|error| refuse(error.to_string()));
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(&picture.rgba, side(picture.width)?, side(picture.height)?, ExtendedColorType::Rgba8)
        .map_err(|error| refuse(error.to_string()))?;
    Ok(png)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Pixels, decode};

    #[test]
    fn an_encoded_picture_decodes_to_itself() {
        let pixels = Pixels { width: 5, height: 3, rgb: (0..45).map(|level| level * 5).collect() };
        let png = encode_png(&pixels.to_picture()).unwrap();
        assert_eq!(decode(&png).unwrap(), pixels);
    }

    #[test]
    fn a_picture_without_pixels_or_with_too_few_is_refused() {
        assert!(matches!(encode_png(&Picture { width: 0, height: 0, rgba: vec![] }), Err(ImageError::Size { .. })));
        let short = Picture { width: 2, height: 2, rgba: vec![0; 15] };
        assert_eq!(encode_png(&short).unwrap_err().to_string(), "the picture needs 16 values and has 15");
    }
}
