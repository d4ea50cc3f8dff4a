//! Conv and ConvTranspose over one, two or three spatial axes.

use burn::tensor::{
    module,
    ops::{ConvOptions, ConvTransposeOptions},
};

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, invalid, unsupported},
    window::{LARGEST_SIZE, Window, explicit_pads, positive},
};
use crate::{GraphError, Value};

/// A convolution with its geometry.
#[derive(Clone, Debug)]
pub(crate) struct Convolution {
    window: Window,
    groups: usize,
}

/// Shapes of input and weight, and the number of groups, after the checks that both directions share.
fn operands<'a>(arguments: &'a Arguments<'_>) -> Result<(&'a [usize], &'a [usize], usize), Refusal> {
    let input = arguments.float_shape(0)?;
    let weight = arguments.float_shape(1)?;
    if !(3..=5).contains(&input.len()) || weight.len() != input.len() {
        return unsupported(format!("{} of input {input:?} with weight {weight:?}", arguments.node.operator));
    }
    let groups = usize::try_from(arguments.int("group", 1)).unwrap_or(0);
    if groups == 0 {
        return invalid("it has no groups");
    }
    if input[1..].contains(&0) || weight.contains(&0) {
        return invalid(format!("input {input:?} or weight {weight:?} is empty"));
    }
    Ok((input, weight, groups))
}

fn check_bias(arguments: &Arguments<'_>, channels: usize) -> Result<(), Refusal> {
    match arguments.facts.get(2) {
        Some(Some(bias)) if bias.shape() != [channels] => {
            invalid(format!("bias {:?} does not fit {channels} channels", bias.shape()))
        }
        _ => Ok(()),
    }
}

pub(crate) fn convolution(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let (input, weight, groups) = operands(arguments)?;
    let spatial = &input[2..];
    if weight[1].checked_mul(groups) != Some(input[1]) || !weight[0].is_multiple_of(groups) {
        return invalid(format!("weight {weight:?} in {groups} groups does not fit input {input:?}"));
    }
    check_bias(arguments, weight[0])?;
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
            _ => {
                // burn pads three axes by the same amount before and after, or not at all.
                let pads = [&[(0, 0); 2], &self.window.pads[..]].concat();
                let options = ConvOptions { padding: [(0, 0); 3], ..self.options() };
                Value::new(module::conv3d(input.padded(&pads, 0.0)?.tensor()?, weight.tensor()?, bias, options))
            }
        })
    }
}

/// A transposed convolution: computed whole, then cropped by the pads and extended by the output padding.
#[derive(Clone, Debug)]
pub(crate) struct TransposedConvolution {
    pub(super) strides: Vec<usize>,
    pub(super) dilations: Vec<usize>,
    pub(super) groups: usize,
    /// What the pads take away before each spatial axis of the whole output.
    pub(super) crops: Vec<usize>,
    /// Lengths of the spatial axes of the output.
    pub(super) output: Vec<usize>,
}

