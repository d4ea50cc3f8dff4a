//! XGrad-CAM: a layer's channels, each weighted by the mean of the target's gradient there, where a place counts as much
//! as its share of the channel's activation. These weights keep as much of two axioms as weights of channels can: that the
//! map's sum is the target, and that a channel's weight is what its removal costs.
//!
//! Ruigang Fu, Qingyong Hu, Xiaohu Dong, Yulan Guo, Yinghui Gao, Biao Li: Axiom-based Grad-CAM: Towards Accurate
//! Visualization and Explanation of CNNs. BMVC 2020.
//!
//! Departures from the paper: a channel whose activations sum to zero gets no weight.

use vitrine_graph::Value;
use vitrine_protocol::ParameterKind;

use super::{Paper, by_gradient};
use crate::{
    ExplainError,
    options::options,
    tap::{Tap, quotient},
};

options! {
    /// Options of [`XGradCam`].
    pub struct XGradCamOptions {
        /// Whether negative values of the map, which speak against the target, are set to zero.
        relu: bool [ParameterKind::Boolean] = true,
    }
}

by_gradient!(
    /// XGrad-CAM (Fu et al. 2020).
    XGradCam,
    XGradCamOptions,
    "x-grad-cam",
    "XGrad-CAM",
    "Weights a layer's channels by what the answer owes them, as exactly as weights of whole channels can. It looks \
     much like Grad-CAM and is better founded; the map is as coarse as the layer.",
    Paper(
        "Ruigang Fu, Qingyong Hu, Xiaohu Dong, Yulan Guo, Yinghui Gao, Biao Li",
        2020,
        "Axiom-based Grad-CAM: Towards Accurate Visualization and Explanation of CNNs",
        "BMVC",
    ),
    x_grad_cam
);

fn x_grad_cam(tap: &Tap) -> Result<Value, ExplainError> {
    let products = tap.gradients.mul(&tap.activations)?.sum_axes(&[2, 3])?;
    tap.weighted(&quotient(&products, &tap.activations.sum_axes(&[2, 3])?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Explainer,
        testing::{Question, assert_close, squared_channels},
    };

    /// See `squared_channels`: gradients 2 x and -4 x of activations x and 2 x. Their products sum to 2 and -8 times 21, the
    /// sum of the squares; the activations to 3 and 6.
    #[test]
    fn the_gradients_mean_is_weighted_by_the_activations() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question =
            Question::new(squared_channels([1.0, -1.0]), &input).target("0").layer("a").with("relu", "false");
        let found = pollster::block_on(XGradCam.explain(&question.context())).unwrap();
        let (first, second) = (42.0 / 3.0, -168.0 / 6.0);
        assert_close(&found.values, &input.map(|x| first * x + second * 2.0 * x), 1e-5);
    }

    #[test]
    fn a_channel_without_a_sum_has_no_weight() {
        let question = Question::new(squared_channels([1.0, 1.0]), &[1.0, -1.0, 2.0, -2.0]).target("0").layer("a");
        let found = pollster::block_on(XGradCam.explain(&question.context())).unwrap();
        assert_eq!(found.values, [0.0; 4]);
    }
}
