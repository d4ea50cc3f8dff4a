//! Conv over one, two or three spatial axes.

use burn::tensor::{module, ops::ConvOptions};

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, invalid, unsupported},
    window::Window,
};
use crate::{GraphError, Value};

/// A convolution with its geometry.
#[derive(Clone, Debug)]
pub(crate) struct Convolution {
    window: Window,
    groups: usize,
}

pub(crate) fn convolution(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let input = arguments.float_shape(0)?;
    let weight = arguments.float_shape(1)?;
    let spatial = input.get(2..).unwrap_or_default();
    if !(1..=3).contains(&spatial.len()) || weight.len() != input.len() {
        return unsupported(format!("Conv of input {input:?} with weight {weight:?}"));
    }
    let groups = usize::try_from(arguments.int("group", 1)).unwrap_or(0);
    if groups == 0 || weight[1] * groups != input[1] || weight[0] % groups != 0 {
        return invalid(format!("weight {weight:?} in {groups} groups does not fit input {input:?}"));
    }
    if let Some(Some(bias)) = arguments.facts.get(2)
        && bias.shape() != [weight[0]]
    {
        return invalid(format!("bias {:?} does not fit weight {weight:?}", bias.shape()));
    }
    let window = Window::resolve(arguments, weight[2..].to_vec(), spatial)?;
    let mut output = vec![input[0], weight[0]];
    output.extend(window.output(spatial)?);
    Ok(Resolved {
        operator: Operator::Convolution(Convolution { window, groups }),
        outputs: vec![Fact::float(output)],
        inputs: 3,
    })
}

impl Convolution {
    fn options<const N: usize>(&self) -> ConvOptions<N> {
        ConvOptions {
            stride: Window::array(&self.window.strides),
            padding: Window::array(&self.window.pads),
            dilation: Window::array(&self.window.dilations),
            groups: self.groups,
        }
    }

    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let (input, weight) = (inputs.get(0)?, inputs.get(1)?);
        let bias = inputs.optional(2).map(Value::tensor::<1>).transpose()?;
        Ok(match self.window.kernel.len() {
            1 => Value::new(module::conv1d(input.tensor()?, weight.tensor()?, bias, self.options())),
            2 => Value::new(module::conv2d(input.tensor()?, weight.tensor()?, bias, self.options())),
            _ => Value::new(module::conv3d(input.tensor()?, weight.tensor()?, bias, self.options())),
        })
    }
}
