//! The eyes: round, sleepy, ringed.

use crate::Variant;
use crate::canvas::Canvas;
use crate::colour::Colour;
use crate::draw::on_head;
use crate::pose::Pose;
use crate::shape::{Point, circle, curve, ellipse, polygon};

const LID: Colour = Colour::hex(0x5a8f5c);
const RING: Colour = Colour::hex(0x2b2350);
const IRIS: Colour = Colour::hex(0xffd23f);
const PUPIL: Colour = Colour::hex(0x1c1a24);

/// The far eye and the near one, in the head's frame.
const CENTRES: [Point; 2] = [(-0.18, -0.14), (0.38, -0.16)];

pub(super) fn draw(canvas: &mut Canvas, variant: Variant, pose: &Pose) {
    on_head(canvas, pose, |canvas| {
        for centre in CENTRES {
            canvas.within(centre, 0.0, (0.25, 0.25), |canvas| one_eye(canvas, variant, pose.gaze));
        }
    });
}

/// An eye of radius 1.
fn one_eye(canvas: &mut Canvas, variant: Variant, gaze: Point) {
    let glint = |canvas: &mut Canvas| canvas.fill(circle((gaze.0 + 0.2, gaze.1 - 0.25), 0.2), Colour::WHITE);
    match variant {
        Variant::A => {
            canvas.fill(circle((0.0, 0.0), 1.12), PUPIL);
            canvas.fill(circle((0.0, 0.0), 0.88), Colour::WHITE);
            canvas.fill(circle(gaze, 0.52), PUPIL);
            glint(canvas);
        }
        Variant::B => {
            canvas.fill(ellipse((0.0, 0.1), 1.3, 0.85), PUPIL);
            canvas.fill(ellipse((0.0, 0.1), 1.05, 0.62), LID);
            canvas.fill(polygon(&[(-0.85, 0.3), (0.85, 0.3), (0.4, 0.68), (-0.4, 0.68)]), Colour::WHITE);
            canvas.line(curve(&[(-1.2, 0.2), (1.2, 0.2)]), 0.3, PUPIL);
        }
        Variant::C => {
            canvas.fill(circle((0.0, 0.0), 1.42), RING);
            canvas.fill(circle((0.0, 0.0), 0.95), IRIS);
            canvas.fill(circle((gaze.0 * 0.6, gaze.1 * 0.6), 0.42), RING);
            glint(canvas);
        }
    }
}
