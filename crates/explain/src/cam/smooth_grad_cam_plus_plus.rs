//! Smooth Grad-CAM++: Grad-CAM++ with gradients, their squares and their cubes each averaged over noisy copies of the input.
//!
//! Daniel Omeiza, Skyler Speakman, Celia Cintas, Komminist Weldemariam: Smooth Grad-CAM++: An Enhanced Inference Level
//! Visualization Technique for Deep Convolutional Neural Network Models. arXiv:1908.01224, 2019.
//!
//! Departures from the paper: the activations are those of the picture without noise. The noise is given as a part of the
//! input's range, as SmoothGrad's is. Channels or neurons of a layer cannot be picked.

use vitrine_graph::Value;
use vitrine_protocol::{MethodInfo, ParameterKind};

use super::{Paper, info};
use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    attribution::check_finite,
    layers::chosen_layers,
    noise::Noise,
    observer::Progress,
    options::{integer, number, options},
    tap::{Finish, Tap, quotient, tap, tap_input},
};

options! {
    /// Options of [`SmoothGradCamPlusPlus`].
    pub struct SmoothGradCamPlusPlusOptions {
        /// How many noisy copies, each one forward and one backward pass.
        samples: usize [integer(1, 10_000)] = 10,
        /// Standard deviation of the noise, as a part of the distance between the input's smallest and largest value.
        noise: f64 [number(0.0, 2.0)] = 0.1,
        /// Whether negative values of the map are set to zero.
        relu: bool [ParameterKind::Boolean] = true,
    }
}

/// Smooth Grad-CAM++ (Omeiza et al. 2019).
pub struct SmoothGradCamPlusPlus;

impl Explainer for SmoothGradCamPlusPlus {
    fn info(&self) -> MethodInfo {
        let paper = Paper(
            "Daniel Omeiza, Skyler Speakman, Celia Cintas, Komminist Weldemariam",
            2019,
            "Smooth Grad-CAM++: An Enhanced Inference Level Visualization Technique for Deep Convolutional Neural Network \
             Models",
            "arXiv:1908.01224",
        );
        let (id, summary) = (
            "smooth-grad-cam-plus-plus",
            "Averages the weights of Grad-CAM++ over noisy copies of the picture, so that chance counts less. It is \
             slower by the number of copies, and often the map hardly changes.",
        );
        // The seed is not promised to matter: where the way on from the layer is linear, noise changes no gradient.
        info(id, "Smooth Grad-CAM++", summary, paper, SmoothGradCamPlusPlusOptions::parameters())
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let samples = SmoothGradCamPlusPlusOptions::parse(context.parameters)?.samples as u64;
        Ok(Cost { forward_passes: samples + 1, backward_passes: samples + 1 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

/// Sums over the copies of the gradients' first three powers.
type Powers = [Value; 3];

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = SmoothGradCamPlusPlusOptions::parse(context.parameters)?;
    let layers = chosen_layers(context)?;
    let passes = options.samples as u64 + 1;
    let mut progress = Progress::start(context.observer, passes);
    let (prediction, clean) = tap_input(context, &layers).await?;
    progress.advance(1).await?;
    let noise = Noise::new(context, options.noise).await?;
    let target = |logits: &Value| context.target.objective(logits);
    let mut sums: Vec<Option<Powers>> = layers.iter().map(|_| None).collect();
    let size = context.batch_for(options.samples);
    for start in (0..options.samples).step_by(size) {
        let range = start..(start + size).min(options.samples);
        let batch = range.len();
        let (objective, taps) = tap(context, &layers, noise.copies(context, range), &target)?;
        for (sum, tap) in sums.iter_mut().zip(&taps) {
            *sum = Some(add(sum.take(), tap)?);
        }
        check_finite(&objective.to_vec().await?, "The target at a noisy copy", "use less noise")?;
        progress.advance(batch).await?;
    }
    let mut maps = Vec::new();
    for (tap, sums) in clean.iter().zip(sums) {
        maps.push(map(tap, sums.ok_or(ExplainError::NoSpatialLayer)?, options.samples)?.to_vec().await?);
    }
    let made = Attribution {
        prediction,
        forward_passes: passes,
        backward_passes: passes,
        parameters: options.values(),
        ..Attribution::default()
    };
    Finish::new(options.relu).attribution(context, &layers, maps, made)
}

fn add(sums: Option<Powers>, tap: &Tap) -> Result<Powers, ExplainError> {
    let first = &tap.gradients;
    let second = first.mul(first)?;
    let third = second.mul(first)?;
    let powers = [first.sum_axes(&[0])?, second.sum_axes(&[0])?, third.sum_axes(&[0])?];
    match sums {
        None => Ok(powers),
        Some([a, b, c]) => Ok([a.add(&powers[0])?, b.add(&powers[1])?, c.add(&powers[2])?]),
    }
}

/// Grad-CAM++'s weights from sums of powers: positive gradients times second / (2 second + A third), where the number of
/// copies cancels but for the gradients'.
fn map(clean: &Tap, [first, second, third]: Powers, count: usize) -> Result<Value, ExplainError> {
    let sums = clean.activations.sum_axes(&[2, 3])?;
    let ratio = quotient(&third, &second)?;
    let divisor = ratio.mul(&sums)?.map(|product| product + 2.0)?;
    // Where the squares vanish so do the gradients.
    let weights = quotient(&first.map(|first| first.clamp_min(0.0) / count as f32)?, &divisor)?;
    clean.weighted(&weights.sum_axes(&[2, 3])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, squared_channels, two_channels};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(SmoothGradCamPlusPlus.explain(&question.context())).unwrap()
    }

    /// As `places_count_by_their_gradients_and_their_channels_sum` of Grad-CAM++, whatever the number of copies.
    #[test]
    fn without_noise_it_is_grad_cam_plus_plus() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(squared_channels([1.0, 0.0]), &input).target("0").layer("a").with("relu", "false");
        let found = explained(&question.with("noise", "0").with("samples", "7"));
        let weight = 2.0 / 8.0 + 8.0 / 26.0;
        assert_close(&found.values, &input.map(|x| weight * x), 1e-5);
        assert_eq!((found.forward_passes, found.backward_passes), (8, 8));
    }

    /// A linear model has the same gradients everywhere, 3/4 at channel 1, whose sum is 3, and noise changes nothing.
    #[test]
    fn noise_does_not_move_the_weights_of_a_linear_model() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(two_channels([3.0, -4.0]), &input).target("0").layer("a").with("relu", "false");
        let weight = 4.0 * 0.75 / (2.0 + 3.0 * 0.75);
        assert_close(&explained(&question).values, &input.map(|x| weight * x), 1e-5);
    }

    #[test]
    fn elsewhere_the_seed_decides() {
        let question = Question::new(squared_channels([1.0, -1.0]), &[1.0, -2.0, 0.0, 4.0]).target("0").layer("a");
        let found = explained(&question).values;
        assert_eq!(explained(&question).values, found);
        assert_ne!(explained(&question.seed(1)).values, found);
    }
}
