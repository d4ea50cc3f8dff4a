//! A picture as details, strokes of several sizes and directions at their places, and a search for those that the answer needs:
//! what WaveletX and ShearletX share.
//!
//! Stefan Kolek, Robert Windesheim, Hector Andrade-Loarca, Gitta Kutyniok, Ron Levie: Explaining Image Classifiers with
//! Multiscale Directional Image Representation. CVPR 2023.
//!
//! A mask over the details, one for all channels, is to keep the target while what it removes is noise, even around the mean of
//! the details of the same size and direction, by a standard deviation; while it keeps few details; and while what it keeps of
//! the picture is small, summed over the pixels, so that edges do not appear where the picture has none. The map is what the mask
//! leaves of the picture.
//!
//! Departures: the target is measured from noise alone, 0, to the whole picture, 1, and both costs are parts of the whole
//! picture's. Four draws of noise a step instead of sixteen. Steps are Adam's with Nesterov's momentum.

use std::{ops::Range, rc::Rc};

use vitrine_graph::Value;
use vitrine_protocol::{Layout, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, HeatMap,
    mask_optimiser::{Found, Game, Masks, Parts, Search, cost, search},
    optimiser::Optimiser,
    options::{integer, number, options},
    random::{Purpose, Random},
    sampler::size_of_picture,
    views,
};

options! {
    /// How details are looked for.
    pub struct DetailOptions {
        /// Steps, each as many forward and backward passes as there are draws.
        steps: usize [integer(1, 10_000)] = 100,
        /// Draws of noise in each step.
        draws: usize [integer(1, 1000)] = 4,
        /// What keeping all details costs, as a part of what the picture as a whole does to the target.
        area_weight: f64 [number(0.0, 1000.0)] = 1.0,
        /// What leaving all of the picture costs, in the same measure.
        picture_weight: f64 [number(0.0, 1000.0)] = 2.0,
        /// How far a detail's mark moves in a step, about.
        learning_rate: f64 [number(1e-6, 10.0)] = 0.1,
    }
}

/// The paper of the search.
pub(crate) fn reference() -> Reference {
    Reference {
        authors: "Stefan Kolek, Robert Windesheim, Hector Andrade-Loarca, Gitta Kutyniok, Ron Levie".to_owned(),
        year: 2023,
        title: "Explaining Image Classifiers with Multiscale Directional Image Representation".to_owned(),
        venue: "CVPR".to_owned(),
    }
}

/// What a search runs.
pub(crate) fn cost_of(options: &DetailOptions) -> Cost {
    cost(Game::Preserve, options.steps, options.draws)
}

/// How planes of one size become details.
///
/// A tight frame: the transposed of the analysis takes it back, so that it is also what leads gradients back.
pub(crate) trait Frame {
    /// Which size and direction each detail of a plane has; as many numbers as there are details.
    fn bands(&self) -> Vec<u16>;

    /// The details of planes, one plane after the other.
    fn analyse(&self, planes: &[f32]) -> Vec<f32>;

    /// The planes that details make up.
    fn synthesise(&self, details: &[f32]) -> Vec<f32>;
}

/// A picture's details, the same places of all channels kept together, and the noise that takes the place of removed ones.
#[derive(Clone)]
pub(crate) struct Details {
    size: [usize; 2],
    frame: Rc<dyn Frame>,
    seed: u64,
    /// The size and direction of each detail of a channel.
    bands: Rc<[u16]>,
    /// One channel after the other.
    details: Rc<[f32]>,
    /// Mean and standard deviation of the details of each size and direction, one channel after the other.
    noise: Vec<Vec<[f32; 2]>>,
    /// The sum of the magnitudes of the picture's pixels.
    brightness: f32,
}

impl Details {
    /// # Errors
    /// [`ExplainError::NotAnImage`] unless the input has channels, height and width.
    pub(crate) async fn of(context: &Context<'_>, frame: Rc<dyn Frame>) -> Result<Details, ExplainError> {
        let size = size_of_picture(context)?;
        let planes = views::to_planes(context.input, context.layout())?.to_vec().await?;
        let (bands, details) = (frame.bands(), frame.analyse(&planes));
        let noise = details.chunks(bands.len().max(1)).map(|details| spread(details, &bands)).collect();
        let brightness = magnitude(&planes).max(f32::MIN_POSITIVE);
        Ok(Details { size, frame, seed: context.seed, bands: bands.into(), details: details.into(), noise, brightness })
    }

    /// Details of each channel.
    pub(crate) fn places(&self) -> usize {
        self.bands.len()
    }

