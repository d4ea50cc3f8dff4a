//! What is true of a scene's picture: where the object and each of its parts are.

use crate::{Class, Part, Scene};

/// The ground truth of a picture; masks hold how much of each pixel shows something, 0 to 1, row by row from the top.
#[derive(Clone, Debug, PartialEq)]
pub struct GroundTruth {
    /// Width and height of the picture and of its masks.
    pub size: usize,
    /// Which kind of critter it shows.
    pub class: Class,
    /// The whole critter.
    pub object: Vec<f32>,
    /// Each part by its name, as far as it is seen.
    pub parts: Vec<(&'static str, Vec<f32>)>,
}

impl Scene {
    /// Where the critter and its parts are, in a picture of this size.
    pub fn ground_truth(&self, size: u16) -> GroundTruth {
        GroundTruth {
            size: usize::from(size.max(1)),
            class: self.class(),
            object: self.mask(size),
            parts: Part::ALL.map(|part| (part.label(), self.part_mask(part, size))).to_vec(),
        }
    }
}

/// The smallest sets of parts by which one can tell a class from all others: no part can be left out of any of them.
pub fn telling_sets(class: Class) -> Vec<Vec<Part>> {
    let tells = |set: u32| {
        Class::ALL
            .into_iter()
            .filter(|other| *other != class)
            .all(|other| parts_of(set).any(|part| class.variant(part) != other.variant(part)))
    };
    let smaller = |set: u32| (0..Part::ALL.len()).map(move |bit| set & !(1 << bit)).filter(move |less| *less != set);
    let sets = (1..1 << Part::ALL.len()).filter(|set| tells(*set) && !smaller(*set).any(tells));
    sets.map(|set| parts_of(set).collect()).collect()
}

fn parts_of(set: u32) -> impl Iterator<Item = Part> {
    Part::ALL.into_iter().filter(move |part| set & (1 << part.index()) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telling_sets_tell_the_class_and_need_each_of_their_parts() {
        for class in Class::ALL {
            let sets = telling_sets(class);
            assert!(!sets.is_empty());
            let alike = |parts: &[Part]| {
                let same = |other: &&Class| parts.iter().all(|&part| other.variant(part) == class.variant(part));
                Class::ALL.iter().filter(same).count()
            };
            for set in &sets {
                assert_eq!(alike(set), 1, "{class:?} shares {set:?} with another");
                for left_out in set {
                    let rest: Vec<Part> = set.iter().copied().filter(|part| part != left_out).collect();
                    assert!(alike(&rest) > 1, "{class:?} is told without {left_out:?} of {set:?}");
                }
                // Two classes never agree in more than two parts.
                assert!((2..=3).contains(&set.len()), "{set:?}");
            }
        }
    }

    #[test]
    fn the_truth_names_seven_parts_with_masks_of_the_picture() {
        let truth = Scene::sample(2, Class::Gullip).ground_truth(64);
        let names: Vec<&str> = truth.parts.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["body", "head", "beak", "eyes", "wings", "tail", "feet"]);
        assert!(truth.parts.iter().all(|(_, mask)| mask.len() == 64 * 64) && truth.object.len() == 64 * 64);
        assert_eq!((truth.size, truth.class), (64, Class::Gullip));
    }
}
