//! Pictures as sums of waves: the inverse discrete Fourier transform of real pictures as two matrix products, and its
//! transposed, through which gradients go back.
//!
//! Of each picture the left half of its plane of frequencies is kept, `[2, height, width / 2 + 1]`, real parts before
//! imaginary ones; the other half mirrors it. The transform is orthonormal.

use std::f64::consts::TAU;

use burn::tensor::Device;
use vitrine_graph::{GraphError, Value};

use crate::products::transposed;

/// The transform for pictures of one size.
pub(crate) struct Spectrum {
    size: [usize; 2],
    /// From frequencies to rows, `[1, 1, 2 height, 2 height]`.
    down: Value,
    /// From frequencies to columns, `[1, 1, 2 half, width]`.
    across: Value,
}

/// Cosine and sine of `turn` parts of `length` of a circle, exactly zero where they should be.
fn wave(turn: usize, length: usize) -> [f64; 2] {
    let turn = turn % length.max(1);
    let angle = TAU * turn as f64 / length as f64;
    [
        if 4 * turn == length || 4 * turn == 3 * length { 0.0 } else { angle.cos() },
        if 2 * turn == length { 0.0 } else { angle.sin() },
    ]
}

impl Spectrum {
    pub(crate) fn new([height, width]: [usize; 2], device: &Device) -> Spectrum {
        let half = half(width);
        let mut down = vec![0.0; 4 * height * height];
        for (row, values) in down.chunks_mut((2 * height).max(1)).enumerate() {
            for (frequency, value) in values.iter_mut().enumerate() {
                let [cosine, sine] = wave((row % height) * (frequency % height), height);
                *value = match (row < height, frequency < height) {
                    (true, false) => -sine as f32,
                    (false, true) => sine as f32,
                    _ => cosine as f32,
                };
            }
        }
        let scale = 1.0 / ((height * width) as f64).sqrt();
        let mut across = vec![0.0; 2 * half * width];
        for (frequency, values) in across.chunks_mut(width.max(1)).enumerate() {
            for (column, value) in values.iter_mut().enumerate() {
                let [cosine, sine] = wave((frequency % half) * column, width);
                // A frequency between the outer columns stands for its mirror image too.
                let scale = if is_its_own_mirror(frequency % half, width) { scale } else { 2.0 * scale };
                *value = (scale * if frequency < half { cosine } else { -sine }) as f32;
            }
        }
        Spectrum {
            size: [height, width],
            down: Value::from_f32(&down, &[1, 1, 2 * height, 2 * height], device),
            across: Value::from_f32(&across, &[1, 1, 2 * half, width], device),
        }
    }

    /// Numbers of one channel's coefficients.
    pub(crate) fn len(&self) -> usize {
        2 * self.size[0] * half(self.size[1])
    }

    /// The picture `[1, channels, height, width]` of coefficients.
    pub(crate) fn picture(&self, coefficients: &[f32]) -> Result<Value, GraphError> {
        let ([height, width], channels) = (self.size, coefficients.len() / self.len().max(1));
        let half = half(width);
        let coefficients = Value::from_f32(coefficients, &[1, channels, 2 * height, half], &self.down.device());
        let rows = matmul(&self.down, &coefficients)?.reshape(&[channels, 2, height, half])?;
        matmul(&rows.permute(&[0, 2, 1, 3])?.reshape(&[1, channels, height, 2 * half])?, &self.across)
    }

    /// The gradient at the coefficients from that at the picture.
    pub(crate) fn pull_back(&self, gradient: &Value) -> Result<Value, GraphError> {
        let ([height, width], channels) = (self.size, gradient.shape().get(1).copied().unwrap_or(1));
        let half = half(width);
        let rows = matmul(gradient, &transposed(&self.across)?)?.reshape(&[channels, height, 2, half])?;
        matmul(&transposed(&self.down)?, &rows.permute(&[0, 2, 1, 3])?.reshape(&[1, channels, 2 * height, half])?)
    }
}

/// Matrix products with one matrix for all channels.
fn matmul(left: &Value, right: &Value) -> Result<Value, GraphError> {
    let axis = |value: &Value, axis: usize| value.shape().get(axis).copied().unwrap_or(1);
    let channels = axis(left, 1).max(axis(right, 1));
    let all = |value: &Value| value.expand(&[1, channels, axis(value, 2), axis(value, 3)])?.tensor::<4>();
    Ok(Value::new(all(left)?.matmul(all(right)?)))
}

/// Columns of frequencies that are kept.
fn half(width: usize) -> usize {
    width / 2 + 1
}

/// Whether a column of frequencies has its own mirror images.
fn is_its_own_mirror(column: usize, width: usize) -> bool {
    column == 0 || 2 * column == width
}

/// Where in its plane the mirror image of a frequency is kept as well; nothing where it is left out.
pub(crate) fn mirror(index: usize, [height, width]: [usize; 2]) -> Option<usize> {
    let (row, column) = (index / half(width), index % half(width));
    is_its_own_mirror(column, width).then(|| (height - row) % height * half(width) + column)
}

