//! The question: which scalar of the model's answer is explained.

use std::fmt;

use burn::tensor::{Tensor, activation::sigmoid};
use vitrine_graph::Value;

use crate::{
    Detected, ExplainError, Head, Scores,
    error::most_similar,
    head::{Activation, Reading, over_classes},
};

/// What is measured of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scalar {
    Logit,
    Probability,
    LogOdds,
}

/// A scalar to explain: the logit, probability or log-odds of a class, or the difference of two classes' (a margin).
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    head: Head,
    scalar: Scalar,
    class: Class,
    /// The class subtracted, for a margin.
    minus: Option<Class>,
    /// The pixels of a segmenter that are averaged over.
    region: Option<Region>,
}

/// Pixels of a plane of scores.
#[derive(Clone, Debug, PartialEq)]
struct Region {
    /// What each pixel counts; they add up to one.
    weights: Vec<f32>,
    /// How many count; all of them where none is predicted as the class.
    pixels: usize,
}

impl Region {
    /// The pixels that are predicted as a class, or all if there are none.
    fn of(class: usize, predicted: &[Option<usize>]) -> Region {
        let own = predicted.iter().filter(|pixel| **pixel == Some(class)).count();
        let pixels = if own == 0 { predicted.len() } else { own };
        let weight = 1.0 / pixels.max(1) as f32;
        let weights = predicted.iter().map(|pixel| if own == 0 || *pixel == Some(class) { weight } else { 0.0 });
        Region { weights: weights.collect(), pixels }
    }
}

/// A class and what people call it.
#[derive(Clone, Debug, PartialEq)]
struct Class {
    index: usize,
    label: Option<String>,
    /// The candidate of a detector that is asked about.
    candidate: Option<usize>,
}

impl Target {
    /// Reads a target as typed: a class index, a label (upper or lower case), `auto` for the class that `scores` puts
    /// first; `prob:T` or `logodds:T` for another scalar than the logit; `A-B` for a margin.
    ///
    /// Of a detector, `box:N` is the candidate of that number with its best class, `box:N/CLASS` with another, and a class
    /// its best box. Of a segmenter, a class is averaged over the pixels that are predicted so, or over all if there are
    /// none, as Captum's tutorial and pytorch-grad-cam do it.
    ///
    /// A number is an index even where a label is the same number. A text that is a label as a whole is never a margin,
    /// so labels may contain hyphens.
    ///
    /// # Errors
    /// A label or class that does not exist, with the nearest that do; a label of several classes; a margin between a
    /// class and itself.
    pub fn parse(text: &str, head: &Head, labels: &[String], scores: &Scores) -> Result<Target, ExplainError> {
        let (scalar, rest) = match text.split_once(':') {
            Some(("prob", rest)) => (Scalar::Probability, rest),
            Some(("logodds", rest)) => (Scalar::LogOdds, rest),
            _ => (Scalar::Logit, text),
        };
        let allowed = match head.reading {
            Reading::Classes(_) => true,
            Reading::Pixels { .. } => scalar != Scalar::LogOdds,
            Reading::Numbers | Reading::Boxes(_) => scalar == Scalar::Logit,
        };
        if !allowed {
            return Err(ExplainError::NoProbability { text: text.to_owned() });
        }
        let class = |text: &str| class(text.trim(), head, labels, scores);
        let whole = class(rest);
        let mut hyphens = rest.match_indices('-').map(|(at, _)| (&rest[..at], &rest[at + 1..]));
        let mut margin = || hyphens.find_map(|(left, right)| Some((class(left).ok()?, class(right).ok()?)));
        let (class, minus) = match whole {
            Ok(class) => (class, None),
            Err(error) => {
                let (class, minus) = margin().ok_or(error)?;
                if (class.index, class.candidate) == (minus.index, minus.candidate) {
                    return Err(ExplainError::SameClass { text: rest.to_owned() });
                }
                (class, Some(minus))
            }
        };
        let region = matches!(head.reading, Reading::Pixels { .. }).then(|| Region::of(class.index, &scores.pixels));
        Ok(Target { head: head.clone(), scalar, class, minus, region })
    }

