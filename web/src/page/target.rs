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

/// The answer that a target's class names, by index, label or box; nothing for `auto`, margins and unknown names.
pub(crate) fn find<'a>(class: &str, predictions: &'a [Prediction]) -> Option<&'a Prediction> {
    let index = |entry: &&Prediction| class.parse() == Ok(entry.class);
    let name = |entry: &&Prediction| entry.label == class;
    let exact = predictions.iter().find(|entry| of(entry) == class);
    exact.or_else(|| predictions.iter().find(index)).or_else(|| predictions.iter().find(name))
}

/// The class of the target that asks about an answer.
pub(crate) fn of(answer: &Prediction) -> String {
    match &answer.place {
        Some(place) => format!("box:{}", place.candidate),
        None => answer.class.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use vitrine_protocol::DetectedBox;

    use super::*;

    #[test]
    fn a_prefix_chooses_the_scalar() {
        assert_eq!(split("auto"), (Scalar::Logit, "auto"));
        assert_eq!(split("prob:3"), (Scalar::Probability, "3"));
        assert_eq!(split("logodds:owl"), (Scalar::LogOdds, "owl"));
    }

    #[test]
    fn an_answer_is_found_by_index_or_label() {
        let predictions = [Prediction { class: 3, label: "owl".into(), score: 0.9, place: None }];
        for known in ["3", "owl"] {
            assert_eq!(find(known, &predictions), Some(&predictions[0]), "{known}");
        }
        for other in ["4", "auto", "3-4", "crow"] {
            assert_eq!(find(other, &predictions), None, "{other}");
        }
    }

    #[test]
    fn a_box_is_found_by_its_candidate_or_as_the_best_of_its_class() {
        let boxed = |candidate| Prediction {
            class: 3,
            label: "owl".into(),
            score: 0.9,
            place: Some(DetectedBox { candidate, left: 0.0, top: 0.0, right: 1.0, bottom: 1.0 }),
        };
        let predictions = [boxed(7), boxed(2)];
        assert_eq!(of(&predictions[1]), "box:2");
        for (text, index) in [("box:2", 1), ("box:7", 0), ("3", 0), ("owl", 0)] {
            assert_eq!(find(text, &predictions), Some(&predictions[index]), "{text}");
        }
        assert_eq!(find("box:3", &predictions), None);
    }
}
