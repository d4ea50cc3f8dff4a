//! Grad-CAM: a layer's channels, each weighted by the spatial mean of the target's gradient there, summed into one map
//! of where the layer found evidence.
//!
//! Ramprasaath R. Selvaraju, Michael Cogswell, Abhishek Das, Ramakrishna Vedantam, Devi Parikh, Dhruv Batra: Grad-CAM:
//! Visual Explanations from Deep Networks via Gradient-based Localization. ICCV 2017.
//!
//! Departures from the paper: none in the map. It is not scaled to 0..1, and it is enlarged bilinearly with pixel
//! centres at half-integers, as PyTorch does with `align_corners=False`.

use vitrine_graph::Value;
use vitrine_protocol::ParameterKind;

use super::{GRAD_CAM, by_gradient};
use crate::{ExplainError, options::options, tap::Tap};

options! {
    /// Options of [`GradCam`].
    pub struct GradCamOptions {
        /// Whether negative values of the map, which speak against the target, are set to zero.
        relu: bool [ParameterKind::Boolean] = true,
    }
}

by_gradient!(
    /// Grad-CAM (Selvaraju et al. 2017).
    ///
    /// `Attribution::values` is the layer's map `[height, width]`, after the ReLU if there is one; the heat map is that
    /// enlarged to the input's size.
    GradCam,
    GradCamOptions,
    "grad-cam",
    "Grad-CAM",
    "Shows the places where a late layer found what speaks for the answer. It is quick and tells classes apart well, \
     but it is as coarse as the layer and has no sharp outlines.",
    GRAD_CAM,
    grad_cam
);

/// The channels times the spatial means of their gradients, summed.
pub(super) fn grad_cam(tap: &Tap) -> Result<Value, ExplainError> {
    let area: usize = tap.gradients.shape().iter().skip(2).product();
    let weights = tap.gradients.sum_axes(&[2, 3])?.map(|sums| sums.div_scalar(area as f32))?;
    tap.weighted(&weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Attribution, Explainer,
        testing::{Question, assert_close, tokens, two_channels},
    };

    fn explained(question: &Question) -> Result<Attribution, ExplainError> {
        pollster::block_on(GradCam.explain(&question.context()))
    }

    /// The layer `a` holds the picture and its double; class 0 scores 3 times the mean of the first channel minus
    /// 4 times the mean of the second, so the gradients are 3/4 and -4/4 everywhere, as are their means. The map is
    /// (3/4 - 2) x.
    #[test]
    fn the_map_is_what_the_gradients_means_say() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(two_channels([3.0, -4.0]), &input).target("0").layer("a");
        let signed = explained(&question.clone().with("relu", "false")).unwrap();
        assert_close(&signed.values, &input.map(|x| -1.25 * x), 1e-6);
        assert_eq!(signed.shape, [2, 2]);
        assert_eq!((signed.map.height, signed.map.width), (2, 2));
        assert_eq!(signed.layer.as_deref(), Some("a"));
        // 3 times the mean 3/4 minus 4 times the mean 6/4.
        assert!((signed.prediction + 3.75).abs() < 1e-6, "{}", signed.prediction);
        let positive = explained(&question).unwrap();
        assert_close(&positive.values, &[0.0, 2.5, 0.0, 0.0], 1e-6);
        assert!(positive.notes.is_empty(), "{:?}", positive.notes);
    }

    #[test]
    fn the_last_layer_with_height_and_width_is_taken_by_default() {
        let question = Question::new(two_channels([1.0, 1.0]), &[1.0; 4]).target("0");
        assert_eq!(explained(&question).unwrap().layer.as_deref(), Some("r"));
    }

    #[test]
    fn a_map_of_evidence_against_the_target_says_so() {
        let question = Question::new(two_channels([-1.0, -1.0]), &[1.0; 4]).target("0");
        let found = explained(&question).unwrap();
        assert_eq!(found.values, [0.0; 4]);
        assert!(found.notes[0].contains("after the ReLU"), "{:?}", found.notes);
    }

    #[test]
    fn a_layer_that_will_not_do_is_refused_with_its_reason() {
        let question = Question::new(two_channels([1.0, 1.0]), &[1.0; 4]).target("0");
        let refusal = |layer: &'static str| explained(&question.clone().layer(layer)).unwrap_err().to_string();
        let flat = refusal("pooled");
        assert!(
            flat.contains("\"pooled\" has shape [1, 2, 1, 1]") && flat.contains("are \"r\", \"beside\", \"a\""),
            "{flat}"
        );
        let unknown = refusal("poled");
        assert!(unknown.contains("no value named \"poled\"") && unknown.contains("\"pooled\""), "{unknown}");
        let beside = refusal("beside");
        assert!(beside.contains("\"beside\" does not influence the logit of 0"), "{beside}");
    }

    /// The answer is the mean of all five tokens times (5, -10), so the gradient is (1, -2) at each.
    #[test]
    fn tokens_are_places_once_those_that_stand_for_none_are_dropped() {
        let (graph, input) = tokens();
        let question = Question::new(graph, &input).target("0").tokens(2, 2, 1);
        let found = explained(&question.clone().with("relu", "false")).unwrap();
        let expected: Vec<f32> = input.iter().map(|x| x - 2.0 * (3.0 * x)).collect();
        assert_eq!(found.layer.as_deref(), Some("tokens"), "the last before the attention");
        assert_eq!(found.shape, [2, 2]);
        assert_close(&found.values, &expected, 1e-6);
    }

    /// At `a` and `r` the maps are -1.25 x, so of largest magnitude 5; their mean over 5 is that of either.
    #[test]
    fn several_layers_give_the_mean_of_their_maps() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(two_channels([3.0, -4.0]), &input).target("0").layer("a").layer("r");
        let found = explained(&question.with("relu", "false")).unwrap();
        assert_close(&found.values, &input.map(|x| -0.25 * x), 1e-6);
        assert_eq!((found.layer.as_deref(), found.shape), (Some("a,r"), vec![2, 2]));
    }
}
