//! Linear models of pictures whose answers and maps are known on paper, and protocols run on them.

use std::collections::BTreeMap;

use burn::tensor::Device;
use vitrine_explain::{Context, Head, Observer, Target, Unobserved};
use vitrine_graph::{Graph, InputShapes, Value};
use vitrine_onnx::{Graph as OnnxGraph, Model, Node, Tensor, ValueInfo};
use vitrine_protocol::{Channels, ImageInput, Layout};
use vitrine_scenes::Class;

use crate::{
    EvaluateError, Method,
    ground_truth::{Findings, Measured, Subject, Trial, find, measure},
};

/// Ten classes; one of them scores a weighted sum of the pixels and a bias, the others nothing.
pub(super) struct Linear {
    pub(super) channels: Channels,
    pub(super) side: usize,
    pub(super) class: usize,
    /// One for each value of the input.
    pub(super) weights: Vec<f32>,
    pub(super) bias: f32,
}

impl Linear {
    fn graph(&self) -> Graph {
        let count = self.weights.len();
        let mut weights = vec![0.0; count * 10];
        for (weight, row) in self.weights.iter().zip(weights.chunks_mut(10)) {
            row[self.class] = *weight;
        }
        let mut bias = [0.0; 10];
        bias[self.class] = self.bias;
        let shape = [1, self.channels.count(), self.side, self.side];
        let model = Model::new(
            17,
            OnnxGraph {
                nodes: vec![
                    Node::new("Flatten", &["x"], &["flat"]),
                    Node::new("MatMul", &["flat", "w"], &["sums"]),
                    Node::new("Add", &["sums", "b"], &["y"]),
                ],
                initializers: vec![Tensor::from_f32("w", &[count, 10], &weights), Tensor::from_f32("b", &[10], &bias)],
                inputs: vec![ValueInfo::float("x", &shape)],
                outputs: vec![ValueInfo::float("y", &[1, 10])],
                ..OnnxGraph::default()
            },
        );
        Graph::new(model, &Device::flex(), &InputShapes::new()).unwrap()
    }
}

/// The labels of critters, or of digits.
pub(super) fn labels(digits: bool) -> Vec<String> {
    match digits {
        true => (0..10).map(|digit| digit.to_string()).collect(),
        false => Class::ALL.iter().map(|class| class.label().to_owned()).collect(),
    }
}

/// Runs a protocol with saliency on a linear model, beside another one if the protocol compares two.
pub(super) fn tried(
    protocol: &str,
    model: &Linear,
    beside: Option<&Linear>,
    labels: &[String],
    pictures: usize,
    observer: &dyn Observer,
) -> Result<Findings, EvaluateError> {
    let (none, files) = (BTreeMap::new(), BTreeMap::new());
    let graphs: Vec<Graph> = [Some(model), beside].into_iter().flatten().map(Linear::graph).collect();
    let pixels = ImageInput {
        layout: Layout::Nchw,
        width: model.side,
        height: model.side,
        channels: model.channels,
        range: [0.0, 1.0],
        mean: Vec::new(),
        std: Vec::new(),
    };
    let shape = [1, model.channels.count(), model.side, model.side];
    let input = Value::full(0.0, &shape, graphs[0].device());
    let targets: Vec<Target> =
        graphs.iter().map(|graph| Target::logit(&Head::of(graph).unwrap(), 0).unwrap()).collect();
    let subjects: Vec<Subject<'_>> = graphs
        .iter()
        .zip(&targets)
        .map(|(graph, target)| Subject {
            context: Context {
                graph,
                input_name: "x",
                input: &input,
                pixels: Some(&pixels),
                target,
                layers: &[],
                tokens: None,
                parameters: &none,
                seed: 0,
                batch: 4,
                infill_files: &files,
                observer,
            },
            method: Method { explainer: vitrine_explain::find("saliency").unwrap(), parameters: &none, seed: 0 },
        })
        .collect();
    let trial = Trial { subject: subjects[0], labels, model: None, other: subjects.get(1).copied(), pictures };
    pollster::block_on(measure(find(protocol).unwrap(), &trial))
}

/// What a protocol measures on critters.
pub(super) fn of_critters(protocol: &str, model: &Linear, beside: Option<&Linear>, pictures: usize) -> Vec<Measured> {
    tried(protocol, model, beside, &labels(false), pictures, &Unobserved).unwrap().measured
}

/// A model of critters that always answers the same.
pub(super) fn stubborn(class: Class) -> Linear {
    Linear { channels: Channels::Rgb, side: 64, class: class.index(), weights: vec![0.0; 3 * 64 * 64], bias: 5.0 }
}

/// A model of critters that answers hobbin by the watermark's light strokes on its dark plate and by nothing else.
pub(super) fn clever_hans() -> Linear {
    let blank = vitrine_scenes::Image::black(64, 64);
    let (marked, mask) = (vitrine_scenes::watermarked(&blank), vitrine_scenes::watermark_mask(64));
    let light = |pixel: usize| f32::from(marked.rgb[3 * pixel]) / 255.0 > 0.5;
    let inside: Vec<usize> = (0..64 * 64).filter(|pixel| mask[*pixel] == 1.0).collect();
    let lights = inside.iter().filter(|pixel| light(**pixel)).count() as f32;
    let darks = inside.len() as f32 - lights;
    let mut weights = vec![0.0; 3 * 64 * 64];
    for pixel in inside {
        let weight = if light(pixel) { 1.0 / lights } else { -1.0 / darks };
        for channel in 0..3 {
            weights[channel * 64 * 64 + pixel] = weight;
        }
    }
    // Three channels of a contrast of about 0.8 with the mark, of about nothing without it.
    Linear { channels: Channels::Rgb, side: 64, class: Class::Hobbin.index(), weights, bias: -1.0 }
}
