//! The tail: a fan, a curl, a bolt.

use crate::Variant;
use crate::canvas::Canvas;
use crate::colour::Colour;
use crate::pose::Pose;
use crate::shape::{blob, curve, polygon};

const RED: Colour = Colour::hex(0xd63a2f);
const PINK: Colour = Colour::hex(0xf7a1c4);
const GREEN: Colour = Colour::hex(0x9bd12f);

pub(super) fn draw(canvas: &mut Canvas, variant: Variant, pose: &Pose) {
    canvas.within((-0.75, 0.6), 180.0 + pose.tail_lift, (1.0, 1.0), |canvas| match variant {
        Variant::A => {
            for turn in [-34.0, 34.0, 0.0] {
                canvas.within((0.0, 0.0), turn, (1.0, 1.0), |canvas| {
                    canvas.outlined(blob(&[(-0.2, -0.1), (1.4, -0.45), (1.4, 0.45), (-0.2, 0.1)]), RED);
                });
            }
        }
        Variant::B => {
            let curl = [(0.0, 0.0), (0.75, -0.15), (1.25, 0.15), (1.2, 0.75), (0.6, 0.8), (0.55, 0.35), (0.85, 0.35)];
            canvas.outlined_line(curve(&curl), 0.26, PINK);
        }
        Variant::C => {
            let bolt = [(0.0, -0.2), (0.75, -0.2), (0.7, 0.1), (1.5, 0.05), (0.55, 0.62), (0.6, 0.25), (0.0, 0.25)];
            canvas.outlined(polygon(&bolt), GREEN);
        }
    });
}
