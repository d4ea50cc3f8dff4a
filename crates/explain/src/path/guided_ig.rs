//! Guided Integrated Gradients: a way from a baseline to the input that always moves the values with the smallest
//! gradients first, so that it goes around places where the model saturates or swings, within a band about the straight
//! way.
//!
//! Andrei Kapishnikov, Subhashini Venugopalan, Besim Avci, Ben Wedin, Michael Terry, Tolga Bolukbasi: Guided Integrated
//! Gradients: An Adaptive Path Method for Removing Noise. CVPR 2021.
//!
//! Departures: none from the authors' program (`saliency`), whose defaults these are, but two: where no value can be
//! moved any further within the band the step ends, and gradients are float32.

use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, Infill, LocalBoxFuture,
    completeness::along,
    integrator::{ENDS, gradients_at},
    options::{integer, number, options},
};

options! {
    /// Options of [`GuidedIg`].
    pub struct GuidedIgOptions {
        /// Steps from the baseline to the input, one after the other, each one forward and one backward pass.
        steps: usize [integer(1, 2000)] = 200,
        /// Part of the values that is moved at once: those with the smallest gradients.
        fraction: f64 [number(0.01, 1.0)] = 0.25,
        /// How far a value may be ahead of or behind the straight way, as a part of its whole way. 0 is integrated
        /// gradients; 1 leaves every value free.
        max_distance: f64 [number(0.0, 1.0)] = 0.02,
        /// Where the way begins: black, white, grey, mean, blur or noise in pixel space, or zero and value:V in tensor
        /// space, or a file.
        baseline: Infill [ParameterKind::Infill] = Infill::Black,
        /// Largest completeness gap accepted, as a part of the target's difference between input and baseline: while it
        /// is larger, everything is run again with twice the steps, up to 32 times as many. 0 accepts any.
        max_gap: f64 [number(0.0, 1.0)] = 0.0,
    }
}

/// Distances to go that differ by less count as equal.
const CLOSE: f64 = 1e-9;

/// Guided Integrated Gradients (Kapishnikov et al. 2021).
pub struct GuidedIg;

impl Explainer for GuidedIg {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "guided-ig".to_owned(),
            name: "Guided Integrated Gradients".to_owned(),
            family: Family::Path,
            summary: "Fades the picture in pixel by pixel, those that matter least first, which keeps noise out of \
                      the map. Each step depends on the one before, so it cannot work on several copies at once and \
                      is slow."
                .to_owned(),
            reference: Reference {
                authors: "Andrei Kapishnikov, Subhashini Venugopalan, Besim Avci, Ben Wedin, Michael Terry, Tolga \
                          Bolukbasi"
                    .to_owned(),
                year: 2021,
                title: "Guided Integrated Gradients: An Adaptive Path Method for Removing Noise".to_owned(),
                venue: "CVPR".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient],
            parameters: GuidedIgOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let steps = GuidedIgOptions::parse(context.parameters)?.steps;
        Ok(Cost { forward_passes: (steps + ENDS) as u64, backward_passes: steps as u64 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = GuidedIgOptions::parse(context.parameters)?;
    let baseline = options.baseline.tensor(context).await?;
    let [from, to] = [baseline.to_vec().await?, context.input.to_vec().await?];
    let found = along(context, &baseline, [options.steps, 1], options.max_gap, async |steps, progress| {
        let mut guide = Guide::new(&from, &to, &options);
        for step in 1..=steps {
            let point: Vec<f32> = guide.point.iter().map(|&value| value as f32).collect();
            let gradient = gradients_at(context, &[&point], progress).await?.pop().unwrap_or_default();
            guide.step(step as f64 / steps as f64, &gradient);
        }
        Ok(guide.attribution.iter().map(|&value| value as f32).collect())
    })
    .await?;
    Ok(found.attribution(context, None, options.values(), Vec::from_iter(options.baseline.note(context))))
}

/// The way so far.
struct Guide {
    from: Vec<f64>,
    to: Vec<f64>,
    point: Vec<f64>,
    attribution: Vec<f64>,
    /// Sum of all distances at the beginning.
    whole: f64,
    fraction: f64,
    max_distance: f64,
}

impl Guide {
    fn new(from: &[f32], to: &[f32], options: &GuidedIgOptions) -> Guide {
        let [from, to] = [from, to].map(|end| end.iter().map(|&value| f64::from(value)).collect::<Vec<f64>>());
        let attribution = vec![0.0; from.len()];
        let mut guide = Guide {
            point: from.clone(),
            from,
            to,
            attribution,
            whole: 0.0,
            fraction: options.fraction,
            max_distance: options.max_distance,
        };
        guide.whole = guide.left();
        guide
    }

    /// Sum of the distances that are left.
    fn left(&self) -> f64 {
        self.point.iter().zip(&self.to).map(|(point, to)| (point - to).abs()).sum()
    }

    /// Where a value is on its straight way after a part of it.
    fn on_the_way(&self, index: usize, part: f64) -> f64 {
        self.from[index] + (self.to[index] - self.from[index]) * part
    }

    /// Moves on until only 1 - `part` of the whole distance is left; `gradient` is that at the point.
    fn step(&mut self, part: f64, gradient: &[f32]) {
        let [lowest, highest] = [(part - self.max_distance).max(0.0), (part + self.max_distance).min(1.0)];
        let wanted = self.whole * (1.0 - part);
        let mut sizes: Vec<f64> = gradient.iter().map(|&gradient| f64::from(gradient.abs())).collect();
        let before = self.point.clone();
        loop {
            for (index, size) in sizes.iter_mut().enumerate() {
                let way = self.to[index] - self.from[index];
                if way != 0.0 && (self.point[index] - self.from[index]) / way < lowest {
                    self.point[index] = self.on_the_way(index, lowest);
                }
                // What has reached its bound is out of the choice.
                if self.point[index] == self.on_the_way(index, highest) {
                    *size = f64::INFINITY;
                }
            }
            let left = self.left();
            if left - wanted <= CLOSE * left.max(1.0) {
                break;
            }
            let threshold = lower_quantile(&sizes, self.fraction);
            let chosen = |index: &usize| sizes[*index] <= threshold && sizes[*index].is_finite();
            let chosen: Vec<usize> = (0..sizes.len()).filter(chosen).collect();
            let reach: f64 =
                chosen.iter().map(|&index| (self.on_the_way(index, highest) - self.point[index]).abs()).sum();
            if reach == 0.0 {
                break;
            }
            let share = (left - wanted) / reach;
            for index in chosen {
                let bound = self.on_the_way(index, highest);
                self.point[index] =
                    if share > 1.0 { bound } else { self.point[index] + (bound - self.point[index]) * share };
            }
            if share <= 1.0 {
                break;
            }
        }
        for (index, attribution) in self.attribution.iter_mut().enumerate() {
            *attribution += (self.point[index] - before[index]) * f64::from(gradient[index]);
        }
    }
}

/// The value below which at most a fraction of the others lie, one of the values themselves.
fn lower_quantile(values: &[f64], fraction: f64) -> f64 {
    let mut values = values.to_vec();
    let at = (fraction * values.len().saturating_sub(1) as f64) as usize;
    if at < values.len() { *values.select_nth_unstable_by(at, f64::total_cmp).1 } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight, squares};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(GuidedIg.explain(&question.context())).unwrap()
    }

