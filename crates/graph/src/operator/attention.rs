//! Attention: scaled dot products of queries and keys weigh values.

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, Kind, invalid, unsupported},
};
use crate::{
    GraphError, Value,
    value::{broadcast, indexing::positions},
};
use burn::tensor::activation;

/// Attention of opset 23 and later, inputs with or without an axis of heads.
#[derive(Clone, Debug)]
pub(crate) struct Attention {
    scale: f32,
    softcap: f32,
    causal: bool,
    /// Largest distances attended to before and after a query.
    window: [Option<usize>; 2],
    shape: Shape,
    /// What the fourth output is.
    scores: Scores,
}

/// Lengths of the axes.
#[derive(Clone, Debug)]
struct Shape {
    batch: usize,
    heads: usize,
    /// Heads of keys and values: each serves equally many of the queries'.
    groups: usize,
    queries: usize,
    past: usize,
    keys: usize,
    width: usize,
    value_width: usize,
    /// Whether heads lie side by side in the last axis of the inputs.
    joined: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Scores {
    Raw,
    Capped,
    Biased,
    Probabilities,
}

pub(crate) fn attention(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let shape = Shape::resolve(arguments)?;
    if let Some(Some(mask)) = arguments.facts.get(3) {
        let mut padded = mask.shape().to_vec();
        if let Some(last) = padded.last_mut().filter(|last| **last < shape.past + shape.keys) {
            *last = shape.past + shape.keys;
        }
        let full = shape.scores();
        if broadcast(&padded, &full).as_ref() != Some(&full) || mask.kind() == Kind::Int {
            return invalid(format!("a mask of shape {:?} does not fit scores of shape {full:?}", mask.shape()));
        }
    }
    if let Some(Some(lengths)) = arguments.facts.get(6)
        && (lengths.shape() != [shape.batch] || lengths.kind() != Kind::Int || shape.past > 0)
    {
        return invalid(format!("lengths of shape {:?} do not fit the keys", lengths.shape()));
    }
    let scores = match arguments.int("qk_matmul_output_mode", 0) {
        0 => Scores::Raw,
        1 => Scores::Capped,
        2 => Scores::Biased,
        3 => Scores::Probabilities,
        other => return invalid(format!("qk_matmul_output_mode {other} does not exist")),
    };
    let side = |name: &str| usize::try_from(arguments.int(name, -1)).ok();
    let attention = Attention {
        scale: arguments.float("scale", 1.0 / (shape.width as f32).sqrt()),
        softcap: arguments.float("softcap", 0.0),
        causal: arguments.int("is_causal", 0) != 0,
        window: [side("left_window_size"), side("right_window_size")],
        scores,
        shape,
    };
    let shape = &attention.shape;
    let (all, groups) = (shape.past + shape.keys, shape.groups);
    let output = match shape.joined {
        true => vec![shape.batch, shape.queries, shape.heads * shape.value_width],
        false => vec![shape.batch, shape.heads, shape.queries, shape.value_width],
    };
    let outputs = [
        output,
        vec![shape.batch, groups, all, shape.width],
        vec![shape.batch, groups, all, shape.value_width],
        shape.scores(),
    ];
    let outputs = outputs.into_iter().map(Fact::float).collect();
    Ok(Resolved { operator: Operator::Attention(attention), outputs, inputs: 7 })
}

impl Shape {
    fn resolve(arguments: &Arguments<'_>) -> Result<Shape, Refusal> {
        let (q, k, v) = (arguments.float_shape(0)?, arguments.float_shape(1)?, arguments.float_shape(2)?);
        let wrong = || format!("queries {q:?}, keys {k:?} and values {v:?} do not fit one another");
        let count = |name: &str| usize::try_from(arguments.int(name, 0)).ok().filter(|&count| count > 0);
        let mut shape = match (q, k, v) {
            (&[batch, heads, queries, width], &[_, groups, keys, _], &[_, _, _, value_width]) => {
                Shape { batch, heads, groups, queries, past: 0, keys, width, value_width, joined: false }
            }
            (&[batch, queries, hidden], &[_, keys, _], &[_, _, value_hidden]) => {
                let (Some(heads), Some(groups)) = (count("q_num_heads"), count("kv_num_heads")) else {
                    return invalid("q_num_heads or kv_num_heads is missing");
                };
                let (width, value_width) = (hidden / heads, value_hidden / groups);
                Shape { batch, heads, groups, queries, past: 0, keys, width, value_width, joined: true }
            }
            _ => return unsupported(format!("inputs of shapes {q:?}, {k:?} and {v:?}")),
        };
        let grouped = shape.groups > 0 && shape.heads.is_multiple_of(shape.groups);
        let fits = q == shape.input(shape.heads, shape.queries, shape.width)
            && k == shape.input(shape.groups, shape.keys, shape.width)
            && v == shape.input(shape.groups, shape.keys, shape.value_width);
        if !fits || !grouped || shape.width == 0 {
            return invalid(wrong());
        }
        if let (Some(Some(key)), Some(Some(value))) = (arguments.facts.get(4), arguments.facts.get(5)) {
            let past = key.shape().get(2).copied().unwrap_or(0);
            let expected = |width: usize| vec![shape.batch, shape.groups, past, width];
            if key.shape() != expected(shape.width) || value.shape() != expected(shape.value_width) {
                return invalid(format!("past keys {:?} and values {:?} do not fit", key.shape(), value.shape()));
            }
            shape.past = past;
        }
        Ok(shape)
    }

