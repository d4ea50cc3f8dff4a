//! Counterfactual Grad-CAM: Grad-CAM of the negative gradient. It shows where a layer found what speaks against the target,
//! and what would raise it if it were not there.
//!
//! Ramprasaath R. Selvaraju, Michael Cogswell, Abhishek Das, Ramakrishna Vedantam, Devi Parikh, Dhruv Batra: Grad-CAM:
//! Visual Explanations from Deep Networks via Gradient-based Localization. ICCV 2017. (Section "Counterfactual
//! Explanations".)
//!
//! Departures from the paper: none.

use vitrine_graph::Value;
use vitrine_protocol::ParameterKind;

use super::{GRAD_CAM, by_gradient, grad_cam::grad_cam};
use crate::{ExplainError, options::options, tap::Tap};

options! {
    /// Options of [`CounterfactualGradCam`].
    pub struct CounterfactualGradCamOptions {
        /// Whether negative values of the map, which speak for the target, are set to zero.
        relu: bool [ParameterKind::Boolean] = true,
    }
}

by_gradient!(
    /// Counterfactual Grad-CAM (Selvaraju et al. 2017).
    CounterfactualGradCam,
    CounterfactualGradCamOptions,
    "counterfactual-grad-cam",
    "Counterfactual Grad-CAM",
    "Shows where a late layer found what speaks against the answer. Use it to see what would have to go for the \
     model to be surer; the map is as coarse as the layer.",
    GRAD_CAM,
    against
);

fn against(tap: &Tap) -> Result<Value, ExplainError> {
    Ok(grad_cam(tap)?.map(|map| -map)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Explainer,
        testing::{Question, assert_close, two_channels},
    };

    /// Grad-CAM's map is (3/4 - 2) x.
    #[test]
    fn the_map_is_the_negative_of_grad_cams() {
        let question = Question::new(two_channels([3.0, -4.0]), &[1.0, -2.0, 0.0, 4.0]).target("0").layer("a");
        let found = pollster::block_on(CounterfactualGradCam.explain(&question.context())).unwrap();
        assert_close(&found.values, &[1.25, 0.0, 0.0, 5.0], 1e-6);
    }
}
