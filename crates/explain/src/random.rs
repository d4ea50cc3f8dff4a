//! Random numbers that the seed alone decides.

use chacha20::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// What random numbers are for; every purpose has its own.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// Masks of samplers.
    Masks = 1,
    /// Infills of noise.
    Infill = 2,
    /// Noise added to the input.
    Noise = 3,
    /// Points and starts of paths.
    Paths = 4,
    /// Arrangements of points that fill a cube.
    Designs = 5,
    /// Pictures to begin with.
    Start = 6,
    /// Crops of pictures.
    Views = 7,
    /// Parts of the input that a metric changes, and how.
    Metrics = 8,
    /// What a metric takes in the place of a model's weights.
    Weights = 9,
}

/// ChaCha with 8 rounds (Bernstein, 2008), a counter-based generator: number `index` of a purpose is found without
/// those before it, so batches may have any size, and it is the same on every machine.
pub struct Random(ChaCha8Rng);

impl Random {
    /// The numbers of one thing, such as one mask, of one purpose.
    pub fn new(seed: u64, purpose: Purpose, index: u32) -> Random {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream((purpose as u64) << 32 | u64::from(index));
        Random(generator)
    }

    /// Uniform in [0, 1), a multiple of 2^-24 and so exact in float32.
    pub fn uniform(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / 16_777_216.0
    }

    /// Normal with mean 0 and deviation 1, by the transform of Box and Muller (1958).
    pub fn normal(&mut self) -> f32 {
        let (radius, angle) = (1.0 - f64::from(self.uniform()), f64::from(self.uniform()));
        ((-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()) as f32
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.chances(probability)[0]
    }

    /// True with this probability, and its twin: the same of one minus the number drawn.
    pub fn chances(&mut self, probability: f64) -> [bool; 2] {
        let word = self.0.next_u32();
        [word, u32::MAX - word].map(|word| f64::from(word) < probability * 4_294_967_296.0)
    }

    /// The numbers 0, 1 ... `count` - 1 in a random order (Fisher and Yates).
    pub fn permutation(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        (1..count).rev().for_each(|last| order.swap(last, self.below(last + 1)));
        order
    }

    /// One of 0, 1 ... `count` - 1; the bias is below `count` / 2^32.
    pub fn below(&mut self, count: usize) -> usize {
        ((u64::from(self.0.next_u32()) * count as u64) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_four(seed: u64, purpose: Purpose, index: u32) -> [u32; 4] {
        let mut random = Random::new(seed, purpose, index);
        std::array::from_fn(|_| random.0.next_u32())
    }

    /// The values are the first words of the ChaCha8 key stream, as any other implementation gives them.
    #[test]
    fn the_numbers_are_chacha8_with_the_seed_as_key() {
        let mut words = Random::new(0, Purpose::Masks, 0).0;
        words.set_stream(0);
        // Key and nonce zero: "3e00ef2f895f40d67f5bb8e81f09a5a1" of the published test vectors for 8 rounds.
        let expected = [0x3e00_ef2f, 0x895f_40d6, 0x7f5b_b8e8, 0x1f09_a5a1].map(u32::swap_bytes);
        assert_eq!([(); 4].map(|()| words.next_u32()), expected);
    }

    #[test]
    fn seed_purpose_and_index_each_change_the_numbers() {
        let reference = first_four(7, Purpose::Masks, 3);
        assert_eq!(first_four(7, Purpose::Masks, 3), reference);
        assert_ne!(first_four(8, Purpose::Masks, 3), reference);
        assert_ne!(first_four(7, Purpose::Infill, 3), reference);
        assert_ne!(first_four(7, Purpose::Masks, 4), reference);
    }

    #[test]
    fn chances_and_choices_are_as_likely_as_they_say() {
        let mut random = Random::new(1, Purpose::Masks, 0);
        let kept = (0..100_000).filter(|_| random.chance(0.3)).count();
        // The standard deviation is 145.
        assert!((29_300..30_700).contains(&kept), "{kept} of 100000 at probability 0.3");
        let mut counts = [0; 5];
        (0..100_000).for_each(|_| counts[random.below(5)] += 1);
        assert!(counts.iter().all(|count| (19_400..20_600).contains(count)), "{counts:?}");
        assert!((0..1000).all(|_| (0.0..1.0).contains(&random.uniform())));
    }
}
