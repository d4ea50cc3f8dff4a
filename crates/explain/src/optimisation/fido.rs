//! FIDO: how likely each place is to be needed, when places are kept and removed at random.
//!
//! Chun-Hao Chang, Elliot Creager, Anna Goldenberg, David Duvenaud: Explaining Image Classifiers by Counterfactual Generation.
//! ICLR 2019.
//!
//! Every cell of a grid is marked with a chance of its own. The smallest sufficient region, game `preserve`, has chances
//! for which the target stays when only marked cells are shown; the smallest deletion region, game `delete`, those for which it
//! goes when they are removed; in both as few cells as can be are marked, on average. Instead of yes or no a cell is drawn
//! from the concrete distribution (Maddison et al. 2017), a sigmoid of its number plus logistic noise, over a
//! temperature, so that gradients lead to the chances.
//!
//! Departures: the target is measured from the picture without anything, 0, to the whole picture, 1, and the weight is that of the
//! mean chance, so that it holds for every target and model; the paper's is 0.001 for a sum over 56 x 56 cells and
//! log-odds, which `logodds:` as target gives here too. What is removed is filled by an infill instead of a generative network;
//! `inpaint` continues the kept part of each mask. Steps are Adam's with Nesterov's momentum.

use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, Infill, LocalBoxFuture,
    mask_grid::MaskGrid,
    mask_optimiser::{Game, Masks, Parts, Search, cost, search},
    optimiser::Optimiser,
    options::{integer, number, options},
    random::{Purpose, Random},
    sampler::size_of_picture,
};

options! {
    /// Options of [`Fido`].
    pub struct FidoOptions {
        /// What is done with the marked part: preserve looks for the smallest sufficient region, delete for the smallest
        /// deletion region.
        game: Game [Game::kind()] = Game::Preserve,
        /// Steps, each as many forward and backward passes as there are draws.
        steps: usize [integer(1, 10_000)] = 100,
        /// Masks drawn in each step.
        draws: usize [integer(1, 1000)] = 8,
        /// Cells of the mask along the picture's shorter side; no more than pixels.
        grid: usize [integer(1, 256)] = 28,
        /// What marking all of the picture costs, as a part of what the picture as a whole does to the target.
        area_weight: f64 [number(0.0, 1000.0)] = 0.3,
        /// How soft the draws are: near 0 a cell is kept or removed, with more it is mixed.
        temperature: f64 [number(0.01, 10.0)] = 0.1,
        /// How far the number behind a chance moves in a step, about.
        learning_rate: f64 [number(1e-6, 10.0)] = 0.2,
        /// What a removed part is replaced by: black, white, grey, mean, blur or noise in pixel space; inpaint, interpolate or
        /// tile, which continue what is kept and take longer; zero and value:V in tensor space; or a file.
        infill: Infill [ParameterKind::Infill] = Infill::Blur,
    }
}

/// FIDO (Chang et al. 2019).
///
/// `Attribution::values` is the chance that a place is marked, one number per pixel of the input; `shape` is `[height, width]`.
pub struct Fido;

impl Explainer for Fido {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "fido".to_owned(),
            name: "FIDO".to_owned(),
            family: Family::Optimisation,
            summary: "Keeps and removes places at random and learns how likely each has to be kept for the answer to \
                      stay. Chances near a half mean that a place hardly matters or that the run was too short."
                .to_owned(),
            reference: Reference {
                authors: "Chun-Hao Chang, Elliot Creager, Anna Goldenberg, David Duvenaud".to_owned(),
                year: 2019,
                title: "Explaining Image Classifiers by Counterfactual Generation".to_owned(),
                venue: "ICLR".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::ImageInput],
            parameters: FidoOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = FidoOptions::parse(context.parameters)?;
        Ok(cost(options.game, options.steps, options.draws))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = FidoOptions::parse(context.parameters)?;
            let grid = MaskGrid::new(size_of_picture(context)?, options.grid, 0.0);
            let mut chances = Chances {
                numbers: vec![0.0; grid.len()],
                grid,
                drawn: Vec::new(),
                seed: context.seed,
                optimiser: Optimiser::nadam(options.learning_rate),
                options: &options,
            };
            let (game, steps, count) = (options.game, options.steps, options.draws);
            let parts = Parts::Pixels(options.infill.filler(context).await?);
            let found = search(context, &Search { parts, game, steps, count, jitter: 0.0 }, &mut chances).await?;
            let notes: Vec<String> = found.outcome().into_iter().chain(options.infill.note(context)).collect();
            Ok(Attribution { parameters: options.values(), ..found.noted(notes) })
        })
    }
}

