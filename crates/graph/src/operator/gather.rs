//! Gather, GatherElements and GatherND, with constant indices or indices computed from pixels.
//!
//! The device is not asked whether computed indices lie in range, which would have to wait for it: elements from outside
//! become not a number (integers: the smallest), which every later comparison of results notices.

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, axis, check_rank, invalid},
    rows::{Rows, poisoned},
};
use crate::{GraphError, Value, host::HostTensor};

/// Rows of a matrix, into which the input is reshaped.
#[derive(Clone, Debug)]
pub(crate) struct Gather {
    /// Axes before those indexed as one, the indexed as one, those after as one. The first is one unless a single axis is
    /// indexed.
    view: [usize; 3],
    rows: Rows,
    output: Vec<usize>,
}

/// The indices' constant, if they are one, and their shape.
pub(crate) fn indices<'a>(arguments: &'a Arguments<'_>) -> Result<(Option<&'a HostTensor>, &'a [usize]), Refusal> {
    let fact = arguments.fact(1)?;
    match fact {
        Fact::Known(tensor) => Ok((Some(tensor), fact.shape())),
        Fact::Runtime { .. } => Ok((None, fact.shape())),
    }
}

fn resolved(fact: &Fact, view: [usize; 3], rows: Rows, output: Vec<usize>) -> Result<Resolved, Refusal> {
    check_rank(output.len())?;
    let outputs = vec![Fact::Runtime { shape: output.clone(), kind: fact.kind() }];
    let inputs = if matches!(rows, Rows::Known(_)) { 1 } else { 2 };
    Ok(Resolved { operator: Operator::Gather(Gather { view, rows, output }), outputs, inputs })
}

pub(crate) fn gather(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    let shape = fact.shape();
    let axis = axis(arguments.int("axis", 0), shape.len())?;
    let (constant, picks) = indices(arguments)?;
    let rows = Rows::resolve(constant, vec![(shape[axis], 1)], vec![0; picks.iter().product()])?;
    let view = [shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product()];
    resolved(fact, view, rows, [&shape[..axis], picks, &shape[axis + 1..]].concat())
}

/// The slices of one axis, or of the flattened input, where a condition holds.
pub(crate) fn compress(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    let shape = fact.shape();
    let Fact::Known(condition) = arguments.fact(1)? else { return Refusal::open("how much of the input it keeps") };
    let rows = kept(&condition.to_ints());
    let (view, output) = match arguments.node.attribute("axis") {
        Some(_) => {
            let axis = axis(arguments.int("axis", 0), shape.len())?;
            let view = [shape[..axis].iter().product(), shape[axis], shape[axis + 1..].iter().product()];
            (view, [&shape[..axis], &[rows.len()], &shape[axis + 1..]].concat())
        }
        None => ([1, shape.iter().product(), 1], vec![rows.len()]),
    };
    if rows.last().is_some_and(|&last| last >= view[1]) {
        return invalid(format!("its condition has more elements than input {shape:?} along the axis"));
    }
    resolved(fact, view, Rows::Known(rows), output)
}

/// Positions where a condition holds.
pub(crate) fn kept(condition: &[i64]) -> Vec<usize> {
    (0..condition.len()).filter(|&at| condition[at] != 0).collect()
}

pub(crate) fn gather_nd(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    let (constant, picks) = indices(arguments)?;
    let layout = nd_layout(arguments, fact.shape(), picks)?;
    let rows = Rows::resolve(constant, layout.members, layout.base)?;
    resolved(fact, [1, layout.rows, layout.rest], rows, layout.output)
}

/// How GatherND reads its input as rows.
pub(crate) struct NdLayout {
    pub(crate) members: Vec<(usize, usize)>,
    pub(crate) base: Vec<usize>,
    pub(crate) rows: usize,
    pub(crate) rest: usize,
    pub(crate) output: Vec<usize>,
}

/// GatherND's rows: the batch axes and the indexed axes of the input make them, the others are what a row holds.
pub(crate) fn nd_layout(arguments: &Arguments<'_>, shape: &[usize], picks: &[usize]) -> Result<NdLayout, Refusal> {
    let batch = usize::try_from(arguments.int("batch_dims", 0)).unwrap_or(usize::MAX);
    let Some((&width, tuples)) = picks.split_last() else { return invalid("its indices are a scalar") };
    if batch > tuples.len() || batch + width > shape.len() || shape[..batch] != tuples[..batch] {
        return invalid(format!("indices {picks:?} with {batch} batch axes do not fit input {shape:?}"));
    }
    let (indexed, rest) = shape[batch..].split_at(width);
    let block: usize = indexed.iter().product();
    let each: usize = tuples[batch..].iter().product();
    let batches: usize = shape[..batch].iter().product();
    Ok(NdLayout {
        members: strided(indexed),
        base: (0..batches * each).map(|tuple| tuple / each.max(1) * block).collect(),
        rows: batches * block,
        rest: rest.iter().product(),
        output: [tuples, rest].concat(),
    })
}

/// Length and row-major stride of each axis.
pub(crate) fn strided(shape: &[usize]) -> Vec<(usize, usize)> {
    (0..shape.len()).map(|axis| (shape[axis], shape[axis + 1..].iter().product())).collect()
}

impl Gather {
    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let input = inputs.get(0)?;
        let view = input.reshape(&self.view)?;
        if let Rows::Known(rows) = &self.rows
            && let [row] = rows[..]
        {
            return view.narrow(1, row, 1)?.reshape(&self.output);
        }
        let (rows, outside) = self.rows.locate(inputs.optional(1), input)?;
        poisoned(&view.select(1, rows)?, outside)?.reshape(&self.output)
    }
}

/// An element of one axis for each index, at the index's own place along the others.
#[derive(Clone, Debug)]
pub(crate) struct GatherElements {
    axis: usize,
    rows: Rows,
    output: Vec<usize>,
}

pub(crate) fn gather_elements(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    let shape = fact.shape();
    let axis = axis(arguments.int("axis", 0), shape.len())?;
    let (constant, picks) = indices(arguments)?;
    let fits = picks.len() == shape.len() && (0..picks.len()).all(|at| at == axis || picks[at] <= shape[at]);
    if !fits {
        return invalid(format!("indices {picks:?} do not fit input {shape:?} along axis {axis}"));
    }
    let rows = Rows::resolve(constant, vec![(shape[axis], 1)], vec![0; picks.iter().product()])?;
    let output = picks.to_vec();
    let outputs = vec![Fact::Runtime { shape: output.clone(), kind: fact.kind() }];
    let inputs = if matches!(rows, Rows::Known(_)) { 1 } else { 2 };
    Ok(Resolved { operator: Operator::GatherElements(GatherElements { axis, rows, output }), outputs, inputs })
}

impl GatherElements {
    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let mut input = inputs.get(0)?.clone();
        for (axis, &length) in self.output.iter().enumerate() {
            if axis != self.axis && length < input.shape()[axis] {
                input = input.narrow(axis, 0, length)?;
            }
        }
        let (rows, outside) = self.rows.locate(inputs.optional(1), &input)?;
        let picked = input.gather(self.axis, &Value::new_int(rows).reshape(&self.output)?)?;
        let count = picked.len();
        poisoned(&picked.reshape(&[1, count, 1])?, outside)?.reshape(&self.output)
    }
}
