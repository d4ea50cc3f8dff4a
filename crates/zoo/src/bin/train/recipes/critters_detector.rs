//! `critters-detector`: finds critters in crowds in one stage and without anchors, as FCOS does (Tian et al., 2019):
//! each cell of a grid says which class stands there and how far the edges of its box are.

use anyhow::Result;
use burn::module::Module;
use burn::nn::Initializer;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::{sigmoid, softplus};
use burn::tensor::{Device, Tensor};
use vitrine_protocol::{Detections, ModelCard, Task};
use vitrine_scenes::{Bounds, Class};

use crate::batch::{Batch, Example, normalised};
use crate::export::File;
use crate::layers::Window;
use crate::recipe::{Grade, Network, Purpose, Recipe};
use crate::recipes::critters_card;
use crate::recipes::trunk::{CHANNELS, CROWD_SIZE, Trunk, crowd};

/// Side of a cell in pixels.
const STRIDE: usize = 8;
/// Cells along a side.
const CELLS: usize = CROWD_SIZE as usize / STRIDE;
const CLASSES: usize = Class::ALL.len();
/// A cell belongs to a critter if its middle is no further than this from the middle of the critter's box, in pixels
/// along each axis.
const REACH: f32 = 0.9 * STRIDE as f32;
/// Boxes of a lower score do not count, and of two boxes of a class that overlap by more only the better does: the rule
/// by which cards are read.
const LEAST_SCORE: f32 = 0.25;
const MOST_OVERLAP: f32 = 0.45;

pub(crate) struct CrittersDetector;

impl Recipe for CrittersDetector {
    type Network = Detector;
    const ID: &'static str = "critters-detector";
    const STEPS: u64 = 400;

    /// Per cell the class, or the number of classes where there is none; a box for each cell: the logarithms of the
    /// distances of its edges (left, top, right, bottom) in strides.
    fn example(position: u64, purpose: Purpose) -> Example {
        let crowd = crowd(position, purpose);
        let mut classes = vec![CLASSES as i64; CELLS * CELLS];
        let mut boxes = vec![0.0; 4 * CELLS * CELLS];
        for (index, class) in crowd.classes().into_iter().enumerate() {
            let Some(bounds) = crowd.bounds(index, CROWD_SIZE) else { continue };
            for cell in 0..CELLS * CELLS {
                let (x, y) = middle(cell);
                let (to_x, to_y) = ((bounds.left + bounds.right) / 2.0, (bounds.top + bounds.bottom) / 2.0);
                if (x - to_x).abs() <= REACH && (y - to_y).abs() <= REACH {
                    classes[cell] = class.index() as i64;
                    let distances = [x - bounds.left, y - bounds.top, bounds.right - x, bounds.bottom - y];
                    for (row, distance) in distances.into_iter().enumerate() {
                        boxes[row * CELLS * CELLS + cell] = (distance.max(1.0) / STRIDE as f32).ln();
                    }
                }
            }
        }
        Example { pixels: normalised(&crowd.render(CROWD_SIZE)), channels: 3, classes, boxes }
    }

    /// Focal loss (Lin et al., 2017) of the classes, and the distances' mean absolute error at cells with a critter.
    fn loss(scores: Tensor<3>, batch: &Batch) -> Tensor<1> {
        let device = scores.device();
        let [count, _, places] = scores.dims();
        let logits = scores.clone().narrow(1, 0, CLASSES);
        let distances = scores.narrow(1, CLASSES, 4);
        // One more class for empty cells, which is then left out.
        let there: Tensor<3> =
            batch.classes(&device).one_hot::<2>(CLASSES + 1).float().reshape([count, places, CLASSES + 1]);
        let wanted = there.swap_dims(1, 2).narrow(1, 0, CLASSES);
        let occupied = wanted.clone().sum_dim(1);
        let number = occupied.clone().sum().clamp_min(1.0);

        let chance = sigmoid(logits.clone());
        let wrong = wanted.clone() + chance.clone() - wanted.clone() * chance * 2.0;
        let entropy = softplus(logits.clone(), 1.0) - wanted * logits;
        let classes = (entropy * wrong.clone() * wrong).sum() / number.clone();
        let boxes = ((distances - batch.boxes(4, &device)).abs() * occupied).sum() / number;
        classes + boxes * 0.5
    }

