//! A picture cut into regions, as label maps: one number per pixel, which says the region it belongs to.
//!
//! [`grid`] looks at nothing but the size. [`slic`], [`felzenszwalb`], [`quickshift`] and [`watershed`] look at
//! [`Planes`](crate::Planes) of grey, or of red, green and blue in this order, from 0 to 1. Their parameters have
//! scikit-image's names, defaults and meanings, and on the same picture they give nearly its regions (an adjusted Rand index of 0.95 and more).
//! [`connected`], [`merge_small`] and [`split_large`] make any of them connected and of bounded area.
//!
//! Nothing here is random: the same picture is always cut alike.
//!
//! ```
//! use vitrine_image::{Planes, segment};
//!
//! // Two black pixels beside two white ones, in two rows.
//! let picture = Planes { channels: 1, height: 2, width: 4, values: [0.0, 0.0, 1.0, 1.0].repeat(2) };
//! let parameters = segment::Felzenszwalb { sigma: 0.0, min_size: 1, ..Default::default() };
//! let regions = segment::felzenszwalb(&picture, &parameters)?;
//! assert_eq!(regions.labels, [0, 0, 1, 1, 0, 0, 1, 1]);
//! # Ok::<(), vitrine_image::ImageError>(())
//! ```

mod colour;
mod connected;
mod felzenszwalb;
mod grid;
mod quickshift;
mod slic;
mod watershed;

pub use connected::{MergeInto, connected, merge_small, split_large};
pub use felzenszwalb::{Felzenszwalb, felzenszwalb};
pub use grid::grid;
pub use quickshift::{Quickshift, quickshift};
pub use slic::{Slic, slic};
pub use watershed::{Markers, Watershed, watershed};

use crate::error::check_length;
use crate::{ImageError, MAX_PIXELS};

/// Which region every pixel belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelMap {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// `height * width` labels, rows from the top. Every number below `count` is in use.
    pub labels: Vec<u32>,
    /// Number of regions.
    pub count: usize,
}

impl LabelMap {
    /// A map from any numbers, equal ones for pixels of one region: they are numbered anew from 0 in the order in which
    /// they first appear, row by row.
    ///
    /// # Errors
    /// [`ImageError::Length`] when there are not `height * width` numbers, [`ImageError::Regions`] for a size without
    /// pixels or above [`MAX_PIXELS`].
    pub fn new(height: usize, width: usize, numbers: &[u32]) -> Result<Self, ImageError> {
        if height == 0 || width == 0 {
            return refuse(format!("{height} x {width} pixels hold nothing"));
        }
        check_size(height, width)?;
        check_length("the label map", height * width, numbers.len())?;
        // Sorted by number, pixels of one number stand together, the first of them in front.
        let mut order: Vec<u32> = (0..numbers.len() as u32).collect();
        order.sort_by_key(|&pixel| numbers[pixel as usize]);
        let mut first = vec![0; numbers.len()];
        for run in order.chunk_by(|&one, &other| numbers[one as usize] == numbers[other as usize]) {
            run.iter().for_each(|&pixel| first[pixel as usize] = run[0]);
        }
        Ok(Self::of_representatives(height, width, &first))
    }

    /// Number of pixels of every region.
    pub fn areas(&self) -> Vec<usize> {
        let mut areas = vec![0; self.count];
        for &label in &self.labels {
            if let Some(area) = areas.get_mut(label as usize) {
                *area += 1;
            }
        }
        areas
    }

    /// A map from one pixel per region, named by all pixels of the region and by no others.
    fn of_representatives(height: usize, width: usize, representatives: &[u32]) -> Self {
        let mut count = 0;
        let mut label_of = vec![u32::MAX; representatives.len()];
        let labels = representatives
            .iter()
            .map(|&representative| {
                let label = &mut label_of[representative as usize];
                if *label == u32::MAX {
                    *label = count;
                    count += 1;
                }
                *label
            })
            .collect();
        LabelMap { height, width, labels, count: count as usize }
    }
}

fn check_size(height: usize, width: usize) -> Result<(), ImageError> {
    if height as u128 * width as u128 <= u128::from(MAX_PIXELS) {
        return Ok(());
    }
    refuse(format!("{height} x {width} pixels are above {} megapixels", MAX_PIXELS / 1_000_000))
}

fn refuse<T>(reason: String) -> Result<T, ImageError> {
    Err(ImageError::Regions { reason })
}

/// The pixels right, left, below and above of a pixel that lie within the picture, in this order.
fn neighbours(pixel: usize, height: usize, width: usize) -> impl Iterator<Item = usize> {
    let column = pixel % width;
    let sides = [
        (column + 1 < width).then_some(pixel + 1),
        (column > 0).then(|| pixel - 1),
        (pixel + width < height * width).then_some(pixel + width),
        (pixel >= width).then(|| pixel - width),
    ];
    sides.into_iter().flatten()
}

/// The root of a tree of a union-find forest; the way there is halved for the next time.
fn find(parents: &mut [u32], mut node: u32) -> u32 {
    while parents[node as usize] != node {
        let grandparent = parents[parents[node as usize] as usize];
        parents[node as usize] = grandparent;
        node = grandparent;
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_numbers_become_labels_in_the_order_of_their_appearance() {
        let map = LabelMap::new(2, 3, &[7, 7, 900, 0, 7, 900]).unwrap();
        assert_eq!(map, LabelMap { height: 2, width: 3, labels: vec![0, 0, 1, 2, 0, 1], count: 3 });
        assert_eq!(map.areas(), [3, 2, 1]);
    }

    #[test]
    fn maps_without_pixels_or_of_another_length_are_refused() {
        let message = |result: Result<LabelMap, ImageError>| result.unwrap_err().to_string();
        assert_eq!(
            message(LabelMap::new(0, 3, &[])),
            "the picture cannot be cut into regions: 0 x 3 pixels hold nothing"
        );
        assert_eq!(message(LabelMap::new(2, 2, &[1])), "the label map needs 4 values and has 1");
        assert!(LabelMap::new(usize::MAX, usize::MAX, &[]).is_err());
    }
}
