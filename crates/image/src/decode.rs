//! Image files to pixels.

use std::io::{Cursor, ErrorKind};

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};

use crate::pixels::{MAX_PIXELS, on_white};
use crate::recognise::{Format, recognise};
use crate::{ImageError, Pixels};

/// Decodes a PNG, JPEG, WebP, GIF or BMP file, told apart by content.
///
/// The picture is turned upright as its EXIF orientation says. Grey and palette images become RGB, 16-bit levels are
/// rounded to 8, transparency is composited on white, and of an animation the first frame is taken. CMYK JPEGs are
/// read as Photoshop writes them (inverted) and converted by `(1 - ink) * (1 - black)`, as Pillow and browsers without
/// colour management do; embedded colour profiles are not applied.
///
/// # Errors
/// One sentence each: [`ImageError::Empty`], [`ImageError::NotAnImage`], [`ImageError::Truncated`],
/// [`ImageError::Damaged`], and [`ImageError::TooLarge`] above [`MAX_PIXELS`], judged by the header alone. No bytes make
/// it panic, and it takes no more memory than a picture of that many pixels needs.
pub fn decode(bytes: &[u8]) -> Result<Pixels, ImageError> {
    let format = recognise(bytes)?;
    if !is_whole(format, bytes) {
        return Err(ImageError::Truncated { format: format.name() });
    }
    let failed = |error| explain(error, format);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.codec());
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImageError::TooLarge { width: width as usize, height: height as usize, limit: MAX_PIXELS });
    }
    // A damaged EXIF block is no reason to refuse the pixels.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(failed)?;
    image.apply_orientation(orientation);
    let (width, height) = (image.width() as usize, image.height() as usize);
    let rgb = match image {
        DynamicImage::ImageRgb8(image) => image.into_raw(),
        image if image.color().has_alpha() => on_white(&image.into_rgba8()),
        image => image.into_rgb8().into_raw(),
    };
    Ok(Pixels { width, height, rgb })
}

/// Enough for 16-bit RGBA at the size limit, and for a decoder's tables.
fn limits() -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(8 * MAX_PIXELS + (16 << 20));
    limits
}

fn explain(error: image::ImageError, format: Format) -> ImageError {
    let format_name = format.name();
    // The decoders' words may run over several lines or end in a full stop.
    let words = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    let ran_out = match error {
        image::ImageError::IoError(error) => error.kind() == ErrorKind::UnexpectedEof,
        // The GIF decoder says it in words only; a test that cuts files watches over them.
        _ => format == Format::Gif && words.contains("Unexpected End of File"),
    };
    if ran_out {
        return ImageError::Truncated { format: format_name };
    }
    ImageError::Damaged { format: format_name, reason: words.trim_end_matches('.').to_owned() }
}

/// Whether the file is as long as its format says, where its decoder does not tell.
fn is_whole(format: Format, bytes: &[u8]) -> bool {
    match format {
        Format::Jpeg => reaches_its_end(bytes),
        Format::WebP => match bytes {
            [_, _, _, _, a, b, c, d, content @ ..] => u32::from_le_bytes([*a, *b, *c, *d]) as usize <= content.len(),
            _ => false,
        },
        Format::Png | Format::Gif | Format::Bmp => true,
    }
}

/// Whether a JPEG has its end marker: the decoder fills what is missing with grey and says nothing.
fn reaches_its_end(bytes: &[u8]) -> bool {
    const END: u8 = 0xd9;
    let mut rest = bytes;
    loop {
        // Up to the next marker: 0xff and neither a stuffed zero, a restart, nor a fill byte.
        let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0x01 | 0xd0..=0xd8 | 0xff);
        let Some(at) = rest.windows(2).position(is_marker) else { return false };
        let Some((&[_, marker], after)) = rest.get(at..).and_then(<[u8]>::split_first_chunk) else { return false };
        if marker == END {
            return true;
        }
        let Some(length) = after.first_chunk().map(|&length| usize::from(u16::from_be_bytes(length))) else {
            return false;
        };
        // A thumbnail inside a segment has an end marker of its own, so segments are skipped whole.
        let Some(next) = after.get(length..) else { return false };
        rest = next;
    }
}
