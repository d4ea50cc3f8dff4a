//! Does the map change where the model or the question changes?

mod class_sensitivity;
mod efficient_mprt;
pub(crate) mod model_parameter_randomisation;
mod random_logit;
mod smooth_mprt;

pub use class_sensitivity::ClassSensitivity;
pub use efficient_mprt::EfficientMprt;
pub use model_parameter_randomisation::ModelParameterRandomisation;
pub use random_logit::RandomLogit;
pub use smooth_mprt::SmoothMprt;
use vitrine_protocol::Reference;

fn hedstrom() -> Reference {
    Reference {
        authors: "Hedström, Weber, Lapuschkin, Höhne".to_owned(),
        year: 2024,
        title: "A Fresh Look at Sanity Checks for Saliency Maps".to_owned(),
        venue: "World Conference on Explainable Artificial Intelligence".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Asked, WEIGHTS, expect, model_of, score};

    /// Class 1 scores nothing, so that its gradient does not vary: by ranks there is nothing to compare, and by structure
    /// it is unlike any map.
    #[test]
    fn the_map_of_a_class_that_scores_nothing_is_unlike_the_map() {
        let found = score("random-logit", &[], &Asked::default());
        assert!(found.value.unwrap() < 0.1, "{found:?}");
        assert_eq!(score("random-logit", &[("similarity", "spearman")], &Asked::default()).value, None);
    }

    /// 4, 1, 3, 2 beside its opposite, half of it, and a map whose deviations from its mean are at right angles to its own:
    /// 1.5, -1.5, 0.5, -0.5 and 1, 1, -1, -1.
    #[test]
    fn maps_of_the_likeliest_and_of_the_least_likely_class_correlate_as_on_paper() {
        let half = WEIGHTS.map(|weight| 0.5 * weight);
        for (other, expected) in [([1.0, 4.0, 2.0, 3.0], -1.0), (half, 1.0), ([3.0, 3.0, 1.0, 1.0], 0.0)] {
            let asked = Asked { graph: model_of(false, other), ..Asked::default() };
            expect("class-sensitivity", &[], &asked, expected);
            let found = score("class-sensitivity", &[], &asked);
            assert_eq!((found.forward_passes, found.backward_passes), (2, 1));
        }
        let nothing = score("class-sensitivity", &[], &Asked::default());
        assert!(nothing.value.is_none() && nothing.notes.len() == 1, "the map of a class that scores nothing is blank");
    }

    #[test]
    fn random_weights_give_another_map() {
        let found = score("model-parameter-randomisation", &[("similarity", "spearman")], &Asked::default());
        assert_eq!(found.curves[0].xs, [1.0], "there is one layer");
        assert!(found.value.unwrap() < 0.9, "{found:?}");
        assert_eq!((found.forward_passes, found.backward_passes), (1, 1));
        assert!(found.maps.is_empty());
        let kept = score("model-parameter-randomisation", &[("pictures", "9")], &Asked::default()).maps;
        assert_eq!(kept.iter().map(|made| (made.x, made.map.width)).collect::<Vec<_>>(), [(1.0, 4)]);
        assert_ne!(kept[0].map.values(), WEIGHTS, "the map of the model as it is");
    }

    /// The gradient is the weights, whatever the noise: smoothed maps are those of the plain test. Four different values of
    /// a map are in four bins of many, also when they are random, so that the complexity does not rise; that of a map
    /// with two values and entropy ln 2 doubles.
    #[test]
    fn the_efficient_and_the_smooth_test_of_a_linear_model_are_those_on_paper() {
        let parameters = [("similarity", "spearman")];
        let plain = score("model-parameter-randomisation", &parameters, &Asked::default());
        let smooth = score("smooth-mprt", &parameters, &Asked::default());
        assert!((smooth.value.unwrap() - plain.value.unwrap()).abs() < 1e-6, "{smooth:?}, {plain:?}");
        assert_eq!((smooth.forward_passes, smooth.backward_passes), (20, 20));
        expect("efficient-mprt", &[("bins", "10000")], &Asked::default(), 0.0);
        let two = Asked { map: vec![1.0, 2.0, 1.0, 2.0], ..Asked::default() };
        expect("efficient-mprt", &[("bins", "10000")], &two, 1.0);
        let even = score("efficient-mprt", &[], &Asked { map: vec![1.0; 4], ..Asked::default() });
        assert!(even.value.is_none() && even.notes.len() == 1, "an even map has no complexity to be compared with");
    }
}
