//! Masks improved step by step until what they mark decides the answer: what optimised explanations stand on.
//!
//! The numbers behind the masks, how they become masks and how they move are the method's ([`Masks`]) and stay on the
//! host, so that every device starts from the same ones; composed pictures, answers and gradients are the device's. The
//! target is measured from the picture with everything removed, 0, to the whole picture, 1, so that the weights of a method
//! mean the same for every target and model.

use std::ops::Range;

use vitrine_graph::Value;
use vitrine_protocol::Layout;

use crate::{
    Attribution, Context, Cost, ExplainError, HeatMap, attribution::check_finite, completeness::ignored,
    details::Details, filler::Filler, integrator::ENDS, observer::Progress, options::choices, sampler::size_of_picture,
    views::Views,
};

choices! {
    /// What is done with the marked part of the picture.
    pub enum Game {
        /// It alone is shown, and the answer is to stay as it is.
        Preserve = "preserve",
        /// It is removed, and the answer is to go.
        Delete = "delete",
        /// Both, for the same mask: the answer is to stay with it and to go without it. Twice the passes.
        Dual = "dual",
    }
}

impl Game {
    /// Whether the marked part is removed, for each picture that a mask is tried with.
    fn removes(self) -> &'static [bool] {
        match self {
            Game::Preserve => &[false],
            Game::Delete => &[true],
            Game::Dual => &[false, true],
        }
    }
}

/// Masks, the numbers behind them and how these move.
pub(crate) trait Masks {
    /// The masks to try in a step, one after the other, always as many: how much of each pixel, row by row, or of each detail is
    /// marked, from 0 to 1.
    fn draw(&mut self, step: usize) -> Vec<f32>;

    /// Moves the numbers uphill, given the gradient of the sum of all scores at the masks drawn last.
    fn climb(&mut self, step: usize, gradient: &[f32]);

    /// How much each pixel is marked by now, or what the marks show of it.
    fn map(&self) -> Vec<f32>;
}

/// What is removed from the picture: pixels, or details.
#[allow(clippy::large_enum_variant, reason = "there is one of it in a run")]
pub(crate) enum Parts<'a> {
    Pixels(Filler<'a>),
    Details(Details),
}

/// Pictures made with masks, and what leads back from them.
struct Composed {
    inputs: Value,
    /// What a mask of one adds to one of zero.
    difference: Difference,
}

#[allow(clippy::large_enum_variant, reason = "there is one of it in a run")]
enum Difference {
    Pixels(Value),
    Details(Vec<f32>),
}

/// How masks are looked for.
pub(crate) struct Search<'a> {
    pub(crate) parts: Parts<'a>,
    pub(crate) game: Game,
    pub(crate) steps: usize,
    /// Masks in each step.
    pub(crate) count: usize,
    /// Part of each side that the random crop of a composed picture leaves out; 0 for none.
    pub(crate) jitter: f64,
}

/// What was found.
pub(crate) struct Found {
    pub(crate) attribution: Attribution,
    /// The target in the last step where the marked part alone was shown, for each mask; empty where that was not tried.
    pub(crate) shown: Vec<f32>,
    /// The same where it was removed.
    pub(crate) removed: Vec<f32>,
}

/// What a search of so many steps runs.
pub(crate) fn cost(game: Game, steps: usize, count: usize) -> Cost {
    let passes = (steps * count * game.removes().len()) as u64;
    Cost { forward_passes: passes + ENDS as u64, backward_passes: passes }
}

/// Searches. The attribution is the map at the end, `[height, width]`, or all zeros where no mask changed the target; its
/// predictions are the target at the input and where everything is removed.
pub(crate) async fn search(
    context: &Context<'_>,
    search: &Search<'_>,
    masks: &mut dyn Masks,
) -> Result<Found, ExplainError> {
    let [height, width] = size_of_picture(context)?;
    let Search { game, steps, count, .. } = *search;
    let mut progress = Progress::start(context.observer, cost(game, steps, count).forward_passes);
    let whole = context.predict(context.input.clone())?.to_vec().await?;
    check_finite(&whole, "The target at the input", "check the input's values and the model card")?;
    progress.advance(1).await?;
    let places = match &search.parts {
        Parts::Pixels(_) => height * width,
        Parts::Details(details) => details.places(),
    };
    let nothing = search.parts.compose(context, &vec![0.0; places], 0..1).await?;
    let empty = context.predict(nothing.inputs)?.to_vec().await?;
    check_finite(&empty, "The target with everything removed", "try another infill")?;
    progress.advance(1).await?;
    let [whole, empty] = [whole, empty].map(|target| target.first().copied().unwrap_or(f32::NAN));
    let span = (whole - empty).abs();
    let scale = if span > 1e-6 * whole.abs().max(empty.abs()) { 1.0 / span } else { 1.0 };

    let side = 1.0 - search.jitter;
    let views = (search.jitter > 0.0).then_some(Views { count, sides: [side, side], noise: 0.0 });
    let mut trial = Trial { context, search, views, scale, progress, backward_passes: 0 };
    let (mut matters, mut shown, mut removed) = (false, Vec::new(), Vec::new());
    for step in 0..steps {
        let marked = masks.draw(step);
        let mut gradient = vec![0.0; marked.len()];
        for removes in game.removes() {
            let scores = trial.run(step, &marked, *removes, &mut gradient).await?;
            *(if *removes { &mut removed } else { &mut shown }) = scores;
        }
        check_finite(&gradient, "A gradient of the target", "lower the learning rate, or try another target")?;
        matters |= gradient.iter().any(|gradient| *gradient != 0.0);
        masks.climb(step, &gradient);
        if (step + 1) % steps.div_ceil(10) == 0 && step + 1 < steps {
            context.observer.partial(&HeatMap { height, width, values: masks.map() });
        }
    }
    let mut notes = Vec::new();
    let values = if matters {
        masks.map()
    } else {
        notes.push(ignored(context));
        vec![0.0; height * width]
    };
    check_finite(&values, "The mask", "lower the learning rate")?;
    let attribution = Attribution {
        shape: vec![height, width],
        map: HeatMap { height, width, values: values.clone() },
        values,
        prediction: whole,
        baseline_prediction: Some(empty),
        forward_passes: trial.progress.done(),
        backward_passes: trial.backward_passes,
        notes,
        ..Attribution::default()
    };
    Ok(Found { attribution, shown, removed })
}

