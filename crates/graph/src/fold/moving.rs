//! Folding of operators that pick, place, order and count elements.

use std::{cmp::Ordering, collections::HashMap, sync::Arc};

use super::suppression;
use crate::{
    host::{HostData, HostTensor},
    operator::{
        Arguments, Fact, Kind, Refusal, arguments, cumulative, gather,
        gather::strided,
        one_hot, ranking,
        rows::Rows,
        scatter::{self, Reduction},
        tile, triangle,
    },
};

/// Computes a node of constants with one output; gives nothing where the node is better left to the device.
pub(super) fn fold(arguments: &Arguments<'_>) -> Result<Option<HostTensor>, Refusal> {
    let input = input(arguments, 0)?;
    match arguments.node.operator.as_str() {
        "ArgMax" | "ArgMin" => arg_extreme(arguments, &input).map(Some),
        "Compress" => {
            let kept = gather::kept(&self::input(arguments, 1)?.to_ints());
            let (axis, input) = match arguments.node.attribute("axis") {
                Some(_) => (arguments::axis(arguments.int("axis", 0), input.shape.len())?, HostTensor::clone(&input)),
                None => (0, HostTensor { shape: vec![input.len()], data: input.data.clone() }),
            };
            Ok(taken(&input, axis, &kept))
        }
        "CumProd" | "CumSum" => accumulated(&input, cumulative::settings(arguments)?),
        "GatherElements" => {
            let axis = arguments::axis(arguments.int("axis", 0), input.shape.len())?;
            let picks = self::input(arguments, 1)?;
            let layout = scatter::element_layout(&input.shape, axis, &picks.shape, &picks.shape)?;
            Ok(input.pick(&known(&picks, layout.members, layout.base)?, picks.shape.clone()))
        }
        "GatherND" => {
            let picks = self::input(arguments, 1)?;
            let layout = gather::nd_layout(arguments, &input.shape, &picks.shape)?;
            let rows = known(&picks, layout.members, layout.base)?;
            let flat: Vec<usize> =
                rows.iter().flat_map(|row| (0..layout.rest).map(move |at| row * layout.rest + at)).collect();
            Ok(input.pick(&flat, layout.output))
        }
        "NonMaxSuppression" => suppression::non_max_suppression(arguments).map(Some),
        "NonZero" => {
            let rank = input.shape.len();
            let found: Vec<usize> = input.nonzero();
            let strides = strided(&input.shape);
            let along = |&(length, stride): &(usize, usize)| {
                found.iter().map(move |flat| (flat / stride.max(1) % length.max(1)) as i64).collect::<Vec<_>>()
            };
            let positions = strides.iter().flat_map(along).collect();
            Ok(Some(HostTensor { shape: vec![rank, found.len()], data: HostData::Int(positions) }))
        }
        "OneHot" => one_hot(arguments, &input),
        "Scatter" | "ScatterElements" | "ScatterND" => scattered(arguments, &input),
        "Tile" => {
            let repeats = tile::repeats(arguments)?;
            let mut indices = vec![0];
            for (&(length, stride), &times) in strided(&input.shape).iter().zip(&repeats) {
                let along = move |start: usize| (0..length * times).map(move |at| start + at % length * stride);
                indices = indices.iter().flat_map(|&start| along(start)).collect();
                if indices.len() > super::MAX_ELEMENTS {
                    return Ok(None);
                }
            }
            let shape = input.shape.iter().zip(&repeats).map(|(length, times)| length * times).collect();
            Ok(input.pick(&indices, shape))
        }
        "Trilu" => {
            let kept = triangle::triangle(arguments)?.kept();
            let stays = |flat: usize| kept.get(flat % kept.len().max(1)).copied().unwrap_or(false);
            // A zero stands after the last element.
            let zeroed = input.followed_by_zero();
            let indices: Vec<usize> =
                (0..input.len()).map(|flat| if stays(flat) { flat } else { input.len() }).collect();
            Ok(zeroed.pick(&indices, input.shape.clone()))
        }
        _ => Ok(None),
    }
}

/// Computes a node of constants with several outputs; gives nothing for other nodes.
pub(super) fn fold_several(arguments: &Arguments<'_>) -> Result<Option<Vec<HostTensor>>, Refusal> {
    let constant = |fact: &Option<Fact>| match fact {
        None => true,
        Some(Fact::Known(tensor)) => tensor.len() <= super::MAX_ELEMENTS,
        Some(Fact::Runtime { .. }) => false,
    };
    let operator = arguments.node.operator.as_str();
    if !matches!(operator, "TopK" | "Unique") || !arguments.facts.iter().all(constant) {
        return Ok(None);
    }
    let input = input(arguments, 0)?;
    match operator {
        "TopK" => top_k(arguments, &input),
        _ => unique(arguments, &input),
    }
}

