//! The one list of protocols.

use crate::{
    EvaluateError,
    ground_truth::{
        DiFull, DiPart, GridPointingGame, NoiseSignal, NullBlock, PartInterventions, Protocol, RelativeImportance,
        WatermarkDetection,
    },
};

/// Every protocol, in menu order.
pub const PROTOCOLS: &[&dyn Protocol] = &[
    &GridPointingGame,
    &DiPart,
    &DiFull,
    &PartInterventions,
    &WatermarkDetection,
    &RelativeImportance,
    &NullBlock,
    &NoiseSignal,
];

/// The protocol of this id.
///
/// # Errors
/// [`EvaluateError::UnknownProtocol`] with the ids there are.
pub fn find(id: &str) -> Result<&'static dyn Protocol, EvaluateError> {
    PROTOCOLS.iter().copied().find(|protocol| protocol.info().id == id).ok_or_else(|| {
        let known = PROTOCOLS.iter().map(|protocol| protocol.info().id).collect();
        EvaluateError::UnknownProtocol { id: id.to_owned(), known }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use vitrine_protocol::ProtocolInfo;

    use super::*;
    use crate::METRICS;

    #[test]
    fn no_two_protocols_or_metrics_share_an_id() {
        let metrics = METRICS.iter().map(|metric| metric.info().id);
        let ids: Vec<String> = PROTOCOLS.iter().map(|protocol| protocol.info().id).chain(metrics).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
        let error = find("dipart").err().unwrap().to_string();
        assert!(
            error.starts_with("There is no protocol \"dipart\"; the protocols are grid-pointing-game, "),
            "{error}"
        );
    }

    #[test]
    fn meaning_and_caveat_are_plain_sentences_and_a_model_is_named() {
        for ProtocolInfo { id, meaning, caveat, models, .. } in PROTOCOLS.iter().map(|protocol| protocol.info()) {
            for sentence in [meaning, caveat] {
                assert!(sentence.starts_with(char::is_uppercase) && sentence.ends_with('.'), "{id}: {sentence:?}");
                assert_eq!(sentence.matches(". ").count(), 0, "{id}: {sentence:?}");
                assert!(sentence.chars().count() <= 200, "{id}: {} characters", sentence.chars().count());
            }
            assert!(!models.is_empty(), "{id}");
        }
    }
}
