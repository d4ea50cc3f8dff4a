//! What can be wrong with a file, a card or a buffer.

/// Why pixels or arrays were refused. Each text is one sentence that fits behind the file's name and a colon.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ImageError {
    /// No bytes at all.
    #[error("the file is empty; give a PNG, JPEG, WebP, GIF or BMP image")]
    Empty,
    /// The content is none of the image formats read here.
    #[error(
        "this is not an image that can be read here, it looks like {looks_like}; give a PNG, JPEG, WebP, GIF or BMP image"
    )]
    NotAnImage {
        /// What the first bytes suggest, with its article.
        looks_like: &'static str,
    },
    /// The file ends before its picture does.
    #[error("the {format} image is incomplete, its end is missing; download or save it again")]
    Truncated {
        /// Name of the file format.
        format: &'static str,
    },
    /// The file says what its format does not allow.
    #[error("the {format} image is damaged and cannot be read ({reason}); save it again or give another one")]
    Damaged {
        /// Name of the file format.
        format: &'static str,
        /// The decoder's words.
        reason: String,
    },
    /// More pixels than are accepted; found out before any pixel was decoded.
    #[error(
        "the image has {width} x {height} pixels ({} megapixels) and at most {} megapixels are accepted; scale it down",
        megapixels(*width as u64 * *height as u64), megapixels(*limit)
    )]
    TooLarge {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// Most pixels accepted.
        limit: u64,
    },
    /// The description of a model's image input makes no sense.
    #[error("the model's image input is not usable: {reason}; correct its model card")]
    Input {
        /// What is wrong, with the value found.
        reason: String,
    },
    /// A buffer has not the length its size asks for.
    #[error("{what} needs {expected} values and has {found}")]
    Length {
        /// Which buffer.
        what: &'static str,
        /// Values needed.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// An NPY or NPZ file that cannot be used.
    #[error("the {format} file cannot be used: {reason}")]
    Array {
        /// `NPY` or `NPZ`.
        format: &'static str,
        /// What is wrong and what would be accepted.
        reason: String,
    },
    /// A size that a picture cannot be resized to or written in.
    #[error("the picture cannot be resized or written: {reason}")]
    Size {
        /// What is wrong, with the sizes.
        reason: String,
    },
    /// A picture that has no regions, or parameters that a segmentation cannot take.
    #[error("the picture cannot be cut into regions: {reason}")]
    Regions {
        /// What is wrong and what would be accepted.
        reason: String,
    },
    /// Removed pixels that cannot be filled from those that are kept.
    #[error("the removed pixels cannot be filled: {reason}")]
    Infill {
        /// What is wrong and what would be accepted.
        reason: String,
    },
}

/// Refuses a buffer of the wrong length.
pub(crate) fn check_length(what: &'static str, expected: usize, found: usize) -> Result<(), ImageError> {
    if expected == found { Ok(()) } else { Err(ImageError::Length { what, expected, found }) }
}

/// One decimal, so that a size just above the limit does not read like the limit.
fn megapixels(pixels: u64) -> String {
    let tenths = pixels.div_ceil(100_000);
    let (whole, tenth) = (tenths / 10, tenths % 10);
    if tenth == 0 { whole.to_string() } else { format!("{whole}.{tenth}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_image_is_refused_with_its_size_and_the_limit() {
        let error = ImageError::TooLarge { width: 8001, height: 8000, limit: 64_000_000 };
        assert_eq!(
            error.to_string(),
            "the image has 8001 x 8000 pixels (64.1 megapixels) and at most 64 megapixels are accepted; scale it down"
        );
    }
}
