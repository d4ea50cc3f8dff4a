//! Inpainting: removed pixels that continue what is around them.

use super::{
    holes::Holes,
    smooth::{Smoothness, smooth},
};
use crate::{ImageError, Planes};

/// Removed pixels go on with the brightness of their surroundings and with its slope: the biharmonic surface (Damelin and
/// Hoang 2018, On Surface Completion and Image Inpainting by Biharmonic Functions), as scikit-image's
/// `inpaint_biharmonic` solves it. Values stay within those of the kept pixels, per channel.
///
/// `removed` has one value per pixel, rows from the top. What the pixels held that are removed plays no role.
///
/// # Errors
/// [`ImageError::Length`] for a mask or planes of another size, [`ImageError::Infill`] where no pixel is kept or one that
/// is kept is not finite.
pub fn inpaint(planes: &Planes, removed: &[bool]) -> Result<Planes, ImageError> {
    let Some(holes) = Holes::new(planes, removed)? else { return Ok(planes.clone()) };
    let biharmonic = Smoothness { direct: 1.0, diagonal: 0.0, curvature: true };
    let mut filled = smooth(planes, &holes, &biharmonic);
    for plane in filled.values.chunks_exact_mut(removed.len()) {
        let kept = plane.iter().zip(removed).filter(|(_, removed)| !**removed);
        let (low, high) = kept.fold((f32::MAX, f32::MIN), |(low, high), (&value, _)| (low.min(value), high.max(value)));
        plane.iter_mut().for_each(|value| *value = value.clamp(low, high));
    }
    Ok(filled)
}

