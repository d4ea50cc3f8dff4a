//! Histograms of oriented gradients (Dalal, Triggs 2005): in which directions a picture changes, cell by cell.

/// Directions, over half a turn.
const DIRECTIONS: usize = 9;

/// Pixels along a cell's side.
const CELL: usize = 16;

/// Cells along the side of a block, within which they are normalised.
const BLOCK: usize = 3;

/// The histograms of a picture of a width, as scikit-image's `hog` computes them with cells of 16 x 16, as sanity checks of
/// maps use it, and otherwise its defaults: nine directions, blocks of 3 x 3 cells, cut off at 0.2 and normalised again. A
/// picture that is too small for one block has smaller cells.
pub(crate) fn histograms(values: &[f64], width: usize) -> Vec<f64> {
    let height = values.len() / width.max(1);
    let side = (height.min(width) / BLOCK).clamp(1, CELL);
    let (rows, columns) = (height / side, width / side);
    let mut cells = vec![[0.0; DIRECTIONS]; rows * columns];
    for row in 0..rows * side {
        for column in 0..columns * side {
            let at = row * width + column;
            let is_inside = |place: usize, length: usize| place > 0 && place + 1 < length;
            let down = if is_inside(row, height) { values[at + width] - values[at - width] } else { 0.0 };
            let across = if is_inside(column, width) { values[at + 1] - values[at - 1] } else { 0.0 };
            let direction = down.atan2(across).to_degrees().rem_euclid(180.0) * DIRECTIONS as f64 / 180.0;
            let cell = &mut cells[row / side * columns + column / side];
            if let Some(sum) = cell.get_mut(direction as usize) {
                *sum += down.hypot(across) / (side * side) as f64;
            }
        }
    }
    let [down, across] = [rows, columns].map(|cells| BLOCK.min(cells));
    let mut found = Vec::new();
    for top in 0..=rows - down {
        for left in 0..=columns - across {
            let lines = (top..top + down).map(|row| &cells[row * columns + left..][..across]);
            let block: Vec<f64> = lines.flatten().flatten().copied().collect();
            let cut: Vec<f64> = normalised(&block).map(|value| value.min(0.2)).collect();
            found.extend(normalised(&cut));
        }
    }
    found
}

/// Divided by the length, which is never quite zero.
fn normalised(block: &[f64]) -> impl Iterator<Item = f64> {
    const LEAST: f64 = 1e-5;
    let length = (block.iter().map(|value| value * value).sum::<f64>() + LEAST * LEAST).sqrt();
    block.iter().map(move |value| value / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ramp of 3 x 3 pixels that rises by one in every column changes along the middle column alone, by two in the first
    /// direction: three cells of nine histograms of nine. Over the root of three each is 0.577, cut off 0.2, and over the
    /// root of three again 0.577. Turned, the direction is the fifth.
    #[test]
    fn a_ramp_has_one_direction() {
        let across: Vec<f64> = (0..9).map(|at| f64::from(at % 3)).collect();
        let down: Vec<f64> = (0..9).map(|at| f64::from(at / 3)).collect();
        for (ramp, direction, cells) in [(across, 0, [1, 4, 7]), (down, 4, [3, 4, 5])] {
            let found = histograms(&ramp, 3);
            assert_eq!(found.len(), 81);
            for (at, value) in found.into_iter().enumerate() {
                let is_there = cells.contains(&(at / 9)) && at % 9 == direction;
                let expected = if is_there { 3.0_f64.sqrt().recip() } else { 0.0 };
                assert!((value - expected).abs() < 1e-6, "{value} at {at}");
            }
        }
    }

    /// 4 x 6 cells of 16 x 16 make 2 x 4 blocks; of fewer pixels cells are smaller, and a line has a single block.
    #[test]
    fn cells_and_blocks_fit_the_picture() {
        assert_eq!(histograms(&[0.0; 64 * 96], 96).len(), 2 * 4 * 81);
        assert_eq!(histograms(&[0.0; 8 * 12], 12).len(), 2 * 4 * 81);
        assert_eq!(histograms(&[0.0; 4], 4).len(), 2 * 27);
    }
}
