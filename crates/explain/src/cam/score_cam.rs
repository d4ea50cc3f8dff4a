//! Score-CAM: a layer's channels, each weighted by the target's value when the picture is seen through the channel alone,
//! enlarged and scaled to 0..1 as a mask. No gradients are needed.
//!
//! Haofan Wang, Zifan Wang, Mengnan Du, Fan Yang, Zijian Zhang, Sirui Ding, Piotr Mardziel, Xia Hu: Score-CAM: Score-Weighted
//! Visual Explanations for Convolutional Neural Networks. CVPR Workshops 2020.
//! `form=smoothed`: Haofan Wang, Rakshit Naidu, Joy Michael, Soumya Snigdha Kundu: SS-CAM: Smoothed Score-CAM for Sharper
//! Visual Feature Localization. arXiv:2006.14255, 2020.
//! `form=integrated`: Rakshit Naidu, Ankita Ghosh, Yash Maurya, Shamanth R Nayak K, Soumya Snigdha Kundu: IS-CAM: Integrated
//! Score-CAM for axiomatic-based explanations. arXiv:2010.03023, 2020.
//!
//! Departures from the papers: masks are enlarged with pixel centres at half-integers. A channel that is the same
//! everywhere hides everything. The smoothed form adds its noise to the mask, in units of the mask's range and without
//! clipping, as TorchCAM does; the paper's standard deviation of 2 leaves the unit open. What is masked is black in pixel
//! space or any other infill; with `infill=zero` the tensor is multiplied, as in the papers' programs. A softmax over logits
//! is all but a choice of one channel where they differ much; the authors' program scores probabilities.

use std::ops::Range;

use vitrine_graph::Value;
use vitrine_image::upsample_bilinear;
use vitrine_protocol::{Layout, MethodInfo, Need, ParameterKind};

use super::{Paper, info};
use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, Infill, LocalBoxFuture, SpatialLayer,
    channels::{Recorded, record, tried},
    layers::chosen_layers,
    observer::Progress,
    options::{choices, integer, number, options},
    random::{Purpose, Random},
    sampler::{Masked, size_of_picture},
    tap::Finish,
};

choices! {
    /// How scores become weights.
    pub enum Weights {
        /// By a softmax over the channels, as in the paper.
        Softmax = "softmax",
        /// Each score less that of the infill alone.
        Increase = "increase",
    }
}

choices! {
    /// How often a channel is tried, and how.
    pub enum Form {
        /// Once.
        Plain = "plain",
        /// Several times with noise in the mask, averaged (SS-CAM).
        Smoothed = "smoothed",
        /// Several times while the mask fades in, averaged (IS-CAM).
        Integrated = "integrated",
    }
}

options! {
    /// Options of [`ScoreCam`].
    pub struct ScoreCamOptions {
        /// Most channels that are tried, those with most energy first; 0 for all. The others have no weight.
        channels: usize [integer(0, 65_536)] = 0,
        /// How scores become weights.
        weights: Weights [Weights::kind()] = Weights::Softmax,
        /// How often a channel is tried, and how.
        form: Form [Form::kind()] = Form::Plain,
        /// Masks made of each channel in the smoothed and the integrated form, each one forward pass.
        samples: usize [integer(1, 1000)] = 10,
        /// Standard deviation of the smoothed form's noise, where masks go from 0 to 1.
        noise: f64 [number(0.0, 10.0)] = 0.3,
        /// What shows through where a mask hides the picture: black, white, grey, mean, blur or noise in pixel space;
        /// inpaint, interpolate or tile, which continue what is kept and take longer; zero and value:V in tensor space; or a
        /// file.
        infill: Infill [ParameterKind::Infill] = Infill::Black,
        /// Whether negative values of the map are set to zero.
        relu: bool [ParameterKind::Boolean] = true,
    }
}

/// Score-CAM (Wang et al. 2020).
pub struct ScoreCam;

