//! Which layers a method can look at.

use vitrine_graph::{Graph, GraphError, ValueSummary};

use crate::{Context, ExplainError};

/// The layers of a graph ([`Graph::layers`]) that have channels, height and width, both above 1: shape
/// `[1, channels, height, width]` at a batch of one, in graph order.
///
/// # Errors
/// None on a graph that was planned.
pub fn spatial_layers(graph: &Graph) -> Result<Vec<ValueSummary>, GraphError> {
    Ok(graph.layers()?.into_iter().filter(|layer| is_spatial(&layer.shape)).collect())
}

fn is_spatial(shape: &[usize]) -> bool {
    matches!(shape, [_, _, height, width] if *height > 1 && *width > 1)
}

/// The context's layer, or without one the last that has height and width.
pub(crate) fn chosen_layer(context: &Context<'_>) -> Result<ValueSummary, ExplainError> {
    let Some(name) = context.layer else {
        return spatial_layers(context.graph)?.pop().ok_or(ExplainError::NoSpatialLayer);
    };
    let values = context.graph.values()?;
    let Some(at) = values.iter().position(|value| value.name == name) else {
        context.graph.check_value(name)?;
        // The value exists but is no layer: a graph input, a weight or a constant.
        return Err(ExplainError::NotSpatial { layer: name.to_owned(), shape: Vec::new(), nearest: Vec::new() });
    };
    if is_spatial(&values[at].shape) {
        return Ok(values[at].clone());
    }
    let mut spatial: Vec<usize> = (0..values.len()).filter(|&index| is_spatial(&values[index].shape)).collect();
    spatial.sort_by_key(|index| index.abs_diff(at));
    let nearest = spatial.into_iter().take(3).map(|index| values[index].name.clone()).collect();
    Err(ExplainError::NotSpatial { layer: name.to_owned(), shape: values[at].shape.clone(), nearest })
}
