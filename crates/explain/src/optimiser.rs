//! Ways to move numbers along a gradient, uphill.

/// How numbers are moved.
pub(crate) enum Optimiser {
    /// By the gradient times a rate, less what a weight on the sum of squares takes off.
    Plain {
        /// What the gradient is multiplied by.
        rate: f32,
        /// The weight of the numbers' sum of squares, which is subtracted from what is to grow.
        penalty: f32,
    },
    /// Adam with Nesterov's momentum.
    Nadam(Nadam),
}

/// Adam with Nesterov's momentum (Dozat 2016), with its usual decays of 0.9 and 0.999.
///
/// What keeps a division from zero is a millionth of the largest denominator instead of a fixed number, so that the
/// scale of the gradient does not matter.
pub(crate) struct Nadam {
    rate: f32,
    steps: i32,
    mean: Vec<f32>,
    squares: Vec<f32>,
}

const MEAN_DECAY: f32 = 0.9;
const SQUARES_DECAY: f32 = 0.999;
const SMALLEST: f32 = 1e-6;

impl Optimiser {
    pub(crate) fn nadam(rate: f64) -> Optimiser {
        Optimiser::Nadam(Nadam { rate: rate as f32, steps: 0, mean: Vec::new(), squares: Vec::new() })
    }

    /// Moves the numbers by one step.
    pub(crate) fn climb(&mut self, numbers: &mut [f32], gradient: &[f32]) {
        match self {
            Optimiser::Plain { rate, penalty } => {
                for (number, gradient) in numbers.iter_mut().zip(gradient) {
                    *number += *rate * (gradient - 2.0 * *penalty * *number);
                }
            }
            Optimiser::Nadam(nadam) => nadam.climb(numbers, gradient),
        }
    }
}

impl Nadam {
    fn climb(&mut self, numbers: &mut [f32], gradient: &[f32]) {
        self.mean.resize(numbers.len(), 0.0);
        self.squares.resize(numbers.len(), 0.0);
        self.steps += 1;
        let [ahead, now] = [self.steps + 1, self.steps].map(|steps| 1.0 - MEAN_DECAY.powi(steps));
        let squares_so_far = 1.0 - SQUARES_DECAY.powi(self.steps);
        for ((mean, square), gradient) in self.mean.iter_mut().zip(&mut self.squares).zip(gradient) {
            *mean = MEAN_DECAY * *mean + (1.0 - MEAN_DECAY) * gradient;
            *square = SQUARES_DECAY * *square + (1.0 - SQUARES_DECAY) * gradient * gradient;
        }
        let size = |square: f32| (square / squares_so_far).sqrt();
        let largest = size(self.squares.iter().fold(0.0, |largest: f32, square| largest.max(*square)));
        if largest == 0.0 {
            return;
        }
        for (at, (number, gradient)) in numbers.iter_mut().zip(gradient).enumerate() {
            let (mean, square) = (self.mean[at], self.squares[at]);
            let step = MEAN_DECAY * mean / ahead + (1.0 - MEAN_DECAY) * gradient / now;
            *number += self.rate * step / (size(square) + SMALLEST * largest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_close;

    /// Uphill on -(x - 1)^2 - 3 (y + 2)^2 from the origin, less x^2 + y^2 for the plain way: the maximum of the first is at
    /// 1 and -2, with the penalty at 1/2 and -6/4.
    #[test]
    fn both_find_the_top() {
        let slope = |numbers: &[f32]| [-2.0 * (numbers[0] - 1.0), -6.0 * (numbers[1] + 2.0)];
        for (mut optimiser, expected) in
            [(Optimiser::Plain { rate: 0.1, penalty: 1.0 }, [0.5, -1.5]), (Optimiser::nadam(0.02), [1.0, -2.0])]
        {
            let mut numbers = [0.0; 2];
            for _ in 0..600 {
                let gradient = slope(&numbers);
                optimiser.climb(&mut numbers, &gradient);
            }
            assert_close(&numbers, &expected, 1e-3);
        }
    }

    /// After one step the mean is a tenth of the gradient, over 1 - 0.9^2 = 0.19, times 0.9; a tenth of the gradient over
    /// 0.1 comes on top: (9 / 19 + 1) times its sign, whatever its size.
    #[test]
    fn the_scale_of_the_gradient_does_not_matter() {
        for scale in [1e-12, 1.0, 1e12] {
            let mut numbers = [0.0; 3];
            Optimiser::nadam(1.0).climb(&mut numbers, &[scale, -2.0 * scale, 0.0]);
            assert_close(&numbers, &[28.0 / 19.0, -28.0 / 19.0, 0.0], 1e-4);
        }
        let mut numbers = [1.0];
        Optimiser::nadam(1.0).climb(&mut numbers, &[0.0]);
        assert_eq!(numbers, [1.0], "no gradient, no step");
    }
}
