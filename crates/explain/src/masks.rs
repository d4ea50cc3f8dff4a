//! Random masks of soft-edged cells: drawn small on the host, enlarged on the device.

use std::ops::Range;

use burn::tensor::Device;
use vitrine_graph::Value;

use crate::{
    ExplainError,
    design::radical_inverse,
    random::{Purpose, Random},
};

/// Masks as RISE wants them: cells that are kept at random, enlarged bilinearly and shifted at random, so that cell
/// borders lie anywhere. Mask `i` depends on the seed and `i` alone.
///
/// `grid` cells span each side of the picture; there is one more each way to be shifted over. A whole mask is
/// `rows * cells * columns^T`, where the two outer matrices interpolate and cut at the mask's shift; only the cells and
/// these thin matrices go to the device.
pub(crate) struct GridMasks {
    pub(crate) seed: u64,
    pub(crate) keep: f64,
    pub(crate) arrangement: Arrangement,
    rows: Axis,
    columns: Axis,
}

/// How masks depend on each other. Each mask for itself is always drawn the same way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arrangement {
    /// Whether every second mask is the twin of the one before: at the same shift, with cells that are kept where the other's
    /// number is on the far side. With a chance of a half it keeps just what the other hides.
    pub(crate) in_pairs: bool,
    /// Whether the numbers of kept cells are spread over the masks as evenly as their distribution allows.
    pub(crate) is_stratified: bool,
}

/// One side of the picture.
struct Axis {
    /// Pixels of the picture.
    length: usize,
    /// Cells to interpolate between.
    cells: usize,
    /// Pixels of one cell, rounded up, and so the number of shifts.
    cell: usize,
    /// `[cells * cell, cells]`: the weight of every cell at every pixel of the whole enlarged grid.
    weights: Vec<f32>,
}

impl Axis {
    fn new(length: usize, grid: usize) -> Axis {
        let (cells, cell) = (grid + 1, length.div_ceil(grid));
        Axis { length, cells, cell, weights: enlarging_matrix(cells, cells * cell) }
    }

    /// The rows of `weights` that the picture shows at this shift.
    fn shown(&self, shift: usize) -> &[f32] {
        &self.weights[shift * self.cells..(shift + self.length) * self.cells]
    }
}

/// The smallest number of successes out of `count`, each with this chance, up to which the distribution has reached `place`.
fn binomial_quantile(place: f64, count: usize, chance: f64) -> usize {
    let odds = chance / (1.0 - chance);
    // As a logarithm, since the first term of a long row is too small for a number.
    let (mut term, mut reached) = (count as f64 * (1.0 - chance).ln(), 0.0);
    for successes in 0..count {
        reached += term.exp();
        if place < reached {
            return successes;
        }
        term += ((count - successes) as f64 / (successes + 1) as f64 * odds).ln();
    }
    count
}

/// Row by row, the weights of linear interpolation from `from` to `to` pixels, centres at half-integers, edges repeated.
pub(crate) fn enlarging_matrix(from: usize, to: usize) -> Vec<f32> {
    let weight = |target: usize, source: usize| {
        let position = ((target as f64 + 0.5) * from as f64 / to as f64 - 0.5).clamp(0.0, (from - 1) as f64);
        (1.0 - (position - source as f64).abs()).max(0.0) as f32
    };
    (0..to).flat_map(|target| (0..from).map(move |source| weight(target, source))).collect()
}

/// What is drawn for one mask.
struct Drawn {
    down: usize,
    across: usize,
    /// 1 where kept, 0 elsewhere, row by row.
    cells: Vec<f32>,
}

impl GridMasks {
    pub(crate) fn new(seed: u64, grid: usize, keep: f64, [height, width]: [usize; 2]) -> GridMasks {
        let (rows, columns) = (Axis::new(height, grid), Axis::new(width, grid));
        GridMasks { seed, keep, arrangement: Arrangement::default(), rows, columns }
    }

    fn draw(&self, index: usize) -> Drawn {
        let (drawn, twin) = if self.arrangement.in_pairs { (index / 2, index % 2) } else { (index, 0) };
        let mut random = Random::new(self.seed, Purpose::Masks, drawn as u32);
        let (down, across) = (random.below(self.rows.cell), random.below(self.columns.cell));
        let count = self.rows.cells * self.columns.cells;
        let mut cells = vec![0.0; count];
        if self.arrangement.is_stratified {
            // The place of a point of van der Corput's sequence in the distribution, as far from its start as the twin's
            // from its end.
            let shift = Random::new(self.seed, Purpose::Designs, 0).uniform();
            let place = (radical_inverse(drawn + 1, 2) + f64::from(shift)).fract();
            let kept = binomial_quantile(if twin == 0 { place } else { 1.0 - place }, count, self.keep);
            let order = random.permutation(count);
            let from = if twin == 0 { 0 } else { count - kept };
            order[from..from + kept].iter().for_each(|cell| cells[*cell] = 1.0);
        } else {
            cells.iter_mut().for_each(|cell| *cell = if random.chances(self.keep)[twin] { 1.0 } else { 0.0 });
        }
        Drawn { down, across, cells }
    }

