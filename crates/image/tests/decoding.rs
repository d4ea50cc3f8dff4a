//! Image files of every accepted kind against what Pillow reads out of them, and files that must be refused. The files
//! and the script that made them are in `data`.
#![cfg(feature = "codecs")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;

use proptest::prelude::*;
use vitrine_image::{ImageError, Pixels, decode};

/// Every image, and by how many levels a channel may differ from Pillow's: 0 where decoding is exact, a few for JPEG,
/// whose inverse transform is rounded differently, more where chroma is enlarged by another filter (JPEG) or another
/// conversion (lossy WebP).
const IMAGES: &[(&str, u8)] = &[
    ("alpha.png", 1),
    ("alpha.webp", 1),
    ("animated.gif", 0),
    ("animated.png", 0),
    ("animated.webp", 0),
    ("baseline.jpg", 3),
    ("bilevel.png", 0),
    ("cmyk.jpg", 3),
    ("grey.jpg", 3),
    ("grey_16.png", 0),
    ("lossless.webp", 0),
    ("lossy.webp", 4),
    ("orientation_1.jpg", 3),
    ("orientation_2.jpg", 3),
    ("orientation_3.jpg", 3),
    ("orientation_4.jpg", 3),
    ("orientation_5.jpg", 3),
    ("orientation_6.jpg", 3),
    ("orientation_6.png", 0),
    ("orientation_7.jpg", 3),
    ("orientation_8.jpg", 3),
    ("palette.bmp", 0),
    ("palette.png", 0),
    ("palette_transparent.png", 0),
    ("progressive.jpg", 3),
    ("restart.jpg", 3),
    ("rgb.bmp", 0),
    ("rgb.png", 0),
    ("still.gif", 0),
    ("subsampled.jpg", 20),
    ("ycck.jpg", 3),
];

fn read(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

fn largest_difference(found: &Pixels, expected: &Pixels) -> u8 {
    found.rgb.iter().zip(&expected.rgb).map(|(found, expected)| found.abs_diff(*expected)).max().unwrap_or(0)
}

#[test]
fn every_kind_of_image_decodes_as_pillow_decodes_it() {
    let mut wrong = Vec::new();
    for &(name, tolerance) in IMAGES {
        let found = decode(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = decode(&read(&format!("expected/{name}.png"))).unwrap();
        assert_eq!((found.width, found.height), (expected.width, expected.height), "size of {name}");
        assert_eq!(found.rgb.len(), 3 * found.width * found.height, "buffer of {name}");
        let difference = largest_difference(&found, &expected);
        if difference > tolerance {
            wrong.push(format!("{name}: {difference} levels, {tolerance} allowed"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_image_of_the_folder_is_left_out() {
    let folder = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_image = |name: &String| [".png", ".jpg", ".webp", ".gif", ".bmp"].iter().any(|end| name.ends_with(end));
    let mut images: Vec<String> = names.filter(is_image).filter(|name| name != "resize.png").collect();
    images.sort();
    assert_eq!(images, IMAGES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
}

#[test]
fn an_image_cut_anywhere_is_refused_or_complete() {
    let mut wrong = Vec::new();
    for &(name, _) in IMAGES {
        let bytes = read(name);
        let whole = decode(&bytes).unwrap();
        for length in 1..bytes.len() {
            match decode(&bytes[..length]) {
                Ok(pixels) if pixels == whole => {}
                Err(ImageError::Truncated { .. } | ImageError::NotAnImage { .. }) => {}
                Ok(_) => wrong.push(format!("{name} cut to {length} of {} bytes gives other pixels", bytes.len())),
                Err(error) => wrong.push(format!("{name} cut to {length} of {} bytes: {error}", bytes.len())),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn half_a_file_says_that_its_end_is_missing() {
    for (name, format) in [
        ("baseline.jpg", "JPEG"),
        ("orientation_6.jpg", "JPEG"),
        ("rgb.png", "PNG"),
        ("lossy.webp", "WebP"),
        ("still.gif", "GIF"),
        ("rgb.bmp", "BMP"),
    ] {
        let bytes = read(name);
        let error = decode(&bytes[..bytes.len() / 2]).unwrap_err();
        assert_eq!(error, ImageError::Truncated { format }, "{name}");
    }
}

#[test]
fn a_huge_image_is_refused_by_its_header_alone() {
    // A 10,000 x 10,000 picture of which nothing but the header is there, so decoding it would fail otherwise.
    let mut bitmap = read("rgb.bmp");
    bitmap[18..22].copy_from_slice(&10_000_u32.to_le_bytes());
    bitmap[22..26].copy_from_slice(&10_000_u32.to_le_bytes());
    let error = decode(&bitmap).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the image has 10000 x 10000 pixels (100 megapixels) and at most 64 megapixels are accepted; scale it down"
    );

    let mut png = read("rgb.png");
    png[16..24].copy_from_slice(&[0, 0, 0x27, 0x10, 0, 0, 0x27, 0x10]);
    let checksum = crc(&png[12..29]).to_be_bytes();
    png[29..33].copy_from_slice(&checksum);
    assert!(matches!(decode(&png), Err(ImageError::TooLarge { width: 10_000, height: 10_000, .. })));

    let mut gif = read("still.gif");
    gif[6..10].copy_from_slice(&[0x10, 0x27, 0x10, 0x27]);
    assert!(matches!(decode(&gif), Err(ImageError::TooLarge { width: 10_000, height: 10_000, .. })));

    let mut jpeg = read("baseline.jpg");
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    assert!(matches!(decode(&jpeg), Err(ImageError::TooLarge { width: 65_535, height: 65_535, .. })));
}

/// The checksum that ends a PNG chunk.
fn crc(bytes: &[u8]) -> u32 {
    let shift = |crc: u32| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| shift(crc)))
}

#[test]
fn bytes_that_are_no_image_are_refused() {
    assert_eq!(decode(b""), Err(ImageError::Empty));
    assert!(matches!(decode(b"%PDF-1.4"), Err(ImageError::NotAnImage { looks_like: "a PDF document" })));
    assert!(matches!(decode(b"\x89PNG but nothing of it is true"), Err(ImageError::Damaged { format: "PNG", .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    /// Changed bytes give pixels of the promised number or an error of one line, never a panic.
    #[test]
    fn a_damaged_image_never_panics(
        image in 0..IMAGES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = read(IMAGES[image].0);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        match decode(&bytes) {
            Ok(pixels) => prop_assert_eq!(pixels.rgb.len(), 3 * pixels.width * pixels.height),
            Err(error) => prop_assert!(!error.to_string().contains('\n'), "{}", error),
        }
    }
}