    fn input(&self, heads: usize, length: usize, width: usize) -> Vec<usize> {
        match self.joined {
            true => vec![self.batch, length, heads * width],
            false => vec![self.batch, heads, length, width],
        }
    }

    fn scores(&self) -> Vec<usize> {
        vec![self.batch, self.heads, self.queries, self.past + self.keys]
    }
}

impl Attention {
    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Vec<Value>, GraphError> {
        let shape = &self.shape;
        let query = self.split(inputs.get(0)?, shape.heads, shape.queries, shape.width)?;
        let mut key = self.split(inputs.get(1)?, shape.groups, shape.keys, shape.width)?;
        let mut value = self.split(inputs.get(2)?, shape.groups, shape.keys, shape.value_width)?;
        if let (true, Some(past_key), Some(past_value)) = (shape.past > 0, inputs.optional(4), inputs.optional(5)) {
            key = Value::concat(&[past_key.clone(), key], 2)?;
            value = Value::concat(&[past_value.clone(), value], 2)?;
        }
        let root = self.scale.sqrt();
        let scaled = |value: &Value| value.map(|tensor| tensor * root);
        let keys = self.repeated(&scaled(&key)?.permute(&[0, 1, 3, 2])?)?.tensor::<4>()?;
        let raw = Value::new(scaled(&query)?.tensor::<4>()?.matmul(keys));
        let capped = match self.softcap > 0.0 {
            true => raw.map(|score| (score / self.softcap).tanh() * self.softcap)?,
            false => raw.clone(),
        };
        let (biased, probabilities) = match self.bias(inputs, &raw)? {
            Some(bias) => {
                let biased = capped.add(&bias)?;
                // A query that may attend to nothing attends to nothing: its softmax would not be a number.
                let open = Value::new(bias.detached().expand(&shape.scores())?.tensor::<4>()?.max_dim(3));
                let open = Value::new_bool(open.tensor::<4>()?.greater_elem(f32::NEG_INFINITY)).beside(&raw);
                let zero = raw.zeros(&[])?;
                let softmax = Value::new(activation::softmax(Value::either(&open, &biased, &zero)?.tensor::<4>()?, 3));
                (biased, Value::either(&open, &softmax, &zero)?)
            }
            None => (capped.clone(), Value::new(activation::softmax(capped.tensor::<4>()?, 3))),
        };
        let attended = probabilities.tensor::<4>()?.matmul(self.repeated(&value)?.tensor::<4>()?);
        let output = match shape.joined {
            true => Value::new(attended).permute(&[0, 2, 1, 3])?.reshape(&[
                shape.batch,
                shape.queries,
                shape.heads * shape.value_width,
            ])?,
            false => Value::new(attended),
        };
        let scores = match self.scores {
            Scores::Raw => raw,
            Scores::Capped => capped,
            Scores::Biased => biased,
            Scores::Probabilities => probabilities,
        };
        Ok(vec![output, key, value, scores])
    }

