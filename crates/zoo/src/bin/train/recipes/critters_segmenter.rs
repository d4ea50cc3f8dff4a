//! `critters-segmenter`: names the creature, or none, at each pixel of a crowd: down to an eighth of the resolution and up
//! again with what was seen on the way (Ronneberger et al., 2015).

use anyhow::Result;
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use vitrine_onnx::Node;
use vitrine_protocol::{ModelCard, Task};
use vitrine_scenes::Class;

use crate::batch::{Example, normalised};
use crate::export::File;
use crate::layers::{Layer, Window};
use crate::recipe::{Grade, Network, Purpose, Recipe, best_channel};
use crate::recipes::critters_card;
use crate::recipes::trunk::{CHANNELS, CROWD_SIZE, Trunk, crowd};

/// Side of the planes of scores before the last step doubles it.
const HALF: u16 = CROWD_SIZE / 2;
/// The background comes first.
const CLASSES: usize = 1 + Class::ALL.len();

pub(crate) struct CrittersSegmenter;

impl Recipe for CrittersSegmenter {
    type Network = Segmenter;
    const ID: &'static str = "critters-segmenter";
    const STEPS: u64 = 300;

    fn example(position: u64, purpose: Purpose) -> Example {
        let crowd = crowd(position, purpose);
        let mut classes = vec![0; usize::from(HALF) * usize::from(HALF)];
        for (index, class) in crowd.classes().into_iter().enumerate() {
            for (place, coverage) in classes.iter_mut().zip(crowd.mask(index, HALF)) {
                if coverage >= 0.5 {
                    *place = 1 + class.index() as i64;
                }
            }
        }
        let boxes = Vec::new();
        Example { pixels: normalised(&crowd.render(CROWD_SIZE)), channels: 3, classes, boxes }
    }

    /// Intersection over union, all creatures together.
    fn grade(answer: &[f32], example: &Example) -> Grade {
        let places = example.classes.len();
        let mut grade = Grade::default();
        for (place, &class) in example.classes.iter().enumerate() {
            let said = best_channel(answer, place, places) as i64;
            // A wrong creature counts in both regions, the said one and the true one.
            let creature = |class: i64| if class == 0 { 0.0 } else { 1.0 };
            grade.of += if said == class { creature(class) } else { creature(said) + creature(class) };
            grade.right += f64::from(said == class && class != 0);
        }
        grade
    }

    fn card() -> ModelCard {
        let description = "Names the creature at each pixel of pictures with one to four of them, or the background. A \
                           small network that goes down to an eighth of the resolution and up again. The accuracy is \
                           the intersection over union of the creatures, at half the resolution.";
        let mut card = critters_card("Critter segmenter", description, CROWD_SIZE);
        card.labels.insert(0, "background".to_owned());
        ModelCard { task: Task::Segmentation, ..card }
    }
}

#[derive(Module, Debug)]
pub(crate) struct Segmenter {
    trunk: Trunk,
    to_quarter: Layer,
    quarter: Layer,
    to_half: Layer,
    half: Layer,
    classes: Conv2d,
}

impl Network for Segmenter {
    fn new(device: &Device) -> Self {
        let [half, quarter, eighth] = CHANNELS;
        Segmenter {
            trunk: Trunk::new(device),
            to_quarter: Layer::new(eighth, quarter, Window::padded(1, 1), device),
            quarter: Layer::new(quarter, quarter, Window::padded(3, 1), device),
            to_half: Layer::new(quarter, half, Window::padded(1, 1), device),
            half: Layer::new(half, half, Window::padded(3, 1), device),
            classes: Window::inside(1, 1).convolution(half, CLASSES).init(device),
        }
    }

    fn forward(&self, pictures: Tensor<4>) -> Tensor<3> {
        let [half, quarter, eighth] = self.trunk.forward(pictures);
        let quarter = self.quarter.rectified(doubled(self.to_quarter.forward(eighth)) + quarter);
        let half = self.half.rectified(doubled(self.to_half.forward(quarter)) + half);
        self.classes.forward(half).flatten(2, 3)
    }

    fn export(&self, file: &mut File) -> Result<Option<String>> {
        let [half, quarter, eighth] = self.trunk.export(file)?;
        let up = self.to_quarter.export(file, &eighth, ["quarter.reduce.conv", "quarter.reduce.norm"])?;
        let up = export_doubled(file, &up, "nearest", "quarter.up");
        let sum = file.node("Add", &[&up, &quarter], "quarter.sum");
        let quarter = self.quarter.export_rectified(file, &sum, "quarter")?;
        let up = self.to_half.export(file, &quarter, ["half.reduce.conv", "half.reduce.norm"])?;
        let up = export_doubled(file, &up, "nearest", "half.up");
        let sum = file.node("Add", &[&up, &half], "half.sum");
        let features = self.half.export_rectified(file, &sum, "half")?;
        file.convolution(&self.classes, &features, "planes.half")?;
        export_doubled(file, "planes.half", "linear", "planes");
        let side = usize::from(CROWD_SIZE);
        file.output("planes", &[CLASSES, side, side]);
        Ok(Some(eighth))
    }
}

/// Every value four times, so that width and height double.
fn doubled(input: Tensor<4>) -> Tensor<4> {
    let [count, channels, height, width] = input.dims();
    let places = input.reshape([count, channels, height, 1, width, 1]);
    places.expand([count, channels, height, 2, width, 2]).reshape([count, channels, 2 * height, 2 * width])
}

fn export_doubled(file: &mut File, input: &str, mode: &str, name: &str) -> String {
    let scales = file.numbers(&format!("{name}.scales"), &[4], &[1.0, 1.0, 2.0, 2.0]);
    let transform = if mode == "nearest" { "asymmetric" } else { "half_pixel" };
    let mut node = Node::new("Resize", &[input, "", &scales], &[name])
        .with("mode", mode)
        .with("coordinate_transformation_mode", transform);
    if mode == "nearest" {
        node = node.with("nearest_mode", "floor");
    }
    file.push(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intersection_and_union_are_counted_over_creatures() {
        // Four places: right, missed, invented, the wrong creature.
        let example = Example { classes: vec![1, 2, 0, 3], ..Example::default() };
        let said = [1, 0, 2, 4];
        let answer: Vec<f32> = (0..5).flat_map(|class| said.map(|said| f32::from(u8::from(said == class)))).collect();
        let grade = CrittersSegmenter::grade(&answer, &example);
        assert_eq!((grade.right, grade.of), (1.0, 1.0 + 1.0 + 1.0 + 2.0));
        let background = Example { classes: vec![0], ..Example::default() };
        assert_eq!(CrittersSegmenter::grade(&[1.0, 0.0], &background).of, 0.0);
    }
}
