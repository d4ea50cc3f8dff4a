//! Average, maximum and p-norm pooling, by windows over one, two or three axes and over everything.

use burn::tensor::{
    Int, Tensor, module,
    ops::{AvgPoolOptions, MaxPoolOptions},
};

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, Kind, invalid, unsupported},
    axis_matrix::AxisMatrix,
    window::Window,
};
use crate::{GraphError, Value, host::HostTensor};

/// A pooling.
#[derive(Clone, Debug)]
pub(crate) enum Pool {
    Average {
        window: Window,
        count_include_pad: bool,
    },
    /// Averages axis by axis, for what burn's pooling lacks: three axes and dilations.
    AverageByAxis(Vec<AxisMatrix>),
    Maximum {
        window: Window,
    },
    /// The maximum and where it is found, counted over the whole input.
    MaximumWithIndices {
        window: Window,
        column_major: bool,
    },
    /// `(sum |x|^p)^(1/p)` of each window.
    Norm {
        p: f32,
        axes: Vec<AxisMatrix>,
    },
    GlobalAverage,
    GlobalMaximum,
    GlobalNorm {
        p: f32,
    },
}

pub(crate) fn windowed(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let operator = arguments.node.operator.as_str();
    let kind = arguments.fact(0)?.kind();
    let input = if operator == "MaxPool" { arguments.shape(0)? } else { arguments.float_shape(0)? };
    let spatial = input.get(2..).unwrap_or_default();
    if !(1..=3).contains(&spatial.len()) {
        return unsupported(format!("{operator} of input {input:?}"));
    }
    let Some(kernel) = arguments.ints("kernel_shape") else { return invalid("kernel_shape is missing") };
    let kernel = kernel.iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect();
    let window = Window::resolve(arguments, kernel, spatial)?;
    for axis in 0..spatial.len() {
        let (before, after) = window.pads[axis];
        if before.max(after) >= window.extent(axis) {
            return invalid(format!("pads {:?} leave windows without any input", window.pads));
        }
    }
    let mut output = input[..2].to_vec();
    output.extend(window.output(spatial)?);
    let indices = arguments.node.outputs.get(1).is_some_and(|name| !name.is_empty());
    let dilated = window.dilations.iter().any(|&dilation| dilation != 1);
    let by_axis = |weight: &dyn Fn(usize) -> f32, counted: bool| -> Result<Vec<AxisMatrix>, Refusal> {
        (0..spatial.len())
            .map(|axis| {
                AxisMatrix::new(axis + 2, spatial[axis], output[axis + 2], |to| {
                    let taps = window.taps(axis, spatial[axis], to);
                    let count = if counted { taps.len() } else { window.padded_taps(axis, spatial[axis], to) };
                    taps.into_iter().map(|from| (from, weight(count))).collect()
                })
            })
            .collect()
    };
    let mean = |count: usize| 1.0 / count.max(1) as f32;
    let pool = match operator {
        "MaxPool" if indices => {
            let outputs = vec![Fact::float(output.clone()), Fact::Runtime { shape: output, kind: Kind::Int }];
            if spatial.len() > 2 {
                return unsupported("MaxPool over three axes with its indices as a second output");
            }
            let column_major = arguments.int("storage_order", 0) != 0;
            let operator = Operator::Pool(Pool::MaximumWithIndices { window, column_major });
            return Ok(Resolved { operator, outputs, inputs: 1 });
        }
        "MaxPool" => Pool::Maximum { window },
        "LpPool" => Pool::Norm { p: exponent(arguments)?, axes: by_axis(&|_| 1.0, true)? },
        _ => {
            let count_include_pad = arguments.int("count_include_pad", 0) != 0;
            if dilated || spatial.len() > 2 {
                Pool::AverageByAxis(by_axis(&mean, !count_include_pad)?)
            } else {
                Pool::Average { window, count_include_pad }
            }
        }
    };
    Ok(Resolved { operator: Operator::Pool(pool), outputs: vec![Fact::Runtime { shape: output, kind }], inputs: 1 })
}

pub(crate) fn global(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let input = arguments.float_shape(0)?;
    if input.len() < 3 {
        return invalid(format!("input {input:?} has no spatial axes"));
    }
    let mut output = input[..2].to_vec();
    output.resize(input.len(), 1);
    let pool = match arguments.node.operator.as_str() {
        "GlobalMaxPool" => Pool::GlobalMaximum,
        "GlobalLpPool" => Pool::GlobalNorm { p: exponent(arguments)? },
        _ => Pool::GlobalAverage,
    };
    Ok(Resolved::unary(Operator::Pool(pool), output))
}

