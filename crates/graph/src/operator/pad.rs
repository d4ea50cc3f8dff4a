//! Pad: constant, reflected, repeated and wrapped borders; negative pads crop.

use super::{
    Arguments, Operator, Refusal, Resolved,
    arguments::{Fact, axis, invalid},
};
use crate::{GraphError, Value, value::indexing::positions};

/// Cropping, then padding, of every axis.
#[derive(Clone, Debug)]
pub(crate) struct Pad {
    crops: Vec<(usize, usize)>,
    pads: Vec<(usize, usize)>,
    mode: Mode,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Constant(f32),
    Reflect,
    Edge,
    Wrap,
}

/// Larger pads are mistakes.
const LARGEST_PAD: i64 = 1 << 20;

pub(crate) fn pad(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    let input = fact.shape();
    let rank = input.len();
    let Some(given) = arguments.ints_from(1, "pads")?.or_else(|| arguments.ints("paddings").map(<[i64]>::to_vec))
    else {
        return invalid("pads are missing");
    };
    let axes = match arguments.constant(3)? {
        Some(axes) => axes.to_ints().iter().map(|&given| axis(given, rank)).collect::<Result<Vec<_>, _>>()?,
        None => (0..rank).collect(),
    };
    if given.len() != 2 * axes.len() || given.iter().any(|pad| pad.abs() > LARGEST_PAD) {
        return invalid(format!("pads {given:?} should be {} reasonable numbers", 2 * axes.len()));
    }
    let fill = match arguments.constant(2)? {
        Some(fill) => fill.to_floats().first().copied().unwrap_or(0.0),
        None => arguments.float("value", 0.0),
    };
    let mode = match arguments.text("mode").unwrap_or("constant") {
        "constant" => Mode::Constant(fill),
        "reflect" => Mode::Reflect,
        "edge" => Mode::Edge,
        "wrap" => Mode::Wrap,
        other => return invalid(format!("mode {other:?} does not exist")),
    };
    let (mut crops, mut pads) = (vec![(0, 0); rank], vec![(0, 0); rank]);
    let split = |amount: i64| {
        let size = usize::try_from(amount.unsigned_abs()).unwrap_or(usize::MAX);
        if amount < 0 { (size, 0) } else { (0, size) }
    };
    for (index, &axis) in axes.iter().enumerate() {
        let (before, after) = (split(given[index]), split(given[index + axes.len()]));
        crops[axis] = (before.0, after.0);
        pads[axis] = (before.1, after.1);
    }
    let mut output = Vec::with_capacity(rank);
    for axis in 0..rank {
        let Some(kept) = input[axis].checked_sub(crops[axis].0.saturating_add(crops[axis].1)) else {
            return invalid(format!("pads {given:?} crop more than input {input:?} has"));
        };
        if !matches!(mode, Mode::Constant(_)) && pads[axis] != (0, 0) && kept == 0 {
            return invalid(format!("axis {axis} is empty and has nothing to repeat"));
        }
        output.push(kept + pads[axis].0 + pads[axis].1);
    }
    let outputs = vec![Fact::Runtime { shape: output, kind: fact.kind() }];
    Ok(Resolved { operator: Operator::Pad(Pad { crops, pads, mode }), outputs, inputs: 1 })
}

impl Pad {
    pub(crate) fn run(&self, input: &Value) -> Result<Value, GraphError> {
        let mut value = input.clone();
        for (axis, &(before, after)) in self.crops.iter().enumerate() {
            if before + after > 0 {
                let length = value.shape()[axis] - before - after;
                value = value.narrow(axis, before, length)?;
            }
        }
        if let Mode::Constant(fill) = self.mode {
            return value.padded(&self.pads, fill);
        }
        for (axis, &(before, after)) in self.pads.iter().enumerate() {
            if before + after > 0 {
                let length = value.shape()[axis];
                let sources = (0..before + length + after)
                    .map(|to| self.mode.source(to as i64 - before as i64, length as i64) as usize);
                value = value.select(axis, positions(sources, &value.device()))?;
            }
        }
        Ok(value)
    }
}

impl Mode {
    /// The position of the input that a position of the output repeats, both counted from the input's start.
    fn source(self, at: i64, length: i64) -> i64 {
        match self {
            Mode::Constant(_) | Mode::Edge => at.clamp(0, length - 1),
            Mode::Wrap => at.rem_euclid(length),
            Mode::Reflect => {
                // There and back again, without repeating either end.
                let period = (2 * (length - 1)).max(1);
                let within = at.rem_euclid(period);
                within.min(period - within).min(length - 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(mode: Mode) -> Vec<i64> {
        (-4..7).map(|at| mode.source(at, 3)).collect()
    }

    #[test]
    fn reflection_turns_around_at_each_end() {
        assert_eq!(sources(Mode::Reflect), [0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2]);
        assert_eq!(Mode::Reflect.source(5, 1), 0, "one element is all there is");
    }

    #[test]
    fn wrapping_starts_over() {
        assert_eq!(sources(Mode::Wrap), [2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn edges_repeat() {
        assert_eq!(sources(Mode::Edge), [0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2]);
    }
}