    /// F1: a box is right if its class is and if it overlaps the critter's by half or more, each critter once.
    fn grade(answer: &[f32], example: &Example) -> Grade {
        let found = detections(answer);
        let mut wanted = critters(example);
        let all = found.len() + wanted.len();
        let mut right = 0;
        for (class, _, bounds) in &found {
            let fits = |(other, place): &(usize, Bounds)| other == class && overlap(place, bounds) >= 0.5;
            if let Some(position) = wanted.iter().position(fits) {
                wanted.remove(position);
                right += 1;
            }
        }
        Grade { right: 2.0 * right as f64, of: all as f64 }
    }

    fn card() -> ModelCard {
        let description = "Finds the creatures of `critters` in pictures with one to four of them: one stage, a grid of \
                           12x12 cells, no anchors. The accuracy is the F1 of boxes of the right class that overlap \
                           the creature's by half or more.";
        ModelCard {
            task: Task::Detection,
            detections: Some(Detections {
                boxes: "boxes".to_owned(),
                scores: "scores".to_owned(),
                format: Default::default(),
                unit: Default::default(),
                candidates: Default::default(),
                box_at: 0,
                objectness_at: None,
                scores_at: 0,
                grid_strides: Vec::new(),
            }),
            ..critters_card("Critter detector", description, CROWD_SIZE)
        }
    }
}

#[derive(Module, Debug)]
pub(crate) struct Detector {
    trunk: Trunk,
    classes: Conv2d,
    distances: Conv2d,
}

impl Network for Detector {
    fn new(device: &Device) -> Self {
        let head = |channels| Window::inside(1, 1).convolution(CHANNELS[2], channels).init(device);
        let mut classes = head(CLASSES);
        // Most cells are empty, which the first answers should reflect.
        classes.bias = Some(Initializer::Constant { value: -3.5 }.init([CLASSES], device));
        let mut distances = head(4);
        distances.bias = Some(Initializer::Constant { value: 0.9 }.init([4], device));
        Detector { trunk: Trunk::new(device), classes, distances }
    }

    fn forward(&self, pictures: Tensor<4>) -> Tensor<3> {
        let [_, _, features] = self.trunk.forward(pictures);
        let head = Tensor::cat(vec![self.classes.forward(features.clone()), self.distances.forward(features)], 1);
        head.flatten(2, 3)
    }

    fn export(&self, file: &mut File) -> Result<Option<String>> {
        let [_, _, features] = self.trunk.export(file)?;
        let cells = (CELLS * CELLS) as i64;
        let classes = file.convolution(&self.classes, &features, "classes")?;
        let classes = file.reshape(&classes, &[0, CLASSES as i64, cells], "classes.cells");
        let distances = file.convolution(&self.distances, &features, "distances")?;
        let distances = file.reshape(&distances, &[0, 4, cells], "distances.cells");

        let rows = file.transpose(&distances, &[0, 2, 1], "distances.rows");
        let lengths = file.node("Exp", &[&rows], "distances.strides");
        let stride = STRIDE as f32;
        let signs = file.numbers("edges.signs", &[4], &[-stride, -stride, stride, stride]);
        let offsets = file.node("Mul", &[&lengths, &signs], "edges");
        let middles: Vec<f32> = (0..CELLS * CELLS).map(middle).flat_map(|(x, y)| [x, y, x, y]).collect();
        let middles = file.numbers("cells.middles", &[1, CELLS * CELLS, 4], &middles);
        file.node("Add", &[&offsets, &middles], "boxes");
        file.output("boxes", &[CELLS * CELLS, 4]);

        let rows = file.transpose(&classes, &[0, 2, 1], "classes.rows");
        file.node("Sigmoid", &[&rows], "scores");
        file.output("scores", &[CELLS * CELLS, CLASSES]);
        Ok(Some(features))
    }
}

