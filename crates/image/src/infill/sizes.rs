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
    /// Columns of the size before.
    columns: usize,
    /// For every row of the size before, the one that it lies in and the next nearest.
    rows: Vec<[usize; 2]>,
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
        let rows = halves(height);
        (Size { columns: width, rows, height: half_height, width: half_width, inside }, all_removed)
    }

    /// Linear interpolation between the centres of pixels; over several sizes the result has no kinks.
    fn enlarge(&self, values: &[f64]) -> Vec<f64> {
        // Along the rows first, of which there are fewer.
        let mut wide = vec![0.0; self.height * self.columns];
        for (wide, row) in wide.chunks_exact_mut(self.columns).zip(values.chunks_exact(self.width)) {
            let last = row.len() - 1;
            for (at, pair) in wide.chunks_mut(2).enumerate() {
                let near = [at.saturating_sub(1), (at + 1).min(last)];
                pair.iter_mut().zip(near).for_each(|(value, near)| *value = 0.75 * row[at] + 0.25 * row[near]);
            }
        }
        let mut enlarged = Vec::with_capacity(self.rows.len() * self.columns);
        for rows in &self.rows {
            let [nearest, next] = rows.map(|row| &wide[row * self.columns..(row + 1) * self.columns]);
            enlarged.extend(nearest.iter().zip(next).map(|(nearest, next)| 0.75 * nearest + 0.25 * next));
        }
        enlarged
    }

    /// The transpose of [`enlarge`](Self::enlarge).
    fn gather(&self, values: &[f64]) -> Vec<f64> {
        let mut wide = vec![0.0; self.height * self.columns];
        for (rows, values) in self.rows.iter().zip(values.chunks_exact(self.columns)) {
            for (row, weight) in rows.iter().zip([0.75, 0.25]) {
                let sums = wide[row * self.columns..].iter_mut().zip(values);
                sums.for_each(|(sum, value)| *sum += weight * value);
            }
        }
        let mut gathered = vec![0.0; self.height * self.width];
        for (gathered, wide) in gathered.chunks_exact_mut(self.width).zip(wide.chunks_exact(self.columns)) {
            let last = gathered.len() - 1;
            for (at, pair) in wide.chunks(2).enumerate() {
                gathered[at] += 0.75 * pair.iter().sum::<f64>();
                let near = [at.saturating_sub(1), (at + 1).min(last)];
                pair.iter().zip(near).for_each(|(value, near)| gathered[near] += 0.25 * value);
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