pub(crate) fn transposed(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let (input, weight, groups) = operands(arguments)?;
    let axes = input.len() - 2;
    let channels = weight[1].saturating_mul(groups);
    if weight[0] != input[1] || !weight[0].is_multiple_of(groups) {
        return invalid(format!("weight {weight:?} in {groups} groups does not fit input {input:?}"));
    }
    check_bias(arguments, channels)?;
    let strides = positive(arguments, "strides", axes)?;
    let dilations = positive(arguments, "dilations", axes)?;
    let output_padding = sizes(arguments, "output_padding", axes)?.unwrap_or_else(|| vec![0; axes]);
    let wanted = sizes(arguments, "output_shape", axes)?;
    let auto_pad = arguments.text("auto_pad").unwrap_or("NOTSET");
    let pads = if auto_pad == "NOTSET" { explicit_pads(arguments, axes)? } else { vec![(0, 0); axes] };
    let (mut crops, mut output) = (Vec::with_capacity(axes), Vec::with_capacity(axes));
    for axis in 0..axes {
        let whole = (input[axis + 2] - 1) * strides[axis] + (weight[axis + 2] - 1) * dilations[axis] + 1;
        let extended = whole + output_padding[axis];
        let target = match (&wanted, auto_pad) {
            (Some(wanted), _) => Some(wanted[axis]),
            (None, "SAME_UPPER" | "SAME_LOWER") => Some(input[axis + 2] * strides[axis]),
            (None, "NOTSET" | "VALID") => None,
            _ => return invalid(format!("auto_pad {auto_pad:?} does not exist")),
        };
        let (before, length) = match target {
            Some(target) => {
                let total = extended.saturating_sub(target);
                (if auto_pad == "SAME_UPPER" { total / 2 } else { total.div_ceil(2) }, target)
            }
            None => match extended.checked_sub(pads[axis].0 + pads[axis].1) {
                Some(length) => (pads[axis].0, length),
                None => return invalid(format!("pads {pads:?} take away more than there is")),
            },
        };
        if length == 0 || before >= whole {
            return invalid(format!("spatial axis {axis} of the output would be empty"));
        }
        crops.push(before);
        output.push(length);
    }
    let shape = [&[input[0], channels], &output[..]].concat();
    let operator = TransposedConvolution { strides, dilations, groups, crops, output };
    Ok(Resolved { operator: Operator::TransposedConvolution(operator), outputs: vec![Fact::float(shape)], inputs: 3 })
}

/// An attribute with one size per spatial axis.
fn sizes(arguments: &Arguments<'_>, name: &str, axes: usize) -> Result<Option<Vec<usize>>, Refusal> {
    let Some(given) = arguments.ints(name) else { return Ok(None) };
    // Some exporters write the sizes of all axes.
    let spatial = given.get(given.len().saturating_sub(axes)..).unwrap_or_default();
    let sizes: Option<Vec<usize>> =
        spatial.iter().map(|&size| usize::try_from(size).ok().filter(|&size| size <= LARGEST_SIZE)).collect();
    match sizes {
        Some(sizes) if sizes.is_empty() => Ok(None),
        Some(sizes) if sizes.len() == axes => Ok(Some(sizes)),
        _ => invalid(format!("{name} {given:?} should be {axes} sizes")),
    }
}

impl TransposedConvolution {
    fn options<const N: usize>(&self) -> ConvTransposeOptions<N> {
        ConvTransposeOptions {
            stride: Window::array(&self.strides),
            padding: [0; N],
            padding_out: [0; N],
            dilation: Window::array(&self.dilations),
            groups: self.groups,
        }
    }

    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        self.apply(inputs.get(0)?, inputs.get(1)?, inputs.optional(2))
    }

    /// The transposed convolution of an input of rank 3 to 5 with a weight.
    pub(super) fn apply(&self, input: &Value, weight: &Value, bias: Option<&Value>) -> Result<Value, GraphError> {
        let mut value = match self.output.len() {
            1 => Value::new(module::conv_transpose1d(input.tensor()?, weight.tensor()?, None, self.options())),
            2 => Value::new(module::conv_transpose2d(input.tensor()?, weight.tensor()?, None, self.options())),
            _ => Value::new(module::conv_transpose3d(input.tensor()?, weight.tensor()?, None, self.options())),
        };
        let mut missing = vec![(0, 0); value.shape().len()];
        for (index, (&before, &length)) in self.crops.iter().zip(&self.output).enumerate() {
            let axis = index + 2;
            let there = (value.shape()[axis] - before).min(length);
            if there != value.shape()[axis] {
                value = value.narrow(axis, before, there)?;
            }
            missing[axis] = (0, length - there);
        }
        let value = value.padded(&missing, 0.0)?;
        let Some(bias) = bias else { return Ok(value) };
        let mut per_channel = vec![1; value.shape().len()];
        per_channel[1] = bias.len();
        value.add(&bias.reshape(&per_channel)?)
    }
}
