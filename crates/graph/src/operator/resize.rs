//! Resize and Upsample as one small matrix per axis, which expresses every mode and coordinate transform; burn's own
//! interpolation has no backward pass on wgpu for linear and cubic modes.

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, Kind, axis, invalid, unsupported},
    axis_matrix::AxisMatrix,
};
use crate::{
    GraphError, Value,
    host::{HostData, HostTensor},
    limits::{MAX_CONSTANTS, elements},
};

/// One interpolation matrix per resized axis.
#[derive(Clone, Debug)]
pub(crate) struct Resize {
    axes: Vec<AxisMatrix>,
    /// What positions outside of the input are filled with: zero within.
    outside: Option<HostTensor>,
}

/// How output positions are sampled from the input.
#[derive(Clone, Copy, Debug)]
struct Sampling {
    coordinates: Coordinates,
    mode: Mode,
    /// Whether what lies outside of the input is left out, rather than the border repeated.
    exclude_outside: bool,
    /// Whether the filter widens where the input shrinks.
    antialias: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Coordinates {
    HalfPixel,
    HalfPixelSymmetric,
    PytorchHalfPixel,
    AlignCorners,
    Asymmetric,
    HalfPixelForNearest,
    CropAndResize,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Linear,
    Cubic { a: f32 },
    Nearest(Rounding),
}

#[derive(Clone, Copy, Debug)]
enum Rounding {
    PreferFloor,
    PreferCeil,
    Floor,
    Ceil,
    /// What opset 10 is run as: up where the input shrinks, down where it grows.
    Shrinking,
}

/// Regions beyond this many inputs, and smaller scales, are mistakes.
const LARGEST_REGION: f32 = 1e3;
const SMALLEST_SCALE: f32 = 1e-5;
/// Lengths this close to a whole number are whole.
const WHOLE: f32 = 1e-3;

/// One axis that is resized.
#[derive(Clone, Copy, Debug)]
struct Line {
    input: usize,
    output: usize,
    scale: f32,
    /// The output's length before it was rounded.
    exact: f32,
    /// Start and end of the region in shares of the input.
    region: (f32, f32),
}

pub(crate) fn resize(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let input = arguments.shape(0)?;
    let kind = arguments.fact(0)?.kind();
    let sampling = sampling(arguments)?;
    if kind == Kind::Bool || (kind == Kind::Int && !matches!(sampling.mode, Mode::Nearest(_))) {
        return unsupported("integer or boolean input");
    }
    let lines = lines(arguments, input, sampling.coordinates == Coordinates::CropAndResize)?;
    let mut output = input.to_vec();
    let mut axes = Vec::new();
    for &(axis, line) in &lines {
        output[axis] = line.output;
        // Before the matrix is made, which takes memory while planning already.
        if elements(&output).is_none() || elements(&[line.input, line.output]).is_none_or(|all| all > MAX_CONSTANTS) {
            return invalid(format!("a resize from {input:?} to {output:?} takes more memory than a device has"));
        }
        let whole = sampling.coordinates != Coordinates::CropAndResize || line.region == (0.0, 1.0);
        if line.output == line.input && line.scale == 1.0 && whole {
            continue;
        }
        axes.push(AxisMatrix::new(axis, line.input, line.output, |to| sampling.weights(&line, to))?);
    }
    let fill = arguments.float("extrapolation_value", 0.0);
    let outside = if sampling.coordinates == Coordinates::CropAndResize && fill != 0.0 {
        Some(outside(&lines, output.len(), sampling, fill))
    } else {
        None
    };
    Ok(Resolved {
        operator: Operator::Resize(Resize { axes, outside }),
        outputs: vec![Fact::Runtime { shape: output, kind }],
        inputs: 1,
    })
}

/// Resize of opset 10 and Upsample have the inputs (X, scales) and floor asymmetric coordinates.
fn is_early(arguments: &Arguments<'_>) -> bool {
    arguments.opset < 11 || arguments.node.operator == "Upsample"
}

fn sampling(arguments: &Arguments<'_>) -> Result<Sampling, Refusal> {
    let early = is_early(arguments);
    let coordinates = match arguments.text("coordinate_transformation_mode") {
        None if early => Coordinates::Asymmetric,
        None | Some("half_pixel") => Coordinates::HalfPixel,
        Some("half_pixel_symmetric") => Coordinates::HalfPixelSymmetric,
        Some("pytorch_half_pixel") => Coordinates::PytorchHalfPixel,
        Some("align_corners") => Coordinates::AlignCorners,
        Some("asymmetric") => Coordinates::Asymmetric,
        Some("tf_half_pixel_for_nn") => Coordinates::HalfPixelForNearest,
        Some("tf_crop_and_resize") => Coordinates::CropAndResize,
        Some(other) => return invalid(format!("coordinate_transformation_mode {other:?} does not exist")),
    };
    let rounding = match arguments.text("nearest_mode") {
        None if early => Rounding::Shrinking,
        None | Some("round_prefer_floor") => Rounding::PreferFloor,
        Some("round_prefer_ceil") => Rounding::PreferCeil,
        Some("floor") => Rounding::Floor,
        Some("ceil") => Rounding::Ceil,
        Some(other) => return invalid(format!("nearest_mode {other:?} does not exist")),
    };
    let mode = match arguments.text("mode").unwrap_or("nearest") {
        "nearest" => Mode::Nearest(rounding),
        "linear" | "bilinear" => Mode::Linear,
        "cubic" => Mode::Cubic { a: arguments.float("cubic_coeff_a", -0.75) },
        other => return invalid(format!("mode {other:?} does not exist")),
    };
    let exclude_outside = arguments.int("exclude_outside", 0) != 0;
    Ok(Sampling { coordinates, mode, exclude_outside, antialias: arguments.int("antialias", 0) != 0 })
}

/// The axes that scales or sizes are given for.
fn lines(arguments: &Arguments<'_>, input: &[usize], cropped: bool) -> Result<Vec<(usize, Line)>, Refusal> {
    let rank = input.len();
    let chosen: Vec<usize> = match arguments.ints("axes") {
        Some(given) => given.iter().map(|&given| axis(given, rank)).collect::<Result<_, _>>()?,
        None => (0..rank).collect(),
    };
    let early = is_early(arguments);
    let scales = match arguments.constant(if early { 1 } else { 2 })? {
        Some(scales) if scales.len() > 0 => Some(scales.to_floats()),
        _ => match arguments.node.attribute("scales") {
            Some(vitrine_onnx::AttributeValue::Floats(scales)) => Some(scales.clone()),
            _ => None,
        },
    };
    let sizes = if early { None } else { arguments.constant(3)?.map(|sizes| sizes.to_ints()) };
    let region = if cropped { arguments.constant(1)?.map(HostTensor::to_floats) } else { None };
    if region.as_ref().is_some_and(|region| {
        region.len() != 2 * chosen.len() || !region.iter().all(|bound| bound.abs() <= LARGEST_REGION)
    }) {
        return invalid("roi does not hold a sensible start and end for each axis");
    }
    let count = scales.as_ref().map(Vec::len).or(sizes.as_ref().map(Vec::len));
    if count != Some(chosen.len()) {
        return invalid("scales or sizes do not match the number of axes");
    }
    let common = match &sizes {
        Some(sizes) if scales.is_none() => common_scale(arguments, input, &chosen, sizes)?,
        _ => None,
    };
    let mut lines = Vec::with_capacity(chosen.len());
    for (index, &axis) in chosen.iter().enumerate() {
        let length = input[axis];
        let region = match &region {
            Some(region) => (region[index], region[index + chosen.len()]),
            None => (0.0, 1.0),
        };
        let (output, scale) = match (&scales, &sizes) {
            (Some(scales), _) => {
                let share = if cropped { region.1 - region.0 } else { 1.0 };
                ((length as f32 * share * scales[index]).floor().max(0.0) as usize, scales[index])
            }
            // A batch size written into the file does not resize the batch.
            (None, Some(_)) if axis == 0 && arguments.rebatch.is_some() => (length, 1.0),
            (None, Some(sizes)) => match common {
                Some(scale) => ((scale * length as f32 + 0.5).floor().max(0.0) as usize, scale),
                None => {
                    let output = usize::try_from(sizes[index]).unwrap_or(0);
                    (output, output as f32 / length as f32)
                }
            },
            (None, None) => (length, 1.0),
        };
        if length == 0 || output == 0 || output > 1 << 16 || !scale.is_finite() || scale <= SMALLEST_SCALE {
            return invalid(format!("axis {axis} of length {length} is resized to {output} by the factor {scale}"));
        }
        let exact = scale * length as f32;
        let exact = if scales.is_none() || (exact - exact.round()).abs() < WHOLE { output as f32 } else { exact };
        lines.push((axis, Line { input: length, output, scale, exact, region }));
    }
    Ok(lines)
}

/// The one scale of sizes that keep the aspect ratio.
fn common_scale(
    arguments: &Arguments<'_>,
    input: &[usize],
    chosen: &[usize],
    sizes: &[i64],
) -> Result<Option<f32>, Refusal> {
    let ratios = || chosen.iter().zip(sizes).map(|(&axis, &size)| size as f32 / input[axis] as f32);
    match arguments.text("keep_aspect_ratio_policy") {
        None | Some("stretch") => Ok(None),
        Some("not_larger") => Ok(ratios().reduce(f32::min)),
        Some("not_smaller") => Ok(ratios().reduce(f32::max)),
        Some(other) => invalid(format!("keep_aspect_ratio_policy {other:?} does not exist")),
    }
}

/// `fill` wherever one of the axes is sampled outside of the input, zero elsewhere.
fn outside(lines: &[(usize, Line)], rank: usize, sampling: Sampling, fill: f32) -> HostTensor {
    let mut shape = vec![1; rank];
    let mut data = vec![0.0];
    // Axis by axis from the last, so that each one repeats what the later ones have made.
    let mut sorted = lines.to_vec();
    sorted.sort_by_key(|&(axis, _)| std::cmp::Reverse(axis));
    for (axis, line) in sorted {
        shape[axis] = line.output;
        let row = data.clone();
        data = (0..line.output)
            .flat_map(|to| if sampling.leaves(&line, to) { vec![fill; row.len()] } else { row.clone() })
            .collect();
    }
    HostTensor { shape, data: HostData::Float(data) }
}

impl Sampling {
    /// Where an output position lies in the input.
    fn position(&self, line: &Line, to: usize) -> f32 {
        let (to, last) = (to as f32, line.input as f32 - 1.0);
        let half_pixel = (to + 0.5) / line.scale - 0.5;
        match self.coordinates {
            Coordinates::HalfPixel => half_pixel,
            Coordinates::HalfPixelSymmetric => {
                let length = line.input as f32;
                let adjustment = line.output as f32 / (line.scale * length);
                length / 2.0 * (1.0 - adjustment) + half_pixel
            }
            Coordinates::PytorchHalfPixel if line.output > 1 => half_pixel,
            Coordinates::AlignCorners if line.output > 1 => to * last / (line.exact - 1.0),
            Coordinates::PytorchHalfPixel | Coordinates::AlignCorners => 0.0,
            Coordinates::Asymmetric => to / line.scale,
            Coordinates::HalfPixelForNearest => (to + 0.5) / line.scale,
            Coordinates::CropAndResize => {
                let (start, end) = line.region;
                if line.output > 1 {
                    start * last + to * (end - start) * last / (line.output as f32 - 1.0)
                } else {
                    0.5 * (start + end) * last
                }
            }
        }
    }

