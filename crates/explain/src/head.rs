//! Where a model keeps its answer, and how to read it.

use burn::tensor::{Tensor, activation::softmax};
use vitrine_graph::{Graph, Run, Value};
use vitrine_protocol::{Detections, ImageInput, Layout};

use crate::{
    ExplainError,
    attribution::check_finite,
    boxes::{Detected, Table},
};

/// What a target is a number of: the model's class scores, before a softmax or sigmoid that makes them probabilities, its
/// planes of scores, its boxes, or single numbers that it gives out.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    pub(crate) logits: String,
    pub(crate) classes: usize,
    pub(crate) reading: Reading,
    pub(crate) split_off: Option<&'static str>,
}

/// How the value named by a head is read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reading {
    /// One score per class.
    Classes(Activation),
    /// Numbers without a meaning of their own, such as those of an embedding.
    Numbers,
    /// One score per class and pixel.
    Pixels { layout: Layout, area: usize },
    /// Candidates with a box and scores each.
    Boxes(Box<Table>),
}

/// How logits become probabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
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
        let (mut head, activation, shape) = Head::first(graph)?;
        let per_class = shape.len() >= 2 && shape[0] == 1 && shape.iter().filter(|&&length| length != 1).count() <= 1;
        if !per_class || head.classes == 0 {
            let output = graph.outputs().first().copied().unwrap_or_default().to_owned();
            return Err(ExplainError::NotClassScores { output, shape });
        }
        head.reading = Reading::Classes(if head.classes == 1 { Activation::Sigmoid } else { activation });
        Ok(head)
    }

    /// Every number of the first output by itself, for models without classes.
    ///
    /// # Errors
    /// [`ExplainError::NotClassScores`] when the output holds no floating-point numbers.
    pub fn numbers(graph: &Graph) -> Result<Head, ExplainError> {
        let (head, _, shape) = Head::first(graph)?;
        let output = graph.outputs().first().copied().unwrap_or_default().to_owned();
        if shape.first() != Some(&1) || head.classes == 0 {
            return Err(ExplainError::NotClassScores { output, shape });
        }
        // What an activation gives out is what is asked about.
        Ok(Head { logits: output, split_off: None, ..head })
    }

    /// The planes of scores of a segmenter: a first output of shape `[1, classes, height, width]`, or with the classes
    /// last.
    ///
    /// # Errors
    /// [`ExplainError::NotPlanes`] for another shape.
    pub fn pixels(graph: &Graph, layout: Layout) -> Result<Head, ExplainError> {
        let (mut head, _, shape) = Head::first(graph)?;
        (head.classes, head.reading) = match (layout, &shape[..]) {
            (Layout::Nchw, &[1, classes, height, width]) | (Layout::Nhwc, &[1, height, width, classes])
                if classes * height * width > 0 =>
            {
                (classes, Reading::Pixels { layout, area: height * width })
            }
            _ => {
                let output = graph.outputs().first().copied().unwrap_or_default().to_owned();
                return Err(ExplainError::NotPlanes { output, shape });
            }
        };
        Ok(head)
    }

    /// The candidates of a detector. With labels there are as many classes, otherwise as many as there are scores.
    ///
    /// # Errors
    /// [`ExplainError::NotBoxes`] with the field of the description that the graph contradicts.
    pub fn boxes(graph: &Graph, read: &Detections, labels: usize, input: &ImageInput) -> Result<Head, ExplainError> {
        let table = Table::new(graph, read, labels, input)?;
        let (logits, classes) = (read.scores.clone(), table.classes);
        Ok(Head { logits, classes, reading: Reading::Boxes(Box::new(table)), split_off: None })
    }

    /// The first output, or what enters its activation, with its shape.
    fn first(graph: &Graph) -> Result<(Head, Activation, Vec<usize>), ExplainError> {
        let output = graph.outputs().first().copied().unwrap_or_default();
        let (logits, activation) = before_activation(graph, output);
        let split_off = (logits != output).then_some(match activation {
            Activation::Softmax => "softmax",
            Activation::Sigmoid => "sigmoid",
        });
        let values = graph.values()?;
        let shape = values.into_iter().find(|value| value.name == logits).map(|value| value.shape).unwrap_or_default();
        let classes = shape.iter().product();
        let head = Head { logits: logits.to_owned(), classes, reading: Reading::Numbers, split_off };
        Ok((head, activation, shape))
    }

    /// Name of the value that holds the logits.
    pub fn logits(&self) -> &str {
        &self.logits
    }

    /// Whether classes exclude one another (softmax) or each is answered for itself (sigmoid).
    pub fn is_exclusive(&self) -> bool {
        self.reading == Reading::Classes(Activation::Softmax)
    }

    /// Whether the answer is one score per class.
    pub fn is_per_class(&self) -> bool {
        matches!(self.reading, Reading::Classes(_))
    }

    /// Whether [`Scores::probabilities`] are fractions rather than whatever the model gives out.
    pub fn gives_probabilities(&self) -> bool {
        self.reading != Reading::Numbers
    }

    /// What comes after the logits, which are explained without it: `softmax` or `sigmoid`, where the graph has one.
    pub fn split_off(&self) -> Option<&'static str> {
        self.split_off
    }

    /// Number of classes, or of the numbers of a model without.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Runs the model on one input `[1, ...]`.
    ///
    /// # Errors
    /// What running the model refuses; [`ExplainError::NotFinite`] when a score overflows.
    pub async fn scores(&self, graph: &Graph, input_name: &str, input: &Value) -> Result<Scores, ExplainError> {
        let boxes = match &self.reading {
            Reading::Boxes(table) => Some(table.boxes()),
            _ => None,
        };
        let run = Run::of([self.logits()].into_iter().chain(boxes)).feed(input_name, input.clone());
        let trace = graph.run(&run)?;
        let value = trace.value(&self.logits)?;
        let logits = value.to_vec().await?;
        check_finite(&logits, "A score of the model on this input", "check the input's values and the model card")?;
        let probabilities = match &self.reading {
            Reading::Classes(Activation::Softmax) => {
                let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let powers: Vec<f64> = logits.iter().map(|&logit| f64::from(logit - largest).exp()).collect();
                let sum: f64 = powers.iter().sum();
                powers.iter().map(|power| (power / sum) as f32).collect()
            }
            Reading::Classes(Activation::Sigmoid) => {
                logits.iter().map(|&logit| (1.0 / (1.0 + f64::from(-logit).exp())) as f32).collect()
            }
            Reading::Numbers => logits.clone(),
            Reading::Pixels { area, .. } => return Ok(self.of_pixels(&self.arranged(value)?.to_vec().await?, *area)),
            Reading::Boxes(table) => {
                let boxes = trace.value(table.boxes())?.to_vec().await?;
                return Ok(Scores::of_boxes(table.detect(&boxes, &logits), self.classes));
            }
        };
        Ok(Scores { logits, probabilities, ..Scores::default() })
    }

    /// The shares of the picture that each class is predicted on. A single class is predicted where its score is
    /// positive.
    fn of_pixels(&self, planes: &[f32], area: usize) -> Scores {
        let best = |pixel: usize| {
            let score = |class: usize| planes[class * area + pixel];
            let first = (self.classes > 1 || score(0) > 0.0).then_some(0);
            (1..self.classes).fold(first, |best, class| match best {
                Some(best) if score(class) <= score(best) => Some(best),
                _ => Some(class),
            })
        };
        let pixels: Vec<Option<usize>> = (0..area).map(best).collect();
        let mut shares = vec![0.0; self.classes];
        for class in pixels.iter().flatten() {
            shares[*class] += 1.0 / area as f32;
        }
        Scores { logits: shares.clone(), probabilities: shares, pixels, boxes: Vec::new() }
    }

    /// The value named [`Head::logits`], of any batch, with its axes in one order: `[batch, classes]`, with the pixels
    /// behind, or `[batch, candidates, numbers]`.
    pub(crate) fn arranged(&self, logits: &Value) -> Result<Value, ExplainError> {
        Ok(match &self.reading {
            Reading::Classes(_) | Reading::Numbers => logits.reshape(&[logits.len() / self.classes, self.classes])?,
            Reading::Pixels { layout, area } => {
                let batch = logits.len() / (self.classes * area);
                match layout {
                    Layout::Nchw => logits.reshape(&[batch, self.classes, *area])?,
                    Layout::Nhwc => logits.reshape(&[batch, *area, self.classes])?.permute(&[0, 2, 1])?,
                }
            }
            Reading::Boxes(table) => table.arranged(logits)?,
        })
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

/// Softmax over the classes of `[batch, classes]` or `[batch, classes, pixels]`.
pub(crate) fn over_classes(logits: &Value) -> Result<Value, ExplainError> {
    fn of<const D: usize>(tensor: Tensor<D>) -> Value {
        Value::new(softmax(tensor, 1))
    }
    Ok(if logits.shape().len() == 2 { of(logits.tensor::<2>()?) } else { of(logits.tensor::<3>()?) })
}

/// A model's answer to one input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// One logit per class.
    pub logits: Vec<f32>,
    /// One probability per class; of a segmenter the share of the picture, of a detector the score of the best box.
    pub probabilities: Vec<f32>,
    /// The class that a segmenter predicts for each pixel, row by row.
    pub pixels: Vec<Option<usize>>,
    /// What a detector finds, best first.
    pub boxes: Vec<Detected>,
}

