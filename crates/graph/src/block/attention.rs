//! Attention: a product of two computed values, scaled or masked, through a softmax into another product.

use super::{Parts, View};

/// What may stand between the softmax and the product with the values.
const THROUGH_WEIGHTS: &[&str] = &["Cast", "Dropout", "Identity", "Reshape", "Where"];
/// What may stand between the product of queries and keys and the softmax: scale, mask, relative positions.
const THROUGH_SCORES: &[&str] = &["Add", "Cast", "Div", "Identity", "Mul", "Reshape", "Sub", "Where"];
/// Products of two values.
const PRODUCTS: &[&str] = &["Einsum", "MatMul"];
/// Between two of them stand a scale, a mask and a bias at most, each with a change of shape.
const STEPS: usize = 8;

/// The attention whose weights a softmax makes.
pub(super) fn from_softmax(view: &View<'_>, softmax: usize) -> Option<Parts> {
    if view.operator(softmax) != "Softmax" {
        return None;
    }
    let scores = before(view, view.input(softmax, 0)?)?;
    let (output, values) = after(view, softmax)?;
    let [queries, keys] = view.inputs(scores)[..] else { return None };
    // A product with weights is a layer.
    [queries, keys, values].iter().all(|&id| view.is_computed(id)).then(|| Parts {
        operator: "Attention",
        inputs: [queries, keys].map(|id| unscaled(view, id)).into_iter().chain([values]).collect(),
        output,
        open: true,
    })
}

/// The product of queries and keys that leads to a value, by whichever input.
fn before(view: &View<'_>, value: usize) -> Option<usize> {
    let mut values = vec![value];
    for _ in 0..STEPS {
        if let Some(&product) = values.iter().find(|&&value| PRODUCTS.contains(&view.operator(value))) {
            return Some(product);
        }
        let through = values.iter().filter(|&&value| THROUGH_SCORES.contains(&view.operator(value)));
        values = through.flat_map(|&value| view.inputs(value)).collect();
    }
    None
}

/// The product of a value with another one that it leads to, and that other one.
fn after(view: &View<'_>, value: usize) -> Option<(usize, usize)> {
    let mut values = vec![value];
    for _ in 0..STEPS {
        let mut next = Vec::new();
        for value in values {
            for reader in view.read_by(value) {
                let inputs = view.inputs(reader);
                if PRODUCTS.contains(&view.operator(reader)) && inputs.len() == 2 {
                    return inputs.iter().find(|&&other| other != value).map(|&other| (reader, other));
                }
                if THROUGH_WEIGHTS.contains(&view.operator(reader)) {
                    next.push(reader);
                }
            }
        }
        values = next;
    }
    None
}

/// A value before a constant factor.
fn unscaled(view: &View<'_>, id: usize) -> usize {
    let factor = view.computed_and_constant(id, "Mul").or_else(|| view.computed_and_constant(id, "Div"));
    factor.filter(|(_, constant)| view.scalar(*constant).is_some()).map_or(id, |(value, _)| value)
}
