//! A digit in a larger picture, with things beside it that say nothing: the null block, noise.

use crate::image::place_mask;
use crate::random::Random;
use crate::{Digit, null_block};

/// One digit, alone or in a quarter of the picture beside the null block or noise.
#[derive(Clone, Debug, PartialEq)]
pub struct DigitScene {
    digit: Digit,
    /// Where the digit stands and what stands in the quarters; `None` where it fills the picture.
    quarters: Option<[Filling; 4]>,
    seed: u64,
}

/// What a quarter of the picture holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// Nothing.
    Empty,
    /// The digit.
    Digit,
    /// The null block.
    Null,
    /// Pixels that are independent and uniform between black and white.
    Noise,
}

impl DigitScene {
    /// A digit alone in three of ten cases, otherwise beside quarters with anything.
    pub fn sample(seed: u64) -> Self {
        let random = &mut Random::new(seed);
        let digit = Digit::sample(seed, random.below(10));
        if random.chance(0.3) {
            return DigitScene { digit, quarters: None, seed };
        }
        let mut quarters = [Filling::Empty; 4].map(|_| random.pick(&[Filling::Empty, Filling::Null, Filling::Noise]));
        quarters[random.below(4)] = Filling::Digit;
        DigitScene { digit, quarters: Some(quarters), seed }
    }

    /// A digit and the null block in two quarters, the others empty (BlockMNIST: Shah, Jain & Netrapalli, 2021).
    pub fn beside_null_block(seed: u64) -> Self {
        DigitScene::beside(seed, Filling::Null, Filling::Empty)
    }

    /// A digit in one quarter and noise in the others (ChaosMining: Shi et al., 2024).
    pub fn in_noise(seed: u64) -> Self {
        DigitScene::beside(seed, Filling::Noise, Filling::Noise)
    }

    fn beside(seed: u64, one: Filling, others: Filling) -> Self {
        let random = &mut Random::new(seed);
        let digit = Digit::sample(seed, random.below(10));
        let place = random.below(4);
        let other = (place + 1 + random.below(3)) % 4;
        let mut quarters = [others; 4];
        quarters[place] = Filling::Digit;
        quarters[other] = one;
        DigitScene { digit, quarters: Some(quarters), seed }
    }

    /// Which digit it shows.
    pub fn digit(&self) -> usize {
        self.digit.value()
    }

    /// Brightness of each pixel, 0 to 1, row by row from the top: `size * size` values, the size made even.
    pub fn render(&self, size: u16) -> Vec<f32> {
        let (half, side) = halves(size);
        let Some(quarters) = self.quarters else { return self.digit.render(2 * half) };
        let random = &mut Random::new(!self.seed);
        let mut plane = vec![0.0; side * side];
        for (quarter, filling) in quarters.into_iter().enumerate() {
            let values = match filling {
                Filling::Empty => continue,
                Filling::Digit => self.digit.render(half),
                Filling::Null => null_block(half),
                Filling::Noise => (0..side * side / 4).map(|_| random.between(0.0, 1.0)).collect(),
            };
            add(&mut plane, &place(&values, quarter, side));
        }
        plane
    }

    /// One in the quarters that hold this, zero elsewhere; the whole picture for a digit that stands alone.
    pub fn mask(&self, of: Filling, size: u16) -> Vec<f32> {
        let (_, side) = halves(size);
        let Some(quarters) = self.quarters else {
            return vec![if of == Filling::Digit { 1.0 } else { 0.0 }; side * side];
        };
        let mut plane = vec![0.0; side * side];
        for (quarter, filling) in quarters.into_iter().enumerate() {
            if filling == of {
                add(&mut plane, &place(&vec![1.0; side * side / 4], quarter, side));
            }
        }
        plane
    }

    /// The digit's strokes, 0 to 1.
    pub fn strokes(&self, size: u16) -> Vec<f32> {
        let picture = self.render(size);
        picture.iter().zip(self.mask(Filling::Digit, size)).map(|(value, inside)| value * inside).collect()
    }
}

/// Half of an even side, and the side.
fn halves(size: u16) -> (u16, usize) {
    let half = (size / 2).max(1);
    (half, 2 * usize::from(half))
}

/// A quarter's values at its place in a plane of zeros: the quarters are counted row by row.
fn place(values: &[f32], quarter: usize, side: usize) -> Vec<f32> {
    let half = side / 2;
    place_mask(values, half, ((quarter % 2) * half, (quarter / 2) * half), side, side)
}

fn add(plane: &mut [f32], more: &[f32]) {
    for (value, more) in plane.iter_mut().zip(more) {
        *value += more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u16 = 56;

    #[test]
    fn digit_and_null_block_lie_in_two_quarters_with_nothing_else() {
        for seed in 0..20 {
            let scene = DigitScene::beside_null_block(seed);
            let (picture, digit, null) =
                (scene.render(SIZE), scene.mask(Filling::Digit, SIZE), scene.mask(Filling::Null, SIZE));
            assert_eq!((digit.iter().sum::<f32>(), null.iter().sum::<f32>()), (784.0, 784.0));
            for pixel in 0..picture.len() {
                assert!(digit[pixel] + null[pixel] <= 1.0);
                assert!(picture[pixel] == 0.0 || digit[pixel] + null[pixel] == 1.0, "pixel {pixel} lies in neither");
            }
            assert!(scene.strokes(SIZE).iter().sum::<f32>() > 15.0);
        }
    }

    #[test]
    fn noise_fills_three_quarters_and_is_grey_on_average() {
        let scene = DigitScene::in_noise(5);
        let noise = scene.mask(Filling::Noise, SIZE);
        assert_eq!(noise.iter().sum::<f32>(), 3.0 * 784.0);
        let sum: f32 = scene.render(SIZE).iter().zip(&noise).map(|(value, inside)| value * inside).sum();
        assert!((sum / (3.0 * 784.0) - 0.5).abs() < 0.03, "mean {}", sum / (3.0 * 784.0));
        assert_eq!(scene.render(SIZE), scene.render(SIZE));
    }

    #[test]
    fn sampled_scenes_show_all_digits_alone_and_in_quarters() {
        let scenes: Vec<DigitScene> = (0..200).map(DigitScene::sample).collect();
        for digit in 0..10 {
            assert!(scenes.iter().any(|scene| scene.digit() == digit), "no {digit}");
        }
        assert!((30..90).contains(&scenes.iter().filter(|scene| scene.quarters.is_none()).count()));
    }
}
