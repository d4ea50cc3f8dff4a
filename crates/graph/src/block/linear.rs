//! A fully connected layer over the last axis, as a product with weights and a bias.

use super::{Parts, View};

/// The layer whose result a value is.
pub(super) fn ending_in(view: &View<'_>, id: usize) -> Option<Parts> {
    let (product, bias) = view.computed_and_constant(id, "Add")?;
    let (input, weights) = view.computed_and_constant(product, "MatMul")?;
    let per_output = view.shape(bias).iter().rev().skip(1).all(|&length| length == 1);
    let fits = view.input(product, 0) == Some(input) && view.shape(weights).len() == 2 && per_output;
    fits.then(|| Parts { operator: "Linear", inputs: vec![input], output: id, open: false })
}