/// EyeLike: only the input's shape and kind count.
pub(super) fn eye_like(arguments: &Arguments<'_>) -> Result<HostTensor, Refusal> {
    let fact = arguments.fact(0)?;
    let &[rows, columns] = fact.shape() else {
        return arguments::invalid(format!("an input of shape {:?} is no matrix", fact.shape()));
    };
    let k = arguments.int("k", 0);
    if rows.saturating_mul(columns) > 1 << 24 {
        return arguments::unsupported(format!("a matrix of {rows} x {columns}"));
    }
    let on = |at: usize| (at % columns.max(1)) as i64 - (at / columns.max(1)) as i64 == k;
    let ones = (0..rows * columns).map(on);
    let kind = match arguments.int("dtype", 0) {
        0 => fact.kind(),
        1 | 10 | 11 | 16 => Kind::Float,
        9 => Kind::Bool,
        2..=7 | 12 | 13 => Kind::Int,
        other => return arguments::unsupported(format!("element type {other}")),
    };
    let data = match kind {
        Kind::Float => HostData::Float(ones.map(|one| f32::from(u8::from(one))).collect()),
        Kind::Int => HostData::Int(ones.map(i64::from).collect()),
        Kind::Bool => HostData::Bool(ones.collect()),
    };
    Ok(HostTensor { shape: vec![rows, columns], data })
}

/// A constant input.
pub(super) fn input(arguments: &Arguments<'_>, index: usize) -> Result<Arc<HostTensor>, Refusal> {
    match arguments.fact(index)? {
        Fact::Known(tensor) => Ok(Arc::clone(tensor)),
        Fact::Runtime { .. } => arguments::invalid(format!("input {index} is no constant")),
    }
}

fn known(picks: &HostTensor, members: Vec<(usize, usize)>, base: Vec<usize>) -> Result<Vec<usize>, Refusal> {
    match Rows::resolve(Some(picks), members, base)? {
        Rows::Known(rows) => Ok(rows),
        Rows::Runtime { .. } => arguments::invalid("its indices are no constant"),
    }
}

/// Slices of one axis.
fn taken(input: &HostTensor, axis: usize, positions: &[usize]) -> Option<HostTensor> {
    let (length, after) = (input.shape[axis], input.shape[axis + 1..].iter().product::<usize>());
    let before: usize = input.shape[..axis].iter().product();
    let row = |outer: usize| {
        positions.iter().flat_map(move |at| (0..after).map(move |inner| (outer * length + at) * after + inner))
    };
    let indices: Vec<usize> = (0..before).flat_map(row).collect();
    let mut shape = input.shape.clone();
    shape[axis] = positions.len();
    input.pick(&indices, shape)
}

/// The flat positions of each line along an axis.
fn lines(shape: &[usize], axis: usize) -> Vec<Vec<usize>> {
    let after: usize = shape[axis + 1..].iter().product();
    let starts = (0..shape[..axis].iter().product::<usize>())
        .flat_map(|outer| (0..after).map(move |inner| outer * shape[axis] * after + inner));
    starts.map(|start| (0..shape[axis]).map(|at| start + at * after).collect()).collect()
}

/// Elements as integers of the same order.
fn ordered(input: &HostTensor) -> Vec<i64> {
    match &input.data {
        // Adding zero makes both zeros equal; the bits of negative floats count backwards.
        HostData::Float(values) => values.iter().map(|value| order_bits(value + 0.0)).collect(),
        _ => input.to_ints(),
    }
}

fn order_bits(value: f32) -> i64 {
    let bits = i64::from(value.to_bits());
    if bits < 1 << 31 { bits } else { (1 << 31) - bits }
}

/// Orders positions by their elements, the largest first unless `smallest`, equals by position.
fn order(keys: &[i64], smallest: bool) -> impl Fn(&usize, &usize) -> Ordering {
    move |&left, &right| {
        let ordering = keys[left].cmp(&keys[right]);
        let ordering = if smallest { ordering } else { ordering.reverse() };
        ordering.then(left.cmp(&right))
    }
}

