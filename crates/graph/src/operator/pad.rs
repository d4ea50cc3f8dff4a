//! Pad: constant, reflected and repeated borders; negative pads crop.

use burn::tensor::ops::PadMode;

use super::{
    Arguments, Operator, Refusal, Resolved,
    arguments::{axis, invalid, unsupported},
};
use crate::{GraphError, Value, value::with_rank};

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
}

pub(crate) fn pad(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let input = arguments.float_shape(0)?;
    let rank = input.len();
    let Some(given) = arguments.ints_from(1, "pads")?.or_else(|| arguments.ints("paddings").map(<[i64]>::to_vec))
    else {
        return invalid("pads are missing");
    };
    let axes = match arguments.constant(3)? {
        Some(axes) => axes.to_ints().iter().map(|&given| axis(given, rank)).collect::<Result<Vec<_>, _>>()?,
        None => (0..rank).collect(),
    };
    if given.len() != 2 * axes.len() {
        return invalid(format!("pads {given:?} should be {} numbers", 2 * axes.len()));
    }
    let fill = match arguments.constant(2)? {
        Some(fill) => fill.to_floats().first().copied().unwrap_or(0.0),
        None => arguments.float("value", 0.0),
    };
    let mode = match arguments.text("mode").unwrap_or("constant") {
        "constant" => Mode::Constant(fill),
        "reflect" => Mode::Reflect,
        "edge" => Mode::Edge,
        other => return unsupported(format!("Pad in mode {other:?}")),
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
        let longest = pads[axis].0.max(pads[axis].1);
        if matches!(mode, Mode::Reflect) && longest > 0 && longest >= kept {
            return invalid(format!("axis {axis} of length {kept} cannot be reflected by {longest}"));
        }
        if matches!(mode, Mode::Edge) && longest > 0 && kept == 0 {
            return invalid(format!("axis {axis} is empty and has no edge"));
        }
        output.push(kept + pads[axis].0 + pads[axis].1);
    }
    Ok(Resolved::unary(Operator::Pad(Pad { crops, pads, mode }), output))
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
        if self.pads.iter().all(|&pad| pad == (0, 0)) {
            return Ok(value);
        }
        let mode = match self.mode {
            Mode::Constant(fill) => PadMode::Constant(fill),
            Mode::Reflect => PadMode::Reflect,
            Mode::Edge => PadMode::Edge,
        };
        with_rank!(value.shape().len(), D => Ok(Value::new(value.tensor::<D>()?.pad(self.pads.as_slice(), mode))))
    }
}
