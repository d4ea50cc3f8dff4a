//! Shearlets: a plane as strokes of several sizes, each in many directions, the finer the longer they are for their width.
//!
//! Gitta Kutyniok, Demetrio Labate: Shearlets: Multiscale Analysis for Multivariate Data. Birkhäuser 2012; as a tight frame of
//! windows in the plane of frequencies, with cones around both axes, as Sören Häuser, Gabriele Steidl: Fast Finite Shearlet
//! Transform. arXiv 1202.1773.
//!
//! The squares of all windows add up to one at every frequency. The coefficients of a plane, as many as pixels for each window,
//! therefore give the plane back by the transposed transform; and since windows are symmetric, they are real.

use std::{f64::consts::FRAC_PI_2, sync::Arc};

use rustfft::{
    Fft, FftDirection,
    algorithm::{BluesteinsAlgorithm, Radix4},
    num_complex::Complex,
};

use crate::details::Frame;

/// The transform of planes of one size.
pub(crate) struct Shearlets {
    size: [usize; 2],
    /// One for the coarse rest, then those of each scale, coarse to fine, direction by direction: a factor per frequency.
    windows: Vec<Vec<f32>>,
    waves: [Waves; 2],
}

impl Shearlets {
    /// At most so many scales; fewer where the coarsest would have less than one wave over the shorter side.
    pub(crate) fn new(size: [usize; 2], scales: usize) -> Shearlets {
        let shorter = size[0].min(size[1]).max(2);
        let scales = scales.min(shorter.ilog2() as usize - 1);
        let powers = windows(size, scales);
        let mirrored = |power: &[f64], row: usize, column: usize| {
            let [row, column] = [(size[0] - row) % size[0], (size[1] - column) % size[1]];
            power[row * size[1] + column]
        };
        // The outermost frequencies of even sides are their own mirror images, where slopes of both signs meet.
        let symmetric = |power: &Vec<f64>| {
            let value = |(at, own): (usize, &f64)| {
                (0.5 * (own + mirrored(power, at / size[1], at % size[1]))).max(0.0).sqrt() as f32
            };
            power.iter().enumerate().map(value).collect()
        };
        Shearlets { size, windows: powers.iter().map(symmetric).collect(), waves: size.map(Waves::new) }
    }

    fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// The discrete Fourier transform in both directions, or its inverse, which divides by the pixels.
    fn transform(&self, plane: &mut [Complex<f32>], direction: FftDirection) {
        let [height, width] = self.size;
        let [down, across] = self.waves.each_ref().map(|waves| waves.of(direction));
        across.process(plane);
        let mut column = vec![Complex::default(); height];
        for x in 0..width {
            column.iter_mut().enumerate().for_each(|(y, value)| *value = plane[y * width + x]);
            down.process(&mut column);
            column.iter().enumerate().for_each(|(y, value)| plane[y * width + x] = *value);
        }
        if direction == FftDirection::Inverse {
            let scale = 1.0 / self.area() as f32;
            plane.iter_mut().for_each(|value| *value *= scale);
        }
    }
}

impl Frame for Shearlets {
    fn bands(&self) -> Vec<u16> {
        (0..self.windows.len()).flat_map(|band| vec![band as u16; self.area()]).collect()
    }

    fn analyse(&self, planes: &[f32]) -> Vec<f32> {
        let (area, all) = (self.area(), self.area() * self.windows.len());
        let mut found = vec![0.0; planes.len() / area.max(1) * all];
        // Two real planes are one of complex numbers, and windows keep them apart.
        for (pair, found) in planes.chunks(2 * area).zip(found.chunks_mut(2 * all)) {
            let mut waves = paired(pair, area);
            self.transform(&mut waves, FftDirection::Forward);
            for (band, window) in self.windows.iter().enumerate() {
                let mut seen: Vec<_> = waves.iter().zip(window).map(|(wave, factor)| wave * factor).collect();
                self.transform(&mut seen, FftDirection::Inverse);
                let (one, other) = found.split_at_mut(all);
                one[band * area..][..area].iter_mut().zip(&seen).for_each(|(value, seen)| *value = seen.re);
                let other = other.iter_mut().skip(band * area).zip(&seen);
                other.for_each(|(value, seen)| *value = seen.im);
            }
        }
        found
    }

