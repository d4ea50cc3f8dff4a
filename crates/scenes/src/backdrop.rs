//! What stands behind the critter, and a little in front of it: sky, hills, clutter, grass.

use crate::canvas::Canvas;
use crate::colour::Colour;
use crate::random::Random;
use crate::shape::{blob, circle, curve, ellipse, polygon};

const SKIES: [(u32, u32); 6] = [
    (0xa9d6ee, 0xe8f4f2),
    (0xf6c9a8, 0xfbe9cf),
    (0xc3b8e4, 0xf2dbe6),
    (0x8fb7c9, 0xd5e3d6),
    (0xf2e3a6, 0xf8f3dc),
    (0x6c7fa6, 0xb9b4cf),
];
const GROUNDS: [u32; 6] = [0x9cc48a, 0xc9bd8e, 0xa8b89a, 0xd9b99b, 0x86a9a0, 0xb7a6b8];
const CLUTTER: [u32; 8] = [0xe6a07c, 0x6fa7a5, 0xd9c266, 0xb58fb8, 0x7f9ac2, 0x8aa86a, 0xd98c8c, 0xb9a58c];

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Backdrop {
    sky: (Colour, Colour),
    ground: Colour,
    /// Height of the horizon at the left edge, in the middle and at the right edge.
    horizon: [f32; 3],
    clutter: Vec<Thing>,
    grass: Vec<Thing>,
}

/// One piece of clutter.
#[derive(Clone, Debug, PartialEq)]
struct Thing {
    kind: Kind,
    at: (f32, f32),
    size: f32,
    turn: f32,
    colour: Colour,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Cloud,
    Ball,
    Pebble,
    Leaf,
    Stick,
    Flower,
    Mushroom,
    Tent,
    Blade,
}

impl Backdrop {
    pub(crate) fn sample(random: &mut Random) -> Self {
        let (top, bottom) = random.pick(&SKIES);
        let level = random.between(0.55, 0.85);
        Backdrop {
            sky: (Colour::hex(top), Colour::hex(bottom)),
            ground: Colour::hex(random.pick(&GROUNDS)),
            horizon: [0.0; 3].map(|_| level + random.between(-0.1, 0.1)),
            clutter: (0..4 + random.below(6)).map(|_| Thing::clutter(random)).collect(),
            grass: (0..random.below(5)).map(|_| Thing::blade(random)).collect(),
        }
    }

    /// Number of things behind the critter.
    pub(crate) fn clutter(&self) -> usize {
        self.clutter.len()
    }

    /// The same surroundings without one of those things.
    pub(crate) fn without(&self, index: usize) -> Self {
        let mut backdrop = self.clone();
        if index < backdrop.clutter.len() {
            backdrop.clutter.remove(index);
        }
        backdrop
    }

    /// Everything behind the critter; `prepare` is told which thing comes next.
    pub(crate) fn draw_behind(&self, canvas: &mut Canvas, prepare: impl Fn(&mut Canvas, usize)) {
        canvas.gradient(self.sky.0, self.sky.1);
        let [left, middle, right] = self.horizon;
        let hill = blob(&[(-0.6, left), (0.5, middle), (1.6, right), (1.6, 2.0), (-0.6, 2.0)]);
        canvas.fill(hill, self.ground);
        for (index, thing) in self.clutter.iter().enumerate() {
            prepare(canvas, index);
            thing.draw(canvas);
        }
    }

    /// The blades of grass before the critter.
    pub(crate) fn draw_before(&self, canvas: &mut Canvas) {
        for blade in &self.grass {
            blade.draw(canvas);
        }
    }
}

impl Thing {
    fn clutter(random: &mut Random) -> Self {
        let kinds =
            [Kind::Cloud, Kind::Ball, Kind::Pebble, Kind::Leaf, Kind::Stick, Kind::Flower, Kind::Mushroom, Kind::Tent];
        let kind = random.pick(&kinds);
        // Clouds float; everything else may lie anywhere.
        let lowest = if kind == Kind::Cloud { 0.45 } else { 1.0 };
        Thing {
            kind,
            at: (random.between(0.0, 1.0), random.between(0.0, lowest)),
            size: random.between(0.06, 0.13),
            turn: random.between(-30.0, 30.0),
            colour: Colour::hex(random.pick(&CLUTTER)).lighter(random.between(0.0, 0.25)),
        }
    }

    fn blade(random: &mut Random) -> Self {
        Thing {
            kind: Kind::Blade,
            at: (random.between(0.0, 1.0), 1.02),
            size: random.between(0.1, 0.2),
            turn: random.between(-20.0, 20.0),
            colour: Colour::hex(0x5e8c4a).mix(Colour::hex(0xa8a04e), random.between(0.0, 1.0)),
        }
    }

    fn draw(&self, canvas: &mut Canvas) {
        let (colour, deep) = (self.colour, self.colour.darker(0.3));
        canvas.within(self.at, self.turn, (self.size, self.size), |canvas| match self.kind {
            Kind::Cloud => {
                for (x, radius) in [(-0.9, 0.6), (0.0, 0.85), (0.9, 0.6)] {
                    canvas.fill(circle((x, 0.0), radius), colour.lighter(0.6));
                }
            }
            Kind::Ball => {
                canvas.fill(circle((0.0, 0.0), 0.9), colour);
                canvas.line(curve(&[(-0.85, 0.1), (0.0, 0.5), (0.85, 0.1)]), 0.25, deep);
            }
            Kind::Pebble => canvas.fill(ellipse((0.0, 0.0), 1.0, 0.65), colour.mix(Colour::hex(0x9a9a94), 0.7)),
            Kind::Leaf => {
                canvas.fill(blob(&[(-1.2, 0.0), (0.0, -0.8), (1.2, 0.0), (0.0, 0.8)]), colour);
                canvas.line(curve(&[(-0.9, 0.0), (0.9, 0.0)]), 0.15, deep);
            }
            Kind::Stick => canvas.line(curve(&[(-1.3, 0.3), (0.0, -0.2), (1.3, 0.3)]), 0.3, Colour::hex(0x8a6f56)),
            Kind::Flower => {
                canvas.line(curve(&[(0.0, 0.0), (0.1, 1.6)]), 0.2, Colour::hex(0x6d8f5a));
                for (x, y) in [(-0.5, -0.2), (0.5, -0.2), (-0.3, 0.4), (0.3, 0.4), (0.0, -0.55)] {
                    canvas.fill(circle((x, y), 0.38), colour.lighter(0.3));
                }
                canvas.fill(circle((0.0, 0.0), 0.3), Colour::hex(0xd9b84a));
            }
            Kind::Mushroom => {
                canvas.fill(ellipse((0.0, 0.6), 0.3, 0.7), Colour::hex(0xefe3cf));
                canvas.fill(polygon(&[(-1.0, 0.3), (-0.6, -0.5), (0.6, -0.5), (1.0, 0.3)]), colour);
            }
            Kind::Tent => canvas.fill(polygon(&[(-1.0, 0.7), (0.0, -0.9), (1.0, 0.7)]), colour),
            Kind::Blade => canvas.fill(polygon(&[(-0.16, 0.0), (0.05, -1.0), (0.16, 0.0)]), colour),
        });
    }
}