    #[test]
    fn a_linear_model_gives_weight_times_difference_on_any_way() {
        let input = [1.0, -2.0, 0.5, 3.0];
        let found = explained(&Question::new(linear(&[4]), &input).with("steps", "7").with("baseline", "value:0.25"));
        let expected: Vec<f32> = (0..4).map(|i| linear_weight(i, 1) * (input[i] - 0.25)).collect();
        assert_close(&found.values, &expected, 1e-5);
        assert_eq!((found.forward_passes, found.backward_passes), (9, 7));
    }

    /// The squares of 1 and 3 from zero, in two free steps of half the distance, 2, each. At zero both gradients are 0,
    /// so both are chosen and share the way: to 0.5 and 1.5, for nothing. There the gradients are 1 and 3. The first
    /// has the smaller and goes to its end, 0.5 away; what remains of the step, 1.5, the second goes: 0.5 * 1 and
    /// 1.5 * 3.
    #[test]
    fn the_value_with_the_smaller_gradient_goes_first() {
        let question = Question::new(squares(2), &[1.0, 3.0]).target("0").with("steps", "2").with("fraction", "0.25");
        let found = explained(&question.with("max-distance", "1").with("baseline", "zero"));
        assert_close(&found.values, &[0.5, 4.5], 1e-6);
        assert!((found.completeness_gap.unwrap() + 5.0).abs() < 1e-5, "{:?}", found.completeness_gap);
    }

    /// Without room about the straight way it is integrated gradients with left ends: the mean of 2 t x is 3/4 x.
    #[test]
    fn without_room_it_is_the_straight_way() {
        let question = Question::new(squares(2), &[1.0, 3.0]).target("0").with("steps", "4");
        let found = explained(&question.with("max-distance", "0").with("baseline", "zero"));
        assert_close(&found.values, &[0.75, 6.75], 1e-5);
    }

    #[test]
    fn a_quantile_is_the_lower_of_two_neighbours() {
        assert_eq!(lower_quantile(&[5.0, 1.0, 3.0, 2.0], 0.5), 2.0);
        assert_eq!(lower_quantile(&[5.0, 1.0, 3.0, 2.0], 1.0), 5.0);
        assert_eq!(lower_quantile(&[], 0.5), f64::INFINITY);
    }
}
