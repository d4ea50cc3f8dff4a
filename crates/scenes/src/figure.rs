//! A critter by itself: its parts and how it holds itself, without surroundings.

use crate::canvas::Canvas;
use crate::draw::LAYERS;
use crate::pose::Pose;
use crate::random::Random;
use crate::{Class, Part, Variant};

/// A critter of known parts in a pose.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) class: Class,
    /// By [`Part`]; `None` where a part was taken away.
    pub(crate) parts: [Option<Variant>; 7],
    pub(crate) pose: Pose,
}

impl Figure {
    pub(crate) fn sample(random: &mut Random, class: Class) -> Self {
        let parts = Part::ALL.map(|part| Some(class.variant(part)));
        Figure { class, parts, pose: Pose::sample(random) }
    }

    pub(crate) fn variant(&self, part: Part) -> Option<Variant> {
        self.parts[part.index()]
    }

    pub(crate) fn having(&self, part: Part, variant: Option<Variant>) -> Self {
        let mut figure = self.clone();
        figure.parts[part.index()] = variant;
        figure
    }

    /// Draws the parts there are from the back to the front; `prepare` is told which comes next.
    pub(crate) fn draw(&self, canvas: &mut Canvas, prepare: impl Fn(&mut Canvas, Part)) {
        let Pose { centre, scale, mirrored, lean, .. } = self.pose;
        let across = if mirrored { -scale } else { scale };
        canvas.within(centre, lean, (across, scale), |canvas| {
            for (part, draw) in LAYERS {
                if let Some(variant) = self.variant(part) {
                    prepare(canvas, part);
                    draw(canvas, variant, &self.pose);
                }
            }
        });
    }
}