fn arg_extreme(arguments: &Arguments<'_>, input: &HostTensor) -> Result<HostTensor, Refusal> {
    let axis = arguments::axis(arguments.int("axis", 0), input.shape.len())?;
    let keys = ordered(input);
    let smallest = arguments.node.operator == "ArgMin";
    let last = arguments.int("select_last_index", 0) != 0;
    let find = |line: &Vec<usize>| {
        let best = line.iter().map(|&at| keys[at]).reduce(|a, b| if smallest { a.min(b) } else { a.max(b) });
        let hit = |at: &usize| Some(keys[*at]) == best;
        let found = if last { line.iter().rposition(hit) } else { line.iter().position(hit) };
        found.map(|at| at as i64)
    };
    let Some(found) = lines(&input.shape, axis).iter().map(find).collect::<Option<Vec<_>>>() else {
        return arguments::invalid(format!("axis {axis} of {:?} is empty", input.shape));
    };
    let mut shape = input.shape.clone();
    if arguments.int("keepdims", 1) != 0 {
        shape[axis] = 1;
    } else {
        shape.remove(axis);
    }
    Ok(HostTensor { shape, data: HostData::Int(found) })
}

fn top_k(arguments: &Arguments<'_>, input: &HostTensor) -> Result<Option<Vec<HostTensor>>, Refusal> {
    let settings = ranking::settings(arguments)?;
    let keys = ordered(input);
    let mut shape = input.shape.clone();
    shape[settings.axis] = settings.k;
    let mut picks = vec![0; shape.iter().product()];
    let mut places = vec![0; picks.len()];
    for (from, to) in lines(&input.shape, settings.axis).iter().zip(lines(&shape, settings.axis)) {
        let line: Vec<i64> = from.iter().map(|&at| keys[at]).collect();
        let mut best: Vec<usize> = (0..line.len()).collect();
        best.sort_by(order(&line, settings.smallest));
        for (&to, &place) in to.iter().zip(&best) {
            picks[to] = from[place];
            places[to] = place as i64;
        }
    }
    let indices = HostTensor { shape: shape.clone(), data: HostData::Int(places) };
    Ok(input.pick(&picks, shape).map(|values| vec![values, indices]))
}

fn unique(arguments: &Arguments<'_>, input: &HostTensor) -> Result<Option<Vec<HostTensor>>, Refusal> {
    let (axis, input) = match arguments.node.attribute("axis") {
        Some(_) => (arguments::axis(arguments.int("axis", 0), input.shape.len())?, input.clone()),
        None => (0, HostTensor { shape: vec![input.len()], data: input.data.clone() }),
    };
    let keys = ordered(&input);
    let lines = lines(&input.shape, axis);
    let slice =
        |at: usize| -> Vec<i64> { lines.iter().filter_map(|line| line.get(at)).map(|&flat| keys[flat]).collect() };
    let slices: Vec<Vec<i64>> = (0..input.shape[axis]).map(slice).collect();
    let mut groups: HashMap<&[i64], usize> = HashMap::new();
    let mut first: Vec<usize> =
        (0..slices.len()).filter(|&at| *groups.entry(&slices[at]).or_insert(at) == at).collect();
    if arguments.int("sorted", 1) != 0 {
        first.sort_by(|&left, &right| slices[left].cmp(&slices[right]));
    }
    groups = first.iter().enumerate().map(|(group, &at)| (&slices[at][..], group)).collect();
    let inverse: Vec<i64> =
        slices.iter().map(|slice| groups.get(&slice[..]).map_or(0, |&group| group as i64)).collect();
    let mut counts = vec![0; first.len()];
    inverse.iter().for_each(|&group| counts[group as usize] += 1);
    let Some(values) = taken(&input, axis, &first) else { return Ok(None) };
    let indices = first.iter().map(|&at| at as i64).collect();
    Ok(Some(vec![values, HostTensor::ints(indices), HostTensor::ints(inverse), HostTensor::ints(counts)]))
}

fn accumulated(input: &HostTensor, settings: cumulative::Cumulative) -> Result<Option<HostTensor>, Refusal> {
    fn run<T: Copy>(
        values: &[T],
        lines: Vec<Vec<usize>>,
        settings: cumulative::Cumulative,
        neutral: T,
        combine: impl Fn(T, T) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut result = values.to_vec();
        for mut line in lines {
            if settings.reverse {
                line.reverse();
            }
            let mut sum = neutral;
            for at in line {
                let next = combine(sum, values[at])?;
                result[at] = if settings.exclusive { sum } else { next };
                sum = next;
            }
        }
        Some(result)
    }
    let lines = lines(&input.shape, settings.axis);
    let data = match &input.data {
        HostData::Float(values) if settings.product => {
            run(values, lines, settings, 1.0, |a, b| Some(a * b)).map(HostData::Float)
        }
        HostData::Float(values) => run(values, lines, settings, 0.0, |a, b| Some(a + b)).map(HostData::Float),
        HostData::Int(values) if settings.product => {
            run(values, lines, settings, 1, i64::checked_mul).map(HostData::Int)
        }
        HostData::Int(values) => run(values, lines, settings, 0, i64::checked_add).map(HostData::Int),
        HostData::Bool(_) => return arguments::unsupported("booleans"),
    };
    match data {
        Some(data) => Ok(Some(HostTensor { shape: input.shape.clone(), data })),
        None => arguments::invalid("its integer arithmetic overflows"),
    }
}

