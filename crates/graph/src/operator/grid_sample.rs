//! GridSample: an image read at computed positions.
//!
//! burn's own grid sampling has no backward pass. Reading elements and weighing them has one, towards the image and towards
//! the positions, for any number of spatial axes.

use burn::tensor::{Int, Tensor};

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, check_rank, invalid, unsupported},
};
use crate::{GraphError, Value};

/// Interpolation at positions from -1 to 1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GridSample {
    mode: Mode,
    padding: Padding,
    align_corners: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    Linear,
    Nearest,
    Cubic,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Padding {
    Zeros,
    Border,
    Reflection,
}

pub(crate) fn grid_sample(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let (image, grid) = (arguments.float_shape(0)?, arguments.float_shape(1)?);
    let mode = match arguments.text("mode").unwrap_or("linear") {
        "linear" | "bilinear" => Mode::Linear,
        "nearest" => Mode::Nearest,
        "cubic" | "bicubic" => Mode::Cubic,
        other => return invalid(format!("mode {other:?} is not one of linear, nearest, cubic")),
    };
    let padding = match arguments.text("padding_mode").unwrap_or("zeros") {
        "zeros" => Padding::Zeros,
        "border" => Padding::Border,
        "reflection" => Padding::Reflection,
        other => return invalid(format!("padding_mode {other:?} is not one of zeros, border, reflection")),
    };
    let axes = image.len().saturating_sub(2);
    let fits = grid.len() == image.len() && grid.last() == Some(&axes) && grid.first() == image.first();
    if axes == 0 || !fits || image[2..].contains(&0) {
        return invalid(format!("a grid of shape {grid:?} does not fit an image of shape {image:?}"));
    }
    if axes > 3 {
        return unsupported(format!("an image of shape {image:?}"));
    }
    let shape = [&image[..2], &grid[1..grid.len() - 1]].concat();
    check_rank(shape.len())?;
    let operator = GridSample { mode, padding, align_corners: arguments.int("align_corners", 0) != 0 };
    Ok(Resolved { operator: Operator::GridSample(operator), outputs: vec![Fact::float(shape)], inputs: 2 })
}

/// One of the pixels along an axis that make a sample: where it is and how much it weighs, `[batch, samples]`.
#[derive(Clone)]
struct Tap {
    position: Tensor<2, Int>,
    weight: Tensor<2>,
}

impl GridSample {
    pub(crate) fn run(self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let (image, grid) = (inputs.get(0)?, inputs.get(1)?);
        let (batch, channels, size) = (image.shape()[0], image.shape()[1], &image.shape()[2..]);
        let axes = size.len();
        let samples = grid.len() / (batch * axes).max(1);
        let coordinates = grid.reshape(&[batch, samples, axes])?;
        // Each combination of taps along the axes reads one pixel.
        let mut taps: Option<Vec<Tap>> = None;
        for (axis, &length) in size.iter().enumerate() {
            // The grid names the last axis first.
            let coordinate = coordinates.narrow(2, axes - 1 - axis, 1)?.reshape(&[batch, samples])?.tensor::<2>()?;
            let along = self.taps(coordinate, length);
            taps = Some(match taps {
                None => along,
                Some(before) => before
                    .iter()
                    .flat_map(|outer| along.iter().map(move |inner| (outer.clone(), inner.clone())))
                    .map(|(outer, inner)| Tap {
                        position: outer.position * length as i64 + inner.position,
                        weight: outer.weight * inner.weight,
                    })
                    .collect(),
            });
        }
        let pixels = image.reshape(&[batch, channels, size.iter().product()])?;
        let mut sum: Option<Value> = None;
        for tap in taps.unwrap_or_default() {
            let position = Value::new_int(tap.position).reshape(&[batch, 1, samples])?;
            let weight = Value::new(tap.weight).reshape(&[batch, 1, samples])?;
            let read = pixels.gather(2, &position.expand(&[batch, channels, samples])?)?.mul(&weight)?;
            sum = Some(match sum {
                Some(sum) => sum.add(&read)?,
                None => read,
            });
        }
        let shape = [&image.shape()[..2], &grid.shape()[1..=axes]].concat();
        sum.ok_or_else(|| GraphError::MissingInput("the grid of a GridSample node".to_owned()))?.reshape(&shape)
    }

