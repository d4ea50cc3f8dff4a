//! Does the map stay the same where nothing that matters changes?

mod input_invariance;
mod local_lipschitz;
mod parameter_consistency;
mod seed_consistency;
mod sensitivity_avg;
pub(crate) mod sensitivity_max;

pub use input_invariance::InputInvariance;
pub use local_lipschitz::LocalLipschitz;
pub use parameter_consistency::ParameterConsistency;
pub use seed_consistency::SeedConsistency;
pub use sensitivity_avg::SensitivityAvg;
pub use sensitivity_max::SensitivityMax;

#[cfg(test)]
mod tests {
    use crate::testing::{Asked, WEIGHTS, expect, model, score};

    /// The gradient of a linear model is the same everywhere.
    #[test]
    fn a_map_that_does_not_change_is_not_sensitive() {
        for metric in ["sensitivity-max", "sensitivity-avg", "local-lipschitz"] {
            expect(metric, &[], &Asked::default(), 0.0);
        }
    }

    /// The gradient of the sum of w x^2 is 2 w x: the distance of two gradients is 2 |w d|, between 2 and 8 times that of
    /// the inputs, and at the input itself the gradient is 2 w.
    #[test]
    fn a_map_that_changes_with_the_input_does_so_within_the_bounds_on_paper() {
        let map = WEIGHTS.map(|weight| 2.0 * weight).to_vec();
        let squares = Asked { graph: model(true), map, ..Asked::default() };
        let lipschitz = score("local-lipschitz", &[("samples", "200")], &squares).value.unwrap();
        assert!(lipschitz > 6.0 && lipschitz <= 8.0 + 1e-4, "{lipschitz}");
        // Each number moves by at most 0.02, so the map by at most this part of itself.
        let most = score("sensitivity-max", &[("samples", "200")], &squares).value.unwrap();
        let mean = score("sensitivity-avg", &[("samples", "200")], &squares).value.unwrap();
        assert!(mean < most && most > 0.015 && most <= 0.02 + 1e-6, "{mean}, {most}");
        // Of even numbers the mean square is a third: the root of that of the distances is 0.02 over the root of 3.
        assert!((mean / (0.02 / 3.0_f64.sqrt()) - 1.0).abs() < 0.1, "{mean}");
    }

    /// The gradient does not see the shift; times the input it grows by it: twice the map at ones and a shift of one.
    #[test]
    fn the_gradient_is_invariant_and_its_product_with_the_input_is_not() {
        expect("input-invariance", &[], &Asked::default(), 0.0);
        let method = vitrine_explain::find("input-x-gradient").unwrap();
        expect("input-invariance", &[], &Asked { method, ..Asked::default() }, 1.0);
        expect("input-invariance", &[("shift", "-0.5")], &Asked { method, ..Asked::default() }, 0.5);
    }

    #[test]
    fn a_method_without_chance_and_numbers_is_consistent() {
        expect("seed-consistency", &[], &Asked::default(), 1.0);
        let found = score("parameter-consistency", &[], &Asked::default());
        assert_eq!((found.value, found.forward_passes), (None, 0), "the gradient has no numeric parameter");
    }
}
