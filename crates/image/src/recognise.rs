//! What a file is, by its content.

use image::ImageFormat;

use crate::ImageError;

/// The image formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Png,
    Jpeg,
    WebP,
    Gif,
    Bmp,
}

impl Format {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Png => "PNG",
            Format::Jpeg => "JPEG",
            Format::WebP => "WebP",
            Format::Gif => "GIF",
            Format::Bmp => "BMP",
        }
    }

    pub(crate) fn codec(self) -> ImageFormat {
        match self {
            Format::Png => ImageFormat::Png,
            Format::Jpeg => ImageFormat::Jpeg,
            Format::WebP => ImageFormat::WebP,
            Format::Gif => ImageFormat::Gif,
            Format::Bmp => ImageFormat::Bmp,
        }
    }
}

/// Tells the format from the first bytes; names and extensions do not matter.
pub(crate) fn recognise(bytes: &[u8]) -> Result<Format, ImageError> {
    let brand = bytes.get(8..12).unwrap_or_default();
    match bytes {
        [] => Err(ImageError::Empty),
        [0x89, b'P', b'N', b'G', ..] => Ok(Format::Png),
        [0xff, 0xd8, 0xff, ..] => Ok(Format::Jpeg),
        [b'R', b'I', b'F', b'F', ..] if brand == b"WEBP" => Ok(Format::WebP),
        [b'G', b'I', b'F', b'8', ..] => Ok(Format::Gif),
        // Reserved bytes that are zero tell a bitmap from a text that begins with these two letters.
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Ok(Format::Bmp),
        _ => Err(ImageError::NotAnImage { looks_like: looks_like(bytes, brand) }),
    }
}

/// What people drop by mistake, with its article.
fn looks_like(bytes: &[u8], brand: &[u8]) -> &'static str {
    match bytes {
        [b'%', b'P', b'D', b'F', ..] => "a PDF document",
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => "a TIFF image",
        [0, 0, 1, 0, ..] => "an icon file",
        [b'8', b'B', b'P', b'S', ..] => "a Photoshop document",
        [0xff, 0x0a, ..] | [0, 0, 0, 12, b'J', b'X', b'L', b' ', ..] => "a JPEG XL image",
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] => "a JPEG 2000 image",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => match brand {
            b"avif" | b"avis" => "an AVIF image",
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => "an HEIC image",
            _ => "a video",
        },
        [0x1a, 0x45, 0xdf, 0xa3, ..] | [0, 0, 1, 0xba, ..] => "a video",
        [b'R', b'I', b'F', b'F', ..] if brand == b"AVI " => "a video",
        [b'P', b'K', 3, 4, ..] => "a ZIP archive or an office document",
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => "an NPY array",
        _ => text(bytes).unwrap_or("a file of an unknown kind"),
    }
}

/// The kind of text, if the beginning is text at all.
fn text(bytes: &[u8]) -> Option<&'static str> {
    let head = bytes.get(..1024).unwrap_or(bytes);
    let head = match std::str::from_utf8(head) {
        Ok(head) => head,
        // The cut may have gone through a character.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?,
        Err(_) => return None,
    };
    let head = head.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    if head.contains(|letter: char| letter.is_control() && !letter.is_whitespace()) {
        return None;
    }
    Some(match &*head {
        head if head.contains("<svg") => "an SVG drawing",
        head if head.starts_with("<!doctype html") || head.starts_with("<html") => "a web page",
        head if head.starts_with(['{', '[']) => "a JSON file",
        _ => "a text file",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_image_is_called_by_its_name() {
        for (bytes, name) in [
            (&b"%PDF-1.7\n"[..], "a PDF document"),
            (b"<!DOCTYPE html><title>404</title>", "a web page"),
            (b"\xef\xbb\xbf <?xml version=\"1.0\"?><svg xmlns=\"\">", "an SVG drawing"),
            (b"\0\0\0\x18ftypheic\0\0\0\0", "an HEIC image"),
            (b"\0\0\0\x1cftypavif\0\0\0\0", "an AVIF image"),
            (b"\0\0\0\x20ftypisom\0\0\x02\0", "a video"),
            (b"\x1a\x45\xdf\xa3\x01", "a video"),
            (b"RIFF\x10\0\0\0AVI LIST", "a video"),
            (b"II*\0\x08\0\0\0", "a TIFF image"),
            (b"PK\x03\x04\x14\0", "a ZIP archive or an office document"),
            (b"\x93NUMPY\x01\0", "an NPY array"),
            (b"{\"a\": 1}", "a JSON file"),
            (b"BM is how this text begins", "a text file"),
            ("grüß Gott".as_bytes(), "a text file"),
            (b"\x08\x07\x12\x07pytorch", "a file of an unknown kind"),
            (b"\xff", "a file of an unknown kind"),
        ] {
            assert_eq!(recognise(bytes), Err(ImageError::NotAnImage { looks_like: name }));
        }
        assert_eq!(recognise(b""), Err(ImageError::Empty));
    }

    #[test]
    fn a_text_cut_within_a_letter_is_still_a_text() {
        let long = format!("{}é and more", "x".repeat(1023));
        assert_eq!(looks_like(long.as_bytes(), b""), "a text file");
    }
}
