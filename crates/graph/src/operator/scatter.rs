//! ScatterND, ScatterElements and the older Scatter: some elements replaced or combined with others.

use burn::tensor::{Int, Tensor};

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, Kind, axis, invalid, unsupported},
    gather::strided,
    rows::{Rows, poisoned},
};
use crate::{GraphError, Value, value::indexing::positions};

/// Rows of a matrix, into which the input is reshaped, that are updated.
#[derive(Clone, Debug)]
pub(crate) struct Scatter {
    /// Rows, and elements of each.
    view: [usize; 2],
    reduction: Reduction,
    rows: Rows,
    output: Vec<usize>,
}

/// What becomes of an element and its update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reduction {
    Replace,
    Add,
    Mul,
    Max,
    Min,
}

pub(crate) fn reduction(arguments: &Arguments<'_>) -> Result<Reduction, Refusal> {
    match arguments.text("reduction") {
        None | Some("none") => Ok(Reduction::Replace),
        Some("add") => Ok(Reduction::Add),
        Some("mul") => Ok(Reduction::Mul),
        Some("max") => Ok(Reduction::Max),
        Some("min") => Ok(Reduction::Min),
        Some(other) => invalid(format!("reduction {other:?} is not one of none, add, mul, max, min")),
    }
}

/// Where updates go: rows of `[rows, rest]`, one tuple of indices for each row of updates.
pub(crate) struct Layout {
    pub(crate) view: [usize; 2],
    pub(crate) members: Vec<(usize, usize)>,
    pub(crate) base: Vec<usize>,
}

/// ScatterND: the leading axes are indexed, a row is what the others hold.
pub(crate) fn nd_layout(shape: &[usize], picks: &[usize], updates: &[usize]) -> Result<Layout, Refusal> {
    let Some((&width, tuples)) = picks.split_last() else { return invalid("its indices are a scalar") };
    if width > shape.len() || updates != [tuples, &shape[width..]].concat() {
        return invalid(format!("updates {updates:?} at indices {picks:?} do not fit input {shape:?}"));
    }
    let (indexed, rest) = shape.split_at(width);
    let view = [indexed.iter().product(), rest.iter().product()];
    Ok(Layout { view, members: strided(indexed), base: vec![0; tuples.iter().product()] })
}

/// ScatterElements: every element is a row; an update's own place gives all coordinates but one.
pub(crate) fn element_layout(
    shape: &[usize],
    axis: usize,
    picks: &[usize],
    updates: &[usize],
) -> Result<Layout, Refusal> {
    let fits = picks.len() == shape.len() && (0..shape.len()).all(|at| at == axis || picks[at] <= shape[at]);
    if !fits || picks != updates {
        return invalid(format!("updates {updates:?} at indices {picks:?} do not fit input {shape:?}"));
    }
    let strides = strided(shape);
    let base = (0..picks.iter().product::<usize>())
        .map(|flat| {
            let (mut rest, mut row) = (flat, 0);
            for at in (0..picks.len()).rev() {
                row += if at == axis { 0 } else { rest % picks[at] * strides[at].1 };
                rest /= picks[at];
            }
            row
        })
        .collect();
    Ok(Layout { view: [shape.iter().product(), 1], members: vec![strides[axis]], base })
}

pub(crate) fn scatter(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let (fact, updates) = (arguments.fact(0)?, arguments.fact(2)?);
    let shape = fact.shape();
    let picks = arguments.fact(1)?;
    let layout = if arguments.node.operator == "ScatterND" {
        nd_layout(shape, picks.shape(), updates.shape())?
    } else {
        let axis = axis(arguments.int("axis", 0), shape.len())?;
        element_layout(shape, axis, picks.shape(), updates.shape())?
    };
    let reduction = reduction(arguments)?;
    if updates.kind() != fact.kind() {
        return invalid("its updates are of another element type than its input");
    }
    let constant = match picks {
        Fact::Known(tensor) => Some(&**tensor),
        Fact::Runtime { .. } if matches!(reduction, Reduction::Replace | Reduction::Add) => None,
        Fact::Runtime { .. } => return unsupported("that reduction at indices computed from pixel values"),
    };
    if fact.kind() == Kind::Bool && reduction != Reduction::Replace {
        return unsupported("a reduction of booleans");
    }
    let rows = Rows::resolve(constant, layout.members, layout.base)?;
    let output = shape.to_vec();
    let outputs = vec![Fact::Runtime { shape: output.clone(), kind: fact.kind() }];
    let scatter = Scatter { view: layout.view, reduction, rows, output };
    Ok(Resolved { operator: Operator::Scatter(scatter), outputs, inputs: 3 })
}

