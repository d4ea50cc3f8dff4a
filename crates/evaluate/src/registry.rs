//! The one list of metrics.

use crate::{
    EvaluateError, Metric,
    agreement::{KendallAgreement, SpearmanAgreement, SsimAgreement, TopKAgreement},
    complexity::{Complexity, EffectiveComplexity, Sparseness},
    faithfulness::{
        AverageDrop, Comprehensiveness, Deletion, FaithfulnessCorrelation, FaithfulnessEstimate, Infidelity, Insertion,
        Irof, Monotonicity, MuFidelity, PixelFlipping, PlaceboControl, Query, RegionPerturbation, Road, Saco,
        Selectivity, SensitivityN, SoftmaxInformationCurve, Sufficiency,
    },
    localisation::{EnergyPointing, Iou, PointingGame, RelevanceMass, RelevanceRank, TopKIntersection},
    randomisation::{ClassSensitivity, EfficientMprt, ModelParameterRandomisation, RandomLogit, SmoothMprt},
    robustness::{
        ExplanationAttack, FirstOrderBound, InputInvariance, LocalLipschitz, ParameterConsistency, SeedConsistency,
        SensitivityAvg, SensitivityMax, SmoothedCertificate,
    },
};

/// Every metric, in menu order.
pub const METRICS: &[&dyn Metric] = &[
    &Deletion,
    &Insertion,
    &PixelFlipping,
    &RegionPerturbation,
    &Selectivity,
    &Irof,
    &Road,
    &SoftmaxInformationCurve,
    &Comprehensiveness,
    &Sufficiency,
    &Saco,
    &FaithfulnessCorrelation,
    &FaithfulnessEstimate,
    &MuFidelity,
    &SensitivityN,
    &Monotonicity,
    &Infidelity,
    &AverageDrop,
    &PlaceboControl,
    &Query,
    &SensitivityMax,
    &SensitivityAvg,
    &LocalLipschitz,
    &InputInvariance,
    &SeedConsistency,
    &ParameterConsistency,
    &ExplanationAttack,
    &FirstOrderBound,
    &SmoothedCertificate,
    &ModelParameterRandomisation,
    &EfficientMprt,
    &SmoothMprt,
    &RandomLogit,
    &ClassSensitivity,
    &Sparseness,
    &Complexity,
    &EffectiveComplexity,
    &SpearmanAgreement,
    &KendallAgreement,
    &TopKAgreement,
    &SsimAgreement,
    &PointingGame,
    &EnergyPointing,
    &TopKIntersection,
    &RelevanceMass,
    &RelevanceRank,
    &Iou,
];

/// The metric of this id.
///
/// # Errors
/// [`EvaluateError::UnknownMetric`] with the ids there are.
pub fn find(id: &str) -> Result<&'static dyn Metric, EvaluateError> {
    METRICS.iter().copied().find(|metric| metric.info().id == id).ok_or_else(|| {
        let known = METRICS.iter().map(|metric| metric.info().id).collect();
        EvaluateError::UnknownMetric { id: id.to_owned(), known }
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use vitrine_protocol::{MetricGroup, MetricInfo};

    use super::*;

    /// Ids of the metric files: every file in a group's folder but its `mod.rs`.
    fn ids_of_files() -> BTreeSet<String> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        MetricGroup::ALL
            .iter()
            .flat_map(|group| fs::read_dir(source.join(group.to_string())).unwrap())
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().replace('_', "-"))
            .filter(|name| name != "mod")
            .collect()
    }

    #[test]
    fn every_metric_file_is_registered_and_every_metric_has_its_file() {
        let registered: BTreeSet<String> = METRICS.iter().map(|metric| metric.info().id).collect();
        assert_eq!(registered, ids_of_files());
        assert_eq!(registered.len(), METRICS.len(), "two metrics share an id");
    }

    #[test]
    fn an_unknown_metric_is_refused_with_the_known_ones() {
        let error = find("auc").err().unwrap().to_string();
        assert!(error.starts_with("There is no metric \"auc\"; the metrics are deletion, insertion, "), "{error}");
    }

    #[test]
    fn meaning_and_caveat_are_plain_sentences() {
        for MetricInfo { id, meaning, caveat, .. } in METRICS.iter().map(|metric| metric.info()) {
            for sentence in [meaning, caveat] {
                assert!(sentence.starts_with(char::is_uppercase) && sentence.ends_with('.'), "{id}: {sentence:?}");
                assert_eq!(sentence.matches(". ").count(), 0, "{id}: {sentence:?}");
                assert!(!sentence.contains(['=', '*', '/', '^', '|', '<', '>', '_', '`']), "{id}: {sentence:?}");
                assert!(sentence.chars().count() <= 200, "{id}: {} characters", sentence.chars().count());
            }
        }
    }

    #[test]
    fn every_default_is_within_its_own_range() {
        for parameter in METRICS.iter().flat_map(|metric| metric.info().parameters) {
            let read = parameter.kind.parse(&parameter.default.to_string());
            assert_eq!(read.as_ref(), Ok(&parameter.default), "{parameter:?}");
            assert!(parameter.help.ends_with('.'), "the help of {} is no sentence: {:?}", parameter.id, parameter.help);
        }
    }
}
