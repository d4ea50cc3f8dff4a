//! The heads of a transformer's attention, each seen as a channel that lies over the picture.

use vitrine_graph::{GraphError, Value};

use crate::{
    Context, ExplainError, Places, SpatialLayer, attention::token_grid, attribution::picture_size, channels::Components,
};

/// The heads of every attention over the picture's tokens, in the graph's order: what leaves each head before the heads are
/// joined.
///
/// # Errors
/// [`ExplainError::NoHeads`].
pub(crate) fn heads(context: &Context<'_>) -> Result<Vec<Components>, ExplainError> {
    let values = context.graph.values()?;
    let [height, width] = picture_size(context.shape(), context.layout()).unwrap_or_default();
    let mut found = Vec::new();
    for block in context.graph.blocks()?.iter().filter(|block| block.operator == "Attention") {
        let shape = values.iter().find(|value| value.name == block.output).map(|value| &value.shape[..]);
        // Exporters that put heads and pictures on one axis have those of a picture together.
        let (heads, length, factors) = match shape {
            Some(&[1, heads, length, _]) => (heads, length, vec![1, heads, 1, 1]),
            Some(&[heads, length, _]) => (heads, length, vec![heads, 1, 1]),
            _ => continue,
        };
        let own = context.tokens.filter(|tokens| tokens.count() == length);
        let Some(tokens) = own.or_else(|| token_grid(length, height, width)) else { continue };
        let layer = SpatialLayer {
            name: block.output.clone(),
            operator: block.operator.to_owned(),
            shape: vec![1, length, heads],
            places: Places::Sequence(tokens),
        };
        found.push(Components { layer, factors, planes: lengths });
    }
    if found.is_empty() { Err(ExplainError::NoHeads) } else { Ok(found) }
}

/// How long the vectors are that leave each head, a plane of the picture's tokens for each.
fn lengths(layer: &SpatialLayer, value: &Value) -> Result<Value, GraphError> {
    let Places::Sequence(tokens) = layer.places else { return Ok(value.clone()) };
    let (heads, [rows, columns]) = (layer.channels(), layer.size());
    let vectors = value.reshape(&[heads, tokens.count(), value.len() / (heads * tokens.count())])?;
    let lengths = vectors.map(|vectors| vectors.square())?.sum_axes(&[2])?.map(|squares| squares.sqrt())?;
    lengths.narrow(1, tokens.prefix, rows * columns)?.reshape(&[1, heads, rows, columns])
}
