//! MaxUnpool: maxima put back where they were found, zeros elsewhere.

use burn::tensor::{IndexingUpdateOp, Tensor};

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, Kind, invalid},
    window::Window,
};
use crate::{GraphError, Value};

/// Scatters its first input to the positions in its second, which count in what was pooled.
#[derive(Clone, Debug)]
pub(crate) struct MaxUnpool {
    pooled: Vec<usize>,
    /// What stays of each axis, and what is added at its end, for another output shape.
    crops: Vec<usize>,
    pads: Vec<(usize, usize)>,
}

pub(crate) fn max_unpool(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let input = arguments.float_shape(0)?;
    if arguments.fact(1)?.kind() != Kind::Int || arguments.shape(1)? != input || input.len() < 3 {
        return invalid("it needs one index per element");
    }
    let Some(kernel) = arguments.ints("kernel_shape") else { return invalid("kernel_shape is missing") };
    let kernel = kernel.iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect();
    let window = Window::resolve(arguments, kernel, &input[2..])?;
    let spatial = (0..window.kernel.len()).map(|axis| {
        let whole = input[axis + 2].saturating_sub(1) * window.strides[axis] + window.kernel[axis];
        whole.saturating_sub(window.pads[axis].0 + window.pads[axis].1)
    });
    let pooled: Vec<usize> = input[..2].iter().copied().chain(spatial).collect();
    let output: Vec<usize> = match arguments.constant(2)? {
        Some(shape) => shape.to_ints().iter().map(|&length| usize::try_from(length).unwrap_or(0)).collect(),
        None => pooled.clone(),
    };
    let fits = |shape: &[usize]| {
        let room = shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length));
        shape.len() == input.len() && room.is_some_and(|room| (1..=1 << 31).contains(&room))
    };
    if !fits(&pooled) || !fits(&output) {
        return invalid(format!("its output would have shape {output:?}"));
    }
    let crops = pooled.iter().zip(&output).map(|(&pooled, &output)| pooled.min(output)).collect();
    let pads = pooled.iter().zip(&output).map(|(&pooled, &output)| (0, output.saturating_sub(pooled))).collect();
    let operator = Operator::MaxUnpool(MaxUnpool { pooled, crops, pads });
    Ok(Resolved { operator, outputs: vec![Fact::float(output)], inputs: 2 })
}

impl MaxUnpool {
    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let (input, indices) = (inputs.get(0)?, inputs.get(1)?);
        let room: usize = self.pooled.iter().product();
        let values = input.reshape(&[input.len()])?.tensor::<1>()?;
        // Positions outside would end the program on the CPU.
        let indices = indices.reshape(&[input.len()])?.as_int::<1>()?.clamp(0, room as i64 - 1);
        let zeros = Tensor::<1>::zeros([room], &values.device());
        let placed = zeros.select_assign(0, indices, values, IndexingUpdateOp::Add);
        let mut placed = Value::new(placed).reshape(&self.pooled)?;
        for (axis, &length) in self.crops.iter().enumerate() {
            placed = placed.narrow(axis, 0, length)?;
        }
        placed.padded(&self.pads, 0.0)
    }
}