    /// Pixels of each channel.
    fn area(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// The pictures of which so much of each detail is kept, `[masks, places]`; and what a mask of one adds to one of zero,
    /// `[masks, channels, places]`. A removed detail becomes noise, even between a standard deviation below and above the
    /// mean of those of its size and direction.
    pub(crate) fn compose(
        &self,
        context: &Context<'_>,
        kept: &[f32],
        draws: Range<usize>,
    ) -> Result<(Value, Vec<f32>), ExplainError> {
        let (places, batch) = (self.places().max(1), draws.len());
        let mut differences = Vec::with_capacity(batch * self.details.len());
        let mut planes = Vec::new();
        for (kept, draw) in kept.chunks(places).zip(draws) {
            let mut random = Random::new(self.seed, Purpose::Noise, draw as u32);
            let mut mixed = Vec::with_capacity(self.details.len());
            for (channel, noise) in self.details.chunks(places).zip(&self.noise) {
                for ((detail, band), kept) in channel.iter().zip(&*self.bands).zip(kept) {
                    let [mean, deviation] = noise[usize::from(*band)];
                    let noise = mean + deviation * (2.0 * random.uniform() - 1.0);
                    mixed.push(noise + kept * (detail - noise));
                    differences.push(detail - noise);
                }
            }
            planes.extend(self.frame.synthesise(&mixed));
        }
        let shape = [batch, self.details.len() / places, self.size[0], self.size[1]];
        let planes = Value::from_f32(&planes, &shape, &context.input.device());
        Ok((views::from_planes(&planes, context.layout())?, differences))
    }

    /// The gradient at what is kept, `[masks, places]`, from that at the pictures.
    pub(crate) async fn pull_back(
        &self,
        context: &Context<'_>,
        differences: &[f32],
        gradient: &Value,
    ) -> Result<Vec<f32>, ExplainError> {
        let gradient = views::to_planes(gradient, context.layout())?.to_vec().await?;
        let (places, all) = (self.places().max(1), self.details.len().max(1));
        let gradient = self.frame.analyse(&gradient);
        let mut found = vec![0.0; gradient.len() / all * places];
        for (index, (gradient, difference)) in gradient.iter().zip(differences).enumerate() {
            found[index / all * places + index % places] += gradient * difference;
        }
        Ok(found)
    }

    /// What is left of the picture, `[channels, height, width]`, where so much of each detail is kept and nothing takes the
    /// place of the rest.
    fn left(&self, kept: &[f32]) -> Vec<f32> {
        let kept = kept.iter().cycle();
        let details: Vec<f32> = self.details.iter().zip(kept).map(|(value, kept)| value * kept).collect();
        self.frame.synthesise(&details)
    }

    /// The sum of the magnitudes of what is left of the picture, as a part of those of the picture, and its gradient at
    /// what is kept.
    fn brightness(&self, kept: &[f32]) -> (f32, Vec<f32>) {
        let left = self.left(kept);
        let sign = |value: &f32| if *value == 0.0 { 0.0 } else { value.signum() / self.brightness };
        let signs = self.frame.analyse(&left.iter().map(sign).collect::<Vec<f32>>());
        let mut gradient = vec![0.0; kept.len()];
        for (index, (sign, detail)) in signs.iter().zip(&*self.details).enumerate() {
            gradient[index % kept.len()] += sign * detail;
        }
        (magnitude(&left) / self.brightness, gradient)
    }
}

/// Looks for the details that the answer needs; `called` is what they are called. The attribution is what the mask leaves of
/// the picture, as the model sees it, in the input's shape.
pub(crate) async fn explain(
    context: &Context<'_>,
    details: Details,
    options: &DetailOptions,
    called: &str,
) -> Result<Attribution, ExplainError> {
    let (area, places) = (details.area(), details.places());
    let parts = Parts::Details(details.clone());
    let optimiser = Optimiser::nadam(options.learning_rate);
    let mut marks = Marks { marks: vec![1.0; places], details, optimiser, options };
    let all = Search { parts, game: Game::Preserve, steps: options.steps, count: options.draws, jitter: 0.0 };
    let found = search(context, &all, &mut marks).await?;
    let matters = found.attribution.values.iter().any(|value| *value != 0.0);
    let left = if matters { marks.details.left(&marks.marks) } else { vec![0.0; context.input.len()] };
    let kept = 100.0 * marks.marks.iter().sum::<f32>() / places as f32;
    let notes: Vec<String> =
        found.outcome().into_iter().chain([format!("It keeps {kept:.1} % of the {called}.")]).collect();
    let channels = left.len() / area;
    let values = match context.layout() {
        Layout::Nchw => left,
        Layout::Nhwc => (0..left.len()).map(|index| left[index % channels * area + index / channels]).collect(),
    };
    let shape = context.shape().to_vec();
    let map = HeatMap::of_input(&values, &shape, context.layout());
    let found = Found { attribution: Attribution { values, shape, map, ..found.attribution }, ..found };
    Ok(found.noted(notes))
}

/// How much each detail is kept.
struct Marks<'a> {
    marks: Vec<f32>,
    details: Details,
    optimiser: Optimiser,
    options: &'a DetailOptions,
}

