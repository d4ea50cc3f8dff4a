//! Where the critter stands and how it holds itself.

use crate::random::Random;

/// Side of a critter's own unit, the radius of its body, as a fraction of the picture.
const SCALE: (f32, f32) = (0.175, 0.22);

/// The middle of a critter's outline in its own frame.
const MIDDLE: (f32, f32) = (-0.15, -0.25);

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pose {
    /// The body's centre in the unit square.
    pub(crate) centre: (f32, f32),
    /// Critter units to the unit square.
    pub(crate) scale: f32,
    /// Looks to the left.
    pub(crate) mirrored: bool,
    /// Lean of the whole critter, in degrees.
    pub(crate) lean: f32,
    /// Nod of the head, in degrees.
    pub(crate) nod: f32,
    /// Lift of the wings, in degrees.
    pub(crate) wing_lift: f32,
    /// Lift of the tail, in degrees.
    pub(crate) tail_lift: f32,
    /// How far the front foot is ahead and the back foot behind, in critter units.
    pub(crate) stride: f32,
    /// Where the pupils sit in the eyes, in eye radii.
    pub(crate) gaze: (f32, f32),
}

impl Pose {
    pub(crate) fn sample(random: &mut Random) -> Self {
        let scale = random.between(SCALE.0, SCALE.1);
        let mirrored = random.chance(0.5);
        // A critter reaches some 2.1 units from the middle of its outline; the smaller, the more room it has.
        let room = 0.5 - 2.1 * scale;
        let middle = if mirrored { (-MIDDLE.0, MIDDLE.1) } else { MIDDLE };
        Pose {
            centre: (
                0.5 - middle.0 * scale + random.between(-room, room),
                0.5 - middle.1 * scale + random.between(-room, room),
            ),
            scale,
            mirrored,
            lean: random.between(-10.0, 10.0),
            nod: random.between(-12.0, 12.0),
            wing_lift: random.between(-18.0, 18.0),
            tail_lift: random.between(-15.0, 15.0),
            stride: random.between(-0.14, 0.14),
            gaze: (random.between(-0.3, 0.4), random.between(-0.25, 0.25)),
        }
    }
}