    /// The logit of a class, without a label, of a model with one score per class.
    ///
    /// # Errors
    /// [`ExplainError::NoSuchClass`].
    pub fn logit(head: &Head, class: usize) -> Result<Target, ExplainError> {
        if class >= head.classes {
            return Err(ExplainError::NoSuchClass { class, classes: head.classes });
        }
        let class = Class { index: class, label: None, candidate: None };
        Ok(Target { head: head.clone(), scalar: Scalar::Logit, class, minus: None, region: None })
    }

    /// The same question asked of the probability; nothing of a model that gives none.
    pub fn probability(&self) -> Option<Target> {
        let has = matches!(self.head.reading, Reading::Classes(_) | Reading::Pixels { .. });
        has.then(|| Target { scalar: Scalar::Probability, ..self.clone() })
    }

    /// The same question asked of another class, without a label; nothing of a detector, or where there is no such class.
    pub fn of_another_class(&self, class: usize) -> Option<Target> {
        let fits = class < self.head.classes && !matches!(self.head.reading, Reading::Boxes(_));
        let class = Class { index: class, label: None, candidate: None };
        fits.then(|| Target { class, minus: None, ..self.clone() })
    }

    /// Where the class scores are.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Index of the class explained; of a margin the first.
    pub fn class(&self) -> usize {
        self.class.index
    }

    /// The scalar for each sample, shape `[batch]`, from the value named [`Head::logits`]; gradients flow through.
    ///
    /// # Errors
    /// [`ExplainError::Graph`] when the value is not that.
    pub fn objective(&self, logits: &Value) -> Result<Value, ExplainError> {
        let logits = self.head.arranged(logits)?;
        let value = self.of_class(&logits, &self.class)?;
        match &self.minus {
            Some(minus) => Ok(value.sub(&self.of_class(&logits, minus)?)?),
            None => Ok(value),
        }
    }

    /// Whether this is the logit of one class, of a model with one score per class.
    pub(crate) fn is_logit(&self) -> bool {
        self.scalar == Scalar::Logit && self.minus.is_none() && self.head.is_per_class()
    }

    /// Whether the scalar is a linear function of the logits.
    pub(crate) fn is_linear(&self) -> bool {
        match self.scalar {
            Scalar::Logit => !matches!(&self.head.reading, Reading::Boxes(table) if table.multiplies()),
            Scalar::LogOdds => self.head.reading == Reading::Classes(Activation::Sigmoid),
            Scalar::Probability => false,
        }
    }

    fn of_class(&self, logits: &Value, class: &Class) -> Result<Value, ExplainError> {
        let batch = logits.shape().first().copied().unwrap_or_default();
        let index = class.index;
        let value = match (&self.head.reading, self.scalar) {
            (Reading::Boxes(table), _) => table.score(logits, class.candidate.unwrap_or_default(), index)?,
            (Reading::Classes(Activation::Softmax), Scalar::LogOdds) => return self.log_odds(logits, index),
            (Reading::Classes(Activation::Sigmoid), Scalar::Probability) => logits.narrow(1, index, 1)?.map(sigmoid)?,
            (Reading::Pixels { .. }, Scalar::Probability) if self.head.classes == 1 => logits.map(sigmoid)?,
            (Reading::Classes(_) | Reading::Pixels { .. }, Scalar::Probability) => {
                over_classes(logits)?.narrow(1, index, 1)?
            }
            _ => logits.narrow(1, index, 1)?,
        };
        let value = match &self.region {
            Some(Region { weights, .. }) => {
                let weights = Value::from_f32(weights, &[1, 1, weights.len()], &value.device());
                value.mul(&weights)?.sum_axes(&[2])?
            }
            None => value,
        };
        Ok(value.reshape(&[batch])?)
    }

