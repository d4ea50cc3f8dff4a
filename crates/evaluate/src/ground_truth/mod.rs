//! Ground truth on rendered pictures: protocols that draw pictures whose parts are known, ask a model about them, have a
//! method explain the answers, and compare the maps with what is true.
//!
//! Every protocol is a [`Protocol`] of one list, [`PROTOCOLS`], and describes itself as metrics do. It is run in a [`Trial`]
//! of a [`Subject`], a model with a method, and gives [`Measured`] numbers, one value per picture. Pictures depend on their
//! seeds alone, and seeds from [`FIRST_SEED`] on were neither trained nor tested on by the built-in models.

mod distractors;
mod mosaic;
mod parts;
mod pasted;
mod protocol;
mod registry;
#[cfg(test)]
mod testing;

use serde::{Deserialize, Serialize};
use vitrine_explain::{Attribution, Context, LocalBoxFuture, Observer, Target, toolkit::Progress};
use vitrine_graph::{Run, Value};
use vitrine_protocol::{Better, Channels, ImageInput, Layout};
use vitrine_scenes::Image;

pub use self::{
    distractors::{NoiseSignal, NullBlock, WatermarkDetection, noise_signal, null_block, watermark_detection},
    mosaic::{
        AggregateBin, DiFull, DiPart, GridPointingGame, MosaicOptions, MosaicResult, Setting, aggregate, mosaic_game,
        mosaic_model,
    },
    parts::{PartInterventions, PartShares, part_interventions},
    pasted::{RelativeImportance, relative_importance},
    protocol::{Findings, Protocol, Trial, measure},
    registry::{PROTOCOLS, find},
};
use crate::{EvaluateError, Method, Summary};

/// The first seed of the pictures.
pub const FIRST_SEED: u64 = 3 << 32;

/// A model and the method that explains it.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The model, its head (in the target), how pixels become its input, and who watches; the input itself is not used.
    /// The parameters are the protocol's.
    pub context: Context<'a>,
    /// The method.
    pub method: Method<'a>,
}

/// One number per picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What was measured, in a word or two.
    pub name: String,
    /// What a good value is.
    pub better: Better,
    /// What the number says, in one plain sentence.
    pub meaning: String,
    /// The smallest and the largest value there can be, where there are such.
    #[serde(default)]
    pub range: [Option<f64>; 2],
    /// The values; pictures for which there is none are left out.
    pub values: Vec<f64>,
}

impl Measured {
    /// A share, from 0 to 1, without values so far.
    pub(crate) fn new(name: &str, better: Better, meaning: &str) -> Self {
        let range = [Some(0.0), Some(1.0)];
        Measured { name: name.to_owned(), better, meaning: meaning.to_owned(), range, values: Vec::new() }
    }

    /// The mean and how sure it is; nothing without values.
    pub fn summary(&self) -> Option<Summary> {
        Summary::of(&self.values).map(|summary| summary.within(self.range))
    }

    /// The mean; nothing without values.
    pub fn mean(&self) -> Option<f64> {
        self.summary().map(|summary| summary.mean)
    }
}

/// Hears nothing of single explanations, and ends them when the whole should end.
struct Within<'a>(&'a dyn Observer);

impl Observer for Within<'_> {
    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }

    fn breathe(&self) -> LocalBoxFuture<'_, ()> {
        self.0.breathe()
    }
}

impl<'a> Subject<'a> {
    /// Counts this many pictures for whoever watches.
    fn progress(&self, pictures: usize) -> Progress<'a> {
        Progress::start(self.context.observer, pictures as u64)
    }

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
        let observer = &Within(self.context.observer);
        let context = Context { input: &input, target: &target, parameters, seed, observer, ..self.context };
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
    use std::cell::Cell;

    use vitrine_explain::{ExplainError, Unobserved};
    use vitrine_scenes::Class;

    use super::*;

    #[test]
    fn shares_count_positive_values_by_their_coverage() {
        let (map, mask) = ([1.0, -5.0, 2.0, 1.0], [1.0, 1.0, 0.5, 0.0]);
        assert_eq!(positive_under(&map, &mask), 2.0);
        assert_eq!(positive_share(&map, &mask), Some(0.5));
        assert_eq!(positive_share(&[-1.0, 0.0], &[1.0, 1.0]), None);
    }

    /// Ends a run after so many pictures.
    struct Impatient(Cell<u64>, u64);

    impl Observer for Impatient {
        fn progress(&self, done: u64, total: u64) {
            assert!(done <= total && total == 10, "{done} of {total}");
            self.0.set(done);
        }

        fn cancelled(&self) -> bool {
            self.0.get() >= self.1
        }
    }

    #[test]
    fn every_protocol_counts_its_pictures_and_ends_when_it_should() {
        let model = testing::stubborn(Class::Hobbin);
        for protocol in ["part-interventions", "watermark-detection", "relative-importance"] {
            let all = Impatient(Cell::new(0), u64::MAX);
            testing::tried(protocol, &model, Some(&model), &testing::labels(false), 10, &all).unwrap();
            assert_eq!(all.0.get(), 10, "{protocol}");
            let some = Impatient(Cell::new(0), 3);
            let ended = testing::tried(protocol, &model, Some(&model), &testing::labels(false), 10, &some);
            assert!(matches!(ended, Err(EvaluateError::Explain(ExplainError::Cancelled))), "{protocol}: {ended:?}");
            assert_eq!(some.0.get(), 3, "{protocol}");
        }
    }

    #[test]
    fn a_model_of_something_else_is_told_which_fits() {
        let model = testing::stubborn(Class::Hobbin);
        let error = |protocol, digits| {
            let tried = testing::tried(protocol, &model, None, &testing::labels(digits), 1, &Unobserved);
            tried.unwrap_err().to_string()
        };
        let text = error("null-block", false);
        assert!(text.contains("needs a classifier of digits, whose labels are 0, 1, "), "{text}");
        assert!(text.ends_with("of the built-in models digits fits."), "{text}");
        assert!(error("part-interventions", true).contains("a classifier of critters, whose labels are bimble, "));
        assert!(error("di-full", false).contains("needs the model's file"));
    }

    #[test]
    fn confidence_is_the_softmax_of_the_largest_logit() {
        assert_eq!(top(&[0.0, 3.0, 1.0]), 1);
        assert!((confidence(&[0.0, f32::ln(3.0)]) - 0.75).abs() < 1e-6);
    }
}
