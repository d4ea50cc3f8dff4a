//! Copies of the input with Gaussian noise: what smoothing stands on.

use std::ops::Range;

use vitrine_graph::Value;

use crate::{
    Context, ExplainError,
    random::{Purpose, Random},
};

/// Gaussian noise around an input.
pub(crate) struct Noise {
    input: Vec<f32>,
    deviation: f32,
}

impl Noise {
    /// Noise with a standard deviation that is a part of the input's range, the distance between its smallest and
    /// largest value.
    pub(crate) async fn new(context: &Context<'_>, part: f64) -> Result<Noise, ExplainError> {
        let input = context.input.to_vec().await?;
        let (low, high) = input
            .iter()
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)));
        Ok(Noise { deviation: (high - low) * part as f32, input })
    }

    /// Whether there is none.
    pub(crate) fn is_none(&self) -> bool {
        self.deviation == 0.0
    }

    /// The copies of these numbers: `[copies, ...]`. Each depends on the seed and its number alone.
    pub(crate) fn copies(&self, context: &Context<'_>, numbers: Range<usize>) -> Value {
        let mut shape = context.input.shape().to_vec();
        if let Some(first) = shape.first_mut() {
            *first = numbers.len();
        }
        let mut values = Vec::with_capacity(numbers.len() * self.input.len());
        for number in numbers {
            let mut random = Random::new(context.seed, Purpose::Noise, number as u32);
            values.extend(self.input.iter().map(|value| value + self.deviation * random.normal()));
        }
        Value::from_f32(&values, &shape, &context.input.device())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, read, squares};

    #[test]
    fn copies_lie_around_the_input_and_do_not_depend_on_batches() {
        let question = Question::new(squares(2), &[-1.0, 3.0]).seed(5);
        let context = question.context();
        let noise = pollster::block_on(Noise::new(&context, 0.25)).unwrap();
        let copies = read(&noise.copies(&context, 0..4000));
        for (at, centre) in [(0, -1.0_f64), (1, 3.0)] {
            let numbers: Vec<f64> = copies.iter().skip(at).step_by(2).map(|&value| f64::from(value)).collect();
            let mean = numbers.iter().sum::<f64>() / 4000.0;
            let variance = numbers.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 4000.0;
            // A deviation of 1: the mean is known to 0.016, the variance to 0.022.
            assert!((mean - centre).abs() < 0.06, "mean {mean}, not {centre}");
            assert!((variance - 1.0).abs() < 0.09, "variance {variance}");
        }
        assert_eq!(read(&noise.copies(&context, 7..9)), copies[14..18]);
    }
}