    /// log(p / (1 - p)) under a softmax: the logit minus the logarithm of the summed powers of all others, which stays
    /// finite where p is 1 in float32.
    fn log_odds(&self, logits: &Value, class: usize) -> Result<Value, ExplainError> {
        let mut others = Vec::new();
        for (start, end) in [(0, class), (class + 1, self.head.classes)] {
            if start < end {
                others.push(logits.narrow(1, start, end - start)?);
            }
        }
        let others = log_sum_exp(Value::concat(&others, 1)?.tensor::<2>()?);
        let odds = Value::new(logits.narrow(1, class, 1)?.tensor::<2>()? - others);
        Ok(odds.reshape(&[logits.shape()[0]])?)
    }
}

/// log(sum(exp(row))) of each row, as a column; the largest element is taken out first.
fn log_sum_exp(rows: Tensor<2>) -> Tensor<2> {
    let largest = rows.clone().detach().max_dim(1);
    (rows - largest.clone()).exp().sum_dim(1).log() + largest
}

fn class(text: &str, head: &Head, labels: &[String], scores: &Scores) -> Result<Class, ExplainError> {
    let Reading::Boxes(table) = &head.reading else { return of_name(text, head.classes, labels, scores) };
    let refused = || {
        let found = scores.boxes.iter().map(|found| found.place.candidate).collect();
        ExplainError::NoSuchBox { text: text.to_owned(), found }
    };
    let detected = |found: &Detected| Class {
        candidate: Some(found.place.candidate),
        label: labels.get(found.class).cloned(),
        index: found.class,
    };
    if text == "auto" {
        return scores.boxes.first().map(detected).ok_or_else(refused);
    }
    let Some(number) = text.strip_prefix("box:") else {
        let class = of_name(text, head.classes, labels, scores)?;
        return scores.boxes.iter().find(|found| found.class == class.index).map(detected).ok_or_else(refused);
    };
    let (number, class) = number.split_once('/').map_or((number, None), |(number, class)| (number, Some(class)));
    let candidate: usize = number.trim().parse().map_err(|_| refused())?;
    match class {
        Some(class) if candidate < table.candidates => {
            Ok(Class { candidate: Some(candidate), ..of_name(class.trim(), head.classes, labels, scores)? })
        }
        Some(_) => Err(refused()),
        None => scores.boxes.iter().find(|found| found.place.candidate == candidate).map(detected).ok_or_else(refused),
    }
}

/// A class by its number or label.
fn of_name(text: &str, classes: usize, labels: &[String], scores: &Scores) -> Result<Class, ExplainError> {
    let named = |index: usize| Class { index, label: labels.get(index).cloned(), candidate: None };
    if text == "auto" {
        return Ok(named(scores.top()));
    }
    if let Ok(class) = text.parse::<usize>() {
        let exists = class < classes;
        return if exists { Ok(named(class)) } else { Err(ExplainError::NoSuchClass { class, classes }) };
    }
    let wanted = text.to_lowercase();
    let known = labels.iter().take(classes).enumerate();
    let matching: Vec<usize> =
        known.filter(|(_, label)| label.to_lowercase() == wanted).map(|(index, _)| index).collect();
    match matching[..] {
        [index] => Ok(named(index)),
        [] => {
            let nearest = most_similar(text, labels.iter().map(String::as_str));
            Err(ExplainError::UnknownLabel { label: text.to_owned(), nearest })
        }
        _ => Err(ExplainError::AmbiguousLabel { label: text.to_owned(), classes: matching }),
    }
}

impl fmt::Display for Class {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(candidate) = self.candidate {
            write!(formatter, "box {candidate} as ")?;
        }
        match &self.label {
            Some(label) => write!(formatter, "{} ({label})", self.index),
            None => self.index.fmt(formatter),
        }
    }
}

