//! How each part is drawn, one file per part, in the critter's own frame: its body's centre at the origin, its body's
//! radius the unit, looking to the right. No part's place depends on another part's variant.

mod beak;
mod body;
mod eyes;
mod feet;
mod head;
mod tail;
mod wings;

use crate::canvas::Canvas;
use crate::pose::Pose;
use crate::{Part, Variant};

/// Draws one layer of a part.
pub(crate) type Draw = fn(&mut Canvas, Variant, &Pose);

/// What is drawn, from the back to the front.
pub(crate) const LAYERS: [(Part, Draw); 8] = [
    (Part::Wings, wings::draw_far),
    (Part::Tail, tail::draw),
    (Part::Feet, feet::draw),
    (Part::Body, body::draw),
    (Part::Wings, wings::draw_near),
    (Part::Head, head::draw),
    (Part::Beak, beak::draw),
    (Part::Eyes, eyes::draw),
];

/// Draws in the head's frame: its centre at the origin, nodding about it.
fn on_head(canvas: &mut Canvas, pose: &Pose, draw: impl FnOnce(&mut Canvas)) {
    canvas.within((0.55, -0.95), pose.nod, (1.0, 1.0), draw);
}
