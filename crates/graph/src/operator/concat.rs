//! Concat.

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, axis, invalid, unsupported},
};
use crate::{GraphError, Value};

/// Joins values along one axis.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Concat {
    axis: usize,
    /// Batch size to which constants of batch one are repeated, in a graph re-planned for batches.
    batch: Option<usize>,
}

pub(crate) fn concat(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let first = arguments.fact(0)?;
    let (kind, mut output) = (first.kind(), first.shape().to_vec());
    let axis = axis(arguments.int("axis", 1), output.len())?;
    let shapes = (0..arguments.facts.len()).map(|index| arguments.shape(index)).collect::<Result<Vec<_>, _>>()?;
    let batch = arguments.rebatch.map(|rebatch| rebatch.wanted).filter(|batch| {
        let first_axes: Vec<usize> = shapes.iter().filter_map(|shape| shape.first().copied()).collect();
        axis > 0 && first_axes.contains(&1) && first_axes.contains(batch)
    });
    output[axis] = 0;
    if let Some(batch) = batch {
        output[0] = batch;
    }
    for (index, shape) in shapes.iter().enumerate() {
        if arguments.fact(index)?.kind() != kind {
            return unsupported("Concat of mixed element types");
        }
        let fits = shape.len() == output.len()
            && (0..shape.len())
                .all(|at| at == axis || shape[at] == output[at] || (at == 0 && batch.is_some() && shape[0] == 1));
        if !fits {
            return invalid(format!("shapes {shapes:?} do not join along axis {axis}"));
        }
        output[axis] += shape[axis];
    }
    Ok(Resolved {
        operator: Operator::Concat(Concat { axis, batch }),
        outputs: vec![Fact::Runtime { shape: output, kind }],
        inputs: arguments.facts.len(),
    })
}

impl Concat {
    pub(crate) fn run(self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let repeated = inputs.all().map(|value| match self.batch {
            Some(batch) => {
                let mut shape = value.shape().to_vec();
                shape[0] = batch;
                value.expand(&shape)
            }
            None => Ok(value.clone()),
        });
        let mut pieces = repeated.collect::<Result<Vec<_>, _>>()?;
        // Exporters join lists with empty ones; a device need not know of them.
        if pieces.iter().any(|piece| !piece.is_empty()) {
            pieces.retain(|piece| !piece.is_empty());
        }
        Value::concat(&pieces, self.axis)
    }
}
