//! Attention found in a graph, and how its tokens lie over the picture.

use vitrine_graph::{Block, Graph, GraphError};
use vitrine_protocol::Tokens;

/// Most tokens that stand for no place: a class token and four registers, as DINOv2 has them.
const MAX_PREFIX: usize = 5;

/// Attention weights that a graph computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attention {
    /// The value that holds the weights: the output of the softmax.
    pub weights: String,
    /// Its shape at a batch of one: how many heads, queries and keys are the last three axes.
    pub shape: Vec<usize>,
}

impl Attention {
    /// Length of the sequence, where every token of one picture attends to every other; nothing for attention within
    /// windows or between two sequences.
    pub fn sequence(&self) -> Option<usize> {
        match self.shape[..] {
            [1, _, queries, keys] | [_, queries, keys] if queries == keys => Some(keys),
            _ => None,
        }
    }
}

/// The attention of a graph, in its order, see [`Graph::blocks`].
///
/// # Errors
/// None on a graph that was planned.
pub fn attention(graph: &Graph) -> Result<Vec<Attention>, GraphError> {
    let values = graph.values()?;
    let weights = |block: &Block| {
        let softmax = |name: &&String| graph.producer(name).is_some_and(|node| node.operator == "Softmax");
        block.inner.iter().find(softmax).cloned()
    };
    let blocks = graph.blocks()?.iter().filter(|block| block.operator == "Attention");
    let found = blocks.filter_map(weights).filter_map(|weights| {
        let shape = values.iter().find(|value| value.name == weights)?.shape.clone();
        Some(Attention { weights, shape })
    });
    Ok(found.collect())
}

/// Length of the sequence over which all of a graph's attention is; nothing where there is none, or several.
///
/// # Errors
/// None on a graph that was planned.
pub fn sequence(graph: &Graph) -> Result<Option<usize>, GraphError> {
    let found = attention(graph)?;
    let first = found.first().and_then(Attention::sequence);
    Ok(first.filter(|_| found.iter().all(|attention| attention.sequence() == first)))
}

/// How a sequence of this length lies over a picture that is cut into square patches: after as few tokens that stand for
/// no place as possible.
///
/// ```
/// use vitrine_protocol::Tokens;
///
/// // 16 pixels to a patch, and a class token.
/// assert_eq!(vitrine_explain::token_grid(197, 224, 224), Some(Tokens { rows: 14, columns: 14, prefix: 1 }));
/// assert_eq!(vitrine_explain::token_grid(77, 224, 224), None, "a text");
/// ```
pub fn token_grid(sequence: usize, height: usize, width: usize) -> Option<Tokens> {
    let patches = (2..=height.min(width)).filter(|patch| height.is_multiple_of(*patch) && width.is_multiple_of(*patch));
    let grids: Vec<(usize, usize)> = patches.map(|patch| (height / patch, width / patch)).collect();
    (0..=MAX_PREFIX.min(sequence)).find_map(|prefix| {
        let grid = grids.iter().find(|(rows, columns)| rows * columns == sequence - prefix && rows * columns > 1);
        grid.map(|&(rows, columns)| Tokens { rows, columns, prefix })
    })
}

#[cfg(test)]
mod tests {
    use vitrine_graph::InputShapes;
    use vitrine_onnx::{Graph as OnnxGraph, Model, Node, Tensor, ValueInfo};

    use super::*;
    use crate::testing::device;

    #[test]
    fn grids_are_found_for_the_sequences_that_vision_transformers_have() {
        let grid = |sequence, height, width| {
            token_grid(sequence, height, width).map(|tokens| (tokens.rows, tokens.columns, tokens.prefix))
        };
        assert_eq!(grid(196, 224, 224), Some((14, 14, 0)), "global pooling");
        assert_eq!(grid(197, 224, 224), Some((14, 14, 1)), "ViT-B/16");
        assert_eq!(grid(198, 224, 224), Some((14, 14, 2)), "DeiT with its distillation token");
        assert_eq!(grid(50, 224, 224), Some((7, 7, 1)), "ViT-B/32");
        assert_eq!(grid(261, 224, 224), Some((16, 16, 5)), "DINOv2 with registers, 14 pixels to a patch");
        assert_eq!(grid(193, 128, 384), Some((8, 24, 1)), "a picture that is wider than high");
        assert_eq!(grid(77, 224, 224), None, "a text");
    }

    /// Softmax(x x^T / 4 [+ bias]) x for one picture of four tokens.
    fn transformer(with_bias: bool) -> Graph {
        let mut nodes = vec![
            Node::new("Transpose", &["x"], &["keys"]).with("perm", vec![0, 2, 1]),
            Node::new("MatMul", &["x", "keys"], &["scores"]),
            Node::new("Div", &["scores", "four"], &["scaled"]),
            Node::new("Add", &["bias", "scaled"], &["biased"]),
            Node::new("Softmax", &[if with_bias { "biased" } else { "scaled" }], &["attention"]).with("axis", -1),
            Node::new("MatMul", &["attention", "x"], &["y"]),
            // No attention: what it mixes is a weight.
            Node::new("Softmax", &["y"], &["soft"]).with("axis", -1),
            Node::new("MatMul", &["soft", "w"], &["z"]),
        ];
        if !with_bias {
            nodes.remove(3);
        }
        let initializers = vec![
            Tensor::from_f32("four", &[], &[4.0]),
            Tensor::from_f32("bias", &[1, 4, 4], &[0.0; 16]),
            Tensor::from_f32("w", &[3, 3], &[0.0; 9]),
        ];
        let onnx = OnnxGraph {
            nodes,
            initializers,
            inputs: vec![ValueInfo::float("x", &[1, 4, 3])],
            outputs: vec![ValueInfo::float("z", &[1, 4, 3])],
            ..OnnxGraph::default()
        };
        Graph::new(Model::new(17, onnx), &device(), &InputShapes::new()).unwrap()
    }

    #[test]
    fn attention_is_found_by_its_pattern_and_nothing_else_is() {
        for with_bias in [false, true] {
            let found = attention(&transformer(with_bias)).unwrap();
            assert_eq!(found, [Attention { weights: "attention".into(), shape: vec![1, 4, 4] }]);
            assert_eq!(found[0].sequence(), Some(4));
        }
    }

    #[test]
    fn windows_and_two_sequences_are_no_sequence_of_the_picture() {
        let of = |shape: &[usize]| Attention { weights: "a".into(), shape: shape.to_vec() }.sequence();
        assert_eq!(of(&[1, 12, 197, 197]), Some(197));
        assert_eq!(of(&[64, 3, 49, 49]), None, "64 windows");
        assert_eq!(of(&[1, 8, 100, 950]), None, "queries of a decoder");
    }
}
