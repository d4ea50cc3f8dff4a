//! Gaussian blur of float planes.

use crate::Planes;

/// Blurs each plane with a Gaussian of standard deviation `sigma` in pixels, cut off at four standard deviations.
///
/// Beyond its edges a plane goes on mirrored with the outermost pixel repeated (`d c b a | a b c d | d c b a`), so that
/// the mean brightness stays. These are the defaults of SciPy's `gaussian_filter`. A `sigma` that is not above zero
/// leaves the planes as they are.
pub fn gaussian_blur(planes: &Planes, sigma: f32) -> Planes {
    if !(sigma > 0.0 && sigma.is_finite()) {
        return planes.clone();
    }
    let kernel = kernel(f64::from(sigma));
    let across = convolve_rows(&planes.values, planes.width, &kernel);
    let turned = transpose(&across, planes.height, planes.width);
    let down = convolve_rows(&turned, planes.height, &kernel);
    Planes { values: transpose(&down, planes.width, planes.height), ..*planes }
}

/// The Gaussian at whole distances from its centre, 0 outwards; both sides together sum to 1.
fn kernel(sigma: f64) -> Vec<f32> {
    let radius = (4.0 * sigma + 0.5) as usize;
    let weights: Vec<f64> = (0..=radius).map(|distance| (-0.5 * (distance as f64 / sigma).powi(2)).exp()).collect();
    let sum = 2.0 * weights.iter().sum::<f64>() - 1.0;
    weights.iter().map(|weight| (weight / sum) as f32).collect()
}

/// Convolves every run of `width` values with the symmetric kernel.
fn convolve_rows(values: &[f32], width: usize, kernel: &[f32]) -> Vec<f32> {
    let radius = kernel.len() - 1;
    let mut padded = vec![0.0; width + 2 * radius];
    let mut blurred = Vec::with_capacity(values.len());
    for row in values.chunks_exact(width.max(1)) {
        for (index, value) in padded.iter_mut().enumerate() {
            *value = row[mirrored(index as isize - radius as isize, width)];
        }
        blurred.extend((0..width).map(|column| {
            let centre = column + radius;
            let pairs = kernel.iter().enumerate().skip(1);
            let sides =
                pairs.map(|(distance, weight)| weight * (padded[centre - distance] + padded[centre + distance]));
            kernel[0] * padded[centre] + sides.sum::<f32>()
        }));
    }
    blurred
}

/// The position inside `0..length` that a position outside mirrors.
fn mirrored(position: isize, length: usize) -> usize {
    let within = position.rem_euclid(2 * length as isize) as usize;
    if within < length { within } else { 2 * length - 1 - within }
}

/// Exchanges rows and columns of each plane.
fn transpose(values: &[f32], height: usize, width: usize) -> Vec<f32> {
    let planes = values.chunks_exact((height * width).max(1));
    planes
        .flat_map(|plane| (0..width).flat_map(move |column| plane.iter().skip(column).step_by(width).copied()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planes(channels: usize, height: usize, width: usize) -> Planes {
        let values = (0..channels * height * width).map(|index| ((index * 37 % 101) as f32) / 101.0).collect();
        Planes { channels, height, width, values }
    }

    #[test]
    fn a_point_spreads_as_the_product_of_two_gaussians() {
        let mut point = Planes::constant(1, 9, 11, 0.0);
        point.values[4 * 11 + 5] = 1.0;
        let blurred = gaussian_blur(&point, 0.75);
        // The radius is 3; with g(d) = exp(-d^2 / 1.125) the sum over a line is
        // 1 + 2 * (0.411112 + 0.028566 + 0.000335) = 1.880026.
        let line = [1.0 / 1.880026, 0.411112 / 1.880026, 0.028566 / 1.880026, 0.000335 / 1.880026, 0.0];
        for (row, column, value) in
            [(4, 5, line[0] * line[0]), (4, 6, line[0] * line[1]), (2, 4, line[1] * line[2]), (0, 5, 0.0)]
        {
            let found = blurred.values[row * 11 + column];
            assert!((found - value).abs() < 1e-6, "at {row}, {column}: found {found}, expected {value}");
        }
    }

    #[test]
    fn blurring_agrees_with_a_direct_double_sum() {
        for (height, width, sigma) in [(7, 5, 1.3_f32), (1, 6, 2.0), (3, 4, 5.0)] {
            let planes = planes(2, height, width);
            let blurred = gaussian_blur(&planes, sigma);
            let radius = (4.0 * sigma + 0.5) as isize;
            let weight = |distance: isize| (-0.5 * (distance as f64 / f64::from(sigma)).powi(2)).exp();
            let norm: f64 = (-radius..=radius).map(weight).sum();
            // Reflects step by step, as one would with a mirror at each edge.
            let reflect = |mut position: isize, length: usize| {
                while !(0..length as isize).contains(&position) {
                    position = if position < 0 { -1 - position } else { 2 * length as isize - 1 - position };
                }
                position as usize
            };
            for channel in 0..2 {
                for row in 0..height {
                    for column in 0..width {
                        let mut sum = 0.0;
                        for down in -radius..=radius {
                            for across in -radius..=radius {
                                let row = reflect(row as isize + down, height);
                                let column = reflect(column as isize + across, width);
                                let value = planes.values[(channel * height + row) * width + column];
                                sum += weight(down) * weight(across) / (norm * norm) * f64::from(value);
                            }
                        }
                        let found = blurred.values[(channel * height + row) * width + column];
                        assert!((f64::from(found) - sum).abs() < 1e-5, "{found} and {sum} at {row}, {column}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_mean_stays_and_a_constant_stays_constant() {
        let planes = planes(1, 12, 9);
        let mean = |planes: &Planes| planes.values.iter().sum::<f32>() / planes.values.len() as f32;
        let blurred = gaussian_blur(&planes, 3.0);
        assert!((mean(&planes) - mean(&blurred)).abs() < 1e-5, "{} and {}", mean(&planes), mean(&blurred));
        let grey = Planes::constant(3, 4, 4, 0.5);
        assert!(gaussian_blur(&grey, 2.0).values.iter().all(|value| (value - 0.5).abs() < 1e-6));
    }

    #[test]
    fn without_a_width_nothing_is_blurred() {
        let planes = planes(1, 3, 3);
        for sigma in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert_eq!(gaussian_blur(&planes, sigma), planes);
        }
        assert!(gaussian_blur(&Planes::constant(3, 0, 0, 0.0), 1.0).values.is_empty());
    }
}
