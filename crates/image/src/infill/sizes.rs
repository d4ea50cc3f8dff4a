//! The picture at half its size, a quarter and so on, over which corrections of a smooth surface are spread (Bramble,
//! Pasciak and Xu 1990, Parallel Multilevel Preconditioners): step by step, a system of equations that couples
//! neighbours only would carry them no farther than a pixel.

/// All sizes of a picture with removed pixels.
pub(super) struct Sizes {
    pub(super) height: usize,
    pub(super) width: usize,
    /// How much more a correction weighs at half the size.
    growth: f64,
    smaller: Vec<Size>,
}

/// The picture at half the size of the one before.
struct Size {
    /// For every row of the size before, the one that it lies in and the next nearest.
    rows: Vec<[usize; 2]>,
    /// The same for columns.
    columns: Vec<[usize; 2]>,
    height: usize,
    width: usize,
    /// Where a correction, which reaches as far as the neighbours, touches removed pixels only.
    inside: Vec<bool>,
}

impl Sizes {
    pub(super) fn new(height: usize, width: usize, removed: &[bool], growth: f64) -> Self {
        let mut sizes = Sizes { height, width, growth, smaller: Vec::new() };
        let (mut size, mut removed) = ([height, width], removed.to_vec());
        while size[0].min(size[1]) > 2 && removed.contains(&true) {
            let (smaller, removed_there) = Size::half_of(size, &removed);
            (size, removed) = ([smaller.height, smaller.width], removed_there);
            sizes.smaller.push(smaller);
        }
        sizes
    }

    /// The sum of `values` as they are and as smooth surfaces of all smaller sizes.
    pub(super) fn spread(&self, values: &[f64]) -> Vec<f64> {
        let mut gathered: Vec<Vec<f64>> = Vec::with_capacity(self.smaller.len());
        for size in &self.smaller {
            gathered.push(size.gather(gathered.last().map_or(values, Vec::as_slice)));
        }
        let mut weight = self.growth.powi(self.smaller.len() as i32);
        let mut spread: Vec<f64> = Vec::new();
        for (index, size) in self.smaller.iter().enumerate().rev() {
            let weighted = gathered[index].iter().zip(&size.inside);
            let mut sum: Vec<f64> =
                weighted.map(|(value, &inside)| if inside { weight * value } else { 0.0 }).collect();
            sum.iter_mut().zip(&spread).for_each(|(sum, spread)| *sum += spread);
            spread = size.enlarge(&sum);
            weight /= self.growth;
        }
        if spread.is_empty() {
            return values.to_vec();
        }
        spread.iter_mut().zip(values).for_each(|(spread, value)| *spread += value);
        spread
    }
}

impl Size {
    /// Half of a size, and which of its pixels stand for removed pixels only.
    fn half_of([height, width]: [usize; 2], removed: &[bool]) -> (Self, Vec<bool>) {
        let (rows, columns) = (halves(height), halves(width));
        let (half_height, half_width) = (height.div_ceil(2), width.div_ceil(2));
        let mut all_removed = vec![true; half_height * half_width];
        for (pixel, _) in removed.iter().enumerate().filter(|(_, removed)| !**removed) {
            all_removed[pixel / width / 2 * half_width + pixel % width / 2] = false;
        }
        // Beyond the picture's edges there is nothing to be touched.
        let around = |position: usize, length: usize| position.saturating_sub(1)..(position + 2).min(length);
        let inside = (0..all_removed.len()).map(|pixel| {
            let mut rows = around(pixel / half_width, half_height);
            rows.all(|row| around(pixel % half_width, half_width).all(|column| all_removed[row * half_width + column]))
        });
        let inside = inside.collect();
        (Size { rows, columns, height: half_height, width: half_width, inside }, all_removed)
    }

    /// Linear interpolation between the centres of pixels; over several sizes the result has no kinks.
    fn enlarge(&self, values: &[f64]) -> Vec<f64> {
        let mut enlarged = Vec::with_capacity(self.rows.len() * self.columns.len());
        for &[row, next_row] in &self.rows {
            for &[column, next_column] in &self.columns {
                let along = |row: usize| {
                    0.75 * values[row * self.width + column] + 0.25 * values[row * self.width + next_column]
                };
                enlarged.push(0.75 * along(row) + 0.25 * along(next_row));
            }
        }
        enlarged
    }

    /// The transpose of [`enlarge`](Self::enlarge).
    fn gather(&self, values: &[f64]) -> Vec<f64> {
        let mut gathered = vec![0.0; self.height * self.width];
        for (&[row, next_row], values) in self.rows.iter().zip(values.chunks_exact(self.columns.len())) {
            for (&[column, next_column], value) in self.columns.iter().zip(values) {
                for (row, weight) in [(row, 0.75), (next_row, 0.25)] {
                    gathered[row * self.width + column] += weight * 0.75 * value;
                    gathered[row * self.width + next_column] += weight * 0.25 * value;
                }
            }
        }
        gathered
    }
}

/// For every position, the one at half the length it lies in, and the neighbour of that on its own side; at the ends, the
/// same twice.
fn halves(length: usize) -> Vec<[usize; 2]> {
    let last = length.div_ceil(2) - 1;
    let half = |position: usize| {
        let nearest = position / 2;
        [nearest, if position.is_multiple_of(2) { nearest.saturating_sub(1) } else { (nearest + 1).min(last) }]
    };
    (0..length).map(half).collect()
}
