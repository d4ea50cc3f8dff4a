//! Normalisations over each sample's own mean and variance.

use super::{Parts, View};

/// The normalisation whose result a value is: the last of its nodes, so the bias where there is one.
pub(super) fn ending_in(view: &View<'_>, id: usize) -> Option<Parts> {
    let core = without_affine(view, id);
    let (operator, input) = by_moments(view, core).or_else(|| by_groups(view, core))?;
    // What follows may belong to it too; then this is not its end.
    if view.only_reader(id).is_some_and(|next| is_affine_step(view, next, id) && !ends_before(view, core, id, next)) {
        return None;
    }
    Some(Parts { operator, inputs: vec![input], output: id, open: false })
}

/// Takes a constant bias and a constant scale off the end.
fn without_affine(view: &View<'_>, id: usize) -> usize {
    let scaled = view.computed_and_constant(id, "Add").map_or(id, |(scaled, _)| scaled);
    view.computed_and_constant(scaled, "Mul").map_or(scaled, |(core, _)| core)
}

/// Whether a value is another one with a constant added or multiplied.
fn is_affine_step(view: &View<'_>, id: usize, of: usize) -> bool {
    ["Add", "Mul"].iter().any(|operator| view.computed_and_constant(id, operator).is_some_and(|(from, _)| from == of))
}

/// Whether the normalisation with the given core ends at `id`, since what comes next is no part of its scale and bias.
fn ends_before(view: &View<'_>, core: usize, id: usize, next: usize) -> bool {
    let has_bias = view.operator(id) == "Add" && id != core;
    has_bias || without_affine(view, next) != core
}

/// `(x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon)`, or the same without the means.
fn by_moments(view: &View<'_>, core: usize) -> Option<(&'static str, usize)> {
    let &[left, right] = view.inputs(core).as_slice() else { return None };
    let (centred, variance) = match view.operator(core) {
        "Div" => (left, view.input_of(right, "Sqrt")?),
        "Mul" => [(left, right), (right, left)]
            .into_iter()
            .find_map(|(centred, inverse)| Some((centred, inverse_root(view, inverse)?)))?,
        _ => return None,
    };
    // Epsilon is added, or for an instance without one is not there.
    let mean = view.computed_and_constant(variance, "Add").map_or(variance, |(mean, _)| mean);
    let squares = view.seen_through(view.input_of(mean, "ReduceMean")?);
    let root = match view.operator(squares) {
        "Mul" if view.input(squares, 0) == view.input(squares, 1) => view.input(squares, 0)?,
        "Pow" if view.scalar(view.input(squares, 1)?) == Some(2.0) => view.input(squares, 0)?,
        _ => return None,
    };
    if view.seen_through(root) != view.seen_through(centred) {
        return None;
    }
    let centred = view.seen_through(centred);
    if view.operator(centred) == "Sub" {
        let (input, mean) = (view.input(centred, 0)?, view.input(centred, 1)?);
        if view.input_of(mean, "ReduceMean").is_some_and(|of| view.seen_through(of) == view.seen_through(input)) {
            return Some(("LayerNormalization", input));
        }
    }
    Some(("RMSNormalization", centred))
}

/// What `1 / sqrt(x)` is taken of.
fn inverse_root(view: &View<'_>, id: usize) -> Option<usize> {
    match view.operator(id) {
        "Reciprocal" => view.input_of(view.input(id, 0)?, "Sqrt"),
        "Pow" if view.scalar(view.input(id, 1)?) == Some(-0.5) => view.input(id, 0),
        "Div" if view.scalar(view.input(id, 0)?) == Some(1.0) => view.input_of(view.input(id, 1)?, "Sqrt"),
        _ => None,
    }
}

/// Group normalisation as an instance normalisation between two changes of shape.
fn by_groups(view: &View<'_>, core: usize) -> Option<(&'static str, usize)> {
    let groups = view.input_of(core, "Reshape")?;
    let split = view.input_of(groups, "InstanceNormalization")?;
    let input = view.input_of(split, "Reshape")?;
    (view.shape(input) == view.shape(core)).then_some(("GroupNormalization", input))
}

impl View<'_> {
    /// The first input of the node that makes a value, if its operator is this one.
    fn input_of(&self, id: usize, operator: &str) -> Option<usize> {
        let id = self.seen_through(id);
        if self.operator(id) == operator { self.input(id, 0) } else { None }
    }
}