impl Scores {
    /// The class with the largest logit; the first of several.
    pub fn top(&self) -> usize {
        let beats = |best: usize, class: usize| self.logits[class] > self.logits[best];
        (1..self.logits.len()).fold(0, |best, class| if beats(best, class) { class } else { best })
    }

    fn of_boxes(boxes: Vec<Detected>, classes: usize) -> Scores {
        let best = |class| boxes.iter().find(|found| found.class == class).map_or(0.0, |found| found.score);
        let probabilities: Vec<f32> = (0..classes).map(best).collect();
        Scores { logits: probabilities.clone(), probabilities, pixels: Vec::new(), boxes }
    }
}

#[cfg(test)]
mod tests {
    use vitrine_onnx::Node;

    use super::*;
    use crate::testing::{device, ends_with};

    #[test]
    fn logits_are_found_before_a_softmax_and_behind_flattening() {
        let head = |nodes: Vec<Node>| Head::of(&ends_with(nodes)).unwrap();
        let plain = head(vec![Node::new("Identity", &["scores"], &["y"])]);
        let expected = |logits: &str, activation, split_off| Head {
            logits: logits.into(),
            classes: 3,
            reading: Reading::Classes(activation),
            split_off,
        };
        assert_eq!(plain, expected("y", Activation::Softmax, None));
        let soft = head(vec![Node::new("Softmax", &["scores"], &["p"]), Node::new("Flatten", &["p"], &["y"])]);
        assert_eq!(soft, expected("scores", Activation::Softmax, Some("softmax")));
        let each = head(vec![Node::new("Sigmoid", &["scores"], &["y"])]);
        assert_eq!(each, expected("scores", Activation::Sigmoid, Some("sigmoid")));
    }