    /// `[batch, heads, length, width]`.
    fn split(&self, value: &Value, heads: usize, length: usize, width: usize) -> Result<Value, GraphError> {
        match self.shape.joined {
            true => value.reshape(&[self.shape.batch, length, heads, width])?.permute(&[0, 2, 1, 3]),
            false => Ok(value.clone()),
        }
    }

    /// Each head of keys or values once for every head of queries that it serves.
    fn repeated(&self, value: &Value) -> Result<Value, GraphError> {
        let Shape { batch, heads, groups, .. } = self.shape;
        if heads == groups {
            return Ok(value.clone());
        }
        let &[_, _, rows, columns] = value.shape() else { return Ok(value.clone()) };
        let spread = value.reshape(&[batch * groups, 1, rows * columns])?;
        let times = heads / groups;
        spread.expand(&[batch * groups, times, rows * columns])?.reshape(&[batch, heads, rows, columns])
    }

    /// What is added to the scores: minus infinity where a query must not look.
    fn bias(&self, inputs: &Inputs<'_>, beside: &Value) -> Result<Option<Value>, GraphError> {
        let all = self.shape.past + self.shape.keys;
        let device = beside.device();
        let never = Value::full(f32::NEG_INFINITY, &[], &device);
        let always = Value::full(0.0, &[], &device);
        let mut bias: Option<Value> = None;
        let mut add = |term: Value| -> Result<(), GraphError> {
            bias = Some(match bias.take() {
                Some(sum) => sum.add(&term)?,
                None => term,
            });
            Ok(())
        };
        if let Some(mask) = inputs.optional(3) {
            let mut mask = if mask.is_float() { mask.clone() } else { Value::either(mask, &always, &never)? };
            let width = mask.shape().last().copied().unwrap_or(all);
            // A mask that is too short, unless it is to be repeated, hides the keys after it.
            if width < all && width != 1 {
                let mut missing = mask.shape().to_vec();
                let axis = missing.len() - 1;
                missing[axis] = all - width;
                mask = Value::concat(&[mask, never.expand(&missing)?], axis)?;
            }
            add(mask)?;
        }
        let lengths = inputs.optional(6);
        if let Some(lengths) = lengths {
            let lengths = lengths.to_int_value().reshape(&[self.shape.batch, 1, 1, 1])?;
            let places = Value::new_int(positions(0..all, &device));
            add(self.allowed(&lengths.sub(&places.reshape(&[1, 1, 1, all])?)?, 1, None, &always, &never)?)?;
        }
        let [left, right] = self.window;
        if self.causal || left.is_some() || right.is_some() {
            // How far a key lies before its query, whose first place follows the past, or the keys that count.
            let queries = Value::new_int(positions(self.shape.past..self.shape.past + self.shape.queries, &device));
            let mut queries = queries.reshape(&[1, 1, self.shape.queries, 1])?;
            if let Some(lengths) = lengths {
                let count = Value::from_i64(&[self.shape.queries as i64], &[], &device);
                let ends = lengths.to_int_value().reshape(&[self.shape.batch, 1, 1, 1])?;
                queries = queries.add(&ends)?.sub(&count)?;
            }
            let keys = Value::new_int(positions(0..all, &device)).reshape(&[1, 1, 1, all])?;
            let before = queries.sub(&keys)?;
            if self.causal {
                add(self.allowed(&before, 0, None, &always, &never)?)?;
            }
            let least = right.map_or(i64::from(i32::MIN), |right| -(right as i64));
            if left.is_some() || right.is_some() {
                add(self.allowed(&before, least, left, &always, &never)?)?;
            }
        }
        Ok(bias)
    }

    /// Zero where a distance lies between two bounds, minus infinity elsewhere.
    fn allowed(
        &self,
        distance: &Value,
        least: i64,
        most: Option<usize>,
        always: &Value,
        never: &Value,
    ) -> Result<Value, GraphError> {
        let tensor = distance.integers::<4>()?;
        let mut allowed = tensor.clone().greater_equal_elem(least);
        if let Some(most) = most {
            allowed = allowed.bool_and(tensor.lower_equal_elem(most as i64));
        }
        Value::either(&Value::new_bool(allowed), always, never)
    }
}
