//! Removed pixels covered with copies of what lies beside them.

use super::holes::Holes;
use crate::{
    ImageError, Planes,
    segment::{LabelMap, connected},
};

/// The smallest rectangle around a connected piece, in rows and columns, both ends included.
#[derive(Clone, Copy)]
struct Frame {
    top: usize,
    bottom: usize,
    left: usize,
    right: usize,
}

/// Every connected piece that is removed is covered with the picture beside it, moved by the piece's own height or width,
/// from the side where most of it is kept; of equal sides from the left, then the right, above and below.
///
/// A pixel that gets nothing that way is taken from another side, or from twice as far and so on; where all of that is
/// removed too, it gets the mean colour of the kept pixels. Textures that repeat within the piece's size go on unbroken.
///
/// `removed` has one value per pixel, rows from the top.
///
/// # Errors
/// Those of [`inpaint`](super::inpaint).
pub fn tile(planes: &Planes, removed: &[bool]) -> Result<Planes, ImageError> {
    let Some(Holes { removed }) = Holes::new(planes, removed)? else { return Ok(planes.clone()) };
    let (height, width) = (planes.height, planes.width);
    let mask: Vec<u32> = removed.iter().map(|&removed| u32::from(removed)).collect();
    let pieces = connected(&LabelMap::new(height, width, &mask)?)?;
    let frames = frames(&pieces);
    // Where a pixel that lies so many rows and columns away is kept, its number.
    let kept = |pixel: usize, (down, across): (isize, isize)| {
        let row = (pixel / width).checked_add_signed(down).filter(|&row| row < height)?;
        let column = (pixel % width).checked_add_signed(across).filter(|&column| column < width)?;
        Some(row * width + column).filter(|&pixel| !removed[pixel])
    };
    let holes = || (0..removed.len()).filter(|&pixel| removed[pixel]);
    let mut found = vec![[0_usize; 4]; pieces.count];
    for pixel in holes() {
        let piece = pieces.labels[pixel] as usize;
        for (found, side) in found[piece].iter_mut().zip(frames[piece].sides(1)) {
            *found += usize::from(kept(pixel, side).is_some());
        }
    }
    let mut sources = Vec::new();
    for pixel in holes() {
        let piece = pieces.labels[pixel] as usize;
        let mut order = [0, 1, 2, 3];
        // Stable: equal sides keep their order.
        order.sort_by_key(|&side: &usize| std::cmp::Reverse(found[piece][side]));
        let mut distances = 1..=height.max(width) as isize;
        let source = distances.find_map(|times| {
            let sides = frames[piece].sides(times);
            order.iter().find_map(|&side| kept(pixel, sides[side]))
        });
        sources.push((pixel, source));
    }
    let mut filled = planes.clone();
    for plane in filled.values.chunks_exact_mut(removed.len()) {
        let mean = mean_of_kept(plane, removed);
        for &(pixel, source) in &sources {
            plane[pixel] = source.map_or(mean, |source| plane[source]);
        }
    }
    Ok(filled)
}

fn mean_of_kept(plane: &[f32], removed: &[bool]) -> f32 {
    let kept = plane.iter().zip(removed).filter(|(_, removed)| !**removed);
    let (sum, count) = kept.fold((0.0, 0.0), |(sum, count), (&value, _)| (sum + f64::from(value), count + 1.0));
    (sum / count) as f32
}

fn frames(pieces: &LabelMap) -> Vec<Frame> {
    let mut frames = vec![Frame { top: usize::MAX, bottom: 0, left: usize::MAX, right: 0 }; pieces.count];
    for (pixel, &piece) in pieces.labels.iter().enumerate() {
        let (row, column) = (pixel / pieces.width, pixel % pieces.width);
        let frame = &mut frames[piece as usize];
        frame.top = frame.top.min(row);
        frame.bottom = frame.bottom.max(row);
        frame.left = frame.left.min(column);
        frame.right = frame.right.max(column);
    }
    frames
}

impl Frame {
    /// The ways left, right, up and down by so many times the frame's size, in rows and columns.
    fn sides(self, times: isize) -> [(isize, isize); 4] {
        let (down, across) =
            ((self.bottom - self.top + 1) as isize * times, (self.right - self.left + 1) as isize * times);
        [(0, -across), (0, across), (-down, 0), (down, 0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(values: &[f32], removed: &[u8]) -> Vec<f32> {
        let planes = Planes { channels: 1, height: 1, width: values.len(), values: values.to_vec() };
        tile(&planes, &removed.iter().map(|&removed| removed == 1).collect::<Vec<_>>()).unwrap().values
    }

    #[test]
    fn a_texture_that_repeats_goes_on() {
        let stripes = [1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0];
        assert_eq!(row(&stripes, &[0, 0, 0, 1, 1, 0, 0, 0]), stripes);
    }

    #[test]
    fn the_side_where_most_is_kept_is_copied() {
        // Two pixels to the left of the hole, three to the right: from there.
        assert_eq!(row(&[1.0, 2.0, 0.0, 0.0, 0.0, 3.0, 4.0, 5.0], &[0, 0, 1, 1, 1, 0, 0, 0])[2..5], [3.0, 4.0, 5.0]);
        // Equal sides: from the left.
        assert_eq!(row(&[1.0, 0.0, 3.0], &[0, 1, 0]), [1.0, 1.0, 3.0]);
    }

    #[test]
    fn pixels_without_a_copy_beside_them_get_one_from_elsewhere_or_the_mean() {
        // The hole is wider than either side; its middle pixel has nothing three away and nothing six away.
        assert_eq!(row(&[1.0, 0.0, 0.0, 0.0, 5.0], &[0, 1, 1, 1, 0]), [1.0, 5.0, 3.0, 1.0, 5.0]);
    }

    #[test]
    fn pieces_are_covered_each_by_its_own_size() {
        // One pixel from the left; two pixels, which have more on their left.
        let values = [1.0, 0.0, 3.0, 4.0, 0.0, 0.0, 7.0];
        assert_eq!(row(&values, &[0, 1, 0, 0, 1, 1, 0]), [1.0, 1.0, 3.0, 4.0, 3.0, 4.0, 7.0]);
    }
}
