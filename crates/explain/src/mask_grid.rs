//! A coarse grid of numbers over the picture, enlarged to one number per pixel: what keeps a mask from being noise.

use crate::masks::enlarging_matrix;

/// How a grid of cells becomes a mask: linearly between the cells' centres, then out of focus.
pub(crate) struct MaskGrid {
    /// Rows and columns of cells.
    pub(crate) cells: [usize; 2],
    /// Height and width of the picture.
    size: [usize; 2],
    /// `[height, rows of cells]`: what each of them counts in each row of pixels.
    rows: Vec<f32>,
    /// `[width, columns of cells]`.
    columns: Vec<f32>,
}

impl MaskGrid {
    /// So many cells along the picture's shorter side, and as many along the other as lie equally close; no more than
    /// pixels. `blur` is the standard deviation of a Gaussian in cells, 0 for none.
    pub(crate) fn new(size: [usize; 2], along: usize, blur: f64) -> MaskGrid {
        let shorter = size[0].min(size[1]).max(1);
        let along = along.min(shorter);
        let cells = size.map(|length| (length * along).div_ceil(shorter).clamp(1, length.max(1)));
        let axis = |axis: usize| {
            let sigma = blur * size[axis] as f64 / cells[axis] as f64;
            blurred(&enlarging_matrix(cells[axis], size[axis]), cells[axis], sigma)
        };
        MaskGrid { cells, size, rows: axis(0), columns: axis(1) }
    }

    /// Number of cells.
    pub(crate) fn len(&self) -> usize {
        self.cells[0] * self.cells[1]
    }

    /// One number per pixel from one per cell.
    pub(crate) fn enlarged(&self, numbers: &[f32]) -> Vec<f32> {
        // Columns first: cells to the picture's width, then to its height.
        let across = product(numbers, self.cells[1], &self.columns);
        let turned = transposed(&across, self.size[1]);
        let down = product(&turned, self.cells[0], &self.rows);
        transposed(&down, self.size[0])
    }

    /// The gradient at the cells from that at the pixels.
    pub(crate) fn pull_back(&self, gradient: &[f32]) -> Vec<f32> {
        let down = product(&transposed(gradient, self.size[1]), self.size[0], &transposed(&self.rows, self.cells[0]));
        let turned = transposed(&down, self.cells[0]);
        product(&turned, self.size[1], &transposed(&self.columns, self.cells[1]))
    }

    /// The sum over neighbouring cells of the differences' magnitudes to a power, over the number of cells, and its gradient.
    pub(crate) fn variation(&self, numbers: &[f32], power: f32) -> (f32, Vec<f32>) {
        let ([height, width], all) = (self.cells, numbers.len().max(1) as f32);
        let (mut sum, mut gradient) = (0.0, vec![0.0; numbers.len()]);
        let mut pair = |here: usize, there: usize| {
            let difference = numbers[there] - numbers[here];
            let size = difference.abs();
            sum += size.powf(power) / all;
            let slope = if size > 0.0 { power * size.powf(power - 1.0) * difference.signum() / all } else { 0.0 };
            gradient[there] += slope;
            gradient[here] -= slope;
        };
        for cell in 0..height * width {
            if cell % width + 1 < width {
                pair(cell, cell + 1);
            }
            if cell + width < height * width {
                pair(cell, cell + width);
            }
        }
        (sum, gradient)
    }
}

/// Rows of this length times the transposed matrix, whose rows are as long.
fn product(rows: &[f32], length: usize, matrix: &[f32]) -> Vec<f32> {
    let dot = |row: &[f32], weights: &[f32]| row.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f32>();
    let length = length.max(1);
    rows.chunks(length).flat_map(|row| matrix.chunks(length).map(move |weights| dot(row, weights))).collect()
}

/// Rows of this length as columns.
fn transposed(rows: &[f32], length: usize) -> Vec<f32> {
    (0..length).flat_map(|column| rows.iter().skip(column).step_by(length).copied()).collect()
}

/// The weights of each row, mixed with those of the rows around by a Gaussian that is cut at the ends.
fn blurred(matrix: &[f32], cells: usize, sigma: f64) -> Vec<f32> {
    if sigma <= 0.0 {
        return matrix.to_vec();
    }
    let length = matrix.len() / cells.max(1);
    let mut found = Vec::with_capacity(matrix.len());
    for row in 0..length {
        let weight = |other: usize| (-0.5 * ((row as f64 - other as f64) / sigma).powi(2)).exp();
        let all: f64 = (0..length).map(weight).sum();
        let mixed = |cell: usize| {
            (0..length).map(|other| weight(other) * f64::from(matrix[other * cells + cell])).sum::<f64>() / all
        };
        found.extend((0..cells).map(|cell| mixed(cell) as f32));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_close;

    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|index| (index as f32 * 1.3).sin()).collect()
    }

    #[test]
    fn cells_are_as_many_as_asked_on_the_shorter_side_and_no_more_than_pixels() {
        assert_eq!(MaskGrid::new([8, 12], 4, 0.0).cells, [4, 6]);
        assert_eq!(MaskGrid::new([12, 8], 28, 0.0).cells, [12, 8]);
        assert_eq!(MaskGrid::new([224, 224], 28, 0.5).cells, [28, 28]);
    }

    /// Two cells over four pixels: centres of cells lie at 1 and 3 from the edge, those of pixels at 0.5, 1.5, 2.5, 3.5.
    #[test]
    fn between_the_centres_of_cells_it_is_linear() {
        let grid = MaskGrid::new([2, 4], 1, 0.0);
        assert_close(&grid.enlarged(&[0.0, 4.0]), &[0.0, 1.0, 3.0, 4.0, 0.0, 1.0, 3.0, 4.0], 1e-6);
        let all = MaskGrid::new([9, 7], 3, 0.7);
        assert_close(&all.enlarged(&vec![1.0; all.len()]), &[1.0; 63], 1e-6);
    }

    /// For any cells c and gradient g, the products of g with the mask of c and of what goes back with c sum alike.
    #[test]
    fn the_way_back_is_the_transposed_way() {
        let grid = MaskGrid::new([6, 9], 3, 0.5);
        let (cells, gradient) = (numbers(grid.len()), numbers(54));
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let (there, back) = (dot(&grid.enlarged(&cells), &gradient), dot(&grid.pull_back(&gradient), &cells));
        assert!((there - back).abs() < 1e-4, "{there} and {back}");
    }

    /// 1, 3 over 0, 3: differences 2 and 3 across, -1 and 0 down; to the third power 8 + 27 + 1 over four cells.
    #[test]
    fn variation_is_the_sum_of_powers_and_its_gradient_is_the_slope() {
        let grid = MaskGrid::new([2, 2], 2, 0.0);
        let cells = [1.0, 3.0, 0.0, 3.0];
        let (sum, gradient) = grid.variation(&cells, 3.0);
        assert_close(&[sum], &[9.0], 1e-6);
        // Three times the squares: 12, 27 and -3.
        assert_close(&gradient, &[(-12.0 + 3.0) / 4.0, 12.0 / 4.0, (-3.0 - 27.0) / 4.0, 27.0 / 4.0], 1e-6);
        assert_eq!(grid.variation(&[0.5; 4], 1.0), (0.0, vec![0.0; 4]));
    }
}
