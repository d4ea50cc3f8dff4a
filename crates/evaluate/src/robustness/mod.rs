//! Does the map stay the same where nothing that matters changes?

mod explanation_attack;
pub(crate) mod first_order_bound;
mod input_invariance;
mod local_lipschitz;
mod parameter_consistency;
mod seed_consistency;
mod sensitivity_avg;
pub(crate) mod sensitivity_max;
mod smoothed_certificate;

pub use explanation_attack::ExplanationAttack;
pub use first_order_bound::FirstOrderBound;
pub use input_invariance::InputInvariance;
pub use local_lipschitz::LocalLipschitz;
pub use parameter_consistency::ParameterConsistency;
pub use seed_consistency::SeedConsistency;
pub use sensitivity_avg::SensitivityAvg;
pub use sensitivity_max::SensitivityMax;
pub use smoothed_certificate::SmoothedCertificate;

#[cfg(test)]
mod tests {
    use crate::testing::{Asked, WEIGHTS, expect, model, model_of, score};

    /// The gradient of a linear model is the same everywhere.
    #[test]
    fn a_map_that_does_not_change_is_not_sensitive() {
        for metric in ["sensitivity-max", "sensitivity-avg", "local-lipschitz", "first-order-bound"] {
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

    /// The map is 8, 2, 6, 4 times the pixels, and neighbours in its order are at least 4 to 3 apart: pixels from 0.9 to 1.1
    /// leave the order as it is, pixels of 0.5 and 1.5 do not.
    #[test]
    fn an_attack_changes_the_order_of_a_map_only_where_it_can() {
        let map = || WEIGHTS.map(|weight| 2.0 * weight).to_vec();
        let attack = |radius: &'static str, others: [f32; 4]| {
            let parameters = [("similarity", "spearman"), ("radius", radius)];
            score(
                "explanation-attack",
                &parameters,
                &Asked { graph: model_of(true, others), map: map(), ..Asked::default() },
            )
        };
        assert!(attack("0.1", [0.0; 4]).value.unwrap() < 1e-9);
        let found = attack("0.5", [0.0; 4]);
        let value = found.value.unwrap();
        assert!(value > 0.1 && value <= 2.0, "{found:?}");
        assert_eq!((found.forward_passes, found.backward_passes), (41, 20));
        let curve = &found.curves[0].ys;
        assert!(curve.windows(2).all(|pair| pair[0] <= pair[1]) && curve.last() == Some(&value), "{curve:?}");
        assert!(found.notes[0].contains("in 20 of the 20 pictures"), "{:?}", found.notes);
        // The second class wins where the second pixel is brighter than the first.
        let close = attack("0.5", [3.9, 1.1, 3.0, 1.999]);
        assert!(!close.notes[0].contains("in 20 of the 20 pictures"), "{:?}", close.notes);
    }

    /// Second derivatives are twice the weights, the largest 8, and the gradient is 2 sqrt 30 long.
    #[test]
    fn the_first_order_bound_is_the_largest_second_derivative() {
        let squares = Asked { graph: model(true), ..Asked::default() };
        let found = score("first-order-bound", &[("steps", "40")], &squares);
        let expected = 0.8 / (2.0 * 30.0_f64.sqrt());
        assert!((found.value.unwrap() - expected).abs() < 1e-4, "{found:?}, not {expected}");
        let cosine = found.curves[0].ys[10];
        assert!((cosine - (1.0 - expected * expected).sqrt()).abs() < 1e-4, "{cosine}");
        assert_eq!((found.forward_passes, found.backward_passes), (81, 81));
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
