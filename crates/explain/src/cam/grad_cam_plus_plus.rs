//! Grad-CAM++: a layer's channels, each weighted by the sum of its positive gradients, where every place counts so that
//! several regions of one class weigh alike, whatever their sizes.
//!
//! Aditya Chattopadhay, Anirban Sarkar, Prantik Howlader, Vineeth N Balasubramanian: Grad-CAM++: Generalized
//! Gradient-Based Visual Explanations for Deep Convolutional Networks. WACV 2018.
//!
//! Departures from the paper: it derives the places' weights for the exponential of the logit, and so do we, whatever the
//! target; the factor that the exponential leaves in every weight is left out. With a gradient g and the sum A of a
//! channel, g^2 / (2 g^2 + A g^3) is computed as 1 / (2 + A g), which needs no small number in the divisor; the 1e-6 that
//! pytorch-grad-cam adds to it takes away what small gradients would weigh.

use vitrine_graph::Value;
use vitrine_protocol::ParameterKind;

use super::{Paper, by_gradient};
use crate::{
    ExplainError,
    options::options,
    tap::{Tap, quotient},
};

options! {
    /// Options of [`GradCamPlusPlus`].
    pub struct GradCamPlusPlusOptions {
        /// Whether negative values of the map are set to zero. Weights are positive as a rule, so only negative
        /// activations make some.
        relu: bool [ParameterKind::Boolean] = true,
    }
}

by_gradient!(
    /// Grad-CAM++ (Chattopadhay et al. 2018).
    GradCamPlusPlus,
    GradCamPlusPlusOptions,
    "grad-cam-plus-plus",
    "Grad-CAM++",
    "Works like Grad-CAM, but lets several things of one kind in the picture count alike. Use it when Grad-CAM finds \
     only the largest of them; the map is just as coarse.",
    Paper(
        "Aditya Chattopadhay, Anirban Sarkar, Prantik Howlader, Vineeth N Balasubramanian",
        2018,
        "Grad-CAM++: Generalized Gradient-Based Visual Explanations for Deep Convolutional Networks",
        "WACV",
    ),
    grad_cam_plus_plus
);

fn grad_cam_plus_plus(tap: &Tap) -> Result<Value, ExplainError> {
    let sums = tap.activations.sum_axes(&[2, 3])?;
    let divisor = tap.gradients.mul(&sums)?.map(|product| product + 2.0)?;
    let positive = tap.gradients.map(|gradients| gradients.clamp_min(0.0))?;
    tap.weighted(&quotient(&positive, &divisor)?.sum_axes(&[2, 3])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Explainer,
        testing::{Question, assert_close, squared_channels},
    };

    /// See `squared_channels`: gradients 2 x of activations x that sum to 3, and none of the second channel. Where x is
    /// positive, 1 and 4, the weight is 2 / (2 + 3 * 2) + 8 / (2 + 3 * 8).
    #[test]
    fn places_count_by_their_gradients_and_their_channels_sum() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(squared_channels([1.0, 0.0]), &input).target("0").layer("a").with("relu", "false");
        let found = pollster::block_on(GradCamPlusPlus.explain(&question.context())).unwrap();
        let weight = 2.0 / 8.0 + 8.0 / 26.0;
        assert_close(&found.values, &input.map(|x| weight * x), 1e-5);
    }
}
