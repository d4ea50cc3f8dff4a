//! Whether the target is a linear function (plus a constant) of a layer: what decides if a layer's share of the answer can
//! be told exactly.

use std::collections::HashSet;

use vitrine_graph::{Graph, GraphError};

use crate::{Context, ExplainError, SpatialLayer};

/// Operators that are linear in all their computed inputs together.
const LINEAR: [&str; 22] = [
    "Add",
    "AveragePool",
    "Cast",
    "Concat",
    "Dropout",
    "Expand",
    "Flatten",
    "Gather",
    "GlobalAveragePool",
    "Identity",
    "Neg",
    "Pad",
    "ReduceMean",
    "ReduceSum",
    "Reshape",
    "Slice",
    "Split",
    "Squeeze",
    "Sub",
    "Sum",
    "Transpose",
    "Unsqueeze",
];

/// Operators that are linear in one computed input where the others do not depend on it.
const LINEAR_IN_ONE: [&str; 6] = ["BatchNormalization", "Conv", "ConvTranspose", "Gemm", "MatMul", "Mul"];

/// The values from which a value is computed, with itself.
fn ancestors(graph: &Graph, value: &str) -> HashSet<String> {
    let mut found = HashSet::from([value.to_owned()]);
    let mut pending = vec![value.to_owned()];
    while let Some(value) = pending.pop() {
        let Some(node) = graph.producer(&value) else { continue };
        pending.extend(node.inputs.iter().filter(|input| found.insert((*input).clone())).cloned());
    }
    found
}

/// Refuses a layer from which no way leads to the class scores.
///
/// # Errors
/// [`ExplainError::NoInfluence`].
pub(crate) fn check_influence(context: &Context<'_>, layers: &[SpatialLayer]) -> Result<(), ExplainError> {
    let before = ancestors(context.graph, context.target.head().logits());
    match layers.iter().find(|layer| !before.contains(&layer.name)) {
        None => Ok(()),
        Some(layer) => Err(ExplainError::NoInfluence { layer: layer.name.clone(), target: context.target.to_string() }),
    }
}

/// What between a layer and the target is not linear, in words; nothing where all is.
pub(crate) fn obstacle(context: &Context<'_>, layer: &SpatialLayer) -> Result<Option<String>, GraphError> {
    let graph = context.graph;
    let before = ancestors(graph, context.target.head().logits());
    let mut dependent = HashSet::from([layer.name.clone()]);
    for value in graph.values()?.into_iter().filter(|value| before.contains(&value.name) && value.name != layer.name) {
        let Some(node) = graph.producer(&value.name) else { continue };
        let is_dependent = |input: &&String| dependent.contains(*input);
        let linear = match node.inputs.iter().filter(is_dependent).count() {
            0 => continue,
            1 => {
                let divided = node.operator == "Div" && node.inputs.first().as_ref().is_some_and(is_dependent);
                divided || LINEAR_IN_ONE.contains(&node.operator.as_str())
            }
            _ => false,
        };
        if !linear && !LINEAR.contains(&node.operator.as_str()) {
            return Ok(Some(format!("{} ({:?})", node.operator, value.name)));
        }
        dependent.insert(value.name);
    }
    Ok((!context.target.is_linear()).then(|| "the softmax or sigmoid of the target".to_owned()))
}
