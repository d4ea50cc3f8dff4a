//! What no model that can be explained has: weights that are not numbers, values beyond what devices hold.

use std::collections::HashSet;

use vitrine_onnx::{AttributeValue, Graph as OnnxGraph};

use crate::GraphError;

/// Most elements of one value: 2 GiB of floats.
pub(crate) const MAX_ELEMENTS: usize = 1 << 29;

/// Elements that constants computed while planning may have, beside [`CONSTANTS_PER_WEIGHT`]: 64 MiB of floats.
pub(crate) const MAX_CONSTANTS: usize = 1 << 24;
/// How often all weights may be computed anew: transposed, cast, normalised.
const CONSTANTS_PER_WEIGHT: usize = 4;

/// Operators whose weights must be finite; elsewhere infinity may be meant: in a mask, or as the end of a range.
const WEIGHTED: &[&str] = &[
    "BatchNormalization",
    "Conv",
    "ConvTranspose",
    "Gemm",
    "GroupNormalization",
    "InstanceNormalization",
    "LayerNormalization",
    "MatMul",
    "RMSNormalization",
];

/// Number of elements of a value, if a device can hold them.
pub(crate) fn elements(shape: &[usize]) -> Option<usize> {
    let count = shape.iter().try_fold(1_usize, |product, length| product.checked_mul(*length))?;
    (count <= MAX_ELEMENTS).then_some(count)
}

/// How many elements the constants of a plan may have, for a model of so many weights.
pub(crate) fn constant_elements(parameters: usize) -> usize {
    parameters.saturating_mul(CONSTANTS_PER_WEIGHT).saturating_add(MAX_CONSTANTS)
}

/// Refuses weights because of which every answer would be NaN.
pub(crate) fn check_weights(graph: &OnnxGraph) -> Result<(), GraphError> {
    let weighted = graph.nodes.iter().filter(|node| WEIGHTED.contains(&node.operator.as_str()));
    let weights: HashSet<&str> = weighted.flat_map(|node| &node.inputs).map(String::as_str).collect();
    let written_out = graph.nodes.iter().filter(|node| node.operator == "Constant").filter_map(|node| {
        Some((node.outputs.first()?.as_str(), node.attribute("value").and_then(AttributeValue::as_tensor)?))
    });
    let initializers = graph.initializers.iter().map(|tensor| (tensor.name.as_str(), tensor));
    for (name, tensor) in initializers.chain(written_out) {
        let refused = |found, count| Err(GraphError::NotFinite { weights: name.to_owned(), found, count });
        match (tensor.count_floats(f32::is_nan), tensor.count_floats(f32::is_infinite)) {
            (0, 0) => {}
            (0, infinite) if weights.contains(name) => return refused("infinite", infinite),
            (0, _) => {}
            (nan, _) => return refused("NaN", nan),
        }
    }
    Ok(())
}