impl fmt::Display for Target {
    /// In words: `logit of 3 (owl)`, `probability of 3 (owl) minus 5 (duck)`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scalar = match self.scalar {
            Scalar::Logit if matches!(self.head.reading, Reading::Boxes(_)) => "score",
            Scalar::Logit => "logit",
            Scalar::Probability => "probability",
            Scalar::LogOdds => "log-odds",
        };
        match self.head.reading {
            Reading::Numbers => write!(formatter, "number {}", self.class)?,
            _ => write!(formatter, "{scalar} of {}", self.class)?,
        }
        if let Some(minus) = &self.minus {
            write!(formatter, " minus {minus}")?;
        }
        match &self.region {
            Some(Region { pixels, weights }) if *pixels == weights.len() => write!(formatter, ", mean over all pixels"),
            Some(Region { pixels, .. }) => write!(formatter, ", mean over the {pixels} pixels predicted so"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use vitrine_protocol::Layout;

    use super::*;
    use crate::testing::{device, read};

    fn head(activation: Activation) -> Head {
        Head { logits: "logits".to_owned(), classes: 3, reading: Reading::Classes(activation), split_off: None }
    }

    fn scores() -> Scores {
        Scores { logits: vec![0.0, 2.0, 1.0], probabilities: vec![0.1, 0.6, 0.3], ..Scores::default() }
    }

    fn parse(text: &str) -> Result<Target, ExplainError> {
        let labels = ["Barn owl", "king-fisher", "duck"].map(str::to_owned);
        Target::parse(text, &head(Activation::Softmax), &labels, &scores())
    }

    #[test]
    fn targets_are_read_as_the_documentation_says() {
        for (text, words) in [
            ("auto", "logit of 1 (king-fisher)"),
            ("2", "logit of 2 (duck)"),
            ("barn OWL", "logit of 0 (Barn owl)"),
            ("King-Fisher", "logit of 1 (king-fisher)"),
            ("prob:duck", "probability of 2 (duck)"),
            ("logodds:auto", "log-odds of 1 (king-fisher)"),
            ("0-2", "logit of 0 (Barn owl) minus 2 (duck)"),
            ("king-fisher-barn owl", "logit of 1 (king-fisher) minus 0 (Barn owl)"),
            ("prob:duck-king-fisher", "probability of 2 (duck) minus 1 (king-fisher)"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), words, "{text:?}");
        }
    }

    #[test]
    fn what_does_not_exist_is_refused_with_what_does() {
        let refusal = |text| parse(text).unwrap_err().to_string();
        assert_eq!(refusal("3"), "There is no class 3: the model has 3 classes, numbered from 0.");
        let error = refusal("bran owl");
        assert!(
            error.starts_with("The model has no class \"bran owl\"; the nearest labels are \"Barn owl\""),
            "{error}"
        );
        assert!(refusal("duck-2").contains("a class and itself"), "{}", refusal("duck-2"));
        let twice = ["crane", "heron", "crane"].map(str::to_owned);
        let error = Target::parse("crane", &head(Activation::Softmax), &twice, &scores()).unwrap_err().to_string();
        assert_eq!(error, "2 classes are called \"crane\"; give one of their numbers instead: 0, 2.");
        let error = Target::parse("owl", &head(Activation::Softmax), &[], &scores()).unwrap_err().to_string();
        assert_eq!(error, "The model has no class \"owl\".");
    }

    /// The target's value for logits 0, ln 2, ln 5: probabilities 1/8, 2/8, 5/8.
    fn objective(text: &str, activation: Activation) -> f32 {
        let target = Target::parse(text, &head(activation), &[], &scores()).unwrap();
        let logits = Value::from_f32(&[0.0, 2.0_f32.ln(), 5.0_f32.ln()], &[1, 3], &device());
        read(&target.objective(&logits).unwrap())[0]
    }

    #[test]
    fn each_scalar_has_its_value() {
        let close = |found: f32, expected: f32| assert!((found - expected).abs() < 1e-6, "{found}, not {expected}");
        close(objective("2", Activation::Softmax), 5.0_f32.ln());
        close(objective("prob:2", Activation::Softmax), 0.625);
        close(objective("logodds:0", Activation::Softmax), (1.0_f32 / 7.0).ln());
        close(objective("logodds:1", Activation::Softmax), (1.0_f32 / 3.0).ln());
        close(objective("2-1", Activation::Softmax), 2.5_f32.ln());
        close(objective("prob:2-1", Activation::Softmax), 0.375);
        close(objective("prob:1", Activation::Sigmoid), 2.0 / 3.0);
        close(objective("logodds:1", Activation::Sigmoid), 2.0_f32.ln());
    }

    #[test]
    fn log_odds_stay_finite_where_the_probability_is_one() {
        let target = Target::parse("logodds:0", &head(Activation::Softmax), &[], &scores()).unwrap();
        let logits = Value::from_f32(&[90.0, 0.0, 0.0, -90.0, 0.0, 0.0], &[2, 3], &device());
        let odds = read(&target.objective(&logits).unwrap());
        let expected = [90.0 - 2.0_f32.ln(), -90.0 - 2.0_f32.ln()];
        assert!(odds.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-4), "{odds:?}");
    }
    /// Two classes on three pixels; the first pixel is predicted as class 0, the others as class 1.
    fn planes(layout: Layout, text: &str) -> (String, f32) {
        let head =
            Head { logits: "y".into(), classes: 2, reading: Reading::Pixels { layout, area: 3 }, split_off: None };
        let scores =
            Scores { logits: vec![1.0 / 3.0, 2.0 / 3.0], pixels: vec![Some(0), Some(1), Some(1)], ..Scores::default() };
        let target = Target::parse(text, &head, &[], &scores).unwrap();
        let (values, shape) = match layout {
            Layout::Nchw => ([1.0, 0.0, 3.0, 0.0, 2.0, 4.0], [1, 2, 1, 3]),
            Layout::Nhwc => ([1.0, 0.0, 0.0, 2.0, 3.0, 4.0], [1, 1, 3, 2]),
        };
        // The second sample is as the first, with every score one higher.
        let twice: Vec<f32> = values.into_iter().chain(values.map(|value| value + 1.0)).collect();
        let shape = [&[2], &shape[1..]].concat();
        let found = read(&target.objective(&Value::from_f32(&twice, &shape, &device())).unwrap());
        let step = if text.starts_with("prob") || text.contains('-') { 0.0 } else { 1.0 };
        assert!((found[1] - found[0] - step).abs() < 1e-6, "{found:?}");
        (target.to_string(), found[0])
    }

    #[test]
    fn a_class_of_a_segmenter_is_averaged_over_its_region() {
        let first = 1.0 / (1.0 + (-1.0_f32).exp());
        for layout in [Layout::Nchw, Layout::Nhwc] {
            for (text, words, expected) in [
                ("auto", "logit of 1, mean over the 2 pixels predicted so", 3.0),
                ("0", "logit of 0, mean over the 1 pixels predicted so", 1.0),
                ("prob:0", "probability of 0, mean over the 1 pixels predicted so", first),
                ("1-0", "logit of 1 minus 0, mean over the 2 pixels predicted so", 1.5),
            ] {
                let (found, value) = planes(layout, text);
                assert_eq!(found, words);
                assert!((value - expected).abs() < 1e-6, "{text}: {value}, not {expected}");
            }
        }
        let nowhere = Region::of(2, &[Some(0), None]);
        assert_eq!((nowhere.weights, nowhere.pixels), (vec![0.5, 0.5], 2));
    }

    #[test]
    fn numbers_without_classes_have_no_probability() {
        let head = Head { reading: Reading::Numbers, ..head(Activation::Softmax) };
        let target = Target::parse("2", &head, &[], &scores()).unwrap();
        assert_eq!(target.to_string(), "number 2");
        let error = Target::parse("prob:2", &head, &[], &scores()).unwrap_err().to_string();
        assert!(error.contains("no such number") && error.contains("\"prob:2\""), "{error}");
    }
}
