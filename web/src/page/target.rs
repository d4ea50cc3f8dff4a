//! Targets as forms show them: which answer, and which number of it.

use vitrine_protocol::Prediction;

/// The number of an answer that is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// The model's raw output.
    Logit,
    /// The probability after the softmax.
    Probability,
    /// The logarithm of the odds, probability over its complement.
    LogOdds,
}

impl Scalar {
    /// All, in menu order.
    pub(crate) const ALL: [Scalar; 3] = [Scalar::Logit, Scalar::Probability, Scalar::LogOdds];

    /// What stands before the class in a target.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Scalar::Logit => "",
            Scalar::Probability => "prob:",
            Scalar::LogOdds => "logodds:",
        }
    }

    /// Its name, with what it is in plain words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scalar::Logit => "logit, the raw output",
            Scalar::Probability => "probability",
            Scalar::LogOdds => "log-odds",
        }
    }
}

/// Takes a target apart: `prob:owl` is the probability of `owl`.
pub(crate) fn split(target: &str) -> (Scalar, &str) {
    for scalar in [Scalar::Probability, Scalar::LogOdds] {
        if let Some(class) = target.strip_prefix(scalar.prefix()) {
            return (scalar, class);
        }
    }
    (Scalar::Logit, target)
}

/// The class index that a target's class names, by index or label; nothing for `auto`, margins and unknown names.
pub(crate) fn class_of(class: &str, predictions: &[Prediction]) -> Option<usize> {
    let index = class.parse().ok().filter(|index| predictions.iter().any(|entry| entry.class == *index));
    index.or_else(|| predictions.iter().find(|entry| entry.label == class).map(|entry| entry.class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_chooses_the_scalar() {
        assert_eq!(split("auto"), (Scalar::Logit, "auto"));
        assert_eq!(split("prob:3"), (Scalar::Probability, "3"));
        assert_eq!(split("logodds:owl"), (Scalar::LogOdds, "owl"));
    }

    #[test]
    fn a_class_is_found_by_index_or_label() {
        let predictions = [Prediction { class: 3, label: "owl".into(), score: 0.9 }];
        assert_eq!(class_of("3", &predictions), Some(3));
        assert_eq!(class_of("owl", &predictions), Some(3));
        for other in ["4", "auto", "3-4", "crow"] {
            assert_eq!(class_of(other, &predictions), None, "{other}");
        }
    }
}
