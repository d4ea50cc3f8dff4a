//! Ablation-CAM: a layer's channels, each weighted by how much of the target is lost without it. No gradients are needed,
//! so a saturated model is no obstacle.
//!
//! Saurabh Desai, Harish G. Ramaswamy: Ablation-CAM: Visual Explanations for Deep Convolutional Network via Gradient-free
//! Localization. WACV 2020.
//!
//! Departures from the paper: the loss is divided by the target's magnitude, not by the target, so that what a negative
//! target loses still speaks for it. Without a channel means that its values are zero, also where others are negative
//! (pytorch-grad-cam then puts a very large negative number there).

use std::ops::Range;

use vitrine_graph::{Run, Value};
use vitrine_protocol::{MethodInfo, Need, ParameterKind};

use super::{Paper, info};
use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture, SpatialLayer,
    channels::{record, scores, tried},
    layers::chosen_layers,
    observer::Progress,
    options::{integer, options},
    tap::Finish,
};

options! {
    /// Options of [`AblationCam`].
    pub struct AblationCamOptions {
        /// Most channels that are taken away, those with most energy first; 0 for all. The others have no weight.
        channels: usize [integer(0, 65_536)] = 0,
        /// Whether negative values of the map, which speak against the target, are set to zero.
        relu: bool [ParameterKind::Boolean] = true,
    }
}

/// Ablation-CAM (Desai, Ramaswamy 2020).
pub struct AblationCam;

impl Explainer for AblationCam {
    fn info(&self) -> MethodInfo {
        let paper = Paper(
            "Saurabh Desai, Harish G. Ramaswamy",
            2020,
            "Ablation-CAM: Visual Explanations for Deep Convolutional Network via Gradient-free Localization",
            "WACV",
        );
        let summary = "Switches off each channel of a layer, one by one, and sees what the answer loses. It needs no \
                       gradients and measures real losses, but it runs the model once for every channel.";
        MethodInfo {
            needs: vec![Need::Forward, Need::SpatialLayer],
            ..info("ablation-cam", "Ablation-CAM", summary, paper, AblationCamOptions::parameters())
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = AblationCamOptions::parse(context.parameters)?;
        Ok(Cost { forward_passes: passes(&options, &chosen_layers(context)?), backward_passes: 0 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

fn passes(options: &AblationCamOptions, layers: &[SpatialLayer]) -> u64 {
    layers.iter().map(|layer| tried(layer, options.channels) as u64).sum::<u64>() + 1
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = AblationCamOptions::parse(context.parameters)?;
    let layers = chosen_layers(context)?;
    let passes = passes(&options, &layers);
    let mut progress = Progress::start(context.observer, passes);
    let (prediction, recorded) = record(context, &layers).await?;
    progress.advance(1).await?;
    let parameters = options.values();
    let mut made = Attribution { prediction, forward_passes: passes, parameters, ..Attribution::default() };
    let magnitude = if prediction == 0.0 { 1.0 } else { prediction.abs() };
    let mut maps = Vec::new();
    for (layer, recorded) in layers.iter().zip(&recorded) {
        let channels = recorded.strongest(layer, options.channels);
        let feed = |run: Run, range: Range<usize>| -> Result<Run, ExplainError> {
            let without = channels.get(range).unwrap_or_default();
            let inputs = context.input.expand(&context.repeated(without.len()))?;
            // The layer is given too, so what comes before it alone does not run again.
            let values = recorded.value.mul(&factors(context, layer, without))?;
            Ok(run.feed(context.input_name, inputs).feed(&layer.name, values))
        };
        let left = scores(context, channels.len(), &mut progress, &feed).await?;
        let lost = left.into_iter().map(|left| (prediction - left) / magnitude);
        let weights: Vec<(usize, f32)> = channels.iter().copied().zip(lost).collect();
        if channels.len() < layer.channels() {
            let (tried, all) = (channels.len(), layer.channels());
            made.notes
                .push(format!("Of the {all} channels of layer {:?} the strongest {tried} were tried.", layer.name));
        }
        maps.push(recorded.weighted(layer, &weights));
    }
    Finish::new(options.relu).attribution(context, &layers, maps, made)
}

/// For each of some channels a sample of factors: zero for that channel and one for all others.
fn factors(context: &Context<'_>, layer: &SpatialLayer, without: &[usize]) -> Value {
    let mut factors = vec![1.0; without.len() * layer.channels()];
    for (row, channel) in factors.chunks_mut(layer.channels()).zip(without) {
        if let Some(factor) = row.get_mut(*channel) {
            *factor = 0.0;
        }
    }
    Value::from_f32(&factors, &layer.per_channel(without.len()), &context.input.device())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, tokens, two_channels};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(AblationCam.explain(&question.context())).unwrap()
    }

    /// The mean is 3/4: channels give 9/4 and -6 of the answer, -15/4.
    #[test]
    fn channels_weigh_what_the_answer_loses_without_them() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(two_channels([3.0, -4.0]), &input).target("0").layer("a").with("relu", "false");
        let found = explained(&question);
        assert_close(&found.values, &input.map(|x| 0.6 * x - 1.6 * 2.0 * x), 1e-5);
        assert_eq!((found.forward_passes, found.backward_passes), (3, 0));
        let one = explained(&question.with("channels", "1"));
        assert_close(&one.values, &input.map(|x| -3.2 * x), 1e-5);
    }

    /// The tokens' first channels sum to 7 + 2.5 and their second to -5 + 7.5: the answer is 9.5 - 2 * 2.5.
    #[test]
    fn of_tokens_the_channel_is_taken_from_all() {
        let (graph, input) = tokens();
        let found = explained(&Question::new(graph, &input).target("0").tokens(2, 2, 1).with("relu", "false"));
        let (first, second) = (9.5 / 4.5, -5.0 / 4.5);
        assert_close(&found.values, &input.map(|x| first * x + second * 3.0 * x), 1e-5);
    }
}
