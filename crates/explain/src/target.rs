//! The question: which scalar of the model's answer is explained.

use std::fmt;

use burn::tensor::{
    Tensor,
    activation::{sigmoid, softmax},
};
use vitrine_graph::{Graph, Run, Value};

use crate::{ExplainError, attribution::check_finite, error::most_similar};

/// Where a model keeps its class scores: its first output, or what enters the softmax or sigmoid that makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    logits: String,
    classes: usize,
    activation: Activation,
    split_off: Option<&'static str>,
}

/// How logits become probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activation {
    Softmax,
    /// Each class for itself; so for a model with a single score too.
    Sigmoid,
}

impl Head {
    /// Finds the class scores of a graph.
    ///
    /// # Errors
    /// [`ExplainError::NotClassScores`] unless the first output has one score per class: shape `[1, classes]`, with
    /// any further axes of length one.
    pub fn of(graph: &Graph) -> Result<Head, ExplainError> {
        let output = graph.outputs().first().copied().unwrap_or_default();
        let (logits, activation) = before_activation(graph, output);
        let split_off = (logits != output).then_some(match activation {
            Activation::Softmax => "softmax",
            Activation::Sigmoid => "sigmoid",
        });
        let values = graph.values()?;
        let shape = values.into_iter().find(|value| value.name == logits).map(|value| value.shape).unwrap_or_default();
        let classes = shape.iter().product();
        let per_class = shape.len() >= 2 && shape[0] == 1 && shape.iter().filter(|&&length| length != 1).count() <= 1;
        if !per_class || classes == 0 {
            return Err(ExplainError::NotClassScores { output: output.to_owned(), shape });
        }
        let activation = if classes == 1 { Activation::Sigmoid } else { activation };
        Ok(Head { logits: logits.to_owned(), classes, activation, split_off })
    }

    /// Name of the value that holds the logits.
    pub fn logits(&self) -> &str {
        &self.logits
    }

    /// Whether classes exclude one another (softmax) or each is answered for itself (sigmoid).
    pub fn is_exclusive(&self) -> bool {
        self.activation == Activation::Softmax
    }

    /// What comes after the logits, which are explained without it: `softmax` or `sigmoid`, where the graph has one.
    pub fn split_off(&self) -> Option<&'static str> {
        self.split_off
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Runs the model on one input `[1, ...]`.
    ///
    /// # Errors
    /// What running the model refuses; [`ExplainError::NotFinite`] when a score overflows.
    pub async fn scores(&self, graph: &Graph, input_name: &str, input: &Value) -> Result<Scores, ExplainError> {
        let trace = graph.run(&Run::of([self.logits()]).feed(input_name, input.clone()))?;
        let logits = trace.value(&self.logits)?.to_vec().await?;
        check_finite(&logits, "A score of the model on this input", "check the input's values and the model card")?;
        let probabilities = match self.activation {
            Activation::Softmax => {
                let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let powers: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - largest).exp()).collect();
                let sum: f64 = powers.iter().sum();
                powers.iter().map(|power| (power / sum) as f32).collect()
            }
            Activation::Sigmoid => logits.iter().map(|&logit| (1.0 / (1.0 + f64::from(-logit).exp())) as f32).collect(),
        };
        Ok(Scores { logits, probabilities })
    }
}

/// The value before a final softmax or sigmoid, seen through nodes that only change the shape.
fn before_activation<'a>(graph: &'a Graph, output: &'a str) -> (&'a str, Activation) {
    let mut value = output;
    while let Some(node) = graph.producer(value)
        && let Some(input) = node.inputs.first()
    {
        match node.operator.as_str() {
            "Softmax" | "LogSoftmax" => return (input, Activation::Softmax),
            "Sigmoid" => return (input, Activation::Sigmoid),
            "Identity" | "Flatten" | "Reshape" | "Squeeze" => value = input,
            _ => break,
        }
    }
    (output, Activation::Softmax)
}

/// A model's answer to one input.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// One logit per class.
    pub logits: Vec<f32>,
    /// One probability per class.
    pub probabilities: Vec<f32>,
}

impl Scores {
    /// The class with the largest logit; the first of several.
    pub fn top(&self) -> usize {
        let beats = |best: usize, class: usize| self.logits[class] > self.logits[best];
        (1..self.logits.len()).fold(0, |best, class| if beats(best, class) { class } else { best })
    }
}

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
}

/// A class and what people call it.
#[derive(Clone, Debug, PartialEq)]
struct Class {
    index: usize,
    label: Option<String>,
}

