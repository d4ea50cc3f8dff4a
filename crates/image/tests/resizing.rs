//! Resizing against Pillow's `Image.resize(..., BILINEAR)`. The pictures and the script that made them are in `data`.
#![cfg(feature = "codecs")]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;

use vitrine_image::{Pixels, decode, resize, to_tensor};
use vitrine_protocol::{Channels, ImageInput, Layout};

/// Both round once per direction, with weights of different precision.
const TOLERANCE: u8 = 1;

fn picture(name: &str) -> Pixels {
    decode(&std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()).unwrap()
}

fn largest_difference(found: &[u8], expected: &[u8]) -> u8 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(found, expected)| found.abs_diff(*expected)).max().unwrap_or(0)
}

#[test]
fn sizes_above_and_below_agree_with_pillow() {
    let source = picture("resize.png");
    for (width, height) in [(16, 16), (8, 23), (64, 48), (37, 10), (5, 3)] {
        let expected = picture(&format!("expected/resize_{width}x{height}.png"));
        let difference = largest_difference(&resize(&source, width, height).unwrap().rgb, &expected.rgb);
        assert!(difference <= TOLERANCE, "{width} x {height} differs by {difference} levels");
    }
}

#[test]
fn a_grey_input_agrees_with_pillow() {
    let input = ImageInput { range: [0.0, 255.0], ..ImageInput::plain(Layout::Nchw, Channels::Grey, 16, 16) };
    let tensor = to_tensor(&picture("resize.png"), &input).unwrap();
    let found: Vec<u8> = tensor.iter().map(|level| level.round() as u8).collect();
    let expected: Vec<u8> = picture("expected/resize_16x16_grey.png").rgb.into_iter().step_by(3).collect();
    let difference = largest_difference(&found, &expected);
    assert!(difference <= TOLERANCE, "differs by {difference} levels");
}