    /// The masks of these numbers: `[masks, height, width]`, values from 0 (filled) to 1 (kept).
    pub(crate) fn batch(&self, numbers: Range<usize>, device: &Device) -> Result<Value, ExplainError> {
        let count = numbers.len();
        let (mut rows, mut cells, mut columns) = (Vec::new(), Vec::new(), Vec::new());
        for drawn in numbers.map(|index| self.draw(index)) {
            rows.extend_from_slice(self.rows.shown(drawn.down));
            cells.extend_from_slice(&drawn.cells);
            columns.extend_from_slice(self.columns.shown(drawn.across));
        }
        let (down, across) = (&self.rows, &self.columns);
        let upload = |data: &[f32], shape: [usize; 3]| Value::from_f32(data, &shape, device).tensor::<3>();
        let rows = upload(&rows, [count, down.length, down.cells])?;
        let cells = upload(&cells, [count, down.cells, across.cells])?;
        let columns = upload(&columns, [count, across.length, across.cells])?;
        Ok(Value::new(rows.matmul(cells).matmul(columns.swap_dims(1, 2))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, device, read};

    const SEED: u64 = 5;

    /// The slow twin: every pixel interpolated for itself.
    fn by_hand(masks: &GridMasks, index: usize, grid: usize, [height, width]: [usize; 2]) -> Vec<f32> {
        let drawn = masks.draw(index);
        let cells = grid + 1;
        let (tall, wide) = (height.div_ceil(grid), width.div_ceil(grid));
        let place = |pixel: usize, cell: usize| {
            let position = ((pixel as f32 + 0.5) / cell as f32 - 0.5).clamp(0.0, grid as f32);
            (position.floor() as usize, position.fract())
        };
        let mut values = Vec::new();
        for row in 0..height {
            for column in 0..width {
                let (top, down) = place(row + drawn.down, tall);
                let (left, across) = place(column + drawn.across, wide);
                let at = |row: usize, column: usize| drawn.cells[row.min(grid) * cells + column.min(grid)];
                let above = at(top, left) * (1.0 - across) + at(top, left + 1) * across;
                let below = at(top + 1, left) * (1.0 - across) + at(top + 1, left + 1) * across;
                values.push(above * (1.0 - down) + below * down);
            }
        }
        values
    }

    #[test]
    fn masks_are_enlarged_as_by_hand() {
        for (grid, size) in [(3, [9, 12]), (2, [5, 7]), (7, [10, 64]), (1, [3, 3]), (9, [4, 6])] {
            let masks = GridMasks::new(SEED, grid, 0.4, size);
            let found = read(&masks.batch(10..14, &device()).unwrap());
            let expected: Vec<f32> = (10..14).flat_map(|index| by_hand(&masks, index, grid, size)).collect();
            assert_close(&found, &expected, 1e-6);
        }
    }

    #[test]
    fn a_mask_is_the_same_in_any_batch() {
        let masks = GridMasks::new(SEED, 4, 0.5, [8, 8]);
        let together = read(&masks.batch(0..6, &device()).unwrap());
        let alone = read(&masks.batch(4..5, &device()).unwrap());
        assert_eq!(together[4 * 64..5 * 64], alone);
    }

    #[test]
    fn every_pixel_is_kept_with_the_same_probability_however_masks_are_arranged() {
        for (in_pairs, is_stratified) in [(false, false), (true, false), (false, true), (true, true)] {
            let arrangement = Arrangement { in_pairs, is_stratified };
            keeps_every_pixel_alike(&GridMasks { arrangement, ..GridMasks::new(SEED, 3, 0.3, [6, 9]) });
        }
    }

    fn keeps_every_pixel_alike(masks: &GridMasks) {
        let values = read(&masks.batch(0..4000, &device()).unwrap());
        for pixel in 0..54 {
            let mean: f32 = values.iter().skip(pixel).step_by(54).sum::<f32>() / 4000.0;
            // The standard deviation of a mean is at most sqrt(0.21 / 4000) = 0.0073.
            assert!((mean - 0.3).abs() < 0.03, "pixel {pixel} is kept by {mean}");
        }
    }

    #[test]
    fn a_twin_keeps_what_the_other_hides() {
        for is_stratified in [false, true] {
            let arrangement = Arrangement { in_pairs: true, is_stratified };
            let masks = GridMasks { arrangement, ..GridMasks::new(SEED, 3, 0.5, [6, 9]) };
            let pair = read(&masks.batch(6..8, &device()).unwrap());
            let sum: Vec<f32> = pair[..54].iter().zip(&pair[54..]).map(|(a, b)| a + b).collect();
            assert_close(&sum, &[1.0; 54], 1e-6);
        }
    }

    /// Of three cells kept by chances of a half 0, 1, 2, 3 are kept in 1, 3, 3, 1 of 8 masks.
    #[test]
    fn stratified_masks_keep_as_many_cells_as_chance_would() {
        let counts = (0..800).fold([0; 4], |mut counts, place| {
            counts[binomial_quantile((f64::from(place) + 0.5) / 800.0, 3, 0.5)] += 1;
            counts
        });
        assert_eq!(counts, [100, 300, 300, 100]);
        assert!((450..550).contains(&binomial_quantile(0.5, 1000, 0.5)));
    }

    #[test]
    fn shifts_take_every_place_in_a_cell() {
        let masks = GridMasks::new(SEED, 2, 0.5, [8, 6]);
        let mut seen = [[false; 3]; 4];
        (0..400).map(|index| masks.draw(index)).for_each(|drawn| seen[drawn.down][drawn.across] = true);
        assert_eq!(seen, [[true; 3]; 4]);
    }
}
