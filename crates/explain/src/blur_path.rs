//! The way from an image out of focus to the image: a Gaussian blur of falling width, without anything outside.

use vitrine_graph::Value;
use vitrine_protocol::Layout;

use crate::{Context, ExplainError, products::product, sampler::size_of_picture};

/// Difference of widths, in pixels, by which the image's change with the width is measured; the authors' choice.
const STEP: f64 = 0.01;

/// A picture that can be blurred, on its device.
pub(crate) struct BlurPath {
    /// `[1, channels, height, width]`.
    planes: Value,
    size: [usize; 2],
    layout: Layout,
}

impl BlurPath {
    /// # Errors
    /// [`ExplainError::NotAnImage`] unless the input has channels, height and width.
    pub(crate) fn new(context: &Context<'_>) -> Result<BlurPath, ExplainError> {
        let (size, layout) = (size_of_picture(context)?, context.layout());
        let planes = match layout {
            Layout::Nchw => context.input.clone(),
            Layout::Nhwc => context.input.permute(&[0, 3, 1, 2])?,
        };
        Ok(BlurPath { planes, size, layout })
    }

    /// The picture blurred by standard deviations in pixels; one sample for each.
    pub(crate) fn at(&self, sigmas: &[f64]) -> Result<Value, ExplainError> {
        let [rows, columns] = self.size.map(|length| stack(sigmas, |sigma| blur_matrix(length, sigma)));
        self.finish(self.product(&rows, &columns, sigmas.len())?)
    }

    /// How the picture changes with the standard deviation, in forward differences.
    pub(crate) fn change(&self, sigmas: &[f64]) -> Result<Value, ExplainError> {
        let difference = |length| {
            stack(sigmas, |sigma| {
                let before = blur_matrix(length, sigma);
                blur_matrix(length, sigma + STEP)
                    .iter()
                    .zip(before)
                    .map(|(after, before)| (after - before) / STEP)
                    .collect()
            })
        };
        let [row_change, column_change] = self.size.map(difference);
        let rows = stack(sigmas, |sigma| blur_matrix(self.size[0], sigma));
        let columns = stack(sigmas, |sigma| blur_matrix(self.size[1], sigma + STEP));
        let down = self.product(&row_change, &columns, sigmas.len())?;
        let across = self.product(&rows, &column_change, sigmas.len())?;
        self.finish(down.add(&across)?)
    }

    /// Rows times picture times columns, one of each per sample.
    fn product(&self, rows: &[f32], columns: &[f32], count: usize) -> Result<Value, ExplainError> {
        let device = self.planes.device();
        let matrix = |values: &[f32], length: usize| Value::from_f32(values, &[count, 1, length, length], &device);
        Ok(product(&matrix(rows, self.size[0]), &self.planes, &matrix(columns, self.size[1]))?)
    }

    fn finish(&self, planes: Value) -> Result<Value, ExplainError> {
        Ok(match self.layout {
            Layout::Nchw => planes,
            Layout::Nhwc => planes.permute(&[0, 2, 3, 1])?,
        })
    }
}

fn stack(sigmas: &[f64], matrix: impl Fn(f64) -> Vec<f64>) -> Vec<f32> {
    sigmas.iter().flat_map(|&sigma| matrix(sigma)).map(|value| value as f32).collect()
}

/// The symmetric matrix that blurs a row of this length, cut off at four standard deviations; outside is zero.
fn blur_matrix(length: usize, sigma: f64) -> Vec<f64> {
    let radius = (4.0 * sigma + 0.5) as usize;
    let weights: Vec<f64> = (0..=radius)
        .map(|distance| if distance == 0 { 1.0 } else { (-0.5 * (distance as f64 / sigma).powi(2)).exp() })
        .collect();
    let sum = 2.0 * weights.iter().sum::<f64>() - 1.0;
    let weight = |distance: usize| weights.get(distance).map_or(0.0, |weight| weight / sum);
    (0..length * length).map(|at| weight((at / length).abs_diff(at % length))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, read};

    #[test]
    fn a_width_of_zero_leaves_the_picture() {
        let input: Vec<f32> = (0..12).map(|index| index as f32).collect();
        let question = Question::new(linear(&[1, 3, 4]), &input);
        let path = BlurPath::new(&question.context()).unwrap();
        assert_close(&read(&path.at(&[0.0]).unwrap()), &input, 1e-7);
    }

    /// With a standard deviation of 0.5 the radius is 2 and the weights are 1, e^-2 and e^-8 over their sum.
    #[test]
    fn a_point_spreads_as_the_gaussian_says_and_leaves_at_the_edges() {
        let mut input = [0.0; 12];
        input[4] = 1.0;
        let question = Question::new(linear(&[1, 3, 4]), &input);
        let path = BlurPath::new(&question.context()).unwrap();
        let weights = [1.0, (-2.0_f32).exp(), (-8.0_f32).exp(), 0.0];
        let sum = 1.0 + 2.0 * (weights[1] + weights[2]);
        let expected: Vec<f32> =
            (0..12).map(|at: usize| weights[(at / 4).abs_diff(1)] * weights[at % 4] / (sum * sum)).collect();
        assert_close(&read(&path.at(&[0.5]).unwrap()), &expected, 1e-6);
    }

    #[test]
    fn the_change_is_the_difference_of_two_near_widths() {
        let input: Vec<f32> = (0..24).map(|index| (index as f32 * 1.3).sin()).collect();
        let question = Question::new(linear(&[2, 3, 4]), &input);
        let path = BlurPath::new(&question.context()).unwrap();
        let [before, after] = [1.0, 1.0 + STEP].map(|sigma| read(&path.at(&[sigma]).unwrap()));
        let expected: Vec<f32> =
            before.iter().zip(after).map(|(before, after)| (after - before) / STEP as f32).collect();
        assert_close(&read(&path.change(&[1.0]).unwrap()), &expected, 1e-3);
    }
}
