//! Resize and Upsample, nearest and linear, as one small matrix per axis.
//!
//! A matrix product is differentiable on every backend and expresses every coordinate transform; burn's own
//! interpolation has no backward pass on wgpu for the linear case.

use super::{
    Arguments, Operator, Refusal, Resolved,
    arguments::{axis, invalid, unsupported},
};
use crate::{GraphError, Value};

/// One interpolation matrix per resized axis.
#[derive(Clone, Debug)]
pub(crate) struct Resize {
    axes: Vec<AxisMatrix>,
}

/// Resizing of one axis.
#[derive(Clone, Debug)]
struct AxisMatrix {
    axis: usize,
    input: usize,
    output: usize,
    /// `[input, output]`, row by row.
    weights: Vec<f32>,
}

#[derive(Clone, Copy, Debug)]
enum Coordinates {
    HalfPixel,
    PytorchHalfPixel,
    AlignCorners,
    Asymmetric,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Linear,
    Nearest(Rounding),
}

#[derive(Clone, Copy, Debug)]
enum Rounding {
    PreferFloor,
    PreferCeil,
    Floor,
    Ceil,
}

pub(crate) fn resize(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let input = arguments.float_shape(0)?;
    let rank = input.len();
    // Resize of opset 10 and Upsample have the inputs (X, scales) and floor asymmetric coordinates.
    let early = arguments.opset < 11 || arguments.node.operator == "Upsample";
    let coordinates = match arguments.text("coordinate_transformation_mode") {
        None if early => Coordinates::Asymmetric,
        None | Some("half_pixel") => Coordinates::HalfPixel,
        Some("pytorch_half_pixel") => Coordinates::PytorchHalfPixel,
        Some("align_corners") => Coordinates::AlignCorners,
        Some("asymmetric") => Coordinates::Asymmetric,
        Some(other) => return unsupported(format!("Resize with coordinates {other:?}")),
    };
    let rounding = match arguments.text("nearest_mode") {
        None if early => Rounding::Floor,
        None | Some("round_prefer_floor") => Rounding::PreferFloor,
        Some("round_prefer_ceil") => Rounding::PreferCeil,
        Some("floor") => Rounding::Floor,
        Some("ceil") => Rounding::Ceil,
        Some(other) => return invalid(format!("nearest_mode {other:?} does not exist")),
    };
    let mode = match arguments.text("mode").unwrap_or("nearest") {
        "nearest" => Mode::Nearest(rounding),
        "linear" | "bilinear" => Mode::Linear,
        other => return unsupported(format!("Resize in mode {other:?}")),
    };
    if arguments.int("antialias", 0) != 0 {
        return unsupported("Resize with antialias");
    }
    if arguments.text("keep_aspect_ratio_policy").is_some_and(|policy| policy != "stretch") {
        return unsupported("Resize that keeps the aspect ratio");
    }
    let chosen: Vec<usize> = match arguments.ints("axes") {
        Some(given) => given.iter().map(|&given| axis(given, rank)).collect::<Result<_, _>>()?,
        None => (0..rank).collect(),
    };
    let scales = match arguments.constant(if early { 1 } else { 2 })? {
        Some(scales) if scales.len() > 0 => Some(scales.to_floats()),
        _ => match arguments.node.attribute("scales") {
            Some(vitrine_onnx::AttributeValue::Floats(scales)) => Some(scales.clone()),
            _ => None,
        },
    };
    let sizes = if early { None } else { arguments.constant(3)?.map(|sizes| sizes.to_ints()) };
    let count = scales.as_ref().map(Vec::len).or(sizes.as_ref().map(Vec::len));
    if count != Some(chosen.len()) {
        return invalid("scales or sizes do not match the number of axes");
    }

    let mut output = input.to_vec();
    let mut axes = Vec::new();
    for (index, &axis) in chosen.iter().enumerate() {
        let length = input[axis];
        let (target, scale) = match (&scales, &sizes) {
            (Some(scales), _) => ((length as f32 * scales[index]).floor().max(0.0) as usize, scales[index]),
            (None, Some(sizes)) => {
                // A batch size written into the file does not resize the batch.
                let batch = axis == 0 && arguments.rebatch.is_some();
                let target = if batch { length } else { usize::try_from(sizes[index]).unwrap_or(0) };
                (target, target as f32 / length as f32)
            }
            (None, None) => (length, 1.0),
        };
        if target == 0 || target > 1 << 16 {
            return invalid(format!("axis {axis} of length {length} is resized to {target}"));
        }
        if target == length && scale == 1.0 {
            continue;
        }
        output[axis] = target;
        let weights = matrix(length, target, scale, coordinates, mode);
        axes.push(AxisMatrix { axis, input: length, output: target, weights });
    }
    Ok(Resolved::unary(Operator::Resize(Resize { axes }), output))
}

