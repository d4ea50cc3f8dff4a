//! How alike two maps are.

use vitrine_protocol::ParameterKind;

use crate::hog::histograms;
use crate::statistics::{kendall, largest, pearson, spearman, structural_similarity};

vitrine_explain::choices! {
    /// How two maps are compared.
    pub enum Similarity {
        /// By structural similarity: windows of the two pictures beside each other.
        Ssim = "ssim",
        /// By the correlation of Pearson.
        Pearson = "pearson",
        /// By the rank correlation of Spearman.
        Spearman = "spearman",
        /// By the rank correlation of Kendall.
        Kendall = "kendall",
        /// By the correlation of histograms of oriented gradients.
        Hog = "hog",
        /// By the part of the tenth of pixels with the largest values that they share.
        TopK = "top-k",
    }
}

vitrine_explain::options! {
    /// How maps are compared.
    pub struct Comparison {
        /// How two maps are compared.
        similarity: Similarity [Similarity::kind()] = Similarity::Ssim,
        /// Whether the sign of the map is left out.
        absolute: bool [ParameterKind::Boolean] = true,
    }
}

impl Similarity {
    /// Of two maps of a width; nothing where one of them does not vary.
    pub(crate) fn of(self, a: &[f64], b: &[f64], width: usize) -> Option<f64> {
        match self {
            Similarity::Ssim => structural_similarity(a, b, width),
            Similarity::Pearson => pearson(a, b),
            Similarity::Spearman => spearman(a, b),
            Similarity::Kendall => kendall(a, b),
            Similarity::Hog => pearson(&histograms(a, width), &histograms(b, width)),
            Similarity::TopK => overlap(a, b, a.len().div_ceil(10)),
        }
    }
}

impl Comparison {
    /// How alike two maps of a width are. Each is divided by its largest absolute value first, so that its unit does not
    /// count.
    pub(crate) fn compare(&self, a: &[f32], b: &[f32], width: usize) -> Option<f64> {
        let scaled = |map: &[f32]| -> Vec<f64> {
            let most = map.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
            let scale = if most > 0.0 { 1.0 / f64::from(most) } else { 1.0 };
            let value = |value: &f32| f64::from(if self.absolute { value.abs() } else { *value }) * scale;
            map.iter().map(value).collect()
        };
        self.similarity.of(&scaled(a), &scaled(b), width)
    }
}

/// The part of the `count` largest values of both that lie at the same places; nothing where one of them does not vary.
fn overlap(a: &[f64], b: &[f64], count: usize) -> Option<f64> {
    let varies = |values: &[f64]| values.windows(2).any(|pair| pair[0] != pair[1]);
    if !varies(a) || !varies(b) {
        return None;
    }
    let mut second = vec![false; b.len()];
    largest(b, count).into_iter().for_each(|place| second[place] = true);
    let shared = largest(a, count).into_iter().filter(|place| second[*place]).count();
    Some(shared as f64 / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_that_differ_by_their_unit_are_alike() {
        let a: Vec<f32> = (0..60).map(|at| ((at * at) as f32 * 0.37).sin()).collect();
        let b: Vec<f32> = a.iter().map(|value| 100.0 * value).collect();
        for similarity in Similarity::ALL {
            let comparison = Comparison { similarity: *similarity, absolute: false };
            let found = comparison.compare(&a, &b, 10).unwrap();
            assert!((found - 1.0).abs() < 1e-6, "{similarity:?}: {found}");
            assert_eq!(comparison.compare(&[0.0; 4], &[0.0; 4], 2), None);
        }
        let opposite: Vec<f32> = a.iter().map(|value| -value).collect();
        assert!(
            Comparison { similarity: Similarity::Spearman, absolute: false }.compare(&a, &opposite, 10) < Some(-0.99)
        );
        assert!(
            Comparison { similarity: Similarity::Spearman, absolute: true }.compare(&a, &opposite, 10) > Some(0.99)
        );
    }

    #[test]
    fn of_two_leading_places_one_is_shared() {
        assert_eq!(overlap(&[9.0, 8.0, 0.0, 0.0], &[9.0, 0.0, 8.0, 0.0], 2), Some(0.5));
    }
}