impl Found {
    /// The attribution with what the method knows besides.
    pub(crate) fn noted(self, notes: impl IntoIterator<Item = String>) -> Attribution {
        let mut attribution = self.attribution;
        attribution.notes.extend(notes);
        attribution
    }

    /// What the target was in the last step, on average over its masks.
    pub(crate) fn outcome(&self) -> Option<String> {
        let Attribution { prediction, baseline_prediction, .. } = self.attribution;
        let mean = |scores: &[f32]| scores.iter().sum::<f32>() / scores.len() as f32;
        let said = |scores: &[f32], how: &str| (!scores.is_empty()).then(|| format!("{:.3} with {how}", mean(scores)));
        let said: Vec<String> = [said(&self.shown, "the marked part alone"), said(&self.removed, "it removed")]
            .into_iter()
            .flatten()
            .collect();
        let empty = baseline_prediction.filter(|_| !said.is_empty())?;
        let said = said.join(" and ");
        Some(format!("The target was {said} at last; {prediction:.3} with everything and {empty:.3} with nothing."))
    }
}

/// Tries masks.
struct Trial<'a> {
    context: &'a Context<'a>,
    search: &'a Search<'a>,
    views: Option<Views>,
    scale: f32,
    progress: Progress<'a>,
    backward_passes: u64,
}

impl Trial<'_> {
    /// The target for each mask, and added to `gradient` what the score gains at each of their places.
    ///
    /// Where the marked part is removed the score is the negative target, and what is kept is one minus the mask: its gradient
    /// at the mask is that of the target at what is kept, as where the part is shown.
    async fn run(
        &mut self,
        step: usize,
        marked: &[f32],
        removes: bool,
        gradient: &mut [f32],
    ) -> Result<Vec<f32>, ExplainError> {
        let (context, search, scale) = (self.context, self.search, self.scale);
        let (count, size) = (search.count, context.batch_for(search.count));
        let area = marked.len() / count.max(1);
        let mut targets = Vec::with_capacity(count);
        for start in (0..count).step_by(size) {
            let range = start..(start + size).min(count);
            let (batch, places) = (range.len(), range.start * area..range.end * area);
            let kept = |marked: &f32| if removes { 1.0 - marked } else { *marked };
            let kept: Vec<f32> = marked[places.clone()].iter().map(kept).collect();
            let draws = step * count + range.start..step * count + range.end;
            let composed = search.parts.compose(context, &kept, draws).await?;
            let crops = self.views.as_ref().map(|views| views.crops(context, (step, 0.0), range, None)).transpose()?;
            let seen = crops.as_ref().map_or(Ok(composed.inputs.clone()), |crops| crops.of(&composed.inputs))?;
            let (scores, arrived) = context.gradient(seen)?;
            // Waiting for this batch's targets keeps the device's queue, the progress and the cancelling in step.
            let scores = scores.to_vec().await?;
            check_finite(&scores, "The target at a masked input", "try another infill")?;
            targets.extend(scores);
            self.backward_passes += batch as u64;
            self.progress.advance(batch).await?;
            let Some(arrived) = arrived else { continue };
            let arrived = crops.map_or(Ok(arrived.clone()), |crops| crops.pull_back(&arrived))?;
            let found = search.parts.pull_back(context, &composed, &arrived).await?;
            for (gradient, found) in gradient[places].iter_mut().zip(found) {
                *gradient += scale * found;
            }
        }
        Ok(targets)
    }
}

