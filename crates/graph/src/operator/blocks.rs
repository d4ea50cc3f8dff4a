//! DepthToSpace and SpaceToDepth: blocks of pixels as channels, and back.

use super::{
    Arguments, Operator, Refusal, Resolved,
    arguments::{Fact, invalid, unsupported},
};
use crate::{GraphError, Value};

/// Axes split, reordered and joined again.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    split: [usize; 6],
    order: [usize; 6],
    output: [usize; 4],
}

pub(crate) fn blocks(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let fact = arguments.fact(0)?;
    let &[batch, channels, height, width] = fact.shape() else {
        return unsupported(format!("input {:?}", fact.shape()));
    };
    let Some(size) = usize::try_from(arguments.int("blocksize", 0)).ok().filter(|&size| size > 0) else {
        return invalid("its blocksize is not positive");
    };
    let depth_first = match arguments.text("mode").unwrap_or("DCR") {
        "DCR" => true,
        "CRD" => false,
        other => return invalid(format!("mode {other:?} is neither DCR nor CRD")),
    };
    let square = size.saturating_mul(size);
    let blocks = if arguments.node.operator == "DepthToSpace" {
        if !channels.is_multiple_of(square) {
            return invalid(format!("{channels} channels are not divided by blocks of {size} x {size}"));
        }
        let depth = channels / square;
        let output = [batch, depth, height * size, width * size];
        match depth_first {
            true => Blocks { split: [batch, size, size, depth, height, width], order: [0, 3, 4, 1, 5, 2], output },
            false => Blocks { split: [batch, depth, size, size, height, width], order: [0, 1, 4, 2, 5, 3], output },
        }
    } else {
        if !height.is_multiple_of(size) || !width.is_multiple_of(size) {
            return invalid(format!("an image of {height} x {width} is not divided by blocks of {size} x {size}"));
        }
        let (rows, columns) = (height / size, width / size);
        let Some(depth) = channels.checked_mul(square) else { return invalid("its blocksize is too large") };
        Blocks {
            split: [batch, channels, rows, size, columns, size],
            order: if depth_first { [0, 3, 5, 1, 2, 4] } else { [0, 1, 3, 5, 2, 4] },
            output: [batch, depth, rows, columns],
        }
    };
    let outputs = vec![Fact::Runtime { shape: blocks.output.to_vec(), kind: fact.kind() }];
    Ok(Resolved { operator: Operator::Blocks(blocks), outputs, inputs: 1 })
}

impl Blocks {
    pub(crate) fn run(&self, input: &Value) -> Result<Value, GraphError> {
        input.reshape(&self.split)?.permute(&self.order)?.reshape(&self.output)
    }
}
