//! Ground truth on rendered pictures: protocols that draw pictures whose parts are known, ask a model about them, have a
//! method explain the answers, and compare the maps with what is true.
//!
//! A [`Subject`] is a model with a method. Each protocol takes a [`Subject`] and a number of pictures and gives
//! [`Measured`] numbers, one value per picture. Pictures depend on their seeds alone, and seeds from [`FIRST_SEED`] on were
//! neither trained nor tested on by the built-in models.

mod distractors;
mod mosaic;
mod parts;
mod pasted;

use vitrine_explain::{Attribution, Context, Target};
use vitrine_graph::{Run, Value};
use vitrine_protocol::{Better, Channels, ImageInput, Layout};
use vitrine_scenes::Image;

pub use self::{
    distractors::{noise_signal, null_block, watermark_detection},
    mosaic::{AggregateBin, MosaicResult, Setting, aggregate, mosaic_game, mosaic_model},
    parts::{PartShares, part_interventions},
    pasted::relative_importance,
};
use crate::{EvaluateError, Method, statistics::mean};

/// The first seed of the pictures.
pub const FIRST_SEED: u64 = 3 << 32;

/// A model and the method that explains it.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The model, its head (in the target) and how pixels become its input; the input itself is not used.
    pub context: Context<'a>,
    /// The method.
    pub method: Method<'a>,
}

/// One number per picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// What was measured, in a word or two.
    pub name: &'static str,
    /// What a good value is.
    pub better: Better,
    /// What the number says, in one plain sentence.
    pub meaning: &'static str,
    /// The values; pictures for which there is none are left out.
    pub values: Vec<f64>,
}

impl Measured {
    fn new(name: &'static str, better: Better, meaning: &'static str) -> Self {
        Measured { name, better, meaning, values: Vec::new() }
    }

    /// The mean; nothing without values.
    pub fn mean(&self) -> Option<f64> {
        (!self.values.is_empty()).then(|| mean(&self.values))
    }

    /// The ends of a 95 % confidence interval of the mean, by the normal distribution; nothing for fewer than two values.
    pub fn interval(&self) -> Option<[f64; 2]> {
        let (count, middle) = (self.values.len() as f64, self.mean()?);
        let squares: f64 = self.values.iter().map(|value| (value - middle).powi(2)).sum();
        let half = 1.96 * (squares / (count - 1.0) / count).sqrt();
        (count >= 2.0).then_some([middle - half, middle + half])
    }
}

impl<'a> Subject<'a> {
    /// How pixels become the input: known, one plane per channel, in RGB or grey.
    fn pixels(&self) -> Result<&'a ImageInput, EvaluateError> {
        let plain = |input: &&ImageInput| input.layout == Layout::Nchw && input.channels != Channels::Bgr;
        self.context.pixels.filter(plain).ok_or(EvaluateError::Scenes("pictures in RGB or grey, with channels first"))
    }

    /// Side of the model's square pictures.
    fn side(&self) -> Result<u16, EvaluateError> {
        let pixels = self.pixels()?;
        let side = u16::try_from(pixels.width).ok().filter(|_| pixels.width == pixels.height);
        side.ok_or(EvaluateError::Scenes("square pictures"))
    }

    /// The input that shows a picture, which has the model's size.
    fn tensor(&self, picture: &Image) -> Result<Vec<f32>, EvaluateError> {
        let input = self.pixels()?;
        let [black, full] = input.range;
        let planes = (0..input.channels.count()).flat_map(|channel| {
            picture.rgb.iter().skip(channel).step_by(3).map(move |&value| {
                let value = black + f32::from(value) / 255.0 * (full - black);
                (value - input.mean_of(channel)) / input.std_of(channel)
            })
        });
        Ok(planes.collect())
    }

    /// An input value of this model's or another size.
    fn value(&self, values: &[f32], side: usize) -> Result<Value, EvaluateError> {
        let shape = [1, self.pixels()?.channels.count(), side, side];
        Ok(Value::from_f32(values, &shape, self.context.graph.device()))
    }

    /// The logits of a picture.
    async fn logits(&self, picture: &Image) -> Result<Vec<f32>, EvaluateError> {
        let input = self.value(&self.tensor(picture)?, picture.width)?;
        let logits = self.context.target.head().logits();
        let run = Run::of([logits]).feed(self.context.input_name, input);
        let trace = self.context.graph.run(&run)?;
        let values = trace.value(logits)?.to_vec().await?;
        match self.context.target.head().is_per_class() {
            true => Ok(values),
            false => Err(EvaluateError::Scenes("one score per class")),
        }
    }

    /// What the method says about a class of a picture.
    async fn explain(&self, picture: &Image, class: usize) -> Result<Attribution, EvaluateError> {
        let input = self.value(&self.tensor(picture)?, picture.width)?;
        let target = Target::logit(self.context.target.head(), class)?;
        let (parameters, seed) = (self.method.parameters, self.method.seed);
        let context = Context { input: &input, target: &target, parameters, seed, ..self.context };
        Ok(self.method.explainer.explain(&context).await?)
    }

    /// The map of a class, one number per pixel.
    async fn map(&self, picture: &Image, class: usize) -> Result<Vec<f32>, EvaluateError> {
        Ok(self.explain(picture, class).await?.map.values)
    }
}

/// The place of the largest number.
fn top(values: &[f32]) -> usize {
    let order = |a: &(usize, &f32), b: &(usize, &f32)| a.1.total_cmp(b.1);
    values.iter().enumerate().max_by(order).map_or(0, |(at, _)| at)
}

/// The softmax of the largest number.
fn confidence(logits: &[f32]) -> f64 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    1.0 / logits.iter().map(|logit| f64::from(logit - most).exp()).sum::<f64>()
}

/// The positive part of a map under a mask, every pixel by how much of it is covered.
fn positive_under(map: &[f32], mask: &[f32]) -> f64 {
    map.iter().zip(mask).map(|(value, share)| f64::from(value.max(0.0)) * f64::from(*share)).sum()
}

/// The part of a map's positive values that lies under a mask; nothing where no value is positive.
fn positive_share(map: &[f32], mask: &[f32]) -> Option<f64> {
    let all: f64 = map.iter().map(|value| f64::from(value.max(0.0))).sum();
    (all > 0.0).then(|| positive_under(map, mask) / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_count_positive_values_by_their_coverage() {
        let (map, mask) = ([1.0, -5.0, 2.0, 1.0], [1.0, 1.0, 0.5, 0.0]);
        assert_eq!(positive_under(&map, &mask), 2.0);
        assert_eq!(positive_share(&map, &mask), Some(0.5));
        assert_eq!(positive_share(&[-1.0, 0.0], &[1.0, 1.0]), None);
    }

    #[test]
    fn the_interval_is_that_of_the_mean_of_independent_values() {
        let mut measured = Measured::new("share", Better::Higher, "A share.");
        assert_eq!((measured.mean(), measured.interval()), (None, None));
        measured.values = vec![1.0, 2.0, 3.0, 4.0];
        // Variance 5 / 3, of the mean 5 / 12.
        let half = 1.96 * (5.0_f64 / 12.0).sqrt();
        assert_eq!(measured.mean(), Some(2.5));
        let [low, high] = measured.interval().unwrap();
        assert!((low - 2.5 + half).abs() < 1e-12 && (high - 2.5 - half).abs() < 1e-12);
    }

    #[test]
    fn confidence_is_the_softmax_of_the_largest_logit() {
        assert_eq!(top(&[0.0, 3.0, 1.0]), 1);
        assert!((confidence(&[0.0, f32::ln(3.0)]) - 0.75).abs() < 1e-6);
    }
}
