//! Linear maps along one axis: what resizing is, and pooling by sums.
//!
//! A matrix product is differentiable on every backend.

use super::{Refusal, arguments::unsupported};
use crate::{
    GraphError, Value,
    host::{HostData, HostTensor},
};

/// A matrix that acts on one axis.
#[derive(Clone, Debug)]
pub(crate) struct AxisMatrix {
    axis: usize,
    /// `[input, output]`.
    weights: HostTensor,
}

/// Larger matrices would not fit into a tab.
const MAX_WEIGHTS: usize = 1 << 24;

impl AxisMatrix {
    /// The matrix whose column `to` is added up from `(from, weight)` pairs.
    pub(crate) fn new(
        axis: usize,
        input: usize,
        output: usize,
        column: impl Fn(usize) -> Vec<(usize, f32)>,
    ) -> Result<AxisMatrix, Refusal> {
        if input.saturating_mul(output) > MAX_WEIGHTS {
            return unsupported(format!("an axis of length {input} mapped to {output}"));
        }
        let mut weights = vec![0.0; input * output];
        for to in 0..output {
            for (from, weight) in column(to) {
                if let Some(sum) = weights.get_mut(from * output + to) {
                    *sum += weight;
                }
            }
        }
        let weights = HostTensor { shape: vec![input, output], data: HostData::Float(weights) };
        Ok(AxisMatrix { axis, weights })
    }

    /// What [`AxisMatrix::run`] wants on the device.
    pub(crate) fn constant(&self) -> &HostTensor {
        &self.weights
    }

    /// Applies the map; `weights` is the uploaded constant.
    pub(crate) fn run(&self, input: &Value, weights: &Value) -> Result<Value, GraphError> {
        let rank = input.shape().len();
        let mut to_last: Vec<usize> = (0..rank).filter(|&axis| axis != self.axis).collect();
        to_last.push(self.axis);
        let moved = input.permute(&to_last)?;
        let mut shape = moved.shape().to_vec();
        let weights = weights.tensor::<2>()?;
        let [length, output] = weights.dims();
        let rows = moved.len().checked_div(length).unwrap_or(0);
        let product = moved.reshape(&[rows, length])?.tensor::<2>()?.matmul(weights);
        if let Some(last) = shape.last_mut() {
            *last = output;
        }
        // The moved axis returns to its place; the ones after it move up again.
        let mut back: Vec<usize> = (0..rank - 1).collect();
        back.insert(self.axis, rank - 1);
        Value::new(product).reshape(&shape)?.permute(&back)
    }
}
