//! Normalisations by a sample's own mean and deviation.

use vitrine_graph::{GraphError, Unit, Value};

use super::stabilised;

/// Sends relevance through a normalisation by a sample's own mean and deviation, the deviation taken as a constant, which
/// makes it linear (Ali et al. 2022); the bias keeps its part.
///
/// # Errors
/// [`GraphError::Kind`] for another operator than LayerNormalization, InstanceNormalization and GroupNormalization.
pub(crate) fn through_normalization(
    unit: &Unit<'_>,
    relevance: &Value,
    epsilon: f32,
) -> Result<Vec<Option<Value>>, GraphError> {
    let refused = || GraphError::Kind { operation: "relevance propagation", expected: "a normalisation" };
    let ([input, scale, ..], Some(output)) = (unit.inputs(), unit.outputs().first()) else {
        return Err(refused());
    };
    let node = unit.node();
    let int = |name: &str| node.attribute(name).and_then(|value| value.as_int());
    let shape = input.shape();
    let product = |axes: &[usize]| axes.iter().product::<usize>();
    let per_channel = || -> Vec<usize> {
        (0..shape.len()).map(|axis| if axis == 1 { shape.get(1).copied().unwrap_or(1) } else { 1 }).collect()
    };
    // How many rows are normalised, each by itself, and how the scale meets the input.
    let (rows, scale) = match (unit.operator(), shape) {
        ("LayerNormalization", _) => {
            let axis = int("axis").unwrap_or(-1);
            let axis = if axis < 0 { axis + shape.len() as i64 } else { axis };
            let outer = shape.get(..usize::try_from(axis).map_err(|_| refused())?).ok_or_else(refused)?;
            (product(outer), scale.clone())
        }
        ("InstanceNormalization", [samples, channels, ..]) => (samples * channels, scale.reshape(&per_channel())?),
        ("GroupNormalization", [samples, channels, ..]) => {
            let groups = int("num_groups").and_then(|groups| usize::try_from(groups).ok()).unwrap_or(1);
            // Up to opset 20 there was one scale for each group.
            let repeated = channels / scale.len().max(1);
            let scale = scale.reshape(&[scale.len(), 1])?.expand(&[scale.len(), repeated])?;
            (samples * groups, scale.reshape(&per_channel())?)
        }
        _ => return Err(refused()),
    };
    let table = [rows, input.len().checked_div(rows).unwrap_or(0)];
    let mean = |value: &Value| value.sum_axes(&[1])?.map(|tensor| tensor / table[1] as f32);
    let rows = input.reshape(&table)?;
    let centred = rows.sub(&mean(&rows)?)?;
    let steady = node.attribute("epsilon").and_then(|value| value.as_float()).unwrap_or(1e-5);
    let deviation = mean(&centred.mul(&centred)?)?.map(|tensor| (tensor + steady).sqrt())?;
    let ratio = relevance.div(&stabilised(output, epsilon)?)?.mul(&scale)?.reshape(&table)?.div(&deviation)?;
    let sent = rows.mul(&ratio.sub(&mean(&ratio)?)?)?.reshape(shape)?;
    let mut result = vec![None; unit.inputs().len()];
    if let Some(first) = result.first_mut() {
        *first = Some(sent);
    }
    Ok(result)
}
