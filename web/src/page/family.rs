//! The families of methods, in words.

use vitrine_protocol::Family;

/// What a menu calls a family.
pub(crate) fn name(family: Family) -> &'static str {
    match family {
        Family::Gradient => "Gradients at the image",
        Family::Propagation => "Handing the score back",
        Family::Path => "Gradients along a path",
        Family::Cam => "A layer's activations",
        Family::Sampling => "Hiding parts and watching",
        Family::Optimisation => "Looking for the smallest part",
        Family::Visualisation => "Making a picture",
    }
}

/// What the methods of a family have in common.
pub(crate) fn line(family: Family) -> &'static str {
    match family {
        Family::Gradient => "How the answer changes when a pixel changes a little.",
        Family::Propagation => "The answer is shared out, layer by layer, until it lies on the pixels.",
        Family::Path => "How the answer changes while the picture is faded in from an empty one.",
        Family::Cam => "Where a layer inside the model found what bears on the answer.",
        Family::Sampling => "Only the answers to changed pictures are looked at, never the inside of the model.",
        Family::Optimisation => "A mask is improved step by step until what it marks is small and decides the answer.",
        Family::Visualisation => "A picture is made until the model, or a part of it, answers as strongly as it can.",
    }
}
