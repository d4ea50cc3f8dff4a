//! Does the map change where the model or the question changes?

mod model_parameter_randomisation;
mod random_logit;

pub use model_parameter_randomisation::ModelParameterRandomisation;
pub use random_logit::RandomLogit;

#[cfg(test)]
mod tests {
    use crate::testing::{Asked, score};

    /// Class 1 scores nothing, so that its gradient does not vary: by ranks there is nothing to compare, and by structure
    /// it is unlike any map.
    #[test]
    fn the_map_of_a_class_that_scores_nothing_is_unlike_the_map() {
        let found = score("random-logit", &[], &Asked::default());
        assert!(found.value.unwrap() < 0.1, "{found:?}");
        assert_eq!(score("random-logit", &[("similarity", "spearman")], &Asked::default()).value, None);
    }

    #[test]
    fn random_weights_give_another_map() {
        let found = score("model-parameter-randomisation", &[("similarity", "spearman")], &Asked::default());
        assert_eq!(found.curves[0].xs, [1.0], "there is one layer");
        assert!(found.value.unwrap() < 0.9, "{found:?}");
        assert_eq!((found.forward_passes, found.backward_passes), (1, 1));
    }
}
