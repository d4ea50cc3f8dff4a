//! Gemm and MatMul.

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, check_rank, invalid},
};
use crate::{
    GraphError, Value,
    value::{broadcast, with_rank},
};

/// `alpha A B + beta C`, with A and B transposed as told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gemm {
    alpha: f32,
    beta: f32,
    transpose_a: bool,
    transpose_b: bool,
}

pub(crate) fn gemm(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let gemm = Gemm {
        alpha: arguments.float("alpha", 1.0),
        beta: arguments.float("beta", 1.0),
        transpose_a: arguments.int("transA", 0) != 0,
        transpose_b: arguments.int("transB", 0) != 0,
    };
    let oriented = |index: usize, transposed: bool| match *arguments.float_shape(index)? {
        [rows, columns] if transposed => Ok((columns, rows)),
        [rows, columns] => Ok((rows, columns)),
        ref other => invalid(format!("input {index} has shape {other:?} and is no matrix")),
    };
    let (rows, inner) = oriented(0, gemm.transpose_a)?;
    let (inner_b, columns) = oriented(1, gemm.transpose_b)?;
    if inner != inner_b {
        return invalid(format!("a {rows}x{inner} matrix is multiplied by a {inner_b}x{columns} matrix"));
    }
    let output = vec![rows, columns];
    if let Some(Some(bias)) = arguments.facts.get(2)
        && broadcast(bias.shape(), &output).as_ref() != Some(&output)
    {
        return invalid(format!("C of shape {:?} does not broadcast to {output:?}", bias.shape()));
    }
    Ok(Resolved { operator: Operator::Gemm(gemm), outputs: vec![Fact::float(output)], inputs: 3 })
}

impl Gemm {
    pub(crate) fn run(self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let oriented = |value: &Value, transposed: bool| -> Result<_, GraphError> {
            let matrix = value.tensor::<2>()?;
            Ok(if transposed { matrix.transpose() } else { matrix })
        };
        let a = oriented(inputs.get(0)?, self.transpose_a)?;
        let b = oriented(inputs.get(1)?, self.transpose_b)?;
        let product = Value::new(a.matmul(b));
        let product = scaled(&product, self.alpha)?;
        match inputs.optional(2) {
            Some(c) => product.add(&scaled(c, self.beta)?),
            None => Ok(product),
        }
    }
}

fn scaled(value: &Value, factor: f32) -> Result<Value, GraphError> {
    if factor == 1.0 { Ok(value.clone()) } else { value.map(|tensor| tensor * factor) }
}

/// Matrix product with NumPy's rules for more or fewer than two axes.
#[derive(Clone, Debug)]
pub(crate) struct MatMul {
    output: Vec<usize>,
}

pub(crate) fn matmul(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let (a, b) = (arguments.float_shape(0)?, arguments.float_shape(1)?);
    let (Some((rows, inner, batch_a)), Some((inner_b, columns, batch_b))) = (row_form(a), column_form(b)) else {
        return invalid("a scalar has no matrix product");
    };
    let batch = broadcast(batch_a, batch_b);
    let (Some(mut output), true) = (batch, inner == inner_b) else {
        return invalid(format!("shapes {a:?} and {b:?} have no matrix product"));
    };
    check_rank(output.len() + 2)?;
    if a.len() > 1 {
        output.push(rows);
    }
    if b.len() > 1 {
        output.push(columns);
    }
    let outputs = vec![Fact::float(output.clone())];
    Ok(Resolved { operator: Operator::MatMul(MatMul { output }), outputs, inputs: 2 })
}

/// Rows, columns and batch axes; a vector counts as one row.
fn row_form(shape: &[usize]) -> Option<(usize, usize, &[usize])> {
    match shape {
        [] => None,
        [columns] => Some((1, *columns, &[])),
        [batch @ .., rows, columns] => Some((*rows, *columns, batch)),
    }
}

/// Rows, columns and batch axes; a vector counts as one column.
fn column_form(shape: &[usize]) -> Option<(usize, usize, &[usize])> {
    match shape {
        [] => None,
        [rows] => Some((*rows, 1, &[])),
        [batch @ .., rows, columns] => Some((*rows, *columns, batch)),
    }
}

impl MatMul {
    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let (a, b) = (inputs.get(0)?, inputs.get(1)?);
        let (Some((rows, inner, batch_a)), Some((_, columns, batch_b))) = (row_form(a.shape()), column_form(b.shape()))
        else {
            let (left, right) = (a.shape().to_vec(), b.shape().to_vec());
            return Err(GraphError::Shapes { operation: "a matrix product", left, right });
        };
        if batch_b.is_empty() {
            // One large product instead of many small ones.
            let all_rows = batch_a.iter().product::<usize>() * rows;
            let a = a.reshape(&[all_rows, inner])?.tensor::<2>()?;
            let b = b.reshape(&[inner, columns])?.tensor::<2>()?;
            return Value::new(a.matmul(b)).reshape(&self.output);
        }
        let batch = broadcast(batch_a, batch_b).unwrap_or_default();
        let matrix = |value: &Value, own: &[usize], rows: usize, columns: usize| {
            let with = |batch: &[usize]| [batch, &[rows, columns]].concat();
            value.reshape(&with(own))?.expand(&with(&batch))
        };
        let (a, b) = (matrix(a, batch_a, rows, inner)?, matrix(b, batch_b, inner, columns)?);
        with_rank!(a.shape().len(), D => Value::new(a.tensor::<D>()?.matmul(b.tensor::<D>()?))).reshape(&self.output)
    }
}
