//! Haar's wavelets: a plane as differences between neighbours at several scales, and what is left.
//!
//! Alfréd Haar: Zur Theorie der orthogonalen Funktionensysteme. Mathematische Annalen 1910; in two dimensions level by level, as
//! Stéphane Mallat: A Theory for Multiresolution Signal Decomposition: The Wavelet Representation. TPAMI 1989.
//!
//! Coefficients lie as usual: the coarse rest at the top left, beside it the differences along rows, below it those along
//! columns, and diagonally those along both, a level at a time.

use std::f32::consts::FRAC_1_SQRT_2;

use crate::details::Frame;

/// The transform of planes of one size.
pub(crate) struct Haar {
    /// Height and width of the planes.
    size: [usize; 2],
    /// How often the rest is halved.
    pub(crate) levels: usize,
    /// Height and width of the coefficients: the next multiples of two to the number of levels.
    pub(crate) padded: [usize; 2],
}

/// Where a coefficient belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scale {
    /// Differences between parts of half so many pixels, 2 to the level.
    Detail(usize),
    /// What is left.
    Rest,
}

impl Haar {
    /// At most so many levels; fewer where a side would have less than one pixel.
    pub(crate) fn new(size: [usize; 2], levels: usize) -> Haar {
        let shorter = size[0].min(size[1]).max(1);
        let levels = levels.min(shorter.ilog2() as usize);
        let step = 1 << levels;
        Haar { size, levels, padded: size.map(|length| length.next_multiple_of(step)) }
    }

    /// At most so many levels, and only while both sides are even.
    pub(crate) fn unpadded(size: [usize; 2], levels: usize) -> Haar {
        let halvings = size[0].trailing_zeros().min(size[1].trailing_zeros()) as usize;
        Haar { size, levels: levels.min(halvings), padded: size }
    }

    /// The coefficients of a plane, whose last row and column are repeated up to the padded size.
    pub(crate) fn forward(&self, plane: &[f32]) -> Vec<f32> {
        let [height, width] = self.size;
        let [rows, columns] = self.padded;
        let pixel = |at: usize| plane[(at / columns).min(height - 1) * width + (at % columns).min(width - 1)];
        let mut mosaic: Vec<f32> = (0..rows * columns).map(pixel).collect();
        for level in 0..self.levels {
            self.lines(level, &mut mosaic, &apart);
        }
        mosaic
    }

    /// The plane of some coefficients.
    pub(crate) fn inverse(&self, mut mosaic: Vec<f32>) -> Vec<f32> {
        for level in (0..self.levels).rev() {
            self.lines(level, &mut mosaic, &together);
        }
        let [height, width] = self.size;
        mosaic.chunks(self.padded[1]).take(height).flat_map(|row| &row[..width]).copied().collect()
    }

    /// Changes every row and every column of what is left before a level.
    fn lines(&self, level: usize, mosaic: &mut [f32], change: &dyn Fn(&[f32]) -> Vec<f32>) {
        let columns = self.padded[1];
        let [height, width] = self.padded.map(|length| length >> level);
        for row in mosaic.chunks_mut(columns).take(height) {
            let changed = change(&row[..width]);
            row[..width].copy_from_slice(&changed);
        }
        for column in 0..width {
            let line: Vec<f32> = (0..height).map(|row| mosaic[row * columns + column]).collect();
            let changed = change(&line).into_iter().enumerate();
            changed.for_each(|(row, value)| mosaic[row * columns + column] = value);
        }
    }

    /// The scale of a coefficient.
    pub(crate) fn scale(&self, row: usize, column: usize) -> Scale {
        let inside = |level: usize| row < self.padded[0] >> level && column < self.padded[1] >> level;
        match (1..=self.levels).find(|level| !inside(*level)) {
            Some(level) => Scale::Detail(level),
            None => Scale::Rest,
        }
    }

    /// The coefficients that shape a pixel, as places in the mosaic: three of each level and one of the rest.
    pub(crate) fn over_pixel(&self, row: usize, column: usize) -> Vec<usize> {
        let columns = self.padded[1];
        let mut places = Vec::with_capacity(3 * self.levels + 1);
        for level in 1..=self.levels {
            let [height, width] = self.padded.map(|length| length >> level);
            let (row, column) = (row >> level, column >> level);
            places.extend(
                [(0, width), (height, 0), (height, width)].map(|(down, right)| (row + down) * columns + column + right),
            );
        }
        places.push((row >> self.levels) * columns + (column >> self.levels));
        places
    }
}