    #[test]
    fn probabilities_are_those_of_the_final_activation() {
        let graph = ends_with(vec![Node::new("Softmax", &["scores"], &["y"])]);
        let input = Value::from_f32(&[0.0, 2.0_f32.ln(), 5.0_f32.ln()], &[1, 3], &device());
        let head = Head::of(&graph).unwrap();
        let scores = pollster::block_on(head.scores(&graph, "x", &input)).unwrap();
        let expected = [0.125, 0.25, 0.625];
        assert!(scores.probabilities.iter().zip(expected).all(|(p, q)| (p - q).abs() < 1e-6), "{scores:?}");
        assert_eq!(scores.top(), 2);
    }

    #[test]
    fn a_segmenter_predicts_a_class_for_each_pixel() {
        let head = |classes| Head {
            logits: "y".into(),
            classes,
            reading: Reading::Pixels { layout: Layout::Nchw, area: 3 },
            split_off: None,
        };
        let scores = head(2).of_pixels(&[1.0, 0.0, 3.0, 0.0, 2.0, 4.0], 3);
        assert_eq!(scores.pixels, [Some(0), Some(1), Some(1)]);
        assert!((scores.probabilities[1] - 2.0 / 3.0).abs() < 1e-6 && scores.top() == 1, "{scores:?}");
        let single = head(1).of_pixels(&[-1.0, 0.5, 0.0], 3);
        assert_eq!(single.pixels, [None, Some(0), None], "a single class is there or not");
    }

    #[test]
    fn outputs_of_other_shapes_are_refused_by_name() {
        let graph = ends_with(vec![Node::new("Identity", &["scores"], &["y"])]);
        let error = Head::pixels(&graph, Layout::Nchw).unwrap_err().to_string();
        assert!(error.contains("\"y\"") && error.contains("[1, 3]"), "{error}");
        let numbers = Head::numbers(&ends_with(vec![Node::new("Softmax", &["scores"], &["y"])])).unwrap();
        assert_eq!((numbers.logits(), numbers.classes()), ("y", 3), "what comes out, not what enters the softmax");
    }
}