    fn synthesise(&self, coefficients: &[f32]) -> Vec<f32> {
        let (area, all) = (self.area(), self.area() * self.windows.len());
        let mut found = Vec::with_capacity(coefficients.len() / self.windows.len());
        for pair in coefficients.chunks(2 * all) {
            let mut waves = vec![Complex::default(); area];
            for (band, window) in self.windows.iter().enumerate() {
                let of_band = |plane: &[f32]| plane[band * area..][..area].to_vec();
                let mut seen = paired(&pair.chunks(all).flat_map(of_band).collect::<Vec<f32>>(), area);
                self.transform(&mut seen, FftDirection::Forward);
                waves.iter_mut().zip(seen.iter().zip(window)).for_each(|(sum, (wave, factor))| *sum += wave * factor);
            }
            self.transform(&mut waves, FftDirection::Inverse);
            found.extend(waves.iter().map(|value| value.re));
            found.extend(waves.iter().map(|value| value.im).take(pair.len() / all * area - area));
        }
        found
    }
}

/// One plane as real parts and, if there is a second, that as imaginary ones.
fn paired(planes: &[f32], area: usize) -> Vec<Complex<f32>> {
    let (real, imaginary) = planes.split_at(area);
    (0..area).map(|at| Complex::new(real[at], imaginary.get(at).copied().unwrap_or(0.0))).collect()
}

/// The Fourier transforms of lines of one length.
///
/// Two algorithms do for all lengths; the library's planner would bring every other one into the page.
struct Waves([Arc<dyn Fft<f32>>; 2]);

impl Waves {
    fn new(length: usize) -> Waves {
        let length = length.max(1);
        Waves([FftDirection::Forward, FftDirection::Inverse].map(|direction| -> Arc<dyn Fft<f32>> {
            if length.is_power_of_two() {
                return Arc::new(Radix4::new(length, direction));
            }
            let inner = Arc::new(Radix4::new((2 * length - 1).next_power_of_two(), direction));
            Arc::new(BluesteinsAlgorithm::new(length, inner))
        }))
    }

    fn of(&self, direction: FftDirection) -> &dyn Fft<f32> {
        let [forward, inverse] = &self.0;
        match direction {
            FftDirection::Forward => forward.as_ref(),
            FftDirection::Inverse => inverse.as_ref(),
        }
    }
}

/// How many directions a scale has, the coarsest being 0: twice as many with every second one.
fn directions(scale: usize) -> usize {
    8 << (scale / 2)
}

/// The squared windows, one number per frequency; they add up to one.
fn windows([height, width]: [usize; 2], scales: usize) -> Vec<Vec<f64>> {
    // Waves per pixel, from -1/2 to 1/2.
    let frequency = |at: usize, length: usize| {
        let at = if 2 * at >= length { at as f64 - length as f64 } else { at as f64 };
        at / length as f64
    };
    let shares = |at: usize| shares(frequency(at / width, height), frequency(at % width, width), scales);
    let shares: Vec<Vec<f64>> = (0..height * width).map(shares).collect();
    let count = 1 + (0..scales).map(directions).sum::<usize>();
    (0..count).map(|window| shares.iter().map(|shares| shares[window]).collect()).collect()
}

/// What each window has of the square of a wave.
fn shares(down: f64, across: f64, scales: usize) -> Vec<f64> {
    // Halvings from the finest wave; endless where there is no wave at all.
    let halvings = (0.5 / down.abs().max(across.abs())).log2();
    let beyond = |scale: usize| if scale == 0 { 1.0 } else { rise(halvings - scale as f64 + 0.5) };
    let mut shares = vec![beyond(scales)];
    for scale in 0..scales {
        let (finer, number) = (scales - 1 - scale, directions(scale) as f64);
        let part = beyond(finer) - beyond(finer + 1);
        shares.extend((0..directions(scale)).map(|direction| {
            if part <= 0.0 {
                return 0.0;
            }
            let apart = (turn(down, across) / 4.0 * number - direction as f64).rem_euclid(number);
            part * (1.0 - rise(apart.min(number - apart)))
        }));
    }
    shares
}

