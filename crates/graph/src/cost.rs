//! What a model costs: weights, arithmetic and memory.

use crate::{Graph, GraphError, plan::Plan};

/// What running a model on one image costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Floating-point weights.
    pub parameters: usize,
    /// Multiplications with an addition, of convolutions and matrix products; all else is small beside them.
    pub multiply_adds: usize,
    /// Bytes of all values that nodes compute, as a backward pass keeps them.
    pub activation_bytes: usize,
}

impl Graph {
    /// What one image costs; a batch costs as many times more, but for the weights.
    ///
    /// # Errors
    /// None after a successful [`Graph::new`].
    pub fn cost(&self) -> Result<Cost, GraphError> {
        let plan = self.plan(self.declared_batch)?;
        let multiply_adds: usize = plan.steps.iter().map(|step| self.multiply_adds(&plan, step.node)).sum();
        let values = self.values()?;
        let elements: usize = values.iter().map(|value| value.shape.iter().product::<usize>()).sum();
        Ok(Cost {
            parameters: self.parameters(),
            multiply_adds: multiply_adds / self.declared_batch,
            activation_bytes: elements * size_of::<f32>(),
        })
    }

    /// Multiply-adds of a node at the declared batch size.
    fn multiply_adds(&self, plan: &Plan, node: usize) -> usize {
        let (wiring, node) = (&self.wiring[node], &self.nodes[node]);
        let shape = |ids: &[Option<usize>], at: usize| -> Vec<usize> {
            let id = ids.get(at).copied().flatten();
            id.and_then(|id| plan.shape(id)).map(<[usize]>::to_vec).unwrap_or_default()
        };
        let size = |shape: &[usize]| shape.iter().product::<usize>();
        let (input, weight) = (shape(&wiring.inputs, 0), shape(&wiring.inputs, 1));
        let output = shape(&wiring.outputs, 0);
        let columns = output.last().copied().unwrap_or(1);
        let output = size(&output);
        // A kernel has its outputs first, a transposed one its inputs.
        let per_kernel = size(weight.get(1..).unwrap_or_default());
        match node.operator.as_str() {
            "Conv" => output * per_kernel,
            "ConvTranspose" => size(&input) * per_kernel,
            "MatMul" => output * input.last().copied().unwrap_or(0),
            "Gemm" => output * size(&weight).checked_div(columns).unwrap_or(0),
            _ => 0,
        }
    }
}
