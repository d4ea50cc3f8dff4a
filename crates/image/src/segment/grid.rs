//! Regular regions, and regular points.

use super::{LabelMap, check_size, refuse};
use crate::ImageError;

/// Rectangles in `rows` rows and `columns` columns, as even as whole pixels allow: their sides differ by one pixel at
/// most.
///
/// # Errors
/// [`ImageError::Regions`] for a size without pixels or above [`MAX_PIXELS`](crate::MAX_PIXELS), for no rows or columns,
/// and for more than there are pixels.
pub fn grid(height: usize, width: usize, rows: usize, columns: usize) -> Result<LabelMap, ImageError> {
    check_size(height, width)?;
    for (name, cells, pixels) in [("rows", rows, height), ("columns", columns, width)] {
        if cells == 0 || cells > pixels {
            return refuse(format!(
                "{cells} {name} of a grid do not fit {pixels} pixels; at least 1 and at most as many"
            ));
        }
    }
    let label = |row: usize, column: usize| (row * rows / height * columns + column * columns / width) as u32;
    let labels = (0..height).flat_map(|row| (0..width).map(move |column| label(row, column))).collect();
    Ok(LabelMap { height, width, labels, count: rows * columns })
}

/// About `count` points at even distances from each other along both sides.
pub(super) struct Points {
    /// Row of the first point, rows from one point to the next.
    pub(super) rows: (usize, usize),
    /// The same for columns.
    pub(super) columns: (usize, usize),
}

impl Points {
    /// Places at least one point and at most one per pixel. The distance is the side of a square of a point's share of
    /// the area, but not longer than the shorter side, and the first point lies half of it from the edges.
    pub(super) fn new(height: usize, width: usize, count: usize) -> Self {
        let (shorter, longer) = (height.min(width) as f64, height.max(width) as f64);
        let count = count.clamp(1, height * width) as f64;
        let even = (shorter * longer / count).sqrt();
        let (along_shorter, along_longer) = if shorter < even { (shorter, longer / count) } else { (even, even) };
        let place = |distance: f64| ((distance / 2.0).floor() as usize, distance.round_ties_even().max(1.0) as usize);
        let (rows, columns) =
            if height <= width { (along_shorter, along_longer) } else { (along_longer, along_shorter) };
        Points { rows: place(rows), columns: place(columns) }
    }

    /// Row and column of every point, row by row.
    pub(super) fn positions(&self, height: usize, width: usize) -> impl Iterator<Item = (usize, usize)> {
        let (columns, across) = self.columns;
        let (rows, down) = self.rows;
        (rows..height)
            .step_by(down)
            .flat_map(move |row| (columns..width).step_by(across).map(move |column| (row, column)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_as_even_as_pixels_allow() {
        let map = grid(3, 5, 2, 2).unwrap();
        assert_eq!(map.labels, [0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 2, 2, 2, 3, 3]);
        assert_eq!(map.count, 4);
        assert_eq!(grid(2, 2, 2, 2).unwrap().labels, [0, 1, 2, 3]);
    }

    #[test]
    fn grids_that_do_not_fit_are_refused_in_words() {
        assert_eq!(
            grid(4, 4, 0, 2).unwrap_err().to_string(),
            "the picture cannot be cut into regions: 0 rows of a grid do not fit 4 pixels; at least 1 and at most as many"
        );
        assert!(grid(4, 4, 1, 5).is_err());
        assert!(grid(0, 4, 1, 1).is_err());
    }

    #[test]
    fn points_lie_half_a_step_from_the_edges() {
        // 64 pixels for 4 points: squares of 4 pixels, from pixel 2 on.
        let positions: Vec<_> = Points::new(8, 8, 4).positions(8, 8).collect();
        assert_eq!(positions, [(2, 2), (2, 6), (6, 2), (6, 6)]);
        // A line has room for points in one direction only.
        assert_eq!(Points::new(1, 9, 3).positions(1, 9).collect::<Vec<_>>(), [(0, 1), (0, 4), (0, 7)]);
        assert_eq!(Points::new(2, 2, 100).positions(2, 2).count(), 4);
    }
}
