//! Average and maximum pooling, by windows over one or two axes and over everything.

use burn::tensor::{
    module,
    ops::{AvgPoolOptions, MaxPoolOptions},
};

use super::{
    Arguments, Operator, Refusal, Resolved,
    arguments::{invalid, unsupported},
    window::Window,
};
use crate::{GraphError, Value};

/// A pooling.
#[derive(Clone, Debug)]
pub(crate) enum Pool {
    Average { window: Window, count_include_pad: bool },
    Maximum { window: Window },
    GlobalAverage,
    GlobalMaximum,
}

pub(crate) fn windowed(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let input = arguments.float_shape(0)?;
    let spatial = input.get(2..).unwrap_or_default();
    let operator = arguments.node.operator.as_str();
    if !(1..=2).contains(&spatial.len()) {
        return unsupported(format!("{operator} of input {input:?}"));
    }
    if arguments.node.outputs.get(1).is_some_and(|name| !name.is_empty()) {
        return unsupported(format!("{operator} with its indices as a second output"));
    }
    let Some(kernel) = arguments.ints("kernel_shape") else { return invalid("kernel_shape is missing") };
    let kernel = kernel.iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect();
    let window = Window::resolve(arguments, kernel, spatial)?;
    let mut output = input[..2].to_vec();
    output.extend(window.output(spatial)?);
    let pool = if operator == "MaxPool" {
        Pool::Maximum { window }
    } else if window.dilations.iter().any(|&dilation| dilation != 1) {
        return unsupported("AveragePool with dilations");
    } else {
        Pool::Average { window, count_include_pad: arguments.int("count_include_pad", 0) != 0 }
    };
    Ok(Resolved::unary(Operator::Pool(pool), output))
}

pub(crate) fn global(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let input = arguments.float_shape(0)?;
    if input.len() < 3 {
        return invalid(format!("input {input:?} has no spatial axes"));
    }
    let mut output = input[..2].to_vec();
    output.resize(input.len(), 1);
    let maximum = arguments.node.operator == "GlobalMaxPool";
    let pool = if maximum { Pool::GlobalMaximum } else { Pool::GlobalAverage };
    Ok(Resolved::unary(Operator::Pool(pool), output))
}

fn average_options<const N: usize>(window: &Window, count_include_pad: bool) -> AvgPoolOptions<N> {
    AvgPoolOptions {
        kernel_size: Window::array(&window.kernel),
        stride: Window::array(&window.strides),
        padding: Window::array(&window.pads),
        count_include_pad,
        ceil_mode: window.ceil,
    }
}

fn maximum_options<const N: usize>(window: &Window) -> MaxPoolOptions<N> {
    MaxPoolOptions {
        kernel_size: Window::array(&window.kernel),
        stride: Window::array(&window.strides),
        padding: Window::array(&window.pads),
        dilation: Window::array(&window.dilations),
        ceil_mode: window.ceil,
    }
}

impl Pool {
    pub(crate) fn run(&self, input: &Value) -> Result<Value, GraphError> {
        let rank = input.shape().len();
        Ok(match self {
            Pool::Average { window, count_include_pad } if rank == 3 => {
                Value::new(module::avg_pool1d(input.tensor()?, average_options(window, *count_include_pad)))
            }
            Pool::Average { window, count_include_pad } => {
                Value::new(module::avg_pool2d(input.tensor()?, average_options(window, *count_include_pad)))
            }
            Pool::Maximum { window } if rank == 3 => {
                Value::new(module::max_pool1d(input.tensor()?, maximum_options(window)))
            }
            Pool::Maximum { window } => Value::new(module::max_pool2d(input.tensor()?, maximum_options(window))),
            Pool::GlobalAverage => {
                let count: usize = input.shape()[2..].iter().product();
                collapse(input)?.sum_axes(&[2])?.map(|sum| sum / count as f32)?.reshape(&collapsed_shape(input))?
            }
            Pool::GlobalMaximum => {
                let maximum = collapse(input)?.tensor::<3>()?.max_dim(2);
                Value::new(maximum).reshape(&collapsed_shape(input))?
            }
        })
    }
}

/// All spatial axes as one.
fn collapse(input: &Value) -> Result<Value, GraphError> {
    let shape = input.shape();
    input.reshape(&[shape[0], shape[1], shape[2..].iter().product()])
}

/// The input's shape with spatial axes of length one.
fn collapsed_shape(input: &Value) -> Vec<usize> {
    input.shape().iter().enumerate().map(|(axis, &length)| if axis < 2 { length } else { 1 }).collect()
}
