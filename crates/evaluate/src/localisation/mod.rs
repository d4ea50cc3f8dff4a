//! Does the map lie on a place that is known?

mod energy_pointing;
mod iou;
mod pointing_game;
mod relevance_mass;
mod relevance_rank;
mod top_k_intersection;

pub use energy_pointing::EnergyPointing;
pub use iou::Iou;
pub use pointing_game::PointingGame;
pub use relevance_mass::RelevanceMass;
pub use relevance_rank::RelevanceRank;
pub use top_k_intersection::TopKIntersection;

use crate::{EvaluateError, Question};

/// Which pixels are on the place: some, and not all.
fn inside(question: &Question<'_>, metric: &'static str) -> Result<Vec<bool>, EvaluateError> {
    let mask = question.mask.ok_or(EvaluateError::NoMask(metric))?;
    let inside: Vec<bool> = mask.values.iter().map(|value| *value > 0.0).collect();
    match (inside.contains(&true), inside.contains(&false)) {
        (false, _) => Err(EvaluateError::Mask("no pixel")),
        (_, false) => Err(EvaluateError::Mask("every pixel")),
        _ => Ok(inside),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Asked, expect};

    /// Values of 4, -1, 3 and 2; the place is the first pixel, then the second and the third.
    #[test]
    fn numbers_of_a_map_of_four_pixels() {
        let on = |mask: [f32; 4]| Asked { map: vec![4.0, -1.0, 3.0, 2.0], mask: mask.to_vec(), ..Asked::default() };
        let (first, inner) = (on([1.0, 0.0, 0.0, 0.0]), on([0.0, 1.0, 1.0, 0.0]));
        expect("pointing-game", &[], &first, 1.0);
        expect("pointing-game", &[], &inner, 0.0);
        expect("pointing-game", &[("tolerance", "1")], &inner, 1.0);
        expect("energy-pointing", &[], &first, 4.0 / 9.0);
        expect("energy-pointing", &[], &inner, 3.0 / 9.0);
        expect("relevance-mass", &[], &inner, 4.0 / 10.0);
        expect("relevance-rank", &[], &inner, 0.5);
        expect("top-k-intersection", &[("part", "0.75")], &inner, 1.0 / 3.0);
        // Above 0.6 of 4 are the first and the third: one on the place, three on either.
        expect("iou", &[("threshold", "0.6")], &inner, 1.0 / 3.0);
    }
}
