//! A toy model with answers known on paper, and questions about it.

use std::collections::BTreeMap;

use burn::tensor::Device;
use vitrine_explain::{Context, Explainer, Head, HeatMap, Observer, Target, Unobserved};
use vitrine_graph::{Graph, InputShapes, Value};
use vitrine_onnx::{Graph as OnnxGraph, Model, Node, Tensor, ValueInfo};
use vitrine_protocol::{ImageInput, Score};

use crate::{Method, Question, evaluate, find};

/// A row of four pixels, all one. Class 0 weighs them by these numbers, class 1 scores nothing.
pub(crate) const WEIGHTS: [f32; 4] = [4.0, 1.0, 3.0, 2.0];

/// The model of [`WEIGHTS`]; squared, the pixels' squares are weighed.
pub(crate) fn model(squared: bool) -> Graph {
    model_of(squared, [0.0; 4])
}

/// The same with weights for class 1.
pub(crate) fn model_of(squared: bool, others: [f32; 4]) -> Graph {
    let weights = WEIGHTS.iter().zip(others).flat_map(|(weight, other)| [*weight, other]).collect::<Vec<_>>();
    let mut nodes = vec![Node::new("Flatten", &["x"], &["flat"])];
    nodes.extend(squared.then(|| Node::new("Mul", &["flat", "flat"], &["squares"])));
    nodes.push(Node::new("MatMul", &[if squared { "squares" } else { "flat" }, "w"], &["y"]));
    let model = Model::new(
        17,
        OnnxGraph {
            nodes,
            initializers: vec![Tensor::from_f32("w", &[4, 2], &weights)],
            inputs: vec![ValueInfo::float("x", &[1, 1, 1, 4])],
            outputs: vec![ValueInfo::float("y", &[1, 2])],
            ..OnnxGraph::default()
        },
    );
    Graph::new(model, &Device::flex(), &InputShapes::new()).unwrap()
}

/// What is asked beside the metric and its parameters.
pub(crate) struct Asked {
    pub(crate) graph: Graph,
    pub(crate) map: Vec<f32>,
    pub(crate) mask: Vec<f32>,
    pub(crate) method: &'static dyn Explainer,
    pub(crate) others: Vec<(String, HeatMap)>,
    /// How pixels become the input, where a test needs it.
    pub(crate) pixels: Option<ImageInput>,
}

impl Default for Asked {
    /// About the linear model and its exact map; the method is the gradient.
    fn default() -> Self {
        let method = vitrine_explain::find("saliency").unwrap();
        let (map, mask) = (WEIGHTS.to_vec(), vec![1.0, 0.0, 0.0, 0.0]);
        Asked { graph: model(false), map, mask, method, others: Vec::new(), pixels: None }
    }
}

pub(crate) fn row(values: &[f32]) -> HeatMap {
    HeatMap { height: 1, width: values.len(), values: values.to_vec() }
}

/// The score of a metric, removed pixels being zero and the logit followed.
pub(crate) fn score(metric: &str, parameters: &[(&str, &str)], asked: &Asked) -> Score {
    watched(metric, parameters, asked, &Unobserved)
}

/// The same, with somebody watching.
pub(crate) fn watched(metric: &str, parameters: &[(&str, &str)], asked: &Asked, observer: &dyn Observer) -> Score {
    let metric = find(metric).unwrap();
    let known = |id: &str| metric.info().parameters.iter().any(|parameter| parameter.id == id);
    let usual = [("infill", "zero"), ("scale", "target")].into_iter().filter(|(id, _)| known(id));
    let parameters = usual.chain(parameters.iter().copied());
    let parameters = parameters.map(|(id, value)| (id.to_owned(), value.to_owned())).collect();
    let input = Value::from_f32(&[1.0; 4], &[1, 1, 1, 4], asked.graph.device());
    let head = Head::of(&asked.graph).unwrap();
    let target = Target::logit(&head, 0).unwrap();
    let (map, mask, none) = (row(&asked.map), row(&asked.mask), BTreeMap::new());
    let context = Context {
        graph: &asked.graph,
        input_name: "x",
        input: &input,
        pixels: asked.pixels.as_ref(),
        target: &target,
        layers: &[],
        tokens: None,
        parameters: &parameters,
        seed: 0,
        batch: 3,
        infill_files: &BTreeMap::new(),
        observer,
    };
    let method = Some(Method { explainer: asked.method, parameters: &none, seed: 0 });
    let question = Question { context, map: &map, attribution: None, method, mask: Some(&mask), others: &asked.others };
    pollster::block_on(evaluate(metric, &question)).unwrap()
}

/// Fails unless the score is this number.
pub(crate) fn expect(metric: &str, parameters: &[(&str, &str)], asked: &Asked, expected: f64) {
    let found = score(metric, parameters, asked).value;
    assert!(found.is_some_and(|found| (found - expected).abs() < 1e-5), "{metric}: {found:?}, not {expected}");
}
