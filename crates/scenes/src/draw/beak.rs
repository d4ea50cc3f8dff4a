//! The beak: a cone, a bill, a hook.

use crate::Variant;
use crate::canvas::Canvas;
use crate::colour::Colour;
use crate::draw::on_head;
use crate::pose::Pose;
use crate::shape::{blob, curve, polygon};

const ORANGE: Colour = Colour::hex(0xf58220);
const YELLOW: Colour = Colour::hex(0xffe14d);
const RED: Colour = Colour::hex(0x9c1f2e);

pub(super) fn draw(canvas: &mut Canvas, variant: Variant, pose: &Pose) {
    on_head(canvas, pose, |canvas| match variant {
        Variant::A => canvas.outlined(polygon(&[(0.36, 0.0), (0.98, 0.26), (0.36, 0.52)]), ORANGE),
        Variant::B => {
            let bill = [(0.1, 0.02), (0.8, 0.2), (1.55, -0.02), (1.55, 0.6), (0.7, 0.5), (0.1, 0.6)];
            canvas.outlined(blob(&bill), YELLOW);
            canvas.line(curve(&[(0.4, 0.33), (0.9, 0.4), (1.35, 0.27)]), 0.07, YELLOW.darker(0.55));
        }
        Variant::C => {
            let hook = [(0.1, -0.1), (0.9, -0.2), (1.25, 0.3), (0.95, 1.15), (0.75, 0.55), (0.1, 0.6)];
            canvas.outlined(blob(&hook), RED);
        }
    });
}
