//! Does the map say what the model looks at? Parts of the input are changed, and the target is watched.

mod average_drop;
pub(crate) mod comprehensiveness;
pub(crate) mod deletion;
mod faithfulness_correlation;
mod faithfulness_estimate;
mod infidelity;
mod insertion;
mod irof;
mod monotonicity;
mod mu_fidelity;
mod pixel_flipping;
mod placebo_control;
mod query;
mod region_perturbation;
mod road;
mod saco;
mod selectivity;
mod sensitivity_n;
mod softmax_information_curve;
mod sufficiency;

pub use average_drop::AverageDrop;
pub use comprehensiveness::Comprehensiveness;
pub use deletion::Deletion;
pub use faithfulness_correlation::FaithfulnessCorrelation;
pub use faithfulness_estimate::FaithfulnessEstimate;
pub use infidelity::{Infidelity, InfidelityOptions, Perturbation};
pub use insertion::Insertion;
pub use irof::Irof;
pub use monotonicity::Monotonicity;
pub use mu_fidelity::MuFidelity;
pub use pixel_flipping::PixelFlipping;
pub use placebo_control::{Placebo, PlaceboControl, PlaceboOptions};
pub use query::{Intervention, Query, QueryOptions};
pub use region_perturbation::RegionPerturbation;
pub use road::Road;
pub use saco::Saco;
pub use selectivity::Selectivity;
pub use sensitivity_n::SensitivityN;
pub use softmax_information_curve::SoftmaxInformationCurve;
pub use sufficiency::Sufficiency;

#[cfg(test)]
mod tests {
    use vitrine_protocol::{Channels, ImageInput, Layout};

    use crate::testing::{Asked, expect, score};

    /// Without none, the first, the first two ... pixels in the map's order the score is 10, 6, 3, 1, 0: the area is
    /// (5 + 6 + 3 + 1 + 0) / 4, the mean 4. Inserted, it is 0, 4, 7, 9, 10, with an area of (0 + 4 + 7 + 9 + 5) / 4.
    #[test]
    fn curves_of_a_linear_model_are_those_on_paper() {
        let exact = Asked::default();
        for metric in ["deletion", "pixel-flipping", "selectivity"] {
            expect(metric, &[], &exact, 3.75);
        }
        expect("insertion", &[], &exact, 6.25);
        expect("region-perturbation", &[], &exact, 6.0);
        expect("irof", &[("regions", "auto")], &exact, 0.625);
        let curve = &score("deletion", &[], &exact).curves[0];
        assert_eq!(
            (curve.xs.as_slice(), curve.ys.as_slice()),
            (&[0.0, 0.25, 0.5, 0.75, 1.0][..], &[10.0, 6.0, 3.0, 1.0, 0.0][..])
        );
        // In two steps: 10, 3, 0.
        expect("deletion", &[("steps", "2")], &exact, (5.0 + 3.0) / 2.0);
    }

    /// Of four pixels 1, 5, 10 and 20 percent are one, and half are two: 6, 6, 6, 6 and 3 are left of 10.
    #[test]
    fn what_is_lost_without_and_missing_with_the_leading_pixels() {
        expect("comprehensiveness", &[], &Asked::default(), 4.6);
        // Alone they score 4, 4, 4, 4 and 7.
        expect("sufficiency", &[], &Asked::default(), 5.4);
    }

    #[test]
    fn what_the_exact_map_foretells_comes_true() {
        let exact = Asked::default();
        for metric in ["saco", "faithfulness-correlation", "faithfulness-estimate", "mu-fidelity", "sensitivity-n"] {
            expect(metric, &[], &exact, 1.0);
        }
        expect("infidelity", &[], &exact, 0.0);
        let parameters = [("perturbation", "noise"), ("contributions", "false")];
        expect("infidelity", &parameters, &exact, 0.0);
        // Twice as much as comes true; the best scale is one half.
        let twice = Asked { map: vec![8.0, 2.0, 6.0, 4.0], ..Asked::default() };
        assert!(score("infidelity", &[], &twice).value > Some(1.0));
        expect("infidelity", &[("optimal-scale", "true")], &twice, 0.0);
    }

    /// Saliences 4, 3, 2, 1 of groups whose removal costs 1, 2, 3, 4: every pair of groups counts against the map.
    #[test]
    fn a_map_that_says_the_opposite_is_as_wrong_as_can_be() {
        let opposite = Asked { map: vec![1.0, 4.0, 2.0, 3.0], ..Asked::default() };
        expect("saco", &[], &opposite, -1.0);
        expect("faithfulness-estimate", &[], &opposite, -1.0);
    }

    /// All pixels are one, and so is what continues them, or the mean where none is left.
    #[test]
    fn what_continues_a_flat_picture_changes_nothing() {
        for infill in ["inpaint", "interpolate", "tile"] {
            let pixels = ImageInput::plain(Layout::Nchw, Channels::Grey, 1, 4);
            let asked = Asked { pixels: Some(pixels), ..Asked::default() };
            let change = |metric: &str, more: &[(&str, &str)], expected: f64| {
                let found = score(metric, &[&[("infill", infill)], more].concat(), &asked).value.unwrap();
                // ROAD's noise is a hundredth.
                let noise = if infill == "interpolate" { 0.3 } else { 1e-5 };
                assert!((found - expected).abs() < noise, "{metric}, {infill}: {found}, not {expected}");
            };
            change("deletion", &[], 10.0);
            change("comprehensiveness", &[], 0.0);
            change("average-drop", &[], 0.0);
            change("infidelity", &[("contributions", "false")], 0.0);
        }
    }

    /// The map goes from 1 to 4, so that 1, 0, 2/3 and 1/3 of the pixels are kept: 4 + 2 + 2/3 of 10.
    #[test]
    fn a_third_is_lost_when_the_picture_is_as_bright_as_the_map() {
        expect("average-drop", &[], &Asked::default(), 1.0 / 3.0);
    }

    #[test]
    fn equal_values_are_removed_in_an_order_that_the_seed_decides() {
        let blank = Asked { map: vec![0.0; 4], ..Asked::default() };
        let found = score("deletion", &[], &blank);
        assert_eq!((found.curves[0].ys.first(), found.curves[0].ys.last()), (Some(&10.0), Some(&0.0)));
        assert_eq!(score("deletion", &[], &blank).value, found.value);
    }

    #[test]
    fn altered_pictures_show_what_is_left() {
        let found = score("deletion", &[("pictures", "2")], &Asked::default());
        let seen: Vec<(f64, f64)> = found.pictures.iter().map(|altered| (altered.x, altered.y)).collect();
        assert_eq!(seen, [(0.0, 10.0), (0.5, 3.0), (1.0, 0.0)]);
        assert!(found.pictures.iter().all(|altered| (altered.picture.width, altered.picture.height) == (4, 1)));
        let inserted = score("insertion", &[("pictures", "2")], &Asked::default());
        assert_eq!(
            inserted.pictures.last().map(|altered| altered.picture.clone()),
            Some(found.pictures[0].picture.clone())
        );
        // The first and the third pixel are gone.
        let bright: Vec<u8> = found.pictures[1].picture.rgba.chunks(4).map(|pixel| pixel[0]).collect();
        assert_eq!(bright, [0, 255, 0, 255]);
    }
}