impl Scatter {
    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let (input, updates) = (inputs.get(0)?, inputs.get(2)?);
        if updates.is_empty() || input.is_empty() {
            return Ok(input.clone());
        }
        if input.is_bool() {
            // Booleans are placed as integers, for which there is an addition.
            let placed = self.place(&input.to_int_value(), &updates.to_int_value(), inputs.optional(1))?;
            return placed.to_bool_value().reshape(&self.output);
        }
        self.place(input, updates, inputs.optional(1))?.reshape(&self.output)
    }

    fn place(&self, input: &Value, updates: &Value, indices: Option<&Value>) -> Result<Value, GraphError> {
        let input = input.reshape(&self.view)?;
        let count = updates.len() / self.view[1].max(1);
        let updates = updates.reshape(&[count, self.view[1]])?;
        if let Rows::Known(rows) = &self.rows
            && self.reduction != Reduction::Add
        {
            return self
                .rounds(rows)
                .iter()
                .try_fold(input, |input, round| round.apply(&input, &updates, self.reduction));
        }
        let (rows, outside) = self.rows.locate(indices, &input)?;
        let updates = poisoned(&updates.reshape(&[1, count, self.view[1]])?, outside)?;
        let updates = updates.reshape(&[count, self.view[1]])?;
        if self.reduction == Reduction::Add { input.add_rows(rows, &updates) } else { replace(&input, rows, &updates) }
    }

    /// Updates in rounds that name no row twice. Where the last update wins, there is one round.
    fn rounds(&self, rows: &[usize]) -> Vec<Round> {
        let mut seen = std::collections::HashMap::new();
        let mut rounds: Vec<Round> = Vec::new();
        let mut add = |round: usize, update: usize, row: usize| {
            if rounds.len() <= round {
                rounds.resize_with(round + 1, Round::default);
            }
            if let Some(round) = rounds.get_mut(round) {
                round.rows.push(row);
                round.updates.push(update);
            }
        };
        if self.reduction == Reduction::Replace {
            seen.extend(rows.iter().enumerate().map(|(update, &row)| (row, update)));
            let mut last: Vec<(usize, usize)> = seen.into_iter().collect();
            last.sort_unstable();
            last.into_iter().for_each(|(row, update)| add(0, update, row));
        } else {
            for (update, &row) in rows.iter().enumerate() {
                let round = seen.entry(row).or_insert(0);
                add(*round, update, row);
                *round += 1;
            }
        }
        rounds
    }
}

/// Some updates and the rows they go to, none of them twice.
#[derive(Default)]
struct Round {
    rows: Vec<usize>,
    updates: Vec<usize>,
}

impl Round {
    fn apply(&self, input: &Value, updates: &Value, reduction: Reduction) -> Result<Value, GraphError> {
        let device = input.device();
        let rows = || positions(self.rows.iter().copied(), &device);
        let in_order = self.updates.iter().copied().eq(0..updates.shape()[0]);
        let updates = match in_order {
            true => updates.clone(),
            false => updates.select(0, positions(self.updates.iter().copied(), &device))?,
        };
        let updates = match reduction {
            Reduction::Replace | Reduction::Add => updates,
            Reduction::Mul => input.select(0, rows())?.mul(&updates)?,
            Reduction::Max => input.select(0, rows())?.maximum(&updates)?,
            Reduction::Min => input.select(0, rows())?.minimum(&updates)?,
        };
        replace(input, rows(), &updates)
    }
}

/// Rows put in the place of others. What they replace is masked, not multiplied by zero: it may be infinite.
fn replace(input: &Value, rows: Tensor<1, Int>, updates: &Value) -> Result<Value, GraphError> {
    let placed = input.zeros(input.shape())?.add_rows(rows.clone(), updates)?;
    let device = input.device();
    let ones = Value::full(1.0, &[updates.shape()[0], 1], &device);
    let touched = Value::full(0.0, &[input.shape()[0], 1], &device).add_rows(rows, &ones)?;
    Value::either(&touched.to_bool_value().beside(input), &placed, input)
}