/// A chance for each cell, the sigmoid of a number.
struct Chances<'a> {
    grid: MaskGrid,
    numbers: Vec<f32>,
    /// The cells of all masks drawn last.
    drawn: Vec<f32>,
    seed: u64,
    optimiser: Optimiser,
    options: &'a FidoOptions,
}

fn sigmoid(number: f32) -> f32 {
    1.0 / (1.0 + (-number).exp())
}

impl Masks for Chances<'_> {
    fn draw(&mut self, step: usize) -> Vec<f32> {
        self.drawn.clear();
        for draw in 0..self.options.draws {
            let mut random = Random::new(self.seed, Purpose::Masks, (step * self.options.draws + draw) as u32);
            let cell = |number: &f32| {
                let uniform = random.uniform().clamp(1e-6, 1.0 - 1e-6);
                sigmoid((number + (uniform / (1.0 - uniform)).ln()) / self.options.temperature as f32)
            };
            self.drawn.extend(self.numbers.iter().map(cell));
        }
        self.drawn.chunks(self.grid.len()).flat_map(|cells| self.grid.enlarged(cells)).collect()
    }

    fn climb(&mut self, _: usize, gradient: &[f32]) {
        let (count, draws) = (self.numbers.len(), self.options.draws);
        let area = self.options.area_weight as f32 / count as f32;
        let slope = |number: f32| sigmoid(number) * (1.0 - sigmoid(number));
        let mut all: Vec<f32> = self.numbers.iter().map(|number| -area * slope(*number)).collect();
        let scale = 1.0 / (draws as f32 * self.options.temperature as f32);
        let masks = gradient.chunks(gradient.len() / draws).zip(self.drawn.chunks(count));
        for (gradient, drawn) in masks {
            let cells = self.grid.pull_back(gradient);
            for ((all, gradient), drawn) in all.iter_mut().zip(cells).zip(drawn) {
                *all += scale * gradient * drawn * (1.0 - drawn);
            }
        }
        self.optimiser.climb(&mut self.numbers, &all);
    }

    fn map(&self) -> Vec<f32> {
        self.grid.enlarged(&self.numbers.iter().copied().map(sigmoid).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight};

    fn input() -> Vec<f32> {
        (0..24).map(|index| 1.0 + (index as f32 * 0.9).cos()).collect()
    }

    fn explained(game: &str, parameters: &[(&str, &str)]) -> Attribution {
        let question =
            Question::new(linear(&[1, 4, 6]), &input()).target("0").with("infill", "zero").with("game", game);
        let question = parameters.iter().fold(question, |question, (name, value)| question.with(name, value));
        pollster::block_on(Fido.explain(&question.context())).unwrap()
    }

    /// Cells are pixels. A linear score is the sum of what each pixel adds; one that adds more than its cost becomes certain, one
    /// that adds less impossible, whether it is shown or taken away.
    #[test]
    fn in_a_linear_model_pixels_that_add_more_than_they_cost_are_marked() {
        let adds: Vec<f32> = (0..24).map(|pixel| linear_weight(pixel, 0) * input()[pixel]).collect();
        let span = adds.iter().sum::<f32>().abs();
        let cost = 0.3 / 24.0;
        for game in ["preserve", "delete"] {
            let found = explained(game, &[("steps", "100"), ("draws", "4")]);
            for (pixel, chance) in found.values.iter().enumerate() {
                let gain = adds[pixel] / span - cost;
                // Where gain and loss are nearly even the run is too short.
                if gain.abs() > 0.02 {
                    assert_eq!(*chance > 0.5, gain > 0.0, "{game}: {chance} at {pixel} for a gain of {gain}");
                }
            }
        }
    }

    #[test]
    fn dear_places_are_never_marked_and_draws_are_the_seeds() {
        let dear = explained("preserve", &[("area-weight", "1000"), ("steps", "60")]);
        assert!(dear.values.iter().all(|chance| *chance < 0.05), "{:?}", dear.values);
        let again = explained("preserve", &[("area-weight", "1000"), ("steps", "60")]);
        assert_close(&again.values, &dear.values, 0.0);
        assert_eq!((dear.forward_passes, dear.backward_passes), (2 + 60 * 8, 60 * 8));
    }
}