fn one_hot(arguments: &Arguments<'_>, indices: &HostTensor) -> Result<Option<HostTensor>, Refusal> {
    let (axis, depth) = one_hot::layout(arguments)?;
    let values = input(arguments, 2)?;
    let (before, after) = indices.shape.split_at(axis);
    let shape = [before, &[depth], after].concat();
    let inner: usize = after.iter().product();
    if depth.saturating_mul(indices.len()) > super::MAX_ELEMENTS {
        return Ok(None);
    }
    let given = indices.to_ints();
    let hot = |flat: usize| {
        let (outer, place, inner_at) = (flat / inner.max(1) / depth, flat / inner.max(1) % depth, flat % inner.max(1));
        let index = given.get(outer * inner + inner_at).copied().unwrap_or(-1);
        let index = if index < 0 { index.saturating_add(depth as i64) } else { index };
        usize::from(index == place as i64)
    };
    let picks: Vec<usize> = (0..shape.iter().product()).map(hot).collect();
    Ok(values.pick(&picks, shape))
}

fn scattered(arguments: &Arguments<'_>, data: &HostTensor) -> Result<Option<HostTensor>, Refusal> {
    let (picks, updates) = (input(arguments, 1)?, input(arguments, 2)?);
    let layout = if arguments.node.operator == "ScatterND" {
        scatter::nd_layout(&data.shape, &picks.shape, &updates.shape)?
    } else {
        let axis = arguments::axis(arguments.int("axis", 0), data.shape.len())?;
        scatter::element_layout(&data.shape, axis, &picks.shape, &updates.shape)?
    };
    let width = layout.view[1];
    let rows = known(&picks, layout.members, layout.base)?;
    let places = rows.iter().flat_map(|row| (0..width).map(move |at| row * width + at));
    let reduction = scatter::reduction(arguments)?;
    let combined = match (&data.data, reduction) {
        (_, Reduction::Replace) => {
            let mut sources: Vec<usize> = (0..data.len()).collect();
            for (update, place) in places.enumerate() {
                if let Some(source) = sources.get_mut(place) {
                    *source = data.len() + update;
                }
            }
            return Ok(data.followed_by(&updates).pick(&sources, data.shape.clone()));
        }
        (HostData::Float(values), _) => {
            let function: fn(f32, f32) -> f32 = match reduction {
                Reduction::Mul => |a, b| a * b,
                Reduction::Max => f32::max,
                Reduction::Min => f32::min,
                _ => |a, b| a + b,
            };
            HostData::Float(
                combine(values, places, updates.to_floats(), |a, b| Some(function(a, b))).unwrap_or_default(),
            )
        }
        (HostData::Int(values), _) => {
            let function: fn(i64, i64) -> Option<i64> = match reduction {
                Reduction::Mul => i64::checked_mul,
                Reduction::Max => |a, b| Some(a.max(b)),
                Reduction::Min => |a, b| Some(a.min(b)),
                _ => i64::checked_add,
            };
            match combine(values, places, updates.to_ints(), function) {
                Some(values) => HostData::Int(values),
                None => return arguments::invalid("its integer arithmetic overflows"),
            }
        }
        (HostData::Bool(_), _) => return arguments::unsupported("a reduction of booleans"),
    };
    Ok(Some(HostTensor { shape: data.shape.clone(), data: combined }))
}

fn combine<T: Copy>(
    values: &[T],
    places: impl Iterator<Item = usize>,
    updates: Vec<T>,
    function: impl Fn(T, T) -> Option<T>,
) -> Option<Vec<T>> {
    let mut result = values.to_vec();
    for (place, update) in places.zip(updates) {
        let value = result.get_mut(place)?;
        *value = function(*value, update)?;
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_keep_their_order_as_integers() {
        let keys = ordered(&HostTensor {
            shape: vec![6],
            data: HostData::Float(vec![f32::NEG_INFINITY, -2.0, -0.0, 0.0, 1e-30, f32::INFINITY]),
        });
        assert!(keys.is_sorted(), "{keys:?}");
        assert_eq!(keys[2], keys[3]);
    }

    #[test]
    fn lines_run_along_their_axis() {
        assert_eq!(lines(&[2, 3], 0), [[0, 3], [1, 4], [2, 5]]);
        assert_eq!(lines(&[2, 3], 1), [[0, 1, 2], [3, 4, 5]]);
    }
}