/// The exponent of a p-norm.
fn exponent(arguments: &Arguments<'_>) -> Result<f32, Refusal> {
    match arguments.int("p", 2) {
        p if p > 0 => Ok(p as f32),
        p => invalid(format!("p is {p} and should be positive")),
    }
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
    /// What [`Pool::run`] wants on the device, after its input.
    pub(crate) fn constants(&self) -> Vec<&HostTensor> {
        match self {
            Pool::AverageByAxis(axes) | Pool::Norm { axes, .. } => axes.iter().map(AxisMatrix::constant).collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Vec<Value>, GraphError> {
        let given = inputs.get(0)?;
        let input = &given.to_float_value();
        let rank = input.shape().len();
        let by_axis = |value: Value, axes: &[AxisMatrix]| {
            axes.iter().enumerate().try_fold(value, |value, (index, axis)| axis.run(&value, inputs.get(index + 1)?))
        };
        let output = match self {
            Pool::Average { window, count_include_pad } if rank == 3 => {
                Value::new(module::avg_pool1d(input.tensor()?, average_options(window, *count_include_pad)))
            }
            Pool::Average { window, count_include_pad } => {
                Value::new(module::avg_pool2d(input.tensor()?, average_options(window, *count_include_pad)))
            }
            Pool::AverageByAxis(axes) => by_axis(input.clone(), axes)?,
            Pool::Maximum { window } if rank == 3 => {
                Value::new(module::max_pool1d(input.tensor()?, maximum_options(window)))
            }
            Pool::Maximum { window } if rank == 4 => {
                Value::new(module::max_pool2d(input.tensor()?, maximum_options(window)))
            }
            Pool::Maximum { window } => maximum_by_axis(input, window)?,
            Pool::MaximumWithIndices { window, column_major } => {
                return maximum_with_indices(input, window, *column_major);
            }
            Pool::Norm { p, axes } => by_axis(power(input, *p)?, axes)?.root(*p)?,
            Pool::GlobalAverage => collapse(input)?.mean_axes(&[2])?.reshape(&collapsed_shape(input))?,
            Pool::GlobalMaximum => {
                let maximum = collapse(input)?.tensor::<3>()?.max_dim(2);
                Value::new(maximum).reshape(&collapsed_shape(input))?
            }
            Pool::GlobalNorm { p } => {
                collapse(&power(input, *p)?)?.sum_axes(&[2])?.root(*p)?.reshape(&collapsed_shape(input))?
            }
        };
        Ok(vec![Value::from_floats_like(output, given)])
    }
}

/// `|x|^p`.
fn power(input: &Value, p: f32) -> Result<Value, GraphError> {
    match p {
        1.0 => input.map(|x| x.abs()),
        2.0 => input.mul(input),
        // The zero that the logarithm in a power's gradient would turn into NaN is kept apart.
        _ => input.map(|x| {
            let zero = x.clone().equal_elem(0.0);
            x.abs().mask_fill(zero.clone(), 1.0).powf_scalar(p).mask_fill(zero, 0.0)
        }),
    }
}

/// The maximum of a box is the maximum of maxima along each axis.
fn maximum_by_axis(input: &Value, window: &Window) -> Result<Value, GraphError> {
    let mut value = input.clone();
    for axis in 0..window.kernel.len() {
        let at = axis + 2;
        let length = value.shape()[at];
        let (before, after) = window.pads[axis];
        let (stride, dilation) = (window.strides[axis], window.dilations[axis]);
        let count = window.output_length(axis, length).unwrap_or(0);
        let needed = (count.max(1) - 1) * stride + window.extent(axis);
        let mut pads = vec![(0, 0); value.shape().len()];
        pads[at] = (before, after.max(needed.saturating_sub(length + before)));
        let padded = value.padded(&pads, f32::MIN)?;
        let tap = |index: usize| {
            let start = (index * dilation) as isize;
            let end = start + ((count - 1) * stride + 1) as isize;
            let mut slices = vec![burn::tensor::Slice::full(); padded.shape().len()];
            slices[at] = burn::tensor::Slice::new(start, Some(end), stride as isize);
            padded.slice(&slices)
        };
        let first = tap(0)?;
        value = (1..window.kernel[axis]).try_fold(first, |largest, index| largest.maximum(&tap(index)?))?;
    }
    Ok(value)
}

fn maximum_with_indices(input: &Value, window: &Window, column_major: bool) -> Result<Vec<Value>, GraphError> {
    let shape = input.shape();
    let (height, width) = if shape.len() == 4 { (shape[2], shape[3]) } else { (1, shape[2]) };
    let (maximum, within) = if shape.len() == 4 {
        let (maximum, indices) = module::max_pool2d_with_indices(input.tensor()?, maximum_options(window));
        (Value::new(maximum), Value::new_int(indices))
    } else {
        let (maximum, indices) = module::max_pool1d_with_indices(input.tensor()?, maximum_options(window));
        (Value::new(maximum), Value::new_int(indices))
    };
    let within = within.detached();
    let within = if column_major {
        let (height, width) = (height as i64, width as i64);
        within.map_int(|at| at.clone().remainder_scalar(width) * height + at / width)?
    } else {
        within
    };
    // burn counts within each plane, ONNX over the whole tensor.
    let planes = (shape[0] * shape[1]) as i64;
    let starts = Tensor::<1, Int>::arange(0..planes, &input.detached().device()) * (height * width) as i64;
    let mut per_plane = vec![shape[0], shape[1]];
    per_plane.resize(shape.len(), 1);
    let indices = within.add(&Value::new_int(starts).reshape(&per_plane)?)?;
    Ok(vec![maximum, indices])
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
