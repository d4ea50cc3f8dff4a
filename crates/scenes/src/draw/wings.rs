//! The wings: paddles, feathers, bat wings. The far one shows above the back, the near one lies on the flank.

use crate::Variant;
use crate::canvas::Canvas;
use crate::colour::Colour;
use crate::pose::Pose;
use crate::shape::{blob, curve};

const PALE: Colour = Colour::hex(0xa9dcf5);
const NAVY: Colour = Colour::hex(0x2b4aa0);
const PURPLE: Colour = Colour::hex(0x7a2a8c);

pub(super) fn draw_far(canvas: &mut Canvas, variant: Variant, pose: &Pose) {
    canvas.within((0.05, -0.45), 252.0 + pose.wing_lift, (0.85, 0.85), |canvas| one_wing(canvas, variant, 0.25));
}

pub(super) fn draw_near(canvas: &mut Canvas, variant: Variant, pose: &Pose) {
    canvas.within((-0.15, -0.1), 218.0 + pose.wing_lift, (0.88, 0.88), |canvas| one_wing(canvas, variant, 0.0));
}

/// A wing from the shoulder at the origin to the right, its leading edge below.
fn one_wing(canvas: &mut Canvas, variant: Variant, shade: f32) {
    match variant {
        Variant::A => {
            let paddle = [(-0.25, -0.3), (0.6, -0.62), (1.75, -0.45), (1.75, 0.45), (0.6, 0.55), (-0.25, 0.3)];
            canvas.outlined(blob(&paddle), PALE.darker(shade));
            canvas.line(curve(&[(0.35, 0.0), (1.2, 0.0)]), 0.1, PALE.darker(0.35 + shade));
        }
        Variant::B => {
            for (turn, length) in [(-42.0, 0.8), (-20.0, 0.95), (2.0, 1.0)] {
                canvas.within((0.0, 0.0), turn, (length, length), |canvas| {
                    let feather = [(-0.2, -0.22), (0.8, -0.34), (1.95, -0.02), (0.8, 0.3), (-0.2, 0.22)];
                    canvas.outlined(blob(&feather), NAVY.lighter(0.12).darker(shade));
                });
            }
        }
        Variant::C => {
            let web = [
                (-0.3, 0.1),
                (0.5, 0.55),
                (1.9, 0.5),
                (1.25, 0.05),
                (1.6, -0.65),
                (0.85, -0.35),
                (0.75, -1.05),
                (0.25, -0.45),
                (-0.3, -0.4),
            ];
            canvas.outlined(blob(&web), PURPLE.lighter(0.1).darker(shade));
            canvas.line(curve(&[(0.1, 0.0), (1.2, -0.3)]), 0.08, PURPLE.darker(0.45 + shade));
            canvas.line(curve(&[(0.1, 0.0), (0.6, -0.6)]), 0.08, PURPLE.darker(0.45 + shade));
        }
    }
}
