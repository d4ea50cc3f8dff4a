//! Do other methods say the same?

mod kendall_agreement;
mod spearman_agreement;
mod ssim_agreement;
mod top_k_agreement;

pub use kendall_agreement::KendallAgreement;
pub use spearman_agreement::SpearmanAgreement;
pub use ssim_agreement::SsimAgreement;
pub use top_k_agreement::TopKAgreement;
use vitrine_protocol::{Better, Curve, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Question,
    metric::Found,
    similarity::{Comparison, Similarity},
    statistics::mean,
};

/// What a metric of agreement says of itself: its id, its name, its range, and by what maps are compared.
fn info(id: &str, name: &str, range: [Option<f64>; 2], how: &str) -> MetricInfo {
    MetricInfo {
        id: id.to_owned(),
        name: name.to_owned(),
        group: MetricGroup::Agreement,
        better: Better::Neither,
        range,
        meaning: format!("How much the map says the same as those of the other methods, by {how}."),
        caveat: "Methods ask different questions, so that disagreement is no error and agreement no proof.".to_owned(),
        reference: Reference {
            authors: "Krishna, Han, Gu, Wu, Jabbari, Lakkaraju".to_owned(),
            year: 2024,
            title: "The Disagreement Problem in Explainable Machine Learning: A Practitioner's Perspective".to_owned(),
            venue: "TMLR".to_owned(),
        },
        needs: vec![MetricNeed::OtherMaps],
        parameters: Vec::new(),
    }
}

/// The mean similarity to the maps of other methods, signs included.
fn with_others(question: &Question<'_>, metric: &'static str, similarity: Similarity) -> Result<Found, EvaluateError> {
    if question.others.is_empty() {
        return Err(EvaluateError::NoOthers(metric));
    }
    let comparison = Comparison { similarity, absolute: false };
    let (mut all, mut curves) = (Vec::new(), Vec::new());
    for (name, other) in question.others {
        if let Some(found) = comparison.compare(&question.map.values, &other.values, question.map.width) {
            let (x_label, y_label) = ("the other method".to_owned(), "similarity".to_owned());
            curves.push(Curve { name: name.clone(), x_label, y_label, xs: vec![1.0], ys: vec![found] });
            all.push(found);
        }
    }
    Ok(Found { value: (!all.is_empty()).then(|| mean(&all)), curves, ..Found::default() })
}

#[cfg(test)]
mod tests {
    use crate::testing::{Asked, expect, row, score};

    /// 4, 1, 3, 2 beside itself times ten and beside 1, 4, 2, 3, which is the opposite order.
    #[test]
    fn a_map_agrees_with_its_multiple_and_not_with_its_opposite() {
        let others = |maps: &[[f32; 4]]| maps.iter().map(|map| ("other".to_owned(), row(map))).collect();
        let (same, opposite) = ([40.0, 10.0, 30.0, 20.0], [1.0, 4.0, 2.0, 3.0]);
        for metric in ["spearman-agreement", "kendall-agreement"] {
            expect(metric, &[], &Asked { others: others(&[same]), ..Asked::default() }, 1.0);
            expect(metric, &[], &Asked { others: others(&[opposite]), ..Asked::default() }, -1.0);
            expect(metric, &[], &Asked { others: others(&[same, opposite]), ..Asked::default() }, 0.0);
        }
        // The leading tenth is one pixel.
        expect("top-k-agreement", &[], &Asked { others: others(&[same, opposite]), ..Asked::default() }, 0.5);
        expect("ssim-agreement", &[], &Asked { others: others(&[same]), ..Asked::default() }, 1.0);
        let found = score("spearman-agreement", &[], &Asked { others: others(&[same, opposite]), ..Asked::default() });
        assert_eq!(found.curves.len(), 2);
    }
}