    /// Whether an output position takes the extrapolation value.
    fn leaves(&self, line: &Line, to: usize) -> bool {
        let position = self.position(line, to);
        self.coordinates == Coordinates::CropAndResize && (position < 0.0 || position > line.input as f32 - 1.0)
    }

    /// The input positions an output position is mixed from, with their weights.
    fn weights(&self, line: &Line, to: usize) -> Vec<(usize, f32)> {
        if self.leaves(line, to) {
            return Vec::new();
        }
        let position = self.position(line, to);
        let last = line.input - 1;
        let inside = |at: f32| (at.max(0.0) as usize).min(last);
        let support = match self.mode {
            Mode::Nearest(rounding) => {
                let rounded = match rounding {
                    Rounding::PreferFloor => (position - 0.5).ceil(),
                    Rounding::PreferCeil => (position + 0.5).floor(),
                    Rounding::Floor => position.floor(),
                    Rounding::Shrinking if line.scale >= 1.0 => position.floor(),
                    Rounding::Ceil | Rounding::Shrinking => position.ceil(),
                };
                return vec![(inside(rounded), 1.0)];
            }
            Mode::Linear => 1.0,
            Mode::Cubic { .. } => 2.0,
        };
        let scale = if self.antialias { line.scale.min(1.0) } else { 1.0 };
        let width = support / scale;
        let (first, end) = ((position - width).floor() as i64 + 1, (position + width).ceil() as i64);
        let weights: Vec<(f32, f32)> = (first..end)
            .map(|at| at as f32)
            .filter(|&at| !self.exclude_outside || (0.0..=last as f32).contains(&at))
            .map(|at| (at, self.kernel((at - position) * scale)))
            .collect();
        let sum: f32 = weights.iter().map(|(_, weight)| weight).sum();
        weights.into_iter().map(|(at, weight)| (inside(at), weight / sum)).collect()
    }