/// One over each frequency, the magnitudes of natural pictures, so scaled that pictures have a variance of one: a plane
/// `[height, half]`. What would be infinite, the mean, has the magnitude of the lowest frequency.
pub(crate) fn natural([height, width]: [usize; 2]) -> Vec<f32> {
    let half = half(width);
    let lowest = 1.0 / height.max(width) as f64;
    let magnitude = |index: usize| {
        let (row, column) = (index / half, index % half);
        let down = row.min(height - row) as f64 / height as f64;
        1.0 / down.hypot(column as f64 / width as f64).max(lowest)
    };
    let magnitudes: Vec<f64> = (0..height * half).map(magnitude).collect();
    let counted = |index: usize| if is_its_own_mirror(index % half, width) { 1.0 } else { 2.0 };
    let energy: f64 = magnitudes.iter().enumerate().skip(1).map(|(index, value)| counted(index) * value * value).sum();
    let scale = ((height * width) as f64 / energy.max(f64::MIN_POSITIVE)).sqrt();
    magnitudes.iter().map(|magnitude| (magnitude * scale) as f32).collect()
}

/// The orthonormal transform of a plane by its definition: real and imaginary parts of the half that is kept.
#[cfg(test)]
pub(crate) fn slowly(plane: &[f32], [height, width]: [usize; 2]) -> Vec<[f64; 2]> {
    let coefficient = |index: usize| {
        let (down, across) = (index / half(width), index % half(width));
        plane.iter().enumerate().fold([0.0; 2], |[real, imaginary], (at, &value)| {
            let turn = (down * (at / width)) as f64 / height as f64 + (across * (at % width)) as f64 / width as f64;
            let value = f64::from(value) / ((height * width) as f64).sqrt();
            [real + value * (TAU * turn).cos(), imaginary - value * (TAU * turn).sin()]
        })
    };
    (0..height * half(width)).map(coefficient).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, read};

    /// A coefficient of 3 i at frequencies 1 down and 1 across of 4 x 4 pixels is with its mirror image
    /// 2 Re(3 i exp(i angle)) / 4, so -1.5 sin(angle), and the angle is a quarter turn for each row and column.
    #[test]
    fn one_coefficient_is_a_wave() {
        let spectrum = Spectrum::new([4, 4], &Device::flex());
        let mut coefficients = vec![0.0; spectrum.len()];
        coefficients[4 * 3 + 3 + 1] = 3.0;
        let sine = [0.0, 1.0, 0.0, -1.0];
        let expected: Vec<f32> = (0..16).map(|at| -1.5 * sine[(at / 4 + at % 4) % 4]).collect();
        assert_close(&read(&spectrum.picture(&coefficients).unwrap()), &expected, 1e-6);
    }

    #[test]
    fn there_and_back_is_the_same_picture() {
        for size in [[3, 4], [4, 5], [6, 2]] {
            let spectrum = Spectrum::new(size, &Device::flex());
            let plane: Vec<f32> = (0..size[0] * size[1]).map(|at| (at as f32 * 1.7).sin()).collect();
            let found = slowly(&plane, size);
            let coefficients: Vec<f32> =
                [0, 1].iter().flat_map(|&part| found.iter().map(move |pair| pair[part] as f32)).collect();
            assert_close(&read(&spectrum.picture(&coefficients).unwrap()), &plane, 1e-5);
        }
    }

    #[test]
    fn the_way_back_is_the_transposed_way() {
        let spectrum = Spectrum::new([3, 4], &Device::flex());
        let gradient: Vec<f32> = (0..24).map(|at| (at as f32 * 0.9).cos()).collect();
        let back = spectrum.pull_back(&Value::from_f32(&gradient, &[1, 2, 3, 4], &Device::flex())).unwrap();
        let found = read(&back);
        for index in 0..2 * spectrum.len() {
            let mut unit = vec![0.0; 2 * spectrum.len()];
            unit[index] = 1.0;
            let seen = read(&spectrum.picture(&unit).unwrap());
            let expected: f32 = seen.iter().zip(&gradient).map(|(a, b)| a * b).sum();
            assert!((found[index] - expected).abs() < 1e-5, "{index}: {} and {expected}", found[index]);
        }
    }

    /// 4 x 4: frequencies 1/4 and 1/2 along an axis, so magnitudes of 4 and 2 times the scale, and the mean as the lowest.
    #[test]
    fn natural_magnitudes_fall_with_the_frequency_and_give_a_variance_of_one() {
        let found = natural([4, 4]);
        assert_close(
            &[found[0], found[1], found[2], found[3]],
            &[4.0, 4.0, 2.0, 4.0].map(|x| x * found[1] / 4.0),
            1e-6,
        );
        let spectrum = Spectrum::new([4, 4], &Device::flex());
        let mut coefficients = found.clone();
        coefficients[0] = 0.0;
        coefficients.extend([0.0; 12]);
        let picture = read(&spectrum.picture(&coefficients).unwrap());
        let variance: f32 = picture.iter().map(|value| value * value).sum::<f32>() / 16.0;
        assert!((variance - 1.0).abs() < 1e-5, "{variance}");
    }

    #[test]
    fn outer_columns_hold_their_own_mirror_images() {
        // 3 rows and 3 of 4 columns are kept.
        let found: Vec<Option<usize>> = (0..9).map(|index| mirror(index, [3, 4])).collect();
        assert_eq!(found, [Some(0), None, Some(2), Some(6), None, Some(8), Some(3), None, Some(5)]);
    }
}