impl Frame for Haar {
    fn bands(&self) -> Vec<u16> {
        let [height, width] = self.padded;
        (0..height * width).map(|place| band(place, self.padded, self.levels)).collect()
    }

    fn analyse(&self, planes: &[f32]) -> Vec<f32> {
        planes.chunks((self.size[0] * self.size[1]).max(1)).flat_map(|plane| self.forward(plane)).collect()
    }

    fn synthesise(&self, details: &[f32]) -> Vec<f32> {
        let places = (self.padded[0] * self.padded[1]).max(1);
        details.chunks(places).flat_map(|details| self.inverse(details.to_vec())).collect()
    }
}

/// Which size and direction the wavelet at a place has: 0 for what is left of the means, then three for each size.
fn band(place: usize, size: [usize; 2], levels: usize) -> u16 {
    let [row, column] = [place / size[1], place % size[1]];
    for level in 0..levels {
        let [rows, columns] = size.map(|length| length >> level);
        match (row >= rows / 2, column >= columns / 2) {
            (false, false) => {}
            (false, true) => return 3 * level as u16 + 1,
            (true, false) => return 3 * level as u16 + 2,
            (true, true) => return 3 * level as u16 + 3,
        }
    }
    0
}

/// Sums and differences of neighbours.
fn apart(line: &[f32]) -> Vec<f32> {
    let of = |sign: f32| line.chunks_exact(2).map(move |pair| (pair[0] + sign * pair[1]) * FRAC_1_SQRT_2);
    of(1.0).chain(of(-1.0)).collect()
}

/// Neighbours from their sums and differences.
fn together(line: &[f32]) -> Vec<f32> {
    let (sums, differences) = line.split_at(line.len() / 2);
    let pair =
        |(sum, difference): (&f32, &f32)| [(sum + difference) * FRAC_1_SQRT_2, (sum - difference) * FRAC_1_SQRT_2];
    sums.iter().zip(differences).flat_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_close;

    #[test]
    fn four_pixels_have_a_mean_and_three_differences() {
        // Twice the mean; left minus right, top minus bottom, and the diagonals.
        let found = Haar::new([2, 2], 5).forward(&[1.0, 2.0, 3.0, 6.0]);
        assert_close(&found, &[6.0, -2.0, -3.0, 1.0], 1e-6);
    }

    /// Of 4 x 6 pixels the next level would have 3 columns.
    #[test]
    fn without_padding_odd_sides_end_the_levels() {
        let found = Haar::unpadded([4, 6], 3).forward(&[1.0; 24]);
        let mut expected = [0.0; 24];
        (0..2).for_each(|row| expected[row * 6..row * 6 + 3].fill(2.0));
        assert_close(&found, &expected, 1e-6);
    }

    #[test]
    fn planes_come_back_and_keep_their_length() {
        for (size, levels) in [([8, 8], 3), ([5, 7], 2), ([8, 12], 3), ([1, 9], 3)] {
            let haar = Haar::new(size, levels);
            let plane: Vec<f32> = (0..size[0] * size[1]).map(|index| (index as f32 * 1.7).sin()).collect();
            let mosaic = haar.forward(&plane);
            assert_close(&haar.inverse(mosaic.clone()), &plane, 1e-6);
            let square = |values: &[f32]| values.iter().map(|value| value * value).sum::<f32>();
            if haar.padded == size {
                assert!((square(&mosaic) / square(&plane) - 1.0).abs() < 1e-5);
            }
        }
    }

    /// A change of one coefficient changes the pixels over which it lies, and no others.
    #[test]
    fn coefficients_lie_over_the_pixels_they_shape() {
        let haar = Haar::new([4, 8], 2);
        for place in 0..32 {
            let mut mosaic = vec![0.0; 32];
            mosaic[place] = 1.0;
            for (pixel, value) in haar.inverse(mosaic).into_iter().enumerate() {
                assert_eq!(haar.over_pixel(pixel / 8, pixel % 8).contains(&place), value != 0.0, "{place} at {pixel}");
            }
        }
        assert_eq!(
            [haar.scale(0, 1), haar.scale(0, 2), haar.scale(3, 0)],
            [Scale::Rest, Scale::Detail(2), Scale::Detail(1)]
        );
    }

    #[test]
    fn a_band_is_a_size_and_a_direction() {
        // 4 x 4, two levels: the mean, three of the larger size, and three quarters of the smaller.
        let bands: Vec<u16> = (0..16).map(|place| band(place, [4, 4], 2)).collect();
        assert_eq!(bands, [0, 4, 1, 1, 5, 6, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3]);
    }
}
