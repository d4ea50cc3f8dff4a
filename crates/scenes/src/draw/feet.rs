//! The feet: webbed, in boots, with claws.

use crate::Variant;
use crate::canvas::Canvas;
use crate::colour::Colour;
use crate::pose::Pose;
use crate::shape::{blob, curve, polygon};

const ORANGE: Colour = Colour::hex(0xff9d2e);
const BLUE: Colour = Colour::hex(0x2f6fd0);
const DARK: Colour = Colour::hex(0x4a2b2b);

pub(super) fn draw(canvas: &mut Canvas, variant: Variant, pose: &Pose) {
    for (x, y) in [(-0.38 - pose.stride, 0.92), (0.42 + pose.stride, 0.96)] {
        canvas.within((x, y), 0.0, (1.0, 1.0), |canvas| one_foot(canvas, variant));
    }
}

/// A foot under the hip at the origin.
fn one_foot(canvas: &mut Canvas, variant: Variant) {
    match variant {
        Variant::A => {
            canvas.outlined_line(curve(&[(0.0, 0.0), (0.0, 0.5)]), 0.14, ORANGE);
            let web = [(-0.05, 0.4), (0.55, 0.62), (0.32, 0.68), (0.2, 0.76), (0.02, 0.68), (-0.22, 0.74)];
            canvas.outlined(polygon(&web), ORANGE);
        }
        Variant::B => {
            let boot = [(-0.24, -0.1), (0.26, -0.1), (0.2, 0.32), (0.72, 0.42), (0.6, 0.8), (-0.3, 0.8)];
            canvas.outlined(blob(&boot), BLUE);
        }
        Variant::C => {
            canvas.line(curve(&[(0.0, 0.0), (0.0, 0.5)]), 0.16, DARK);
            for toe in [(-0.34, 0.74), (0.06, 0.8), (0.44, 0.7)] {
                canvas.line(curve(&[(0.0, 0.45), toe]), 0.15, DARK);
            }
        }
    }
}
