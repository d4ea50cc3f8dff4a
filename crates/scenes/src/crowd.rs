//! Several critters in one picture, with a box and a mask for each.

use crate::backdrop::Backdrop;
use crate::canvas::Canvas;
use crate::colour::Colour;
use crate::figure::Figure;
use crate::light::Light;
use crate::random::Random;
use crate::{Class, Image};

/// Side of the square that a critter stands in, as a fraction of the picture.
const SIDE: (f32, f32) = (0.45, 0.62);
/// Least distance of the middles of two such squares.
const APART: f32 = 0.33;

/// One to four critters of any classes in one place and light.
#[derive(Clone, Debug, PartialEq)]
pub struct Crowd {
    members: Vec<Member>,
    light: Light,
    backdrop: Backdrop,
}

#[derive(Clone, Debug, PartialEq)]
struct Member {
    figure: Figure,
    /// Left, top and side of the square that it stands in.
    square: (f32, f32, f32),
}

/// The smallest box around what is seen of something: edges in pixels from the left and the top.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Bounds {
    pub left: f32,
    pub top: f32,
    pub right: f32,
    pub bottom: f32,
}

impl Crowd {
    /// Everything follows from the seed.
    pub fn sample(seed: u64) -> Self {
        let random = &mut Random::new(seed);
        let wanted = 1 + random.below(4);
        let mut members: Vec<Member> = Vec::new();
        // A place that is taken is drawn again, a few times only: a crowd may be smaller than wanted.
        for _ in 0..4 * wanted {
            let side = random.between(SIDE.0, SIDE.1);
            let square = (random.between(-0.02, 1.02 - side), random.between(-0.02, 1.02 - side), side);
            let class = random.pick(&Class::ALL);
            let figure = Figure::sample(random, class);
            if members.len() < wanted && members.iter().all(|member| distance(member.square, square) >= APART) {
                members.push(Member { figure, square });
            }
        }
        Crowd { members, light: Light::sample(random), backdrop: Backdrop::sample(random) }
    }

    /// The critters' classes, from the back to the front.
    pub fn classes(&self) -> Vec<Class> {
        self.members.iter().map(|member| member.figure.class).collect()
    }

    /// Draws the crowd, `size` pixels high and wide.
    pub fn render(&self, size: u16) -> Image {
        let mut canvas = Canvas::new(size);
        self.draw(&mut canvas, |_| None);
        self.light.shine(canvas.image())
    }

    /// How much of each pixel shows this critter, 0 to 1, row by row from the top: what is hidden does not count.
    pub fn mask(&self, index: usize, size: u16) -> Vec<f32> {
        let mut canvas = Canvas::new(size);
        self.draw(&mut canvas, |member| Some(if member == Some(index) { Colour::WHITE } else { Colour::BLACK }));
        canvas.coverage()
    }

    /// The box around what is seen of this critter; `None` where nothing is.
    pub fn bounds(&self, index: usize, size: u16) -> Option<Bounds> {
        bounds(&self.mask(index, size), usize::from(size))
    }

    fn draw(&self, canvas: &mut Canvas, ink: impl Fn(Option<usize>) -> Option<Colour>) {
        canvas.set_ink(ink(None));
        self.backdrop.draw_behind(canvas, |_, _| ());
        for (index, Member { figure, square: (left, top, side) }) in self.members.iter().enumerate() {
            canvas.set_ink(ink(Some(index)));
            canvas.within((*left, *top), 0.0, (*side, *side), |canvas| figure.draw(canvas, |_, _| ()));
        }
        canvas.set_ink(ink(None));
        self.backdrop.draw_before(canvas);
    }
}

fn distance(one: (f32, f32, f32), other: (f32, f32, f32)) -> f32 {
    let middle = |(left, top, side): (f32, f32, f32)| (left + side / 2.0, top + side / 2.0);
    let ((x, y), (u, v)) = (middle(one), middle(other));
    ((x - u) * (x - u) + (y - v) * (y - v)).sqrt()
}

/// The smallest box around the pixels of a mask that are covered by half or more; `None` where there are none.
pub fn bounds(mask: &[f32], width: usize) -> Option<Bounds> {
    let covered = mask.iter().enumerate().filter(|(_, value)| **value >= 0.5);
    let boxes = covered.map(|(pixel, _)| {
        let (x, y) = ((pixel % width) as f32, (pixel / width) as f32);
        Bounds { left: x, top: y, right: x + 1.0, bottom: y + 1.0 }
    });
    boxes.reduce(|a, b| Bounds {
        left: a.left.min(b.left),
        top: a.top.min(b.top),
        right: a.right.max(b.right),
        bottom: a.bottom.max(b.bottom),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u16 = 96;

    #[test]
    fn boxes_go_round_the_covered_pixels() {
        let mask = [0.0, 0.0, 0.0, 0.4, 0.0, 0.9, 0.0, 0.6];
        assert_eq!(bounds(&mask, 4), Some(Bounds { left: 1.0, top: 1.0, right: 4.0, bottom: 2.0 }));
        assert_eq!(bounds(&[0.1; 4], 2), None);
    }

    #[test]
    fn every_critter_of_a_crowd_is_seen_and_no_pixel_shows_two() {
        for seed in 0..60 {
            let crowd = Crowd::sample(seed);
            let count = crowd.classes().len();
            assert!((1..=4).contains(&count), "{count} critters");
            let masks: Vec<Vec<f32>> = (0..count).map(|index| crowd.mask(index, SIZE)).collect();
            for mask in &masks {
                assert!(mask.iter().sum::<f32>() > 150.0, "seed {seed}: {} pixels", mask.iter().sum::<f32>());
            }
            for pixel in 0..masks[0].len() {
                assert!(masks.iter().map(|mask| mask[pixel]).sum::<f32>() <= 1.0 + 4.0 / 255.0);
            }
        }
    }

    #[test]
    fn crowds_of_all_sizes_and_classes_come_up() {
        let crowds: Vec<Crowd> = (0..200).map(Crowd::sample).collect();
        for size in 1..=4 {
            assert!(crowds.iter().any(|crowd| crowd.classes().len() == size), "no crowd of {size}");
        }
        for class in Class::ALL {
            assert!(crowds.iter().any(|crowd| crowd.classes().contains(&class)), "no {class:?}");
        }
    }
}
