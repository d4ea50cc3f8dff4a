//! Eigen-Grad-CAM: Eigen-CAM of a layer's values times the target's gradients there, so that the direction that stands out
//! is one that speaks about the class.
//!
//! Mohammed Bany Muhammad, Mohammed Yeasin: Eigen-CAM: Class Activation Map using Principal Components. IJCNN 2020. The
//! product with the gradients is pytorch-grad-cam's.
//!
//! Departures from pytorch-grad-cam: the sign, which a singular vector leaves open, is the one with which the map agrees with
//! HiResCAM's, the sum of the products over the channels, in the sum of their products over the picture. Means are taken out
//! only where `centred` says so.

use vitrine_protocol::{MethodInfo, ParameterKind};

use super::{EIGEN_CAM, ONE_OF_EACH, info};
use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    layers::chosen_layers,
    observer::Progress,
    options::options,
    principal::project,
    tap::{Finish, tap_input},
};

options! {
    /// Options of [`EigenGradCam`].
    pub struct EigenGradCamOptions {
        /// Whether negative values of the map, which speak against the target, are set to zero.
        relu: bool [ParameterKind::Boolean] = true,
        /// Whether each channel's mean is taken out first, so that the direction is that of the largest variance.
        centred: bool [ParameterKind::Boolean] = false,
    }
}

/// Eigen-Grad-CAM, after Eigen-CAM (Muhammad, Yeasin 2020).
pub struct EigenGradCam;

impl Explainer for EigenGradCam {
    fn info(&self) -> MethodInfo {
        let summary = "Shows what stands out most among all that a layer found to bear on the answer. It is calmer \
                       than Grad-CAM and, unlike Eigen-CAM, knows the class, but it keeps one pattern alone.";
        info("eigen-grad-cam", "Eigen-Grad-CAM", summary, EIGEN_CAM, EigenGradCamOptions::parameters())
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        EigenGradCamOptions::parse(context.parameters)?;
        Ok(ONE_OF_EACH)
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = EigenGradCamOptions::parse(context.parameters)?;
    let layers = chosen_layers(context)?;
    let mut progress = Progress::start(context.observer, 1);
    let (prediction, taps) = tap_input(context, &layers).await?;
    let parameters = options.values();
    let mut made =
        Attribution { prediction, forward_passes: 1, backward_passes: 1, parameters, ..Attribution::default() };
    let mut maps = Vec::new();
    for (layer, tap) in layers.iter().zip(&taps) {
        let products = tap.activations.mul(&tap.gradients)?;
        let sums = products.sum_axes(&[1])?.to_vec().await?;
        let projection = project(&products.to_vec().await?, layer.channels(), options.centred, &sums);
        made.notes.extend(projection.note(&layer.name));
        maps.push(projection.values);
    }
    progress.advance(1).await?;
    Finish::new(options.relu).attribution(context, &layers, maps, made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, two_channels};

    /// The products are (3/4 x, -2 x), on a line of length sqrt(73) / 4; their sum, -5/4 x, is against it.
    #[test]
    fn the_map_is_the_projection_of_the_products() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(two_channels([3.0, -4.0]), &input).target("0").layer("a").with("relu", "false");
        let found = pollster::block_on(EigenGradCam.explain(&question.context())).unwrap();
        assert_close(&found.values, &input.map(|x| -x * 73.0_f32.sqrt() / 4.0), 1e-6);
    }
}
