//! Learning to explain: which few parts of the picture tell the model the most, by drawing so many of them at random and making
//! helpful ones more likely.
//!
//! Jianbo Chen, Le Song, Martin J. Wainwright, Michael I. Jordan: Learning to Explain: An Information-Theoretic Perspective on
//! Model Interpretation. ICML 2018.
//!
//! A subset of k parts is drawn by k draws from one distribution over the parts; a draw is a softmax of the parts' numbers plus
//! Gumbel noise, over a temperature, and a part is shown as much as the largest of its k numbers. Where the softmax is sharp
//! that is a subset of at most k, and gradients lead through it to the distribution.
//!
//! Departures: the authors train a network that gives the distribution for any picture, so that explaining takes one pass; here
//! the distribution is found for the one picture at hand, without any training data. The target takes the place of the
//! likelihood of the model's own answer, measured from the picture without anything, 0, to the whole picture, 1. Steps are
//! Adam's with Nesterov's momentum.

use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    game::GameOptions,
    mask_optimiser::{Game, Masks, Parts, Search, cost, search},
    optimiser::Optimiser,
    options::{integer, number, options},
    random::{Purpose, Random},
    regions::Regions,
    sampler::size_of_picture,
};

options! {
    /// Options of [`LearningToExplain`].
    pub struct LearningToExplainOptions {
        /// How many parts are shown, as a part of all; at least one.
        part: f64 [number(0.0001, 1.0)] = 0.1,
        /// Steps, each as many forward and backward passes as there are draws.
        steps: usize [integer(1, 10_000)] = 100,
        /// Subsets drawn in each step.
        draws: usize [integer(1, 1000)] = 8,
        /// How soft the draws are: near 0 a part is shown or not, with more it is mixed.
        temperature: f64 [number(0.01, 10.0)] = 0.5,
        /// How far the number behind a part's chance moves in a step, about.
        learning_rate: f64 [number(1e-6, 10.0)] = 0.1,
        ..game: GameOptions,
    }
}

/// Learning to explain (Chen et al. 2018), for one picture.
///
/// `Attribution::values` is the chance that a part is among those shown, one number per pixel of the input; `shape` is
/// `[height, width]`.
pub struct LearningToExplain;

impl Explainer for LearningToExplain {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "learning-to-explain".to_owned(),
            name: "Learning to Explain".to_owned(),
            family: Family::Optimisation,
            summary: "Shows a few random parts of the picture at a time and makes those more likely that bring the \
                      answer back. It finds parts that do well together, and one of two equal parts may be left out."
                .to_owned(),
            reference: Reference {
                authors: "Jianbo Chen, Le Song, Martin J. Wainwright, Michael I. Jordan".to_owned(),
                year: 2018,
                title: "Learning to Explain: An Information-Theoretic Perspective on Model Interpretation".to_owned(),
                venue: "ICML".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::ImageInput],
            parameters: LearningToExplainOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = LearningToExplainOptions::parse(context.parameters)?;
        Regions::expected(context, &options.game.regions)?;
        Ok(cost(Game::Preserve, options.steps, options.draws))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = LearningToExplainOptions::parse(context.parameters)?;
            size_of_picture(context)?;
            let regions = Regions::of(context, &options.game.regions).await?;
            let mut subsets = Subsets {
                labels: regions.labels_of_pixels(context)?,
                numbers: vec![0.0; regions.count],
                shown: ((options.part * regions.count as f64).round() as usize).max(1),
                drawn: Vec::new(),
                seed: context.seed,
                optimiser: Optimiser::nadam(options.learning_rate),
                options: &options,
            };
            let parts = Parts::Pixels(options.game.infill.filler(context).await?);
            let (game, steps, count) = (Game::Preserve, options.steps, options.draws);
            let found = search(context, &Search { parts, game, steps, count, jitter: 0.0 }, &mut subsets).await?;
            let said = format!("{} of {} parts were shown at a time.", subsets.shown, regions.count);
            let own = options.game.infill.note(context).into_iter().chain(regions.note());
            let notes: Vec<String> = found.outcome().into_iter().chain([said]).chain(own).collect();
            Ok(Attribution { parameters: options.values(), ..found.noted(notes) })
        })
    }
}

/// A distribution over the parts: the softmax of their numbers.
struct Subsets<'a> {
    /// The part of every pixel; those in none are always shown, and get zero.
    labels: Vec<u32>,
    numbers: Vec<f32>,
    /// How many parts are drawn.
    shown: usize,
    /// The draws of the last step: for each subset, as many rows as parts are drawn.
    drawn: Vec<f32>,
    seed: u64,
    optimiser: Optimiser,
    options: &'a LearningToExplainOptions,
}

