//! Points that fill a unit cube more evenly than chance does.

use crate::{
    options::choices,
    random::{Purpose, Random},
};

choices! {
    /// How points are placed.
    pub enum Sequence {
        /// Sobol's sequence, Owen-scrambled by the seed. Best with a power of 2.
        Sobol = "sobol",
        /// Halton's sequence, shifted by the seed. Best with few regions.
        Halton = "halton",
        /// A Latin hypercube: along every axis one point in each of as many slices as there are points.
        LatinHypercube = "latin-hypercube",
        /// Independent random points.
        Random = "random",
    }
}

/// Points of a cube with so many dimensions. Point `index` depends on the seed, the number of points and `index` alone.
pub(crate) struct Design {
    sequence: Sequence,
    seed: u64,
    dimensions: usize,
    /// What the whole design shares: slices of a Latin hypercube, axis by axis, or shifts and bases of Halton's sequence.
    slices: Vec<Vec<usize>>,
    shifts: Vec<(f64, usize)>,
    /// Points of the caller's own, one after the other.
    given: Vec<f32>,
}

impl Design {
    pub(crate) fn new(sequence: Sequence, seed: u64, points: usize, dimensions: usize) -> Design {
        let of_axis = |axis: usize| Random::new(seed, Purpose::Designs, axis as u32);
        let (mut slices, mut shifts) = (Vec::new(), Vec::new());
        match sequence {
            Sequence::LatinHypercube => {
                slices = (0..dimensions).map(|axis| of_axis(axis).permutation(points)).collect()
            }
            Sequence::Halton => {
                let shift = |(axis, base)| (f64::from(of_axis(axis).uniform()), base);
                shifts = primes().take(dimensions).enumerate().map(shift).collect();
            }
            Sequence::Sobol | Sequence::Random => {}
        }
        Design { sequence, seed, dimensions, slices, shifts, given: Vec::new() }
    }

    /// Points of the caller's own, one after the other.
    pub(crate) fn given(points: &[f32], dimensions: usize) -> Design {
        Design { given: points.to_vec(), ..Design::new(Sequence::Random, 0, 0, dimensions) }
    }

    /// Numbers from 0 to 1, one for each dimension.
    pub(crate) fn point(&self, index: usize) -> Vec<f32> {
        if let Some(point) = self.given.get(index * self.dimensions..(index + 1) * self.dimensions) {
            return point.to_vec();
        }
        let mut random = Random::new(self.seed, Purpose::Masks, index as u32);
        match self.sequence {
            Sequence::Sobol => (0..self.dimensions as u32).map(|axis| sobol(index as u32, axis, self.seed)).collect(),
            Sequence::Halton => {
                let place = |(shift, base): &(f64, usize)| ((radical_inverse(index + 1, *base) + shift).fract()) as f32;
                self.shifts.iter().map(place).collect()
            }
            Sequence::LatinHypercube => {
                let place = |slices: &Vec<usize>| (slices[index] as f32 + random.uniform()) / slices.len() as f32;
                self.slices.iter().map(place).collect()
            }
            Sequence::Random => (0..self.dimensions).map(|_| random.uniform()).collect(),
        }
    }
}

/// One coordinate of Owen-scrambled Sobol points (Burley, 2020). The crate knows a limited number of dimensions and of points;
/// beyond them further sequences follow, independent of the ones before.
fn sobol(index: u32, axis: u32, seed: u64) -> f32 {
    const POINTS: u32 = 1 << 16;
    let (set, axis) = (axis / sobol_burley::NUM_DIMENSIONS, axis % sobol_burley::NUM_DIMENSIONS);
    let seed = (seed ^ (seed >> 32)) as u32;
    let seed = seed.wrapping_mul(0x9e37_79b1).wrapping_add((set << 16) | (index / POINTS));
    sobol_burley::sample(index % POINTS, axis, seed)
}

/// The digits of a number mirrored at the point.
pub(crate) fn radical_inverse(mut number: usize, base: usize) -> f64 {
    let (mut inverse, mut digit) = (0.0, 1.0 / base as f64);
    while number > 0 {
        inverse += (number % base) as f64 * digit;
        number /= base;
        digit /= base as f64;
    }
    inverse
}

fn primes() -> impl Iterator<Item = usize> {
    (2_usize..)
        .filter(|number| (2..).take_while(|factor| factor * factor <= *number).all(|factor| number % factor != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight points in each of eight slices of every axis, wherever they are promised to be.
    #[test]
    fn every_slice_of_every_axis_has_its_share() {
        for sequence in [Sequence::Sobol, Sequence::LatinHypercube] {
            let design = Design::new(sequence, 4, 64, 300);
            let mut counts = vec![[0; 8]; 300];
            for point in (0..64).map(|index| design.point(index)) {
                point.iter().zip(&mut counts).for_each(|(at, counts)| counts[(at * 8.0) as usize] += 1);
            }
            assert!(counts.iter().all(|counts| *counts == [8; 8]), "{sequence:?}: {counts:?}");
        }
    }

    #[test]
    fn digits_are_mirrored() {
        // 6 is 110 in base 2 and 20 in base 3.
        assert_eq!(radical_inverse(6, 2), 0.375);
        assert!((radical_inverse(6, 3) - 2.0 / 9.0).abs() < 1e-12);
        assert_eq!(primes().take(6).collect::<Vec<_>>(), [2, 3, 5, 7, 11, 13]);
    }

    #[test]
    fn the_seed_decides_every_sequence() {
        for sequence in Sequence::ALL {
            let point = |seed| Design::new(*sequence, seed, 16, 5).point(3);
            assert_eq!(point(7), point(7));
            assert_ne!(point(7), point(8), "{sequence:?}");
            assert!(point(7).iter().all(|at| (0.0..1.0).contains(at)));
        }
    }
}
