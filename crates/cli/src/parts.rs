//! `regions=parts`: which part of the critter every pixel of the built-in sample shows, as its scene says.

use vitrine_scenes::{Class, Part, Scene};

use crate::{arguments::Subject, failure::Failure};

/// What is typed for them.
pub(crate) const PARTS: &str = "parts";

/// Side of the samples in pixels.
const SIZE: u16 = 64;

/// The number of the part (body, head, beak, eyes, wings, tail, feet) at every pixel, and -1 beside the critter.
///
/// # Errors
/// [`Failure::Usage`] for another picture than the sample.
pub(crate) fn labels(subject: &Subject) -> Result<Vec<f32>, Failure> {
    let scene = vitrine_zoo::samples().first().filter(|_| subject.input.is_empty()).and_then(|sample| {
        let class = Class::ALL.into_iter().find(|class| class.label() == sample.label)?;
        Some(Scene::sample(sample.seed, class))
    });
    let Some(scene) = scene else {
        return Err(Failure::Usage(
            "The parts are known of the built-in sample alone; leave out --input, or give regions as a .npy file of labels."
                .to_owned(),
        ));
    };
    let masks = Part::ALL.map(|part| scene.part_mask(part, SIZE));
    let label = |pixel: usize| {
        let shown = masks.iter().map(|mask| mask.get(pixel).copied().unwrap_or(0.0));
        // More than half of a pixel can belong to one part only.
        shown.into_iter().position(|shown| shown > 0.5).map_or(-1.0, |part| part as f32)
    };
    Ok((0..usize::from(SIZE) * usize::from(SIZE)).map(label).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_has_seven_parts_before_a_background() {
        let labels = labels(&Subject { model: None, input: Vec::new() }).unwrap();
        assert_eq!(labels.len(), 64 * 64);
        for part in -1..7 {
            assert!(labels.contains(&(part as f32)), "no pixel of part {part}");
        }
    }

    #[test]
    fn the_parts_of_other_pictures_are_not_known() {
        let error = labels(&Subject { model: None, input: vec!["cat.png".to_owned()] }).err().unwrap().to_string();
        assert!(error.contains("built-in sample alone"), "{error}");
    }
}
