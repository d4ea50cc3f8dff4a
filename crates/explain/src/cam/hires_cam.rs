//! HiResCAM: a layer's values times the target's gradients there, place by place, summed over the channels. Where the layer
//! is followed by nothing but linear steps, the map adds up to what the layer gives to the answer, exactly, so only places
//! that the model used light up.
//!
//! Rachel Lea Draelos, Lawrence Carin: Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural
//! networks. arXiv:2011.08891, 2020.
//!
//! Departures from the paper: none. Where the head is linear, the exactness is checked: one more forward pass, with the
//! layer set to zero, gives what the answer owes to all else (the paper's bias), and the completeness gap compares.

use vitrine_graph::{Probe, Run, Value};
use vitrine_protocol::{MethodInfo, ParameterKind};

use super::{ONE_OF_EACH, Paper, info};
use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture, Places, SpatialLayer,
    layers::chosen_layers,
    linear::obstacle,
    observer::Progress,
    options::options,
    tap::{Finish, Tap, tap_input},
};

options! {
    /// Options of [`HiresCam`].
    pub struct HiresCamOptions {
        /// Whether negative values of the map, which speak against the target, are set to zero. With them the map adds up
        /// to what the layer gives to the answer, where the head is linear.
        relu: bool [ParameterKind::Boolean] = false,
    }
}

/// HiResCAM (Draelos, Carin 2020).
pub struct HiresCam;

impl Explainer for HiresCam {
    fn info(&self) -> MethodInfo {
        let paper = Paper(
            "Rachel Lea Draelos, Lawrence Carin",
            2020,
            "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks",
            "arXiv:2011.08891",
        );
        let summary = "Works like Grad-CAM, but lights up only places that the model really used. In models that end \
                       in one linear layer its values add up to the answer; elsewhere they need not.";
        info("hires-cam", "HiResCAM", summary, paper, HiresCamOptions::parameters())
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = HiresCamOptions::parse(context.parameters)?;
        let checked = !options.relu && adds_up(context, &chosen_layers(context)?)?;
        Ok(Cost { forward_passes: 1 + u64::from(checked), ..ONE_OF_EACH })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = HiresCamOptions::parse(context.parameters)?;
    let layers = chosen_layers(context)?;
    let checked = !options.relu && adds_up(context, &layers)?;
    let cost = Cost { forward_passes: 1 + u64::from(checked), ..ONE_OF_EACH };
    let mut progress = Progress::start(context.observer, cost.forward_passes);
    let (prediction, taps) = tap_input(context, &layers).await?;
    let mut maps = Vec::new();
    for tap in &taps {
        maps.push(hires_cam(tap)?.to_vec().await?);
    }
    progress.advance(1).await?;
    let mut made = Attribution {
        prediction,
        forward_passes: cost.forward_passes,
        backward_passes: cost.backward_passes,
        parameters: options.values(),
        ..Attribution::default()
    };
    if let (true, Some(layer), Some(map)) = (checked, layers.first(), maps.first()) {
        let without = without(context, layer).await?;
        progress.advance(1).await?;
        let sum: f64 = map.iter().copied().map(f64::from).sum();
        made.baseline_prediction = Some(without);
        made.completeness_gap = Some((sum - f64::from(prediction) + f64::from(without)) as f32);
        made.notes.push("The baseline is the answer with the layer set to zero.".to_owned());
    }
    Finish::new(options.relu).attribution(context, &layers, maps, made)
}

fn hires_cam(tap: &Tap) -> Result<Value, ExplainError> {
    tap.weighted(&tap.gradients)
}

/// Whether the map of these layers must add up: one layer, all of which is shown, and a linear head.
fn adds_up(context: &Context<'_>, layers: &[SpatialLayer]) -> Result<bool, ExplainError> {
    let [layer] = layers else { return Ok(false) };
    let is_whole = !matches!(layer.places, Places::Sequence(tokens) if tokens.prefix > 0);
    Ok(is_whole && obstacle(context, layer)?.is_none())
}

/// The target with a layer set to zero.
async fn without(context: &Context<'_>, layer: &SpatialLayer) -> Result<f32, ExplainError> {
    let logits = context.target.head().logits();
    let zero = Probe::Replace(Value::full(0.0, &[1], &context.input.device()));
    let run = Run::of([logits]).feed(context.input_name, context.input.clone()).probe(&layer.name, zero);
    let objective = context.target.objective(context.graph.run(&run)?.value(logits)?)?;
    Ok(objective.to_vec().await?.first().copied().unwrap_or(f32::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, squared_channels, two_channels};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(HiresCam.explain(&question.context())).unwrap()
    }

    /// Gradients 3/4 and -4/4 of activations x and 2 x; the sum of (3/4 - 2) x is the logit, as there is no bias.
    #[test]
    fn with_a_linear_head_the_map_adds_up_to_the_answer() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(two_channels([3.0, -4.0]), &input).target("0").layer("a");
        let found = explained(&question);
        assert_close(&found.values, &input.map(|x| -1.25 * x), 1e-6);
        assert!(found.completeness_gap.unwrap().abs() < 1e-6, "{:?}", found.completeness_gap);
        assert_eq!((found.baseline_prediction, found.forward_passes), (Some(0.0), 2));
        assert_eq!(explained(&question.target_text("prob:0")).completeness_gap, None, "a softmax is not linear");
    }

    /// See `squared_channels`: gradients 2 x and -4 x of activations x and 2 x, behind which they are squared.
    #[test]
    fn with_another_head_the_map_is_made_but_not_held_to_it() {
        let question = Question::new(squared_channels([1.0, -1.0]), &[1.0, -2.0, 0.0, 4.0]).target("0").layer("a");
        let found = explained(&question);
        assert_close(&found.values, &[-6.0, -24.0, 0.0, -96.0], 1e-5);
        assert_eq!((found.completeness_gap, found.forward_passes), (None, 1));
    }
}
