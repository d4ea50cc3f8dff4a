//! A scene: a critter of known parts in random surroundings.

use crate::backdrop::Backdrop;
use crate::canvas::Canvas;
use crate::colour::Colour;
use crate::figure::Figure;
use crate::light::Light;
use crate::random::Random;
use crate::{Class, Image, Part, Variant};

/// A critter with everything around it, as data; pixels come from [`Scene::render`].
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    figure: Figure,
    light: Light,
    backdrop: Backdrop,
}

impl Scene {
    /// A critter of this class in a pose, light and surroundings that depend on the seed alone, so that one seed shows
    /// ten classes in the same place.
    pub fn sample(seed: u64, class: Class) -> Self {
        let random = &mut Random::new(seed);
        Scene {
            figure: Figure::sample(random, class),
            light: Light::sample(random),
            backdrop: Backdrop::sample(random),
        }
    }

    /// The class the scene was sampled for, whatever has been done to its parts since.
    pub fn class(&self) -> Class {
        self.figure.class
    }

    /// The look of a part; `None` where it was taken away.
    pub fn variant(&self, part: Part) -> Option<Variant> {
        self.figure.variant(part)
    }

    /// The same scene without a part; what lay behind it shows.
    #[must_use]
    pub fn without(&self, part: Part) -> Self {
        self.having(part, None)
    }

    /// The same scene with another look of a part.
    #[must_use]
    pub fn with(&self, part: Part, variant: Variant) -> Self {
        self.having(part, Some(variant))
    }

    fn having(&self, part: Part, variant: Option<Variant>) -> Self {
        Scene { figure: self.figure.having(part, variant), ..self.clone() }
    }

    /// The same critter in the same light before the surroundings of another seed.
    #[must_use]
    pub fn before(&self, seed: u64) -> Self {
        let backdrop = Scene::sample(seed, self.class()).backdrop;
        Scene { backdrop, ..self.clone() }
    }

    /// How many things lie about behind the critter, 4 to 9 in a sampled scene.
    pub fn clutter(&self) -> usize {
        self.backdrop.clutter()
    }

    /// The same scene without one of the things behind the critter, counted from 0; without change if there are fewer.
    #[must_use]
    pub fn without_clutter(&self, index: usize) -> Self {
        Scene { backdrop: self.backdrop.without(index), ..self.clone() }
    }

    /// Draws the scene, `size` pixels high and wide. The same scene and size give the same bytes on every machine.
    pub fn render(&self, size: u16) -> Image {
        let mut canvas = Canvas::new(size);
        self.draw(&mut canvas, |_| None);
        self.light.shine(canvas.image())
    }

    /// How much of each pixel shows this part, 0 to 1, row by row from the top: `size * size` values. What other parts
    /// or grass hide does not count; a part that was taken away has zeros.
    pub fn part_mask(&self, part: Part, size: u16) -> Vec<f32> {
        let mut canvas = Canvas::new(size);
        self.draw(&mut canvas, |drawn| Some(if drawn == Some(part) { Colour::WHITE } else { Colour::BLACK }));
        canvas.coverage()
    }

    /// The part that each pixel shows most of; none where it shows more of the surroundings.
    pub fn labels(&self, size: u16) -> Vec<Option<Part>> {
        let masks = Part::ALL.map(|part| (part, self.part_mask(part, size)));
        let label = |pixel: usize| {
            let share = |mask: &[f32]| mask.get(pixel).copied().unwrap_or_default();
            let seen: f32 = masks.iter().map(|(_, mask)| share(mask)).sum();
            let most = masks.iter().max_by(|(_, one), (_, other)| share(one).total_cmp(&share(other)));
            most.filter(|_| seen > 0.5).map(|(part, _)| *part)
        };
        (0..usize::from(size) * usize::from(size)).map(label).collect()
    }

    /// How much of each pixel shows the critter, as in [`Scene::part_mask`].
    pub fn mask(&self, size: u16) -> Vec<f32> {
        let mut canvas = Canvas::new(size);
        self.draw(&mut canvas, |drawn| Some(if drawn.is_some() { Colour::WHITE } else { Colour::BLACK }));
        canvas.coverage()
    }