/// Every removed pixel is the weighted mean of its eight neighbours, 1/6 for those at its sides and 1/12 for those at its
/// corners (at the picture's edge, of those there are), and the next of `noise` is added to it: the noisy linear
/// interpolation of ROAD (Rong et al. 2022, A Consistent and Efficient Evaluation Strategy for Attribution Methods), whose
/// noise is normal with a standard deviation of 0.01.
///
/// `removed` has one value per pixel, rows from the top. Numbers of `noise` go to the removed pixels channel by channel,
/// rows from the top.
///
/// # Errors
/// Those of [`inpaint`].
pub fn interpolate(planes: &Planes, removed: &[bool], mut noise: impl FnMut() -> f32) -> Result<Planes, ImageError> {
    let Some(holes) = Holes::new(planes, removed)? else { return Ok(planes.clone()) };
    let mean_of_neighbours = Smoothness { direct: 1.0 / 6.0, diagonal: 1.0 / 12.0, curvature: false };
    let mut filled = smooth(planes, &holes, &mean_of_neighbours);
    for (value, _) in filled.values.iter_mut().zip(removed.iter().cycle()).filter(|(_, removed)| **removed) {
        *value += noise();
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEIGHT: usize = 14;
    const WIDTH: usize = 17;

    fn picture(value: impl Fn(usize, usize) -> f32) -> Planes {
        let values = (0..HEIGHT * WIDTH).map(|pixel| value(pixel / WIDTH, pixel % WIDTH)).collect();
        Planes { channels: 1, height: HEIGHT, width: WIDTH, values }
    }

    fn removed(rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) -> Vec<bool> {
        let inside = |pixel: usize| rows.contains(&(pixel / WIDTH)) && columns.contains(&(pixel % WIDTH));
        (0..HEIGHT * WIDTH).map(inside).collect()
    }

    fn largest_difference(one: &Planes, other: &Planes) -> f32 {
        one.values.iter().zip(&other.values).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max)
    }

    /// The picture as it is given to the infills: nothing may be taken from removed pixels.
    fn without(planes: &Planes, removed: &[bool]) -> Planes {
        let value = |(&value, &removed): (&f32, &bool)| if removed { f32::NAN } else { value };
        Planes { values: planes.values.iter().zip(removed).map(value).collect(), ..*planes }
    }

    #[test]
    fn a_ramp_goes_on_through_a_hole() {
        // Opposite neighbours of a pixel differ from it by opposite amounts: their mean is its own value, and the sum of
        // differences is zero everywhere. A pixel at least two from the edge is all that the biharmonic equation asks.
        let ramp = picture(|row, column| 0.2 + 0.03 * row as f32 + 0.02 * column as f32);
        let removed = removed(3..11, 2..14);
        for filled in
            [inpaint(&without(&ramp, &removed), &removed), interpolate(&without(&ramp, &removed), &removed, || 0.0)]
        {
            let difference = largest_difference(&filled.unwrap(), &ramp);
            assert!(difference < 1e-5, "differs by {difference}");
        }
    }

    #[test]
    fn a_ramp_goes_on_through_half_a_large_picture() {
        let side = 96;
        let values = (0..side * side).map(|pixel| (pixel / side + pixel % side) as f32 / (2 * side) as f32).collect();
        let ramp = Planes { channels: 1, height: side, width: side, values };
        let within = |position: usize| (8..88).contains(&position);
        let removed: Vec<bool> = (0..side * side).map(|pixel| within(pixel / side) && within(pixel % side)).collect();
        for filled in
            [inpaint(&without(&ramp, &removed), &removed), interpolate(&without(&ramp, &removed), &removed, || 0.0)]
        {
            let difference = largest_difference(&filled.unwrap(), &ramp);
            assert!(difference < 1e-4, "differs by {difference}");
        }
    }

    /// What is farther away than two pixels has no part in the equations of a hole.
    #[test]
    fn a_small_hole_in_a_large_picture_is_filled_from_what_is_near() {
        let near = picture(|row, column| ((row * 3 + column * column) as f32 * 0.37).sin());
        let value = |pixel: usize| {
            let (row, column) = (pixel / 60, pixel % 60);
            if row < HEIGHT && column < WIDTH { near.values[row * WIDTH + column] } else { 0.1 }
        };
        let far = Planes { channels: 1, height: 50, width: 60, values: (0..50 * 60).map(value).collect() };
        let hole = |row: usize, column: usize| (4..8).contains(&row) && (5..9).contains(&column);
        let in_near: Vec<bool> = (0..HEIGHT * WIDTH).map(|pixel| hole(pixel / WIDTH, pixel % WIDTH)).collect();
        let in_far: Vec<bool> = (0..50 * 60).map(|pixel| hole(pixel / 60, pixel % 60)).collect();
        let small = interpolate(&near, &in_near, || 0.0).unwrap();
        let large = interpolate(&far, &in_far, || 0.0).unwrap();
        for (pixel, _) in in_near.iter().enumerate().filter(|(_, removed)| **removed) {
            let there = large.values[pixel / WIDTH * 60 + pixel % WIDTH];
            assert!((small.values[pixel] - there).abs() < 1e-6, "{} and {there}", small.values[pixel]);
        }
        assert_eq!(large.values[59], far.values[59], "what is kept stays");
    }

    #[test]
    fn inpainting_goes_on_with_a_bend_where_interpolation_flattens_it() {
        // The fourth differences of a cubic are zero, and so are the mixed ones where it depends on the column alone: the
        // biharmonic surface is the cubic itself. Means of neighbours give the straight way through the hole.
        let cubic = |column: usize| 0.5 + ((column as f32 - 8.0) / 8.0).powi(3) / 2.0;
        let bent = picture(|_, column| cubic(column));
        let removed = removed(0..HEIGHT, 4..9);
        let inpainted = inpaint(&without(&bent, &removed), &removed).unwrap();
        assert!(largest_difference(&inpainted, &bent) < 1e-5);
        let interpolated = interpolate(&without(&bent, &removed), &removed, || 0.0).unwrap();
        let straight = picture(|_, column| {
            let way = (column as f32 - 3.0) / 6.0;
            if (4..9).contains(&column) { cubic(3) * (1.0 - way) + cubic(9) * way } else { cubic(column) }
        });
        assert!(largest_difference(&interpolated, &straight) < 1e-5);
    }

    #[test]
    fn a_single_removed_pixel_is_the_weighted_mean_of_its_eight_neighbours() {
        let planes =
            Planes { channels: 1, height: 3, width: 3, values: vec![1.0, 6.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 1.0] };
        let mut centre = vec![false; 9];
        centre[4] = true;
        let filled = interpolate(&planes, &centre, || 0.25).unwrap();
        // (6 + 3) / 6 + (1 + 1) / 12, and the noise.
        assert!((filled.values[4] - (1.5 + 2.0 / 12.0 + 0.25)).abs() < 1e-6);
        // In a corner, 1/6, 1/6 and 1/12 are all there is: (6 / 6 + 3 / 6 + 0 / 12) / (5 / 12).
        let mut corner = vec![false; 9];
        corner[0] = true;
        assert!((interpolate(&planes, &corner, || 0.0).unwrap().values[0] - 1.5 * 12.0 / 5.0).abs() < 1e-6);
    }

    #[test]
    fn noise_goes_to_removed_pixels_only_and_in_order() {
        let planes = Planes::constant(2, 1, 3, 0.5);
        let mut next = 0.0;
        let filled = interpolate(&planes, &[true, false, true], || {
            next += 0.125;
            next
        });
        assert_eq!(filled.unwrap().values, [0.625, 0.5, 0.75, 0.875, 0.5, 1.0]);
    }

    #[test]
    fn inpainting_does_not_overshoot() {
        let edge = picture(|_, column| if column < 6 { 0.0 } else { 1.0 });
        let removed = removed(0..HEIGHT, 7..WIDTH);
        assert!(inpaint(&edge, &removed).unwrap().values.iter().all(|value| (0.0..=1.0).contains(value)));
    }

    #[test]
    fn what_cannot_be_filled_is_refused_in_a_sentence() {
        let planes = Planes::constant(1, 1, 2, 0.5);
        let message = |planes: &Planes, removed: &[bool]| inpaint(planes, removed).unwrap_err().to_string();
        assert_eq!(
            message(&planes, &[true, true]),
            "the removed pixels cannot be filled: every pixel is removed; keep at least one"
        );
        assert_eq!(message(&planes, &[true]), "the mask of removed pixels needs 2 values and has 1");
        assert_eq!(
            message(&planes.map(|_| f32::NAN), &[true, false]),
            "the removed pixels cannot be filled: a pixel that is kept holds NaN, where a finite number is needed"
        );
        assert_eq!(inpaint(&planes, &[false, false]).unwrap(), planes);
    }
}