fn softmax(numbers: impl Iterator<Item = f32> + Clone) -> Vec<f32> {
    let largest = numbers.clone().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = numbers.map(|number| (number - largest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// For each part, the row in which it is largest.
fn largest_rows(rows: &[f32], count: usize) -> Vec<usize> {
    let value = |part: usize, row: usize| rows[row * count + part];
    let best = |part: usize| {
        (0..rows.len() / count).fold(0, |best, row| if value(part, row) > value(part, best) { row } else { best })
    };
    (0..count).map(best).collect()
}

impl Subsets<'_> {
    fn over_picture(&self, values: &[f32], elsewhere: f32) -> Vec<f32> {
        self.labels.iter().map(|label| values.get(*label as usize).copied().unwrap_or(elsewhere)).collect()
    }
}

impl Masks for Subsets<'_> {
    fn draw(&mut self, step: usize) -> Vec<f32> {
        let (count, temperature) = (self.numbers.len(), self.options.temperature as f32);
        self.drawn.clear();
        let mut masks = Vec::new();
        for draw in 0..self.options.draws {
            let mut random = Random::new(self.seed, Purpose::Masks, (step * self.options.draws + draw) as u32);
            let start = self.drawn.len();
            for _ in 0..self.shown {
                let mut gumbel = || -(-random.uniform().clamp(1e-6, 1.0 - 1e-6).ln()).ln();
                let noisy: Vec<f32> = self.numbers.iter().map(|number| (number + gumbel()) / temperature).collect();
                self.drawn.extend(softmax(noisy.into_iter()));
            }
            let rows = &self.drawn[start..];
            let shown: Vec<f32> =
                largest_rows(rows, count).into_iter().enumerate().map(|(part, row)| rows[row * count + part]).collect();
            masks.extend(self.over_picture(&shown, 1.0));
        }
        masks
    }

    fn climb(&mut self, _: usize, gradient: &[f32]) {
        let (count, draws) = (self.numbers.len(), self.options.draws);
        let scale = 1.0 / (draws as f32 * self.options.temperature as f32);
        let mut all = vec![0.0; count];
        for (rows, gradient) in self.drawn.chunks(count * self.shown).zip(gradient.chunks(self.labels.len())) {
            let mut of_parts = vec![0.0; count];
            for (label, gradient) in self.labels.iter().zip(gradient) {
                if let Some(sum) = of_parts.get_mut(*label as usize) {
                    *sum += gradient;
                }
            }
            let largest = largest_rows(rows, count);
            for (number, row) in rows.chunks(count).enumerate() {
                let arrived = |part: usize| if largest[part] == number { of_parts[part] } else { 0.0 };
                let mean: f32 = row.iter().enumerate().map(|(part, value)| value * arrived(part)).sum();
                for (part, value) in row.iter().enumerate() {
                    all[part] += scale * value * (arrived(part) - mean);
                }
            }
        }
        self.optimiser.climb(&mut self.numbers, &all);
    }

    fn map(&self) -> Vec<f32> {
        let chance = |part: f32| 1.0 - (1.0 - part).powi(self.shown as i32);
        let chances: Vec<f32> = softmax(self.numbers.iter().copied()).into_iter().map(chance).collect();
        self.over_picture(&chances, 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight};

    /// Six parts of 2 x 2 pixels; two are shown. In a linear model the two that add most are the best subset.
    #[test]
    fn in_a_linear_model_the_parts_that_add_most_become_likely() {
        let input: Vec<f32> = (0..24).map(|index| 1.0 + (index as f32 * 0.9).cos()).collect();
        let part = |pixel: usize| pixel / 12 * 3 + pixel % 6 / 2;
        let mut adds = [0.0; 6];
        (0..24).for_each(|pixel| adds[part(pixel)] += linear_weight(pixel, 0) * input[pixel]);
        let mut order = [0, 1, 2, 3, 4, 5];
        order.sort_by(|one, other| f32::total_cmp(&adds[*other], &adds[*one]));
        let question =
            Question::new(linear(&[1, 4, 6]), &input).target("0").with("infill", "zero").with("steps", "100");
        let question = question.with("regions", "grid:2x3").with("part", "0.33");
        let found = pollster::block_on(LearningToExplain.explain(&question.context())).unwrap();
        let chance = |part: usize| found.values[part / 3 * 12 + part % 3 * 2];
        for likely in &order[..2] {
            for other in &order[2..] {
                assert!(chance(*likely) > chance(*other), "{adds:?} get {:?}", (0..6).map(chance).collect::<Vec<_>>());
            }
        }
        assert!(found.notes.iter().any(|note| note == "2 of 6 parts were shown at a time."), "{:?}", found.notes);
        assert_eq!((found.forward_passes, found.backward_passes), (2 + 100 * 8, 100 * 8));
    }

    /// Slopes of a weighted sum of the masks by small steps of the numbers; the noise is that of the step.
    #[test]
    fn the_way_back_is_the_slope() {
        let options = LearningToExplainOptions { draws: 2, ..Default::default() };
        let numbers = [0.3, -0.2, 0.5, 0.0];
        let subsets = |numbers: &[f32]| Subsets {
            labels: vec![0, 1, 2, 3, 3],
            numbers: numbers.to_vec(),
            shown: 2,
            drawn: Vec::new(),
            seed: 3,
            optimiser: Optimiser::Plain { rate: 1.0, penalty: 0.0 },
            options: &options,
        };
        let weights: Vec<f32> = (0..10).map(|index| (index as f32 * 1.7).sin()).collect();
        let answer = |numbers: &[f32]| -> f32 {
            // The gradient is that of the mean over the draws.
            subsets(numbers).draw(5).iter().zip(&weights).map(|(mask, weight)| mask * weight).sum::<f32>() / 2.0
        };
        let mut moved = subsets(&numbers);
        moved.draw(5);
        moved.climb(5, &weights);
        for part in 0..4 {
            let by = |step: f32| {
                let mut numbers = numbers;
                numbers[part] += step;
                answer(&numbers)
            };
            let slope = (by(0.002) - by(-0.002)) / 0.004;
            let found = moved.numbers[part] - numbers[part];
            assert!((slope - found).abs() < 2e-3, "{part}: {slope} and {found}");
        }
        assert_close(&softmax([0.0, 2.0_f32.ln()].into_iter()), &[1.0 / 3.0, 2.0 / 3.0], 1e-6);
    }
}
