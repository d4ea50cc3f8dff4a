//! Guided Grad-CAM: guided backpropagation, which is sharp but hardly knows the class, times Grad-CAM, which is the reverse.
//!
//! Ramprasaath R. Selvaraju, Michael Cogswell, Abhishek Das, Ramakrishna Vedantam, Devi Parikh, Dhruv Batra: Grad-CAM:
//! Visual Explanations from Deep Networks via Gradient-based Localization. ICCV 2017.
//!
//! Departures from the paper: none. Captum enlarges Grad-CAM's map by nearest neighbours; here as in the paper bilinearly.
//! See guided backpropagation for what counts as a ReLU.

use vitrine_protocol::{Layout, MethodInfo};

use super::{GRAD_CAM, grad_cam::grad_cam, info};
use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, LocalBoxFuture,
    backward::{ActivationRule, Activations, through_activations},
    layers::chosen_layers,
    observer::{Progress, Stage},
    options::options,
    tap::{Finish, tap_input},
};

options! {
    /// Options of [`GuidedGradCam`].
    pub struct GuidedGradCamOptions {
        /// Which activations let only what is positive go on.
        activations: Activations [Activations::kind()] = Activations::Relu,
    }
}

/// Guided Grad-CAM (Selvaraju et al. 2017).
pub struct GuidedGradCam;

impl Explainer for GuidedGradCam {
    fn info(&self) -> MethodInfo {
        let summary = "Draws the fine lines of guided backpropagation only where Grad-CAM sees the answer. It is \
                       both sharp and bound to the class, but its lines show edges that are there, used or not.";
        info("guided-grad-cam", "Guided Grad-CAM", summary, GRAD_CAM, GuidedGradCamOptions::parameters())
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        GuidedGradCamOptions::parse(context.parameters)?;
        Ok(Cost { forward_passes: 2, backward_passes: 2 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = GuidedGradCamOptions::parse(context.parameters)?;
    let layers = chosen_layers(context)?;
    let mut progress = Progress::start(context.observer, 2);
    let (prediction, taps) = tap_input(context, &layers).await?;
    let mut maps = Vec::new();
    for tap in &taps {
        maps.push(grad_cam(tap)?.to_vec().await?);
    }
    progress.advance(1).await?;
    let stage = Stage { observer: context.observer, before: 1, all: 2 };
    let inner = Context { observer: &stage, ..*context };
    let guided = through_activations(&inner, ActivationRule::Guided, options.activations).await?;
    let parameters = options.values();
    let made = Attribution { prediction, forward_passes: 2, backward_passes: 2, parameters, ..Attribution::default() };
    let mut found = Finish::new(true).attribution(context, &layers, maps, made)?;
    let (area, all) = (found.map.values.len(), guided.values.len());
    let pixel = |at: usize| match context.layout() {
        Layout::Nhwc => at * area / all,
        Layout::Nchw => at % area,
    };
    let times = |(at, value): (usize, &f32)| value * found.map.values.get(pixel(at)).copied().unwrap_or_default();
    let values: Vec<f32> = guided.values.iter().enumerate().map(times).collect();
    found.values = values;
    found.shape = context.shape().to_vec();
    found.map = HeatMap::of_input(&found.values, context.shape(), context.layout());
    found.notes.extend(guided.notes);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, two_channels};

    /// Of the gradients 3/4 and -4/4 that arrive at `a` nothing is held back, as there is no ReLU: at the picture it is
    /// 3/4 - 2. Grad-CAM's map is that times x, where positive.
    #[test]
    fn the_map_is_the_product_of_both() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(two_channels([3.0, -4.0]), &input).target("0").layer("a");
        let found = pollster::block_on(GuidedGradCam.explain(&question.context())).unwrap();
        assert_close(&found.values, &[0.0, -1.25 * 2.5, 0.0, 0.0], 1e-6);
        assert_eq!((found.shape, found.layer.as_deref()), (vec![1, 2, 2], Some("a")));
        assert!(found.notes.iter().any(|note| note.contains("plain gradient")), "{:?}", found.notes);
    }
}
