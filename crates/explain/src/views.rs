//! Random crops of a picture, each enlarged to the picture's size: how feature visualisation looks at it, so that no
//! single pixel counts. A crop is a matrix product from both sides, and so is the way back.

use std::ops::Range;

use vitrine_graph::Value;
use vitrine_protocol::Layout;

use crate::{
    Context, ExplainError, products,
    random::{Purpose, Random},
    sampler::size_of_picture,
};

/// How a picture is looked at in every step.
pub(crate) struct Views {
    /// Crops in each step.
    pub(crate) count: usize,
    /// Their side in the first and in the last step, as a part of the picture's, and evenly between.
    pub(crate) sides: [f64; 2],
    /// Standard deviation of the even noise that is added, as a part of the distance between black and white.
    pub(crate) noise: f64,
}

/// Some crops of one step.
pub(crate) struct Crops {
    rows: Value,
    columns: Value,
    /// Noise for each, `[count, ...]`.
    noise: Option<Value>,
    layout: Layout,
}

impl Views {
    /// The crops of these numbers in a step, `part` of the way through the run. Each depends on the seed, the step and its
    /// number alone. `span` is what the noise is a part of.
    pub(crate) fn crops(
        &self,
        context: &Context<'_>,
        (step, part): (usize, f64),
        numbers: Range<usize>,
        span: Option<&Value>,
    ) -> Result<Crops, ExplainError> {
        let ([height, width], device) = (size_of_picture(context)?, context.input.device());
        let side = self.sides[0] + (self.sides[1] - self.sides[0]) * part;
        let count = numbers.len();
        let (mut rows, mut columns, mut noise) = (Vec::new(), Vec::new(), Vec::new());
        for number in numbers {
            let mut random = Random::new(context.seed, Purpose::Views, (step * self.count + number) as u32);
            for (matrix, length) in [(&mut rows, height), (&mut columns, width)] {
                let start = f64::from(random.uniform()) * (1.0 - side) * length as f64;
                matrix.extend(crop_matrix(length, start, side));
            }
            if self.noise > 0.0 {
                // Even numbers between -1 and 1 have a deviation of one over the square root of three.
                let width = (self.noise * 3.0_f64.sqrt()) as f32;
                noise.extend((0..context.input.len()).map(|_| width * (2.0 * random.uniform() - 1.0)));
            }
        }
        let noise = match (self.noise > 0.0).then(|| Value::from_f32(&noise, &context.repeated(count), &device)) {
            Some(noise) => Some(span.map_or(Ok(noise.clone()), |span| noise.mul(span))?),
            None => None,
        };
        Ok(Crops {
            rows: Value::from_f32(&rows, &[count, 1, height, height], &device),
            columns: products::transposed(&Value::from_f32(&columns, &[count, 1, width, width], &device))?,
            noise,
            layout: context.layout(),
        })
    }
}

impl Crops {
    /// The crops of an input `[1, ...]`, a batch of inputs.
    pub(crate) fn of(&self, input: &Value) -> Result<Value, ExplainError> {
        let seen = products::product(&self.rows, &to_planes(input, self.layout)?, &self.columns)?;
        let seen = from_planes(&seen, self.layout)?;
        Ok(self.noise.as_ref().map_or(Ok(seen.clone()), |noise| seen.add(noise))?)
    }

    /// The gradient at the input of each crop, from that at the crops.
    pub(crate) fn pull_back(&self, gradient: &Value) -> Result<Value, ExplainError> {
        let planes = products::pull_back(&self.rows, &to_planes(gradient, self.layout)?, &self.columns)?;
        Ok(from_planes(&planes, self.layout)?)
    }
}

/// A batch of inputs with the channels first.
pub(crate) fn to_planes(inputs: &Value, layout: Layout) -> Result<Value, vitrine_graph::GraphError> {
    match layout {
        Layout::Nchw => Ok(inputs.clone()),
        Layout::Nhwc => inputs.permute(&[0, 3, 1, 2]),
    }
}

/// The inverse of [`to_planes`].
pub(crate) fn from_planes(planes: &Value, layout: Layout) -> Result<Value, vitrine_graph::GraphError> {
    match layout {
        Layout::Nchw => Ok(planes.clone()),
        Layout::Nhwc => planes.permute(&[0, 2, 3, 1]),
    }
}

/// The matrix that takes `side` of a row of this length, from the position `start` on, and enlarges it to the whole
/// length: linear between the centres of pixels, `[length, length]`.
fn crop_matrix(length: usize, start: f64, side: f64) -> Vec<f32> {
    let mut matrix = vec![0.0; length * length];
    let last = length.saturating_sub(1);
    for (to, row) in matrix.chunks_mut(length.max(1)).enumerate() {
        let position = (start + (to as f64 + 0.5) * side - 0.5).clamp(0.0, last as f64);
        let low = position as usize;
        for (from, weight) in [(low, low as f64 + 1.0 - position), (low + 1, position - low as f64)] {
            if let Some(entry) = row.get_mut(from) {
                *entry = weight as f32;
            }
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, read};

    /// Of four pixels the middle half, from 1 to 3: outputs lie at 1.25, 1.75, 2.25 and 2.75 from the left edge, which is
    /// 0.75, 1.25, 1.75 and 2.25 counted between centres.
    #[test]
    fn a_crop_is_linear_between_centres() {
        let matrix = crop_matrix(4, 1.0, 0.5);
        let pixels = [0.0, 4.0, 8.0, 20.0];
        let seen: Vec<f32> = matrix.chunks(4).map(|row| row.iter().zip(pixels).map(|(a, b)| a * b).sum()).collect();
        assert_close(&seen, &[3.0, 5.0, 7.0, 11.0], 1e-6);
        assert_close(&crop_matrix(3, 0.0, 1.0), &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], 1e-6);
    }

    /// For any picture x and gradient g the products of g with the crop of x, and of what goes back with x, sum alike.
    #[test]
    fn the_way_back_is_the_transposed_way() {
        let numbers =
            |count: usize, pitch: f32| (0..count).map(|index| (index as f32 * pitch).sin()).collect::<Vec<_>>();
        let question = Question::new(linear(&[2, 3, 5]), &numbers(30, 1.3));
        let context = question.context();
        let views = Views { count: 2, sides: [0.7, 0.4], noise: 0.0 };
        let crops = views.crops(&context, (3, 0.5), 0..2, None).unwrap();
        let seen = read(&crops.of(context.input).unwrap());
        let gradient = numbers(60, 0.7);
        let back = crops.pull_back(&Value::from_f32(&gradient, &[2, 2, 3, 5], &context.input.device())).unwrap();
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let (there, back) = (dot(&seen, &gradient), dot(&read(&back), &numbers(30, 1.3).repeat(2)));
        assert!((there - back).abs() < 1e-4, "{there} and {back}");
        let alone = views.crops(&context, (3, 0.5), 1..2, None).unwrap().of(context.input).unwrap();
        assert_eq!(read(&alone), seen[30..], "a crop does not depend on its batch");
    }
}
