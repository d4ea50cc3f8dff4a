//! Removed pixels as smooth as the kept ones let them be: large sparse systems of linear equations, solved by conjugate
//! gradients over the picture at all sizes at once.

use std::ops::Range;

use super::{holes::Holes, sizes::Sizes};
use crate::Planes;

/// What makes a surface smooth: the sum over all pixels and their neighbours of squared differences, or of the squares
/// of what pixels differ from their neighbours in sum.
pub(super) struct Smoothness {
    /// Weight of the neighbours that share a side.
    pub(super) direct: f64,
    /// Weight of those that share a corner.
    pub(super) diagonal: f64,
    /// The second of the two sums.
    pub(super) curvature: bool,
}

/// Most steps. A hole of half a picture of 224 x 224 pixels needs about 200 for curvature, small ones a tenth.
const MOST_STEPS: usize = 500;
/// The solution is good when so little of the squared error at the beginning is left.
const LEFT: f64 = 1e-12;

/// The planes with the removed pixels as smooth as can be.
pub(super) fn smooth(planes: &Planes, holes: &Holes, smoothness: &Smoothness) -> Planes {
    let mut smooth = planes.clone();
    let (rows, columns) = around(holes.removed, planes.height, planes.width);
    let of_row = |row: usize| row * planes.width + columns.start..row * planes.width + columns.end;
    let removed: Vec<bool> = rows.clone().flat_map(|row| &holes.removed[of_row(row)]).copied().collect();
    // By half the size, curved surfaces bend a quarter as much; of slopes the sum stays the same.
    let sizes = Sizes::new(rows.len(), columns.len(), &removed, if smoothness.curvature { 4.0 } else { 1.0 });
    for plane in smooth.values.chunks_exact_mut(holes.removed.len()) {
        let mut part: Vec<f32> = rows.clone().flat_map(|row| &plane[of_row(row)]).copied().collect();
        solve(&mut part, &sizes, &removed, smoothness);
        for (row, part) in rows.clone().zip(part.chunks_exact(columns.len())) {
            plane[of_row(row)].copy_from_slice(part);
        }
    }
    smooth
}

/// The rows and columns that the equations of the removed pixels reach: no farther than two pixels from them. A small hole
/// in a large picture is filled as fast as in a small one.
fn around(removed: &[bool], height: usize, width: usize) -> (Range<usize>, Range<usize>) {
    let holes = || removed.iter().enumerate().filter(|(_, removed)| **removed).map(|(pixel, _)| pixel);
    let reach = |places: &dyn Fn(usize) -> usize, length: usize| {
        let first = holes().map(places).min().unwrap_or(0);
        let last = holes().map(places).max().unwrap_or(0);
        first.saturating_sub(2)..(last + 3).min(length)
    };
    (reach(&|pixel| pixel / width, height), reach(&|pixel| pixel % width, width))
}

/// Solves for the removed values; the others stay.
fn solve(plane: &mut [f32], sizes: &Sizes, removed: &[bool], smoothness: &Smoothness) {
    let (height, width) = (sizes.height, sizes.width);
    let pixels = || plane.iter().zip(removed);
    let kept = pixels().filter(|(_, removed)| !**removed).map(|(&value, _)| f64::from(value));
    let (sum, count) = kept.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    let mut values: Vec<f64> =
        pixels().map(|(&value, &removed)| if removed { sum / count } else { f64::from(value) }).collect();
    // Products are faster than a choice for every pixel.
    let free: Vec<f64> = removed.iter().map(|&removed| f64::from(u8::from(removed))).collect();
    let only_removed = |values: &mut [f64]| values.iter_mut().zip(&free).for_each(|(value, free)| *value *= free);
    let mut scratch = vec![0.0; values.len()];
    let mut applied = vec![0.0; values.len()];
    smoothness.apply(&values, height, width, &mut scratch, &mut applied);
    // What is missing in each equation, and from it the first direction to go.
    let mut missing: Vec<f64> = applied.iter().map(|value| -value).collect();
    only_removed(&mut missing);
    let mut correction = sizes.spread(&missing);
    only_removed(&mut correction);
    let mut direction = correction;
    let mut error = dot(&missing, &direction);
    let enough = error * LEFT;
    for _ in 0..MOST_STEPS {
        smoothness.apply(&direction, height, width, &mut scratch, &mut applied);
        only_removed(&mut applied);
        let bend = dot(&direction, &applied);
        // Also where a number is none.
        if !(error > enough && bend > 0.0) {
            break;
        }
        let step = error / bend;
        values.iter_mut().zip(&direction).for_each(|(value, direction)| *value += step * direction);
        missing.iter_mut().zip(&applied).for_each(|(missing, applied)| *missing -= step * applied);
        let mut correction = sizes.spread(&missing);
        only_removed(&mut correction);
        let before = std::mem::replace(&mut error, dot(&missing, &correction));
        let again = error / before;
        let pairs = direction.iter_mut().zip(&correction);
        pairs.for_each(|(direction, correction)| *direction = correction + again * *direction);
    }
    for ((pixel, value), _) in plane.iter_mut().zip(values).zip(removed).filter(|(_, removed)| **removed) {
        *pixel = value as f32;
    }
}

impl Smoothness {
    /// Half the gradient of the sum.
    fn apply(&self, values: &[f64], height: usize, width: usize, scratch: &mut [f64], applied: &mut [f64]) {
        if self.curvature {
            self.differences(values, height, width, scratch);
            self.differences(scratch, height, width, applied);
        } else {
            self.differences(values, height, width, applied);
            applied.iter_mut().for_each(|value| *value = -*value);
        }
    }

    /// What the neighbours within the picture are larger than each pixel, in sum and by their weights.
    fn differences(&self, values: &[f64], height: usize, width: usize, sums: &mut [f64]) {
        sums.fill(0.0);
        for row in 0..height {
            let of = |row: usize| &values[row * width..(row + 1) * width];
            let (here, sums) = (of(row), &mut sums[row * width..(row + 1) * width]);
            beside(here, here, self.direct, sums);
            for other in [row.checked_sub(1), Some(row + 1)].into_iter().flatten().filter(|&other| other < height) {
                let other = of(other);
                let columns = sums.iter_mut().zip(here).zip(other);
                columns.for_each(|((sum, value), neighbour)| *sum += self.direct * (neighbour - value));
                if self.diagonal != 0.0 {
                    beside(other, here, self.diagonal, sums);
                }
            }
        }
    }
}

/// Adds, by their weight, what the values of `row` on both sides of each column are larger than that of `here`.
fn beside(row: &[f64], here: &[f64], weight: f64, sums: &mut [f64]) {
    let last = row.len() - 1;
    if last == 0 {
        return;
    }
    let within = sums[1..].iter_mut().zip(&here[1..]).zip(row.iter().zip(&row[2..]));
    within.for_each(|((sum, value), (left, right))| *sum += weight * (left + right - 2.0 * value));
    sums[0] += weight * (row[1] - here[0]);
    sums[last] += weight * (row[last - 1] - here[last]);
}

/// In several sums at once, as a single one waits for each addition.
fn dot(one: &[f64], other: &[f64]) -> f64 {
    let ((many, rest), (others, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (one, other) in many.iter().zip(others) {
        sums.iter_mut().zip(one).zip(other).for_each(|((sum, one), other)| *sum += one * other);
    }
    let left = rest.iter().zip(other_rest).map(|(one, other)| one * other).sum::<f64>();
    sums.iter().sum::<f64>() + left
}
