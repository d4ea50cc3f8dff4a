//! Digits drawn in strokes, white on black, as if by hand.

use crate::Image;
use crate::canvas::Canvas;
use crate::colour::Colour;
use crate::random::Random;
use crate::shape::{Point, curve, polygon};

/// The strokes of each digit in the unit square.
const STROKES: [&[&[Point]]; 10] = [
    &[&[(0.5, 0.1), (0.15, 0.1), (0.2, 0.5), (0.2, 0.9), (0.5, 0.9), (0.82, 0.9), (0.8, 0.5), (0.8, 0.1), (0.5, 0.1)]],
    &[&[(0.35, 0.3), (0.55, 0.1)], &[(0.55, 0.1), (0.52, 0.9)]],
    &[&[(0.22, 0.3), (0.25, 0.08), (0.55, 0.1), (0.85, 0.15), (0.7, 0.5), (0.2, 0.9)], &[(0.2, 0.9), (0.82, 0.88)]],
    &[
        &[(0.22, 0.18), (0.45, 0.05), (0.75, 0.12), (0.75, 0.42), (0.4, 0.48)],
        &[(0.4, 0.48), (0.85, 0.5), (0.8, 0.85), (0.5, 0.95), (0.18, 0.82)],
    ],
    &[&[(0.35, 0.1), (0.2, 0.55)], &[(0.2, 0.55), (0.82, 0.55)], &[(0.65, 0.3), (0.62, 0.92)]],
    &[
        &[(0.78, 0.12), (0.3, 0.12)],
        &[(0.3, 0.12), (0.26, 0.45)],
        &[(0.26, 0.45), (0.55, 0.35), (0.85, 0.5), (0.78, 0.9), (0.45, 0.92), (0.2, 0.82)],
    ],
    &[&[
        (0.68, 0.1),
        (0.4, 0.2),
        (0.2, 0.6),
        (0.25, 0.9),
        (0.55, 0.92),
        (0.85, 0.85),
        (0.75, 0.5),
        (0.45, 0.5),
        (0.24, 0.7),
    ]],
    &[&[(0.2, 0.12), (0.82, 0.12)], &[(0.82, 0.12), (0.5, 0.5), (0.42, 0.92)]],
    &[
        &[(0.5, 0.48), (0.2, 0.4), (0.25, 0.1), (0.5, 0.1), (0.78, 0.1), (0.8, 0.4), (0.5, 0.48)],
        &[(0.5, 0.48), (0.15, 0.55), (0.2, 0.92), (0.5, 0.92), (0.82, 0.92), (0.86, 0.55), (0.5, 0.48)],
    ],
    &[&[(0.76, 0.3), (0.6, 0.52), (0.25, 0.5), (0.22, 0.12), (0.5, 0.1), (0.8, 0.1), (0.76, 0.4), (0.6, 0.92)]],
];

/// A digit in a hand that depends on the seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Digit {
    digit: usize,
    strokes: Vec<Vec<Point>>,
    width: f32,
    turn: f32,
    slant: f32,
}

impl Digit {
    /// The digit, 0 to 9 (of a larger number the last one), in the hand that the seed stands for.
    pub fn sample(seed: u64, digit: usize) -> Self {
        let random = &mut Random::new(seed ^ 0xd161_7000_0000_0000);
        let digit = digit % 10;
        let strokes = STROKES[digit].iter().map(|stroke| {
            stroke
                .iter()
                .map(|&(x, y)| (x + random.between(-0.035, 0.035), y + random.between(-0.035, 0.035)))
                .collect()
        });
        Digit {
            digit,
            strokes: strokes.collect(),
            width: random.between(0.07, 0.14),
            turn: random.between(-12.0, 12.0),
            slant: random.between(-0.25, 0.1),
        }
    }

    /// Which digit it is.
    pub fn value(&self) -> usize {
        self.digit
    }

    /// Brightness of each pixel of a square picture, 0 to 1, row by row from the top: `size * size` values.
    pub fn render(&self, size: u16) -> Vec<f32> {
        let mut canvas = Canvas::new(size);
        canvas.within((0.5, 0.5), self.turn, (0.78, 0.78), |canvas| {
            for stroke in &self.strokes {
                let points: Vec<Point> =
                    stroke.iter().map(|&(x, y)| (x - 0.5 + self.slant * (y - 0.5), y - 0.5)).collect();
                canvas.line(curve(&points), self.width, Colour::WHITE);
            }
        });
        canvas.coverage()
    }
}

/// The null block of BlockMNIST (Shah, Jain & Netrapalli, 2021): a sign that is no digit and the same for all classes,
/// here a crossed-out square; as [`Digit::render`].
pub fn null_block(size: u16) -> Vec<f32> {
    let mut canvas = Canvas::new(size);
    let square = [(0.16, 0.16), (0.84, 0.16), (0.84, 0.84), (0.16, 0.84)];
    canvas.fill(polygon(&square), Colour::WHITE);
    let inner = square.map(|(x, y): Point| (0.5 + 0.82 * (x - 0.5), 0.5 + 0.82 * (y - 0.5)));
    canvas.fill(polygon(&inner), Colour::BLACK);
    for ends in [[(0.2, 0.2), (0.8, 0.8)], [(0.2, 0.8), (0.8, 0.2)]] {
        canvas.line(curve(&ends), 0.07, Colour::WHITE);
    }
    canvas.coverage()
}

/// A plane of brightness values, 0 to 1, as a grey picture.
pub fn grey(plane: &[f32], width: usize) -> Image {
    let rgb = plane.iter().flat_map(|value| [(value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8; 3]).collect();
    Image { width, height: plane.len() / width.max(1), rgb }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_written_within_the_picture_and_differ_from_one_another() {
        for seed in 0..30 {
            let drawn: Vec<Vec<f32>> = (0..10).map(|digit| Digit::sample(seed, digit).render(28)).collect();
            for (digit, plane) in drawn.iter().enumerate() {
                let ink: f32 = plane.iter().sum();
                assert!((15.0..230.0).contains(&ink), "digit {digit} of seed {seed} has {ink} pixels of ink");
                let edge = |pixel: usize| [0, 27].contains(&(pixel % 28)) || [0, 27].contains(&(pixel / 28));
                let at_edge: f32 = (0..plane.len()).filter(|&pixel| edge(pixel)).map(|pixel| plane[pixel]).sum();
                assert!(at_edge < 2.0, "digit {digit} of seed {seed} touches the edge");
            }
            for one in 0..10 {
                for other in one + 1..10 {
                    let apart: f32 = drawn[one].iter().zip(&drawn[other]).map(|(a, b)| (a - b).abs()).sum();
                    assert!(apart > 15.0, "{one} and {other} of seed {seed} differ on {apart} pixels");
                }
            }
        }
    }

    #[test]
    fn hands_differ() {
        assert_ne!(Digit::sample(1, 4).render(28), Digit::sample(2, 4).render(28));
        assert_eq!(Digit::sample(1, 14), Digit::sample(1, 4));
    }
}