impl Target {
    /// Reads a target as typed: a class index, a label (upper or lower case), `auto` for the class that `scores` puts
    /// first; `prob:T` or `logodds:T` for another scalar than the logit; `A-B` for a margin.
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
        let class = |text: &str| class(text.trim(), head.classes, labels, scores);
        let whole = class(rest);
        let mut hyphens = rest.match_indices('-').map(|(at, _)| (&rest[..at], &rest[at + 1..]));
        let mut margin = || hyphens.find_map(|(left, right)| Some((class(left).ok()?, class(right).ok()?)));
        let (class, minus) = match whole {
            Ok(class) => (class, None),
            Err(error) => {
                let (class, minus) = margin().ok_or(error)?;
                if class.index == minus.index {
                    return Err(ExplainError::SameClass { text: rest.to_owned() });
                }
                (class, Some(minus))
            }
        };
        Ok(Target { head: head.clone(), scalar, class, minus })
    }

    /// The logit of a class, without a label.
    ///
    /// # Errors
    /// [`ExplainError::NoSuchClass`].
    pub fn logit(head: &Head, class: usize) -> Result<Target, ExplainError> {
        if class >= head.classes {
            return Err(ExplainError::NoSuchClass { class, classes: head.classes });
        }
        let class = Class { index: class, label: None };
        Ok(Target { head: head.clone(), scalar: Scalar::Logit, class, minus: None })
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
        let batch = logits.len() / self.head.classes;
        let logits = logits.reshape(&[batch, self.head.classes])?;
        let value = self.of_class(&logits, self.class.index)?;
        match &self.minus {
            Some(minus) => Ok(value.sub(&self.of_class(&logits, minus.index)?)?),
            None => Ok(value),
        }
    }

    /// Whether this is the logit of one class.
    pub(crate) fn is_logit(&self) -> bool {
        self.scalar == Scalar::Logit && self.minus.is_none()
    }

    /// Whether the scalar is a linear function of the logits.
    pub(crate) fn is_linear(&self) -> bool {
        match self.scalar {
            Scalar::Logit => true,
            Scalar::LogOdds => self.head.activation == Activation::Sigmoid,
            Scalar::Probability => false,
        }
    }

    fn of_class(&self, logits: &Value, class: usize) -> Result<Value, ExplainError> {
        let per_class = match (self.scalar, self.head.activation) {
            (Scalar::Logit, _) | (Scalar::LogOdds, Activation::Sigmoid) => logits.clone(),
            (Scalar::Probability, Activation::Softmax) => Value::new(softmax(logits.tensor::<2>()?, 1)),
            (Scalar::Probability, Activation::Sigmoid) => logits.map(sigmoid)?,
            (Scalar::LogOdds, Activation::Softmax) => return self.log_odds(logits, class),
        };
        Ok(per_class.narrow(1, class, 1)?.reshape(&[logits.shape()[0]])?)
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

fn class(text: &str, classes: usize, labels: &[String], scores: &Scores) -> Result<Class, ExplainError> {
    let named = |index: usize| Class { index, label: labels.get(index).cloned() };
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
            Scalar::Logit => "logit",
            Scalar::Probability => "probability",
            Scalar::LogOdds => "log-odds",
        };
        write!(formatter, "{scalar} of {}", self.class)?;
        match &self.minus {
            Some(minus) => write!(formatter, " minus {minus}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use vitrine_onnx::Node;

    use super::*;
    use crate::testing::{ends_with, read};

    fn head(activation: Activation) -> Head {
        Head { logits: "logits".to_owned(), classes: 3, activation, split_off: None }
    }

    fn scores() -> Scores {
        Scores { logits: vec![0.0, 2.0, 1.0], probabilities: vec![0.1, 0.6, 0.3] }
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
        let logits = Value::from_f32(&[0.0, 2.0_f32.ln(), 5.0_f32.ln()], &[1, 3], &Device::flex());
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
        let logits = Value::from_f32(&[90.0, 0.0, 0.0, -90.0, 0.0, 0.0], &[2, 3], &Device::flex());
        let odds = read(&target.objective(&logits).unwrap());
        let expected = [90.0 - 2.0_f32.ln(), -90.0 - 2.0_f32.ln()];
        assert!(odds.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-4), "{odds:?}");
    }

    #[test]
    fn logits_are_found_before_a_softmax_and_behind_flattening() {
        let head = |nodes: Vec<Node>| Head::of(&ends_with(nodes)).unwrap();
        let plain = head(vec![Node::new("Identity", &["scores"], &["y"])]);
        let expected =
            |logits: &str, activation, split_off| Head { logits: logits.into(), classes: 3, activation, split_off };
        assert_eq!(plain, expected("y", Activation::Softmax, None));
        let soft = head(vec![Node::new("Softmax", &["scores"], &["p"]), Node::new("Flatten", &["p"], &["y"])]);
        assert_eq!(soft, expected("scores", Activation::Softmax, Some("softmax")));
        let each = head(vec![Node::new("Sigmoid", &["scores"], &["y"])]);
        assert_eq!(each, expected("scores", Activation::Sigmoid, Some("sigmoid")));
    }

    #[test]
    fn probabilities_are_those_of_the_final_activation() {
        let graph = ends_with(vec![Node::new("Softmax", &["scores"], &["y"])]);
        let input = Value::from_f32(&[0.0, 2.0_f32.ln(), 5.0_f32.ln()], &[1, 3], &Device::flex());
        let head = Head::of(&graph).unwrap();
        let scores = pollster::block_on(head.scores(&graph, "x", &input)).unwrap();
        let expected = [0.125, 0.25, 0.625];
        assert!(scores.probabilities.iter().zip(expected).all(|(p, q)| (p - q).abs() < 1e-6), "{scores:?}");
        assert_eq!(scores.top(), 2);
    }
}
