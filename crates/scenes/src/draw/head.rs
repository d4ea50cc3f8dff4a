//! The head: smooth, with ears, with a crest.

use crate::Variant;
use crate::canvas::Canvas;
use crate::colour::Colour;
use crate::draw::on_head;
use crate::pose::Pose;
use crate::shape::{blob, circle, ellipse, polygon};

const CREAM: Colour = Colour::hex(0xf6e3bd);
const YELLOW: Colour = Colour::hex(0xf2c53d);
const PINK: Colour = Colour::hex(0xf08fb0);
const CREST: Colour = Colour::hex(0xc2255c);

pub(super) fn draw(canvas: &mut Canvas, variant: Variant, pose: &Pose) {
    on_head(canvas, pose, |canvas| match variant {
        Variant::A => {
            canvas.outlined(circle((0.0, 0.0), 0.76), CREAM);
            canvas.fill(ellipse((-0.32, 0.3), 0.2, 0.14), Colour::hex(0xf0a58f));
        }
        Variant::B => {
            for ear in [[(-0.72, -0.2), (-0.72, -1.2), (-0.05, -0.6)], [(0.05, -0.6), (0.62, -1.2), (0.7, -0.2)]] {
                canvas.outlined(polygon(&ear), YELLOW);
            }
            canvas.outlined(circle((0.0, 0.0), 0.74), YELLOW);
            canvas.fill(polygon(&[(-0.6, -0.5), (-0.61, -0.93), (-0.3, -0.66)]), YELLOW.darker(0.35));
            canvas.fill(polygon(&[(0.28, -0.66), (0.53, -0.93), (0.57, -0.5)]), YELLOW.darker(0.35));
        }
        Variant::C => {
            let crest = [
                (-0.85, -0.1),
                (-1.25, -0.75),
                (-0.6, -0.6),
                (-0.65, -1.45),
                (-0.15, -0.85),
                (0.15, -1.5),
                (0.4, -0.6),
                (0.0, 0.0),
            ];
            canvas.outlined(blob(&crest), CREST);
            canvas.outlined(ellipse((0.0, 0.02), 0.76, 0.7), PINK);
        }
    });
}