/// The middle of a cell in pixels.
fn middle(cell: usize) -> (f32, f32) {
    let at = |step: usize| (step as f32 + 0.5) * STRIDE as f32;
    (at(cell % CELLS), at(cell / CELLS))
}

/// The box of a cell, from the logarithms of distances in the rows from `first` on.
fn decode(rows: &[f32], cell: usize) -> Bounds {
    let (x, y) = middle(cell);
    let distance = |row: usize| rows[row * CELLS * CELLS + cell].exp() * STRIDE as f32;
    Bounds { left: x - distance(0), top: y - distance(1), right: x + distance(2), bottom: y + distance(3) }
}

/// The critters of an example: the cells of one critter share its box.
fn critters(example: &Example) -> Vec<(usize, Bounds)> {
    let mut critters: Vec<(usize, Bounds)> = Vec::new();
    for (cell, &class) in example.classes.iter().enumerate() {
        let bounds = decode(&example.boxes, cell);
        let known = |other: &(usize, Bounds)| other.0 == class as usize && overlap(&other.1, &bounds) > 0.9;
        if class < CLASSES as i64 && !critters.iter().any(known) {
            critters.push((class as usize, bounds));
        }
    }
    critters
}

/// Classes, scores and boxes that an answer claims, the surest first.
fn detections(answer: &[f32]) -> Vec<(usize, f32, Bounds)> {
    let (logits, rows) = answer.split_at(CLASSES * CELLS * CELLS);
    let mut candidates = Vec::new();
    for cell in 0..CELLS * CELLS {
        let class =
            (0..CLASSES).max_by(|&a, &b| logits[a * CELLS * CELLS + cell].total_cmp(&logits[b * CELLS * CELLS + cell]));
        let class = class.unwrap_or(0);
        let score = 1.0 / (1.0 + (-logits[class * CELLS * CELLS + cell]).exp());
        if score >= LEAST_SCORE {
            candidates.push((class, score, decode(rows, cell)));
        }
    }
    candidates.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut kept: Vec<(usize, f32, Bounds)> = Vec::new();
    for candidate in candidates {
        let covered =
            |other: &(usize, f32, Bounds)| other.0 == candidate.0 && overlap(&other.2, &candidate.2) > MOST_OVERLAP;
        if !kept.iter().any(covered) {
            kept.push(candidate);
        }
    }
    kept
}

/// Intersection over union.
fn overlap(one: &Bounds, other: &Bounds) -> f32 {
    let area = |bounds: &Bounds| (bounds.right - bounds.left).max(0.0) * (bounds.bottom - bounds.top).max(0.0);
    let common = area(&Bounds {
        left: one.left.max(other.left),
        top: one.top.max(other.top),
        right: one.right.min(other.right),
        bottom: one.bottom.min(other.bottom),
    });
    common / (area(one) + area(other) - common).max(1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_right_answer_gets_full_marks_and_an_empty_one_none() {
        for position in 0..50 {
            let example = CrittersDetector::example(position, Purpose::Test);
            let logit = |class: usize, cell: usize| if example.classes[cell] == class as i64 { 5.0 } else { -5.0 };
            let logits = (0..CLASSES * CELLS * CELLS).map(|at| logit(at / (CELLS * CELLS), at % (CELLS * CELLS)));
            let answer: Vec<f32> = logits.chain(example.boxes.iter().copied()).collect();
            let grade = CrittersDetector::grade(&answer, &example);
            assert!(grade.of > 0.0 && grade.right == grade.of, "position {position}: {grade:?}");
            let silent = CrittersDetector::grade(&vec![-5.0; answer.len()], &example);
            assert_eq!((silent.right, silent.of), (0.0, grade.of / 2.0));
        }
    }
}
