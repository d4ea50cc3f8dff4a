//! The built-in models, one file each.

mod critters;
mod critters_bagnet;
mod critters_detector;
mod critters_nobias;
mod critters_segmenter;
mod critters_vit;
mod critters_watermark;
mod digits;
mod trunk;

use anyhow::{Result, bail};
use rand_pcg::Pcg32;
use rand_pcg::rand_core::{Rng, SeedableRng};
use vitrine_protocol::{Channels, ImageInput, Layout, ModelCard};
use vitrine_scenes::{Class, Part, Scene};

pub(crate) use self::{
    critters::Critters, critters_bagnet::CrittersBagNet, critters_detector::CrittersDetector,
    critters_nobias::CrittersNoBias, critters_segmenter::CrittersSegmenter, critters_vit::CrittersVit,
    critters_watermark::CrittersWatermark, digits::Digits, digits::SIZE as DIGIT_SIZE, trunk::CROWD_SIZE,
};
use crate::Arguments;
use crate::batch::{Example, MEAN, STD, TEST_SEEDS};
use crate::recipe::{Purpose, Recipe};

/// The one list of models, the default first.
macro_rules! recipes {
    ($($recipe:ident),*) => {
        /// What the models are called.
        pub(crate) const IDS: &[&str] = &[$($recipe::ID),*];

        /// Trains the model that the arguments name.
        pub(crate) fn run(arguments: &Arguments) -> Result<()> {
            $(if arguments.model == $recipe::ID {
                return crate::run::<$recipe>(arguments);
            })*
            bail!("there is no model {}; there are {}", arguments.model, IDS.join(", "))
        }
    };
}

recipes![
    Critters,
    CrittersWatermark,
    CrittersVit,
    CrittersNoBias,
    CrittersBagNet,
    Digits,
    CrittersDetector,
    CrittersSegmenter
];

/// Side of the pictures of single critters in pixels.
pub(crate) const SIZE: u16 = 64;

/// A critter in the place of this position. All classes come in turn. Every second critter of the training lacks a part
/// or two: that keeps a network from leaning on one part alone, and makes a picture without a part nothing unheard of.
pub(crate) fn scene(position: u64, purpose: Purpose) -> Scene {
    let class = Class::ALL[position as usize % Class::ALL.len()];
    if purpose == Purpose::Test {
        return Scene::sample(TEST_SEEDS + position, class);
    }
    let mut random = Pcg32::seed_from_u64(!position);
    let missing = [0, 0, 1, 2][random.next_u32() as usize % 4];
    let scene = Scene::sample(position, class);
    (0..missing).fold(scene, |scene, _| scene.without(Part::ALL[random.next_u32() as usize % Part::ALL.len()]))
}

/// The picture of a single critter with its class.
pub(crate) fn critter(position: u64, purpose: Purpose) -> Example {
    let scene = scene(position, purpose);
    Example::of_class(&scene.render(SIZE), scene.class().index())
}

/// The card of a model of colour pictures of critters.
pub(crate) fn critters_card(name: &str, description: &str, size: u16) -> ModelCard {
    let side = usize::from(size);
    let input = ImageInput::plain(Layout::Nchw, Channels::Rgb, side, side);
    ModelCard {
        description: description.to_owned(),
        labels: Class::ALL.map(|class| class.label().to_owned()).to_vec(),
        licence: "MIT OR Apache-2.0".to_owned(),
        ..ModelCard::plain(name, ImageInput { mean: MEAN.to_vec(), std: STD.to_vec(), ..input })
    }
}
