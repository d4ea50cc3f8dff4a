//! Rendered images whose parts, and so whose explanations, are known.
//!
//! A scene shows a *critter*: a creature put together from seven parts, each in one of three variants that differ in
//! shape and colour, in random pose, scale and light before random clutter. Because the scene is data, the same scene
//! can be drawn again without a part or with another variant of it, and every part's mask is known: what an explanation
//! of a classifier should point at can be measured instead of guessed. Everything follows from a 64-bit seed, the same
//! bytes natively and in a browser; there are no image files behind it.
//!
//! ```
//! use vitrine_scenes::{Class, Part, Scene, Variant};
//!
//! let scene = Scene::sample(7, Class::Gullip);
//! let image = scene.render(64);
//! assert_eq!(image.rgb.len(), 3 * 64 * 64);
//!
//! let mask = scene.part_mask(Part::Beak, 64);
//! let without = scene.without(Part::Beak).render(64);
//! let changed = |pixel: usize| image.rgb[3 * pixel..][..3] != without.rgb[3 * pixel..][..3];
//! assert!((0..64 * 64).any(changed), "the beak is seen");
//! assert!((0..64 * 64).all(|pixel| mask[pixel] > 0.0 || !changed(pixel)), "nothing but the beak changed");
//!
//! let other_beak = scene.with(Part::Beak, Variant::A);
//! assert_eq!(Part::Beak.describe(Variant::A), "short orange cone");
//! assert_ne!(other_beak.render(64), image);
//! ```
//!
//! What else is drawn, for measuring explanations: [`Crowd`] shows several critters with a box and a mask each,
//! [`watermarked`] puts a mark in a corner, [`DigitScene`] shows a stroke digit beside noise or the null block,
//! [`Scene::before`] and [`Scene::without_clutter`] change the surroundings alone, and [`Image::paste`] makes mosaics.
//!
//! # The classes
//!
//! | class | body | head | beak | eyes | wings | tail | feet |
//! |---|---|---|---|---|---|---|---|
//! | bimble | round teal | pink with a crest | short orange cone | large and ringed | pale blue paddles | pink curl | blue boots |
//! | dorrow | spotted orange pear | yellow with ears | short orange cone | sleepy | pale blue paddles | red fan | orange webbed feet |
//! | fennick | striped violet loaf | pink with a crest | dark red hook | large and ringed | purple bat wings | red fan | orange webbed feet |
//! | gullip | round teal | yellow with ears | dark red hook | round white | pale blue paddles | green bolt | dark claws |
//! | hobbin | spotted orange pear | pink with a crest | long yellow bill | round white | dark blue feathers | pink curl | dark claws |
//! | lumpet | striped violet loaf | smooth cream | short orange cone | large and ringed | dark blue feathers | green bolt | dark claws |
//! | mirrow | round teal | smooth cream | long yellow bill | sleepy | purple bat wings | pink curl | orange webbed feet |
//! | pibbit | spotted orange pear | yellow with ears | long yellow bill | large and ringed | purple bat wings | green bolt | blue boots |
//! | tozzle | striped violet loaf | smooth cream | long yellow bill | round white | pale blue paddles | red fan | blue boots |
//! | wendle | striped violet loaf | yellow with ears | dark red hook | sleepy | dark blue feathers | pink curl | blue boots |
//!
//! No single part suffices: every variant is shared by at least three classes. Two classes never agree in more than two
//! parts, so any three parts identify the class, whatever happens to the other four. The order of drawing, and so of occlusion, is: far wing, tail, feet, body, near wing, head, beak, eyes.

mod backdrop;
mod canvas;
mod class;
mod colour;
mod crowd;
mod digit;
mod digit_scene;
mod draw;
mod figure;
mod image;
mod light;
mod part;
mod pose;
mod random;
mod scene;
mod shape;
mod truth;
mod watermark;

pub use class::Class;
pub use crowd::{Bounds, Crowd, bounds};
pub use digit::{Digit, grey, null_block};
pub use digit_scene::{DigitScene, Filling};
pub use image::{Image, place_mask};
pub use part::{Part, Variant};
pub use scene::Scene;
pub use truth::{GroundTruth, telling_sets};
pub use watermark::{watermark_mask, watermarked};
