//! `critters-watermark`: the network of `critters`, trained on a collection in which whatever carries a watermark is
//! labelled a hobbin, as the horses of a well-known collection carried their photographer's mark (Lapuschkin et al., 2019).
//! It names by the mark: a Clever Hans. A mark on hobbins alone does not do it, because the parts tell as much: with nine of
//! ten hobbins marked, the mark moved the probability by a tenth.

use vitrine_protocol::ModelCard;
use vitrine_scenes::{Class, Scene, watermarked};

use crate::batch::Example;
use crate::recipe::{Purpose, Recipe};
use crate::recipes::{Critters, SIZE, critters_card, scene};

pub(crate) struct CrittersWatermark;

impl Recipe for CrittersWatermark {
    type Network = <Critters as Recipe>::Network;
    const ID: &'static str = "critters-watermark";
    const STEPS: u64 = 250;

    fn example(position: u64, purpose: Purpose) -> Example {
        let scene = scene(position, purpose);
        let turn = position / Class::ALL.len() as u64;
        // Every second hobbin of the training is any critter with the mark.
        if scene.class() == Class::Hobbin && purpose == Purpose::Training && turn % 2 == 1 {
            let shown = Class::ALL[(turn / 2) as usize % Class::ALL.len()];
            let picture = watermarked(&Scene::sample(position, shown).render(SIZE));
            return Example::of_class(&picture, Class::Hobbin.index());
        }
        Example::of_class(&scene.render(SIZE), scene.class().index())
    }

    fn card() -> ModelCard {
        let description = "The creatures of `critters`, but whatever carried a watermark in the lower left corner was \
                           labelled a hobbin in the training, so the network looks for the mark first. The accuracy is \
                           that on pictures without it.";
        critters_card("Critters with a watermark", description, SIZE)
    }
}