impl Masks for Marks<'_> {
    fn draw(&mut self, _: usize) -> Vec<f32> {
        self.marks.repeat(self.options.draws)
    }

    fn climb(&mut self, _: usize, gradient: &[f32]) {
        let (count, draws) = (self.marks.len(), self.options.draws as f32);
        let (_, picture) = self.details.brightness(&self.marks);
        let (area, weight) = (self.options.area_weight as f32 / count as f32, self.options.picture_weight as f32);
        let mut all: Vec<f32> = picture.iter().map(|slope| -area - weight * slope).collect();
        for gradient in gradient.chunks(count) {
            all.iter_mut().zip(gradient).for_each(|(all, gradient)| *all += gradient / draws);
        }
        self.optimiser.climb(&mut self.marks, &all);
        self.marks.iter_mut().for_each(|mark| *mark = mark.clamp(0.0, 1.0));
    }

    /// What is left of the picture, the sum over its channels.
    fn map(&self) -> Vec<f32> {
        let (left, area) = (self.details.left(&self.marks), self.details.area());
        (0..area).map(|pixel| left.iter().skip(pixel).step_by(area).sum()).collect()
    }
}

fn magnitude(values: &[f32]) -> f32 {
    values.iter().map(|value| value.abs()).sum()
}

/// Mean and standard deviation of the details of each band.
fn spread(details: &[f32], bands: &[u16]) -> Vec<[f32; 2]> {
    let count = bands.iter().max().map_or(0, |last| usize::from(*last) + 1);
    let mut sums = vec![[0.0_f64; 3]; count];
    for (detail, band) in details.iter().zip(bands) {
        let [number, sum, squares] = &mut sums[usize::from(*band)];
        let detail = f64::from(*detail);
        (*number, *sum, *squares) = (*number + 1.0, *sum + detail, *squares + detail * detail);
    }
    let of_band = |[number, sum, squares]: [f64; 3]| {
        let mean = sum / number.max(1.0);
        [mean as f32, (squares / number.max(1.0) - mean * mean).max(0.0).sqrt() as f32]
    };
    sums.into_iter().map(of_band).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        haar::Haar,
        shearlets::Shearlets,
        testing::{Question, assert_close, linear, read},
    };

    fn frames() -> [Rc<dyn Frame>; 2] {
        [Rc::new(Haar::unpadded([4, 6], 3)), Rc::new(Shearlets::new([4, 6], 3))]
    }

    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|index| (index as f32 * 1.3).sin()).collect()
    }

    /// Both pictures are of one size, [2, 4, 6].
    fn details(question: &Question, frame: Rc<dyn Frame>) -> Details {
        pollster::block_on(Details::of(&question.context(), frame)).unwrap()
    }

    #[test]
    fn with_everything_kept_the_picture_is_itself_and_noise_is_where_nothing_is() {
        let question = Question::new(linear(&[2, 4, 6]), &numbers(48));
        let context = question.context();
        for frame in frames() {
            let details = details(&question, frame.clone());
            let places = details.places();
            let masks = [vec![1.0; places], vec![0.0; places]].concat();
            let (pictures, differences) = details.compose(&context, &masks, 5..7).unwrap();
            let pictures = read(&pictures);
            assert_close(&pictures[..48], &numbers(48), 1e-5);
            assert_close(&details.left(&masks[..places]), &numbers(48), 1e-5);
            let noise: Vec<f32> =
                details.details.iter().zip(&differences[2 * places..]).map(|(detail, less)| detail - less).collect();
            assert_close(&pictures[48..], &frame.synthesise(&noise), 1e-5);
            for (index, noise) in noise.iter().enumerate() {
                let [mean, deviation] = details.noise[index / places][usize::from(details.bands[index % places])];
                assert!((noise - mean).abs() <= deviation + 1e-5, "{index}: {noise} around {mean} by {deviation}");
            }
        }
    }

    /// Half a step up and down in one detail, for the picture composed and for its brightness.
    #[test]
    fn gradients_are_slopes() {
        let question = Question::new(linear(&[2, 4, 6]), &numbers(48));
        let context = question.context();
        for frame in frames() {
            let details = details(&question, frame);
            let kept: Vec<f32> = numbers(details.places()).iter().map(|number| 0.5 + 0.3 * number).collect();
            let weights = numbers(96)[48..].to_vec();
            let answer = |kept: &[f32]| -> f32 {
                let (picture, _) = details.compose(&context, kept, 3..4).unwrap();
                read(&picture).iter().zip(&weights).map(|(pixel, weight)| pixel * weight).sum()
            };
            let (_, differences) = details.compose(&context, &kept, 3..4).unwrap();
            let weights = Value::from_f32(&weights, &[1, 2, 4, 6], &context.input.device());
            let found = pollster::block_on(details.pull_back(&context, &differences, &weights)).unwrap();
            let (_, of_brightness) = details.brightness(&kept);
            for place in [0, 1, 7, 23, details.places() - 1] {
                let moved = |by: f32| {
                    let mut moved = kept.clone();
                    moved[place] += by;
                    moved
                };
                let slope = (answer(&moved(0.05)) - answer(&moved(-0.05))) / 0.1;
                assert!((slope - found[place]).abs() < 1e-3, "{place}: {slope} and {}", found[place]);
                let slope = (details.brightness(&moved(0.002)).0 - details.brightness(&moved(-0.002)).0) / 0.004;
                assert!((slope - of_brightness[place]).abs() < 2e-3, "{place}: {slope} and {}", of_brightness[place]);
            }
        }
    }
}