impl Parts<'_> {
    /// The pictures in which so much of each place is kept, one mask after the other; `draws` are the masks' numbers.
    async fn compose(
        &self,
        context: &Context<'_>,
        kept: &[f32],
        draws: Range<usize>,
    ) -> Result<Composed, ExplainError> {
        match self {
            Parts::Pixels(filler) => {
                let [height, width] = size_of_picture(context)?;
                let shape = match context.layout() {
                    Layout::Nchw => [draws.len(), 1, height, width],
                    Layout::Nhwc => [draws.len(), height, width, 1],
                };
                let kept = Value::from_f32(kept, &shape, &context.input.device());
                let infill = filler.of(&kept).await?;
                let difference = context.input.sub(&infill)?;
                let inputs = difference.mul(&kept)?.add(&infill)?;
                Ok(Composed { inputs, difference: Difference::Pixels(difference) })
            }
            Parts::Details(details) => {
                let (inputs, difference) = details.compose(context, kept, draws)?;
                Ok(Composed { inputs, difference: Difference::Details(difference) })
            }
        }
    }

    /// The gradient at what is kept, one number for each place of each mask, from that at the pictures.
    async fn pull_back(
        &self,
        context: &Context<'_>,
        composed: &Composed,
        gradient: &Value,
    ) -> Result<Vec<f32>, ExplainError> {
        match (self, &composed.difference) {
            (Parts::Details(details), Difference::Details(difference)) => {
                details.pull_back(context, difference, gradient).await
            }
            (_, Difference::Pixels(difference)) => {
                let channels = match context.layout() {
                    Layout::Nchw => 1,
                    Layout::Nhwc => 3,
                };
                Ok(gradient.mul(difference)?.sum_axes(&[channels])?.to_vec().await?)
            }
            _ => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Infill,
        testing::{Question, assert_close, linear, linear_weight},
    };

    /// Two masks, one of which marks the left column of a 2 x 3 picture by a half and one that marks all of the right one,
    /// which never move; what arrives is kept.
    #[derive(Default)]
    struct Still {
        arrived: Vec<f32>,
    }

    const MASKS: [f32; 12] = [0.5, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0];

    impl Masks for Still {
        fn draw(&mut self, _: usize) -> Vec<f32> {
            MASKS.to_vec()
        }

        fn climb(&mut self, _: usize, gradient: &[f32]) {
            self.arrived = gradient.to_vec();
        }

        fn map(&self) -> Vec<f32> {
            MASKS[..6].to_vec()
        }
    }

    /// In a linear model the score changes with the mask of a pixel by the sum over the channels of weights times the
    /// difference from the infill, here over what the whole picture has more than the infill.
    #[test]
    fn scores_and_gradients_are_those_of_the_composed_pictures() {
        let input: Vec<f32> = (0..12).map(|index| (index as f32 * 0.9).cos()).collect();
        let weight = |element: usize| linear_weight(element, 0) * (input[element] - 0.25);
        let pixel = |pixel: usize| weight(pixel) + weight(6 + pixel);
        let all: f32 = (0..6).map(pixel).sum();
        let empty: f32 = (0..12).map(|element| linear_weight(element, 0) * 0.25).sum();
        let question = Question::new(linear(&[2, 2, 3]), &input).target("0");
        for game in [Game::Preserve, Game::Delete, Game::Dual] {
            let (context, mut masks) = (question.context(), Still::default());
            let found = pollster::block_on(async {
                let parts = Parts::Pixels(Infill::Value(0.25).filler(&context).await?);
                search(&context, &Search { parts, game, steps: 3, count: 2, jitter: 0.0 }, &mut masks).await
            });
            let (found, sides) = (found.unwrap(), game.removes().len());
            let expected: Vec<f32> = (0..12).map(|place| sides as f32 * pixel(place % 6) / all.abs()).collect();
            assert_close(&masks.arrived, &expected, 1e-4);
            let marked = [0.5 * (pixel(0) + pixel(3)), pixel(2) + pixel(5)];
            if game != Game::Delete {
                assert_close(&found.shown, &marked.map(|marked| empty + marked), 1e-4);
            }
            if game != Game::Preserve {
                assert_close(&found.removed, &marked.map(|marked| empty + all - marked), 1e-4);
            }
            let passes = 2 + 3 * 2 * sides as u64;
            assert_eq!(found.attribution.forward_passes, passes, "{game:?}");
            assert_eq!(cost(game, 3, 2).forward_passes, passes);
            assert_close(&[found.attribution.baseline_prediction.unwrap()], &[empty], 1e-5);
            assert!(found.outcome().is_some(), "{game:?}");
        }
    }

    /// With the infill the picture itself, no mask changes anything.
    #[test]
    fn where_no_mask_changes_the_target_the_map_is_zero_and_says_so() {
        let question = Question::new(linear(&[1, 2, 3]), &[0.5; 6]);
        let (context, mut masks) = (question.context(), Still::default());
        let found = pollster::block_on(async {
            let parts = Parts::Pixels(Infill::Value(0.5).filler(&context).await?);
            search(&context, &Search { parts, game: Game::Dual, steps: 2, count: 2, jitter: 0.1 }, &mut masks).await
        });
        let found = found.unwrap().attribution;
        assert_eq!(found.values, [0.0; 6]);
        assert!(found.notes[0].contains("does not depend on the input"), "{:?}", found.notes);
    }
}