    /// How much of each pixel shows one of the things behind the critter, as in [`Scene::part_mask`].
    pub fn clutter_mask(&self, index: usize, size: u16) -> Vec<f32> {
        let mut canvas = Canvas::new(size);
        canvas.set_ink(Some(Colour::BLACK));
        self.backdrop.draw_behind(&mut canvas, |canvas, thing| {
            canvas.set_ink(Some(if thing == index { Colour::WHITE } else { Colour::BLACK }));
        });
        self.draw_front(&mut canvas, |_| Some(Colour::BLACK));
        canvas.coverage()
    }

    /// Draws everything from the back to the front, in the ink chosen for each part (`None` for the surroundings).
    fn draw(&self, canvas: &mut Canvas, ink: impl Fn(Option<Part>) -> Option<Colour>) {
        canvas.set_ink(ink(None));
        self.backdrop.draw_behind(canvas, |_, _| ());
        self.draw_front(canvas, ink);
    }

    fn draw_front(&self, canvas: &mut Canvas, ink: impl Fn(Option<Part>) -> Option<Colour>) {
        self.figure.draw(canvas, |canvas, part| canvas.set_ink(ink(Some(part))));
        canvas.set_ink(ink(None));
        self.backdrop.draw_before(canvas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u16 = 64;

    fn scenes() -> impl Iterator<Item = Scene> {
        (0..4).flat_map(|seed| Class::ALL.map(|class| Scene::sample(seed, class)))
    }

    /// Largest difference of any channel, per pixel.
    fn differences(one: &Scene, other: &Scene) -> Vec<u8> {
        let (one, other) = (one.render(SIZE), other.render(SIZE));
        let pixels = one.rgb.chunks_exact(3).zip(other.rgb.chunks_exact(3));
        pixels.map(|(a, b)| (0..3).map(|channel| a[channel].abs_diff(b[channel])).max().unwrap()).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes_on_every_machine() {
        // FNV-1a over the pixels. A change here means that the built-in model was trained on other images.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for scene in scenes() {
            for byte in scene.render(SIZE).rgb {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        assert_eq!(hash, 0xfb8d_2652_2467_ada2, "found {hash:#018x}");
    }

    #[test]
    fn without_a_part_nothing_changes_outside_its_mask() {
        for scene in scenes() {
            for part in Part::ALL {
                let mask = scene.part_mask(part, SIZE);
                let changed = differences(&scene, &scene.without(part));
                for (pixel, (&coverage, &difference)) in mask.iter().zip(&changed).enumerate() {
                    let bound = (coverage * 255.0 * 1.2).ceil() + 1.0;
                    assert!(
                        f32::from(difference) <= bound,
                        "{part:?} covers {coverage} of pixel {pixel}, which changed by {difference}"
                    );
                }
            }
        }
    }

    #[test]
    fn another_variant_changes_nothing_outside_the_two_masks() {
        for scene in scenes() {
            for part in Part::ALL {
                for variant in Variant::ALL {
                    let other = scene.with(part, variant);
                    let (before, after) = (scene.part_mask(part, SIZE), other.part_mask(part, SIZE));
                    let changed = differences(&scene, &other);
                    let outside = (0..changed.len()).filter(|&pixel| before[pixel] + after[pixel] == 0.0);
                    let worst = outside.map(|pixel| changed[pixel]).max().unwrap();
                    assert!(worst <= 1, "{part:?} {variant:?} changed a pixel outside by {worst}");
                }
            }
        }
    }

    #[test]
    fn masks_never_cover_a_pixel_more_than_once() {
        for scene in scenes() {
            let masks = Part::ALL.map(|part| scene.part_mask(part, SIZE));
            for pixel in 0..masks[0].len() {
                let total: f32 = masks.iter().map(|mask| mask[pixel]).sum();
                assert!(total <= 1.0 + 7.0 / 255.0, "pixel {pixel} is covered {total} times");
            }
        }
    }

    #[test]
    fn every_part_is_seen_in_every_scene() {
        for scene in scenes() {
            for part in Part::ALL {
                let area: f32 = scene.part_mask(part, SIZE).iter().sum();
                assert!(area >= 12.0, "{part:?} of {:?} shows on {area} pixels only", scene.class());
            }
        }
    }

    #[test]
    fn labels_name_the_part_that_a_pixel_shows_most_of() {
        for scene in scenes().map(|scene| scene.without(Part::Tail)).take(5) {
            let masks = Part::ALL.map(|part| scene.part_mask(part, SIZE));
            for (pixel, label) in scene.labels(SIZE).into_iter().enumerate() {
                let shares = masks.each_ref().map(|mask| mask[pixel]);
                let (seen, most) =
                    (shares.iter().sum::<f32>(), shares.iter().fold(0.0_f32, |most, share| most.max(*share)));
                let own = label.map(|part| shares[Part::ALL.iter().position(|other| *other == part).unwrap()]);
                assert_eq!(own, (seen > 0.5).then_some(most), "pixel {pixel}: {shares:?}");
                assert_ne!(label, Some(Part::Tail));
            }
        }
    }

    #[test]
    fn the_parts_make_up_the_critter() {
        for scene in scenes() {
            let masks = Part::ALL.map(|part| scene.part_mask(part, SIZE));
            for (pixel, whole) in scene.mask(SIZE).into_iter().enumerate() {
                let sum: f32 = masks.iter().map(|mask| mask[pixel]).sum();
                assert!((sum - whole).abs() <= 14.0 / 255.0, "pixel {pixel}: {sum} in parts, {whole} in all");
            }
        }
    }

    #[test]
    fn without_a_thing_behind_the_critter_nothing_changes_outside_the_masks_of_things() {
        for scene in scenes() {
            for thing in 0..scene.clutter() {
                let mask = scene.clutter_mask(thing, SIZE);
                let changed = differences(&scene, &scene.without_clutter(thing));
                let outside = (0..changed.len()).filter(|&pixel| mask[pixel] == 0.0);
                assert!(outside.map(|pixel| changed[pixel]).max().unwrap() <= 1, "thing {thing} changed more");
            }
            assert_eq!(scene.without_clutter(0).clutter(), scene.clutter() - 1);
        }
    }

    #[test]
    fn other_surroundings_leave_the_critter_as_it_is() {
        let (one, other) = (Scene::sample(3, Class::Tozzle), Scene::sample(3, Class::Tozzle).before(77));
        let (first, second) = (one.mask(SIZE), other.mask(SIZE));
        let changed = differences(&one, &other);
        let inside = |pixel: &usize| first[*pixel] >= 0.999 && second[*pixel] >= 0.999;
        assert!((0..changed.len()).filter(inside).all(|pixel| changed[pixel] <= 1));
        assert!((0..changed.len()).filter(|pixel| changed[*pixel] > 20).count() > 500, "the surroundings are the same");
    }

    #[test]
    fn a_part_taken_away_has_an_empty_mask() {
        let scene = Scene::sample(3, Class::Hobbin).without(Part::Tail);
        assert_eq!(scene.variant(Part::Tail), None);
        assert!(scene.part_mask(Part::Tail, SIZE).iter().all(|&coverage| coverage == 0.0));
    }

    #[test]
    fn variants_of_a_part_differ_in_shape_and_in_colour() {
        let scene = Scene::sample(11, Class::Bimble);
        for part in Part::ALL {
            for (one, other) in [(Variant::A, Variant::B), (Variant::B, Variant::C), (Variant::C, Variant::A)] {
                let (one, other) = (scene.with(part, one), scene.with(part, other));
                let (first, second) = (one.part_mask(part, SIZE), other.part_mask(part, SIZE));
                let shape: f32 = first.iter().zip(&second).map(|(a, b)| (a - b).abs()).sum();
                assert!(shape >= 4.0, "two variants of {part:?} differ on {shape} pixels only");
                let changed = differences(&one, &other);
                let both = (0..changed.len()).filter(|&pixel| first[pixel] > 0.9 && second[pixel] > 0.9);
                let colour = both.map(|pixel| changed[pixel]).max().unwrap();
                assert!(colour >= 60, "two variants of {part:?} differ by {colour} levels where both are seen");
            }
        }
    }

    #[test]
    fn a_larger_picture_shows_the_same_scene() {
        let scene = Scene::sample(5, Class::Wendle);
        let mean = |image: Image| image.rgb.iter().map(|&value| f64::from(value)).sum::<f64>() / image.rgb.len() as f64;
        let (small, large) = (mean(scene.render(64)), mean(scene.render(256)));
        assert!((small - large).abs() < 1.0, "mean {small} at 64 pixels and {large} at 256");
    }

    #[test]
    fn one_seed_shows_all_classes_in_the_same_surroundings() {
        let first = Scene::sample(9, Class::Bimble);
        for class in Class::ALL {
            let scene = Scene::sample(9, class);
            assert_eq!(
                (&scene.figure.pose, &scene.light, &scene.backdrop),
                (&first.figure.pose, &first.light, &first.backdrop)
            );
        }
    }
}