/// Where a frequency stands on the way around a square, from 0 to 4, opposite ones alike.
fn turn(down: f64, across: f64) -> f64 {
    if across.abs() >= down.abs() { 1.0 + down / across } else { 3.0 - across / down }
}

/// From 0 at 0 to 1 at 1, smoothly, and with what is left of it to 1 the same backwards (Meyer's function).
fn rise(x: f64) -> f64 {
    let x = x.clamp(0.0, 1.0);
    let smooth = x.powi(4) * (35.0 - 84.0 * x + 70.0 * x * x - 20.0 * x.powi(3));
    (FRAC_PI_2 * smooth).sin().powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_close;

    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|index| (index as f32 * 1.3).sin() + 0.2).collect()
    }

    #[test]
    fn squared_windows_add_up_to_one() {
        for (size, scales) in [([16, 16], 3), ([12, 9], 2), ([7, 32], 4), ([1, 5], 3)] {
            let shearlets = Shearlets::new(size, scales);
            for at in 0..size[0] * size[1] {
                let sum: f32 = shearlets.windows.iter().map(|window| window[at] * window[at]).sum();
                assert!((sum - 1.0).abs() < 1e-5, "{size:?} at {at}: {sum}");
            }
        }
        // The rest, and 8, 8 and 16 directions.
        assert_eq!(Shearlets::new([64, 64], 3).windows.len(), 33);
    }

    /// Three planes, so that one has none beside it; sides of powers of two and of other lengths.
    #[test]
    fn coefficients_give_the_planes_back_and_keep_their_square() {
        for size in [[8, 16], [12, 7], [1, 6]] {
            let (shearlets, planes) = (Shearlets::new(size, 2), numbers(3 * size[0] * size[1]));
            let coefficients = shearlets.analyse(&planes);
            assert_eq!(coefficients.len(), planes.len() * shearlets.windows.len());
            assert_close(&shearlets.synthesise(&coefficients), &planes, 1e-5);
            let square = |values: &[f32]| values.iter().map(|value| value * value).sum::<f32>();
            assert!((square(&coefficients) / square(&planes) - 1.0).abs() < 1e-4, "{size:?}");
        }
    }

    /// The transposed of the synthesis is the analysis, also for coefficients that are those of no plane.
    #[test]
    fn synthesis_is_the_transposed_analysis() {
        let shearlets = Shearlets::new([9, 8], 2);
        let (plane, other) = (numbers(72), numbers(72 * shearlets.windows.len()));
        let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let (one, two) = (product(&shearlets.analyse(&plane), &other), product(&plane, &shearlets.synthesise(&other)));
        assert!((one - two).abs() < 1e-3 * one.abs().max(1.0), "{one} and {two}");
    }

    /// Fine stripes along a diagonal are seen by few windows, and by others than those along the other diagonal.
    #[test]
    fn a_direction_is_seen_by_its_own_windows() {
        let shearlets = Shearlets::new([32, 32], 3);
        let strength = |sign: i32| -> Vec<f32> {
            let plane: Vec<f32> = (0..32 * 32)
                .map(|at| (std::f32::consts::PI * 0.5 * (at / 32 + sign * (at % 32)) as f32).cos())
                .collect();
            let square = |band: &[f32]| band.iter().map(|value| value * value).sum::<f32>();
            shearlets.analyse(&plane).chunks(32 * 32).map(square).collect()
        };
        let (one, other) = (strength(1), strength(-1));
        let common: f32 = one.iter().zip(&other).map(|(a, b)| a.min(*b)).sum();
        assert!(common < 1e-3 * one.iter().sum::<f32>(), "{one:?} and {other:?}");
    }
}
