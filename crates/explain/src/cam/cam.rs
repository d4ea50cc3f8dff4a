//! CAM: a layer's channels, each weighted as the class weighs its mean over the picture. It needs a model whose last layer is
//! pooled over all places and followed by one linear layer, and there it is exact: the map's mean is the class's score, but
//! for the bias.
//!
//! Bolei Zhou, Aditya Khosla, Agata Lapedriza, Aude Oliva, Antonio Torralba: Learning Deep Features for Discriminative
//! Localization. CVPR 2016.
//!
//! Departures from the paper: none. The weights are not read from the file but found as the logit's gradients, which are
//! the weights over the number of places, however the exporter has written the head.

use vitrine_graph::Value;
use vitrine_protocol::{MethodInfo, ParameterKind};

use super::{ONE_OF_EACH, Paper, info};
use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    layers::chosen_layers,
    linear::obstacle,
    observer::Progress,
    options::options,
    tap::{Finish, Tap, tap_input},
};

options! {
    /// Options of [`Cam`].
    pub struct CamOptions {
        /// Whether negative values of the map, which speak against the target, are set to zero.
        relu: bool [ParameterKind::Boolean] = false,
    }
}

/// Largest difference of a channel's gradients from their mean, relative to the largest gradient, that is rounding.
const ROUNDING: f32 = 1e-4;

/// Class activation mapping (Zhou et al. 2016).
pub struct Cam;

impl Explainer for Cam {
    fn info(&self) -> MethodInfo {
        let paper = Paper(
            "Bolei Zhou, Aditya Khosla, Agata Lapedriza, Aude Oliva, Antonio Torralba",
            2016,
            "Learning Deep Features for Discriminative Localization",
            "CVPR",
        );
        let summary = "Shows what every place of the last layer adds to the answer, in models that end in one \
                       average. There it is exact; for all other models use Grad-CAM or HiResCAM.";
        info("cam", "CAM", summary, paper, CamOptions::parameters())
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        CamOptions::parse(context.parameters)?;
        Ok(ONE_OF_EACH)
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = CamOptions::parse(context.parameters)?;
    let layers = chosen_layers(context)?;
    for layer in &layers {
        if let Some(obstacle) = obstacle(context, layer)? {
            return Err(ExplainError::NotLinear { layer: layer.name.clone(), obstacle });
        }
    }
    let mut progress = Progress::start(context.observer, 1);
    let (prediction, taps) = tap_input(context, &layers).await?;
    let mut maps = Vec::new();
    for (layer, tap) in layers.iter().zip(&taps) {
        if !is_pooled(tap).await? {
            return Err(ExplainError::NotPooled { layer: layer.name.clone() });
        }
        maps.push(cam(tap)?.to_vec().await?);
    }
    progress.advance(1).await?;
    let parameters = options.values();
    let made = Attribution { prediction, forward_passes: 1, backward_passes: 1, parameters, ..Attribution::default() };
    Finish::new(options.relu).attribution(context, &layers, maps, made)
}

/// The channels times the class's weights: the sums of their gradients.
fn cam(tap: &Tap) -> Result<Value, ExplainError> {
    tap.weighted(&tap.gradients.sum_axes(&[2, 3])?)
}

/// Whether every place of a channel has the same gradient.
async fn is_pooled(tap: &Tap) -> Result<bool, ExplainError> {
    let [_, _, height, width] = tap.gradients.shape() else { return Ok(false) };
    let gradients = tap.gradients.to_vec().await?;
    let largest = gradients.iter().fold(0.0_f32, |largest, gradient| largest.max(gradient.abs()));
    let planes = gradients.chunks(height * width);
    let is_even = |plane: &[f32]| {
        plane.first().is_some_and(|first| plane.iter().all(|other| (other - first).abs() <= ROUNDING * largest))
    };
    Ok(planes.into_iter().all(is_even))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, squared_channels, tokens, two_channels};

    fn explained(question: &Question) -> Result<Attribution, ExplainError> {
        pollster::block_on(Cam.explain(&question.context()))
    }

    /// Class 0 weighs the mean of x by 3 and that of 2 x by -4.
    #[test]
    fn the_map_is_the_channels_times_the_classes_weights() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(two_channels([3.0, -4.0]), &input).target("0");
        let found = explained(&question).unwrap();
        assert_close(&found.values, &input.map(|x| -5.0 * x), 1e-6);
        let mean = found.values.iter().sum::<f32>() / 4.0;
        assert!((mean - found.prediction).abs() < 1e-5, "{mean} is not the score {}", found.prediction);
        // A margin of two classes is linear too.
        let margin = explained(&question.clone().target_text("0-1")).unwrap();
        assert_close(&margin.values, &input.map(|x| -10.0 * x), 1e-6);
        let error = explained(&question.target_text("prob:0")).unwrap_err().to_string();
        assert!(error.contains("the softmax or sigmoid"), "{error}");
    }

    #[test]
    fn what_stands_in_the_way_is_named() {
        let refusal = |question: Question| explained(&question).unwrap_err().to_string();
        let squared = refusal(Question::new(squared_channels([1.0, 1.0]), &[1.0; 4]).target("0").layer("a"));
        assert!(squared.contains("Mul (\"squared\")"), "{squared}");
        let (graph, input) = tokens();
        let attention = refusal(Question::new(graph, &input).target("0").tokens(2, 2, 1));
        assert!(attention.contains("MatMul (\"scores\")"), "{attention}");
        // One weight for each pixel: nothing is pooled.
        let nodes = vec![
            vitrine_onnx::Node::new("Identity", &["x"], &["a"]),
            vitrine_onnx::Node::new("Flatten", &["a"], &["flat"]),
            vitrine_onnx::Node::new("MatMul", &["flat", "w"], &["y"]),
        ];
        let weights = vitrine_onnx::Tensor::from_f32("w", &[4, 2], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        let graph = crate::testing::graph(&[1, 2, 2], nodes, vec![weights], 2);
        let unpooled = refusal(Question::new(graph, &[1.0; 4]));
        assert!(unpooled.contains("\"a\"") && unpooled.contains("hires-cam"), "{unpooled}");
        assert!(matches!(explained(&Question::new(linear(&[3]), &[1.0; 3])), Err(ExplainError::NoSpatialLayer)));
    }
}
