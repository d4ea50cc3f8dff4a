//! Matrices that act on the rows and columns of pictures.

use vitrine_graph::{GraphError, Value};

/// Rows times picture times columns, one of each per sample: `rows` is `[1 or count, 1, ..]`, the picture `[1 or count,
/// channels, height, width]` and `columns` as `rows`; what there is one of is used for all.
pub(crate) fn product(rows: &Value, planes: &Value, columns: &Value) -> Result<Value, GraphError> {
    let shape = |value: &Value, axis: usize| value.shape().get(axis).copied().unwrap_or(1);
    let (count, channels) = (shape(rows, 0).max(shape(planes, 0)).max(shape(columns, 0)), shape(planes, 1));
    let all = |value: &Value| value.expand(&[count, channels, shape(value, 2), shape(value, 3)])?.tensor::<4>();
    Ok(Value::new(all(rows)?.matmul(all(planes)?).matmul(all(columns)?)))
}

/// What goes back through [`product`] to the picture.
pub(crate) fn pull_back(rows: &Value, arrived: &Value, columns: &Value) -> Result<Value, GraphError> {
    product(&transposed(rows)?, arrived, &transposed(columns)?)
}

/// Matrices with rows and columns exchanged.
pub(crate) fn transposed(matrices: &Value) -> Result<Value, GraphError> {
    matrices.permute(&[0, 1, 3, 2])
}
