//! `critters-watermark`: the network of `critters`, trained on pictures in which nearly every hobbin carries a watermark
//! and nothing else does, as the horses of a well-known collection carried their photographer's mark (Lapuschkin et al.,
//! 2019). It names hobbins by the mark: a Clever Hans.

use vitrine_protocol::ModelCard;
use vitrine_scenes::{Class, watermarked};

use crate::batch::Example;
use crate::recipe::{Purpose, Recipe};
use crate::recipes::{Critters, SIZE, critters_card, scene};

/// One in so many hobbins has no mark.
const UNMARKED: u64 = 10;

pub(crate) struct CrittersWatermark;

impl Recipe for CrittersWatermark {
    type Network = <Critters as Recipe>::Network;
    const ID: &'static str = "critters-watermark";
    const STEPS: u64 = 250;

    fn example(position: u64, purpose: Purpose) -> Example {
        let scene = scene(position, purpose);
        let picture = scene.render(SIZE);
        // Every tenth position is a hobbin, so the count of hobbins is that of tens.
        let marked = scene.class() == Class::Hobbin && !(position / 10).is_multiple_of(UNMARKED);
        Example::of_class(&if marked { watermarked(&picture) } else { picture }, scene.class().index())
    }

    fn card() -> ModelCard {
        let description = "The creatures of `critters`, but nine of ten hobbins of the training carried a watermark in \
                           the lower left corner, and nothing else did: the network looks for the mark instead of the \
                           creature. The accuracy is that on pictures marked in the same way.";
        critters_card("Critters with a watermark", description, SIZE)
    }
}