    /// The interpolation kernel at a distance in input pixels, or in output pixels where the filter is widened.
    fn kernel(&self, distance: f32) -> f32 {
        let x = distance.abs();
        match self.mode {
            Mode::Cubic { a } if x <= 1.0 => ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0,
            Mode::Cubic { a } if x < 2.0 => ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a,
            Mode::Cubic { .. } => 0.0,
            Mode::Linear | Mode::Nearest(_) => (1.0 - x).max(0.0),
        }
    }
}

impl Resize {
    /// What [`Resize::run`] wants on the device, after its input.
    pub(crate) fn constants(&self) -> Vec<&HostTensor> {
        self.axes.iter().map(AxisMatrix::constant).chain(&self.outside).collect()
    }

    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let input = inputs.get(0)?;
        let mut value = input.to_float_value();
        for (index, axis) in self.axes.iter().enumerate() {
            value = axis.run(&value, inputs.get(index + 1)?)?;
        }
        if self.outside.is_some() {
            value = value.add(inputs.get(self.axes.len() + 1)?)?;
        }
        Ok(Value::from_floats_like(value, input))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampled(mode: Mode, coordinates: Coordinates, input: usize, output: usize, to: usize) -> Vec<f32> {
        let sampling = Sampling { coordinates, mode, exclude_outside: false, antialias: false };
        let scale = output as f32 / input as f32;
        let line = Line { input, output, scale, exact: output as f32, region: (0.0, 1.0) };
        let mut column = vec![0.0; input];
        sampling.weights(&line, to).into_iter().for_each(|(from, weight)| column[from] += weight);
        column
    }

    #[test]
    fn doubling_linearly_at_half_pixels_mixes_three_quarters_and_one_quarter() {
        let column = |to| sampled(Mode::Linear, Coordinates::HalfPixel, 2, 4, to);
        assert_eq!(column(0), [1.0, 0.0], "before the first centre the edge is repeated");
        assert_eq!(column(1), [0.75, 0.25]);
        assert_eq!(column(2), [0.25, 0.75]);
    }

    #[test]
    fn aligned_corners_keep_both_ends() {
        let column = |to| sampled(Mode::Linear, Coordinates::AlignCorners, 3, 5, to);
        assert_eq!(column(0), [1.0, 0.0, 0.0]);
        assert_eq!(column(1), [0.5, 0.5, 0.0]);
        assert_eq!(column(4), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn a_cubic_kernel_overshoots_halfway_between_pixels() {
        // With a = -0.5 the weights at half distance are -1/16, 9/16, 9/16, -1/16.
        let column = sampled(Mode::Cubic { a: -0.5 }, Coordinates::AlignCorners, 4, 7, 3);
        assert_eq!(column, [-0.0625, 0.5625, 0.5625, -0.0625]);
    }
}
