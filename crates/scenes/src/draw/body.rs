//! The body: a round one, a pear, a loaf.

use crate::Variant;
use crate::canvas::Canvas;
use crate::colour::Colour;
use crate::pose::Pose;
use crate::shape::{blob, circle, curve, ellipse};

const TEAL: Colour = Colour::hex(0x2fa39a);
const ORANGE: Colour = Colour::hex(0xee7b4a);
const VIOLET: Colour = Colour::hex(0x8a6fd0);

pub(super) fn draw(canvas: &mut Canvas, variant: Variant, _: &Pose) {
    match variant {
        Variant::A => {
            canvas.outlined(circle((0.0, 0.12), 0.98), TEAL);
            canvas.fill(ellipse((0.22, 0.4), 0.55, 0.55), TEAL.lighter(0.6));
        }
        Variant::B => {
            let pear =
                [(0.55, -0.95), (0.75, -0.1), (1.35, 1.1), (0.0, 1.45), (-1.35, 1.1), (-0.75, -0.1), (-0.1, -0.95)];
            canvas.outlined(blob(&pear), ORANGE);
            for (x, y, radius) in [(0.35, 0.72, 0.2), (-0.3, 0.8, 0.16), (0.68, 0.25, 0.15), (0.05, 0.28, 0.17)] {
                canvas.fill(circle((x, y), radius), ORANGE.lighter(0.65));
            }
        }
        Variant::C => {
            let loaf = [(1.45, -0.5), (1.45, 1.05), (0.0, 1.15), (-1.5, 1.05), (-1.35, -0.5), (0.0, -0.75)];
            canvas.outlined(blob(&loaf), VIOLET);
            for x in [-0.45, 0.1, 0.65] {
                canvas.line(curve(&[(x, 0.15), (x - 0.1, 0.5), (x, 0.85)]), 0.2, VIOLET.darker(0.42));
            }
        }
    }
}
