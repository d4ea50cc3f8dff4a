//! Slice and Split.

use burn::tensor::Slice as Range;

use super::{
    Arguments, Operator, Refusal, Resolved,
    arguments::{Fact, axis, invalid},
};
use crate::{GraphError, Value};

/// Evenly spaced elements of some axes.
#[derive(Clone, Debug)]
pub(crate) struct Slice {
    ranges: Vec<Range>,
}

pub(crate) fn slice(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    let ranges = ranges(arguments)?;
    let shape = ranges.iter().zip(fact.shape()).map(|(range, &length)| range.output_size(length)).collect();
    let outputs = vec![Fact::Runtime { shape, kind: fact.kind() }];
    Ok(Resolved { operator: Operator::Slice(Slice { ranges }), outputs, inputs: 1 })
}

/// Reads starts, ends, axes and steps into one ascending range per axis; a negative step walks it from its end.
pub(crate) fn ranges(arguments: &Arguments<'_>) -> Result<Vec<Range>, Refusal> {
    let shape = arguments.shape(0)?;
    let (Some(starts), Some(ends)) = (arguments.ints_from(1, "starts")?, arguments.ints_from(2, "ends")?) else {
        return invalid("starts or ends are missing");
    };
    let axes = arguments.ints_from(3, "axes")?.unwrap_or_else(|| (0..).take(starts.len()).collect());
    let steps = arguments.ints_from(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if ends.len() != starts.len() || axes.len() != starts.len() || steps.len() != starts.len() {
        return invalid(format!(
            "starts {starts:?}, ends {ends:?}, axes {axes:?} and steps {steps:?} differ in number"
        ));
    }
    let mut ranges = vec![Range::full(); shape.len()];
    for (index, &given) in axes.iter().enumerate() {
        let axis = axis(given, shape.len())?;
        let length = shape[axis] as i64;
        let step = steps[index];
        if step == 0 {
            return invalid("a step is zero");
        }
        let absolute = |bound: i64| if bound < 0 { bound.saturating_add(length) } else { bound };
        let (low, high) = if step > 0 {
            (absolute(starts[index]).clamp(0, length), absolute(ends[index]).clamp(0, length))
        } else {
            (absolute(ends[index]).clamp(-1, length - 1) + 1, absolute(starts[index]).clamp(-1, length - 1) + 1)
        };
        // An empty range keeps its bounds in order, as burn wants them.
        let high = high.max(low);
        let step = isize::try_from(step).unwrap_or(if step > 0 { isize::MAX } else { -isize::MAX });
        ranges[axis] = Range::new(low as isize, Some(high as isize), step);
    }
    Ok(ranges)
}

impl Slice {
    pub(crate) fn run(&self, input: &Value) -> Result<Value, GraphError> {
        input.slice(&self.ranges)
    }
}

/// Cuts one axis into pieces.
#[derive(Clone, Debug)]
pub(crate) struct Split {
    axis: usize,
    sizes: Vec<usize>,
}

/// The axis a Split node cuts, and the lengths of the pieces.
pub(crate) fn split_sizes(arguments: &Arguments<'_>) -> Result<(usize, Vec<usize>), Refusal> {
    let shape = arguments.shape(0)?;
    let axis = axis(arguments.int("axis", 0), shape.len())?;
    let count = arguments.node.outputs.len();
    let sizes: Vec<usize> = match arguments.ints_from(1, "split")? {
        Some(sizes) => sizes.iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect(),
        None => {
            let each = shape[axis].div_ceil(count.max(1));
            (0..count).map(|index| shape[axis].saturating_sub(index * each).min(each)).collect()
        }
    };
    if sizes.len() != count || sizes.iter().sum::<usize>() != shape[axis] {
        return invalid(format!("an axis of length {} is split into {sizes:?} for {count} outputs", shape[axis]));
    }
    Ok((axis, sizes))
}

pub(crate) fn split(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    let shape = fact.shape();
    let (axis, sizes) = split_sizes(arguments)?;
    let piece = |&size: &usize| {
        let mut piece = shape.to_vec();
        piece[axis] = size;
        Fact::Runtime { shape: piece, kind: fact.kind() }
    };
    let outputs = sizes.iter().map(piece).collect();
    Ok(Resolved { operator: Operator::Split(Split { axis, sizes }), outputs, inputs: 1 })
}

impl Split {
    pub(crate) fn run(&self, input: &Value) -> Result<Vec<Value>, GraphError> {
        let starts = self.sizes.iter().scan(0, |end, &size| {
            *end += size;
            Some(*end - size)
        });
        starts.zip(&self.sizes).map(|(start, &size)| input.narrow(self.axis, start, size)).collect()
    }
}