    /// The pixels along one axis that a coordinate from -1 to 1 reads.
    fn taps(self, coordinate: Tensor<2>, length: usize) -> Vec<Tap> {
        let size = length as f32;
        let mut at = match self.align_corners {
            true => (coordinate + 1.0) * ((size - 1.0) / 2.0),
            false => ((coordinate + 1.0) * size - 1.0) / 2.0,
        };
        let rounded = |tensor: Tensor<2>| tensor.detach();
        if self.mode == Mode::Nearest {
            let nearest = rounded(at).round();
            let weight = nearest.clone().ones_like();
            return vec![self.tap(nearest, weight, length)];
        }
        match self.padding {
            Padding::Zeros => {}
            // The cubic kernel reaches over the border: its pixels are kept inside one by one.
            Padding::Border if self.mode == Mode::Cubic => {}
            Padding::Border => at = at.clamp(0.0, size - 1.0),
            Padding::Reflection => at = self.reflected(at, length),
        }
        let low = rounded(at.clone()).floor();
        let fraction = at - low.clone();
        let weights = match self.mode {
            Mode::Cubic => cubic_weights(&fraction),
            _ => vec![(0.0, -fraction.clone() + 1.0), (1.0, fraction)],
        };
        weights.into_iter().map(|(offset, weight)| self.tap(low.clone() + offset, weight, length)).collect()
    }

    /// A pixel inside the axis: others count as zero, as the border, or as their mirror image.
    fn tap(self, place: Tensor<2>, weight: Tensor<2>, length: usize) -> Tap {
        let last = length as f32 - 1.0;
        let (place, weight) = match self.padding {
            Padding::Zeros => {
                let inside = place.clone().greater_equal_elem(0.0).bool_and(place.clone().lower_equal_elem(last));
                (place, weight * inside.float())
            }
            Padding::Border => (place, weight),
            Padding::Reflection => (self.reflected(place, length).round(), weight),
        };
        // Positions that are not numbers end at the first pixel, with a weight that is not a number either.
        Tap { position: place.clamp(0.0, last).int().clamp(0, length as i64 - 1), weight }
    }

    /// The centres of the outer pixels, or their outer edges.
    fn borders(self, length: usize) -> (f32, f32) {
        let edge = if self.align_corners { 0.0 } else { 0.5 };
        (-edge, length as f32 - 1.0 + edge)
    }

    /// Mirrors coordinates until they lie between the borders.
    fn reflected(self, at: Tensor<2>, length: usize) -> Tensor<2> {
        let (low, high) = self.borders(length);
        let range = high - low;
        if range <= 0.0 {
            return at * 0.0;
        }
        // A zigzag of period 2 range: |((x + range) mod 2 range) - range|.
        let from_low = at - low;
        let periods = ((from_low.clone().detach() + range) / (2.0 * range)).floor();
        (from_low - periods * (2.0 * range)).abs() + low
    }
}

/// Keys's kernel with a = -0.75, at the four pixels around a fraction.
fn cubic_weights(fraction: &Tensor<2>) -> Vec<(f32, Tensor<2>)> {
    const A: f32 = -0.75;
    let near = |x: Tensor<2>| (x.clone() * (A + 2.0) - (A + 3.0)) * x.clone() * x + 1.0;
    let far = |x: Tensor<2>| ((x.clone() * A - 5.0 * A) * x.clone() + 8.0 * A) * x - 4.0 * A;
    let rest = -fraction.clone() + 1.0;
    vec![
        (-1.0, far(fraction.clone() + 1.0)),
        (0.0, near(fraction.clone())),
        (1.0, near(rest.clone())),
        (2.0, far(rest + 1.0)),
    ]
}