/// The `[input, output]` interpolation matrix of one axis.
fn matrix(input: usize, output: usize, scale: f32, coordinates: Coordinates, mode: Mode) -> Vec<f32> {
    let mut weights = vec![0.0; input * output];
    let last = input.saturating_sub(1);
    for to in 0..output {
        let position = to as f32;
        let from = match coordinates {
            Coordinates::HalfPixel => (position + 0.5) / scale - 0.5,
            Coordinates::PytorchHalfPixel if output > 1 => (position + 0.5) / scale - 0.5,
            Coordinates::PytorchHalfPixel => 0.0,
            Coordinates::AlignCorners if output > 1 => position * last as f32 / (output - 1) as f32,
            Coordinates::AlignCorners => 0.0,
            Coordinates::Asymmetric => position / scale,
        };
        match mode {
            Mode::Nearest(rounding) => {
                let rounded = match rounding {
                    Rounding::PreferFloor => (from - 0.5).ceil(),
                    Rounding::PreferCeil => (from + 0.5).floor(),
                    Rounding::Floor => from.floor(),
                    Rounding::Ceil => from.ceil(),
                };
                weights[(rounded.max(0.0) as usize).min(last) * output + to] = 1.0;
            }
            Mode::Linear => {
                let from = from.clamp(0.0, last as f32);
                let low = from.floor() as usize;
                let fraction = from - low as f32;
                weights[low * output + to] += 1.0 - fraction;
                weights[(low + 1).min(last) * output + to] += fraction;
            }
        }
    }
    weights
}

impl Resize {
    pub(crate) fn run(&self, input: &Value) -> Result<Value, GraphError> {
        self.axes.iter().try_fold(input.clone(), |value, resize| resize.run(&value))
    }
}

impl AxisMatrix {
    fn run(&self, input: &Value) -> Result<Value, GraphError> {
        let rank = input.shape().len();
        let mut to_last: Vec<usize> = (0..rank).filter(|&axis| axis != self.axis).collect();
        to_last.push(self.axis);
        let moved = input.permute(&to_last)?;
        let mut shape = moved.shape().to_vec();
        let rows = moved.len() / self.input;
        let weights = Value::from_f32(&self.weights, &[self.input, self.output], &input.device());
        let product = moved.reshape(&[rows, self.input])?.tensor::<2>()?.matmul(weights.tensor::<2>()?);
        if let Some(last) = shape.last_mut() {
            *last = self.output;
        }
        // The moved axis returns to its place; the ones after it move up again.
        let mut back: Vec<usize> = (0..rank - 1).collect();
        back.insert(self.axis, rank - 1);
        Value::new(product).reshape(&shape)?.permute(&back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Column `to` of a matrix, the weights of one output position.
    fn column(weights: &[f32], output: usize, to: usize) -> Vec<f32> {
        weights.iter().skip(to).step_by(output).copied().collect()
    }

    #[test]
    fn doubling_linearly_at_half_pixels_mixes_three_quarters_and_one_quarter() {
        let weights = matrix(2, 4, 2.0, Coordinates::HalfPixel, Mode::Linear);
        assert_eq!(column(&weights, 4, 0), [1.0, 0.0], "before the first centre the edge is repeated");
        assert_eq!(column(&weights, 4, 1), [0.75, 0.25]);
        assert_eq!(column(&weights, 4, 2), [0.25, 0.75]);
    }

    #[test]
    fn aligned_corners_keep_both_ends() {
        let weights = matrix(3, 5, 5.0 / 3.0, Coordinates::AlignCorners, Mode::Linear);
        assert_eq!(column(&weights, 5, 0), [1.0, 0.0, 0.0]);
        assert_eq!(column(&weights, 5, 1), [0.5, 0.5, 0.0]);
        assert_eq!(column(&weights, 5, 4), [0.0, 0.0, 1.0]);
    }
}