impl Explainer for ScoreCam {
    fn info(&self) -> MethodInfo {
        let paper = Paper(
            "Haofan Wang, Zifan Wang, Mengnan Du, Fan Yang, Zijian Zhang, Sirui Ding, Piotr Mardziel, Xia Hu",
            2020,
            "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks",
            "CVPR Workshops",
        );
        let summary = "Looks at the picture through each channel of a layer and sees which views keep the answer. It \
                       needs no gradients, so a model that is already certain is no obstacle, but it runs the model \
                       once for every channel.";
        MethodInfo {
            needs: vec![Need::Forward, Need::SpatialLayer, Need::ImageInput],
            promises: Vec::new(),
            ..info("score-cam", "Score-CAM", summary, paper, ScoreCamOptions::parameters())
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = ScoreCamOptions::parse(context.parameters)?;
        Ok(Cost { forward_passes: passes(&options, &chosen_layers(context)?), backward_passes: 0 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

/// Passes beside those of the channels: the input and the infill.
const ENDS: u64 = 2;

fn passes(options: &ScoreCamOptions, layers: &[SpatialLayer]) -> u64 {
    let channels: usize = layers.iter().map(|layer| tried(layer, options.channels)).sum();
    (channels * repeats(options)) as u64 + ENDS
}

/// Masks of one channel.
fn repeats(options: &ScoreCamOptions) -> usize {
    if options.form == Form::Plain { 1 } else { options.samples }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = ScoreCamOptions::parse(context.parameters)?;
    let (layers, size) = (chosen_layers(context)?, size_of_picture(context)?);
    let filler = options.infill.filler(context).await?;
    let passes = passes(&options, &layers);
    let mut progress = Progress::start(context.observer, passes);
    let (prediction, recorded) = record(context, &layers).await?;
    progress.advance(1).await?;
    let mut masked = Masked::of(context, filler, progress, prediction);
    let hidden = Value::full(0.0, &context.repeated(1), &context.input.device());
    let baseline = masked.score(&hidden).await?.1.first().copied().unwrap_or(f32::NAN);

    let mut made = Attribution {
        prediction,
        baseline_prediction: Some(baseline),
        forward_passes: passes,
        parameters: options.values(),
        notes: Vec::from_iter(options.infill.note(context)),
        ..Attribution::default()
    };
    let mut maps = Vec::new();
    for (layer, recorded) in layers.iter().zip(&recorded) {
        let channels = recorded.strongest(layer, options.channels);
        let masks = Masks { context, options: &options, layer, recorded, channels: &channels, size };
        let count = channels.len() * repeats(&options);
        let (size, mut found) = (context.batch_for(count), Vec::with_capacity(count));
        for start in (0..count).step_by(size) {
            found.extend(masked.score(&masks.of(start..(start + size).min(count))).await?.1);
        }
        let mean = |scores: &[f32]| scores.iter().sum::<f32>() / scores.len() as f32;
        let scores: Vec<f32> = found.chunks(repeats(&options)).map(mean).collect();
        let weights = weights(&scores, options.weights, baseline);
        let weights: Vec<(usize, f32)> = channels.iter().copied().zip(weights).collect();
        if options.channels > 0 && channels.len() < layer.channels() {
            let (tried, all) = (channels.len(), layer.channels());
            made.notes
                .push(format!("Of the {all} channels of layer {:?} the strongest {tried} were tried.", layer.name));
        }
        maps.push(recorded.weighted(layer, &weights));
    }
    Finish::new(options.relu).attribution(context, &layers, maps, made)
}

fn weights(scores: &[f32], weights: Weights, baseline: f32) -> Vec<f32> {
    match weights {
        Weights::Increase => scores.iter().map(|score| score - baseline).collect(),
        Weights::Softmax => {
            let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let powers: Vec<f32> = scores.iter().map(|score| (score - largest).exp()).collect();
            let sum: f32 = powers.iter().sum();
            powers.into_iter().map(|power| power / sum).collect()
        }
    }
}

/// The masks of a layer's channels, those of one channel after those of the other.
struct Masks<'a> {
    context: &'a Context<'a>,
    options: &'a ScoreCamOptions,
    layer: &'a SpatialLayer,
    recorded: &'a Recorded,
    channels: &'a [usize],
    size: [usize; 2],
}

impl Masks<'_> {
    /// The masks of these numbers, which broadcast to a batch of inputs.
    fn of(&self, numbers: Range<usize>) -> Value {
        let ([height, width], count) = (self.size, numbers.len());
        let mut values = Vec::with_capacity(count * height * width);
        for number in numbers {
            let (at, repeat) = (number / repeats(self.options), number % repeats(self.options));
            let channel = self.channels.get(at).copied().unwrap_or_default();
            let plane = self.recorded.planes(self.layer).nth(channel).unwrap_or_default();
            let mut mask = scaled(upsample_bilinear(plane, self.layer.size(), self.size));
            match self.options.form {
                Form::Plain => {}
                Form::Smoothed => {
                    let mut random = Random::new(self.context.seed, Purpose::Masks, number as u32);
                    mask.iter_mut().for_each(|value| *value += self.options.noise as f32 * random.normal());
                }
                Form::Integrated => {
                    let part = (repeat + 1) as f32 / self.options.samples as f32;
                    mask.iter_mut().for_each(|value| *value *= part);
                }
            }
            values.append(&mut mask);
        }
        let shape = match self.context.layout() {
            Layout::Nchw => [count, 1, height, width],
            Layout::Nhwc => [count, height, width, 1],
        };
        Value::from_f32(&values, &shape, &self.context.input.device())
    }
}

/// Values from 0 to 1; zeros where all are the same.
fn scaled(mut plane: Vec<f32>) -> Vec<f32> {
    let extreme = |better: fn(f32, f32) -> f32, start: f32| plane.iter().copied().fold(start, better);
    let (low, high) = (extreme(f32::min, f32::INFINITY), extreme(f32::max, f32::NEG_INFINITY));
    let range = if high > low { high - low } else { f32::INFINITY };
    plane.iter_mut().for_each(|value| *value = (*value - low) / range);
    plane
}

#[cfg(test)]
mod tests {
    use vitrine_protocol::{Channels, ImageInput};

    use super::*;
    use crate::testing::{Question, assert_close, opposite_channels};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(ScoreCam.explain(&question.context())).unwrap()
    }

    /// See `opposite_channels`: at [0, 1, 2, 4] the masks are x / 4 and 1 - x / 4. Seen through them from zero the sums of the
    /// picture, which is the score, are 21 / 4 and 7 - 21 / 4.
    #[test]
    fn channels_weigh_what_the_picture_scores_through_them() {
        let input = [0.0, 1.0, 2.0, 4.0];
        let question = Question::new(opposite_channels(), &input).target("0").layer("a").with("infill", "zero");
        let (first, second) = (5.25_f32, 1.75_f32);
        let found = explained(&question);
        let share = first.exp() / (first.exp() + second.exp());
        assert_close(&found.values, &input.map(|x| (share * x - (1.0 - share) * x).max(0.0)), 1e-5);
        assert_eq!((found.forward_passes, found.baseline_prediction), (4, Some(0.0)));
        let plain = explained(&question.clone().with("weights", "increase").with("relu", "false"));
        assert_close(&plain.values, &input.map(|x| first * x - second * x), 1e-5);
        // Fading in by 1/4, 2/4, 3/4 and 4/4 gives 5/8 of the score on average, for a linear score.
        let fading = question.clone().with("weights", "increase").with("form", "integrated").with("samples", "4");
        let found = explained(&fading);
        assert_close(&found.values, &input.map(|x| 0.625 * (first - second) * x), 1e-5);
        assert_eq!(found.forward_passes, 10);
        // Noise without a mean averages out: the score's standard error is 0.3 times the root of 21 over that of 1000.
        let noisy = question.clone().with("weights", "increase").with("form", "smoothed").with("samples", "1000");
        assert_close(&explained(&noisy).values, &input.map(|x| (first - second) * x), 0.08);
        // Both channels have the same energy; the first of equals is tried.
        let one = explained(&question.with("channels", "1"));
        assert_close(&one.values, &input, 1e-6);
        assert!(one.notes.iter().any(|note| note.contains("the strongest 1 were tried")), "{:?}", one.notes);
    }

    /// The infill then depends on each mask: through x / 4, of which less than a half is kept in the upper row, and 1 - x / 4.
    /// Where nothing is kept it is the mean, whose sum is the picture's own.
    #[test]
    fn an_infill_may_continue_what_each_channel_keeps() {
        let input = [0.0, 1.0, 2.0, 4.0];
        let pixels = ImageInput::plain(Layout::Nchw, Channels::Grey, 2, 2);
        let question = Question::new(opposite_channels(), &input).target("0").layer("a").pixels(pixels);
        let question = question.with("infill", "tile").with("weights", "increase").with("relu", "false");
        let found = explained(&question);
        let context = question.context();
        let score = |mask: [f32; 4]| {
            let kept = Value::from_f32(&mask, &[1, 1, 2, 2], &context.input.device());
            let filled = pollster::block_on(async { Infill::Tile.filler(&context).await?.of(&kept).await }).unwrap();
            let seen = input.iter().zip(mask).zip(crate::testing::read(&filled));
            seen.map(|((input, mask), fill)| input * mask + fill * (1.0 - mask)).sum::<f32>()
        };
        let weights = [score(input.map(|x| x / 4.0)) - 7.0, score(input.map(|x| 1.0 - x / 4.0)) - 7.0];
        assert_eq!((found.forward_passes, found.baseline_prediction), (4, Some(7.0)));
        assert!(weights[0] != 0.0);
        assert_close(&found.values, &input.map(|x| (weights[0] - weights[1]) * x), 1e-5);
    }

    #[test]
    fn a_plane_that_is_the_same_everywhere_hides_everything() {
        assert_eq!(scaled(vec![3.0; 4]), [0.0; 4]);
        assert_eq!(scaled(vec![-1.0, 1.0, 0.0]), [0.0, 1.0, 0.5]);
    }
}
