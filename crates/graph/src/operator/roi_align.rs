//! RoiAlign: regions of an image read at a fixed number of points. Gradients flow to the image, not to the regions.
//!
//! Reading along each axis is a matrix product, as in resizing: it has a backward pass everywhere.

use burn::tensor::Tensor;

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, invalid, unsupported},
    rows::{Rows, poisoned},
};
use crate::{GraphError, Value, value::indexing::positions};

/// Regions cut out and brought to one size.
#[derive(Clone, Debug)]
pub(crate) struct RoiAlign {
    /// Rows and columns of the result.
    size: [usize; 2],
    /// Points read per bin, along rows and columns, for each region.
    points: [Vec<usize>; 2],
    /// Pixels of the image per unit of the regions.
    scale: f32,
    half_pixel: bool,
    maximum: bool,
    /// The image that each region lies in.
    images: Rows,
}

pub(crate) fn roi_align(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let image = arguments.float_shape(0)?;
    let (regions, indices) = (arguments.float_shape(1)?, arguments.fact(2)?);
    let (&[batch, channels, height, width], &[count, 4]) = (image, regions) else {
        return invalid(format!("regions of shape {regions:?} in an image of shape {image:?}"));
    };
    if indices.shape() != [count] || height == 0 || width == 0 {
        return invalid(format!("{count} regions lie in images {:?} of shape {image:?}", indices.shape()));
    }
    let maximum = match arguments.text("mode").unwrap_or("avg") {
        "avg" => false,
        "max" => true,
        other => return invalid(format!("mode {other:?} is neither avg nor max")),
    };
    let default = if arguments.opset < 16 { "output_half_pixel" } else { "half_pixel" };
    let half_pixel = match arguments.text("coordinate_transformation_mode").unwrap_or(default) {
        "half_pixel" => true,
        "output_half_pixel" => false,
        other => return invalid(format!("coordinate_transformation_mode {other:?} does not exist")),
    };
    let length = |name: &str| usize::try_from(arguments.int(name, 1)).ok().filter(|&length| length > 0);
    let (Some(rows), Some(columns)) = (length("output_height"), length("output_width")) else {
        return invalid("its output has no size");
    };
    let scale = arguments.float("spatial_scale", 1.0);
    let points = match usize::try_from(arguments.int("sampling_ratio", 0)).unwrap_or(0) {
        0 => {
            // As many points per bin as it covers pixels.
            let Fact::Known(regions) = arguments.fact(1)? else {
                return unsupported("sampling_ratio 0 and regions computed from pixel values");
            };
            let regions = regions.to_floats();
            let per_bin = |from: usize, bins: usize| -> Vec<usize> {
                let extent = |region: &[f32]| (region[from + 2] - region[from]) * scale;
                let least = if half_pixel { f32::MIN } else { 1.0 };
                let points =
                    |region: &[f32]| (extent(region).max(least) / bins as f32).ceil().clamp(0.0, 1024.0) as usize;
                regions.chunks_exact(4).map(points).collect()
            };
            [per_bin(1, rows), per_bin(0, columns)]
        }
        given if given <= 64 => [vec![given; count], vec![given; count]],
        given => return invalid(format!("sampling_ratio {given} is too large")),
    };
    let constant = if let Fact::Known(tensor) = indices { Some(&**tensor) } else { None };
    let images = Rows::resolve(constant, vec![(batch, 1)], vec![0; count])?;
    let output = vec![count, channels, rows, columns];
    if count == 0 {
        return unsupported("no region at all");
    }
    let operator = RoiAlign { size: [rows, columns], points, scale, half_pixel, maximum, images };
    Ok(Resolved { operator: Operator::RoiAlign(operator), outputs: vec![Fact::float(output)], inputs: 3 })
}

/// Weights of the two pixels around each point of an axis, `[regions, points, pixels]`.
struct Neighbours {
    low: Tensor<3>,
    high: Tensor<3>,
}

impl RoiAlign {
    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let (image, regions) = (inputs.get(0)?, inputs.get(1)?.detached());
        let &[_, channels, height, width] = image.shape() else { return Ok(image.clone()) };
        let count = regions.shape()[0];
        let regions = regions.tensor::<2>()?;
        let rows = self.neighbours(&regions, 0, height);
        let columns = self.neighbours(&regions, 1, width);
        let (images, outside) = self.images.locate(inputs.optional(2), image)?;
        let picked = image.select(0, images)?.reshape(&[1, count, channels * height * width])?;
        // Rows of pixels first: [regions, height, channels * width].
        let pixels = poisoned(&picked, outside)?.reshape(&[count, channels, height, width])?;
        let pixels = pixels.permute(&[0, 2, 1, 3])?.reshape(&[count, height, channels * width])?.tensor::<3>()?;
        let read = |rows: &Tensor<3>, columns: &Tensor<3>| -> Result<Value, GraphError> {
            let rows = Value::new(rows.clone()).beside(image).tensor::<3>()?;
            let columns = Value::new(columns.clone()).beside(image).tensor::<3>()?;
            let [_, down, _] = rows.dims();
            let [_, along, _] = columns.dims();
            let by_row = Value::new(rows.matmul(pixels.clone())).reshape(&[count, down, channels, width])?;
            let by_row = by_row.permute(&[0, 2, 1, 3])?.reshape(&[count, channels * down, width])?.tensor::<3>()?;
            Value::new(by_row.matmul(columns.swap_dims(1, 2))).reshape(&[count, channels, down, along])
        };
        if !self.maximum {
            return read(&self.mean(rows, 0), &self.mean(columns, 1));
        }
        // The largest of the weighed pixels around all points of a bin, as the reference has it.
        let mut largest = read(&rows.low, &columns.low)?;
        for (rows, columns) in [(&rows.low, &columns.high), (&rows.high, &columns.low), (&rows.high, &columns.high)] {
            largest = largest.maximum(&read(rows, columns)?)?;
        }
        let [down, along] = self.size;
        let per_bin = [0, 1].map(|axis| self.most(axis));
        let bins = largest.reshape(&[count * channels, down, per_bin[0], along * per_bin[1]])?.tensor::<4>()?;
        let by_row = Value::new(bins.max_dim(2)).reshape(&[count * channels * down, along, per_bin[1]])?;
        Value::new(by_row.tensor::<3>()?.max_dim(2)).reshape(&[count, channels, down, along])
    }

    /// Points per bin of the region that has most.
    fn most(&self, axis: usize) -> usize {
        self.points[axis].iter().copied().max().unwrap_or(1).max(1)
    }

    /// Where the points of each region lie along an axis. Regions with fewer points than others repeat their last.
    fn neighbours(&self, regions: &Tensor<2>, axis: usize, length: usize) -> Neighbours {
        let [count, _] = regions.dims();
        let (bins, points, device) = (self.size[axis], self.most(axis), regions.device());
        let offset = if self.half_pixel { 0.5 } else { 0.0 };
        let edge = |column: usize| regions.clone().narrow(1, column, 1) * self.scale - offset;
        let (start, end) = (edge(1 - axis), edge(3 - axis));
        let mut extent = end - start.clone();
        if !self.half_pixel {
            extent = extent.clamp_min(1.0);
        }
        // Positions within a region, in bins.
        let within: Vec<f32> = self.points[axis]
            .iter()
            .flat_map(|&own| {
                let own = own.max(1);
                let place = move |point: usize| (point.min(own - 1) as f32 + 0.5) / own as f32;
                (0..bins).flat_map(move |bin| (0..points).map(move |point| bin as f32 + place(point)))
            })
            .collect();
        let shape = [count, bins * points];
        let within = Tensor::<1>::from_data(&within[..], &device).reshape(shape);
        let at = start.expand(shape) + within * (extent / bins as f32).expand(shape);
        let last = length as f32 - 1.0;
        let inside = at.clone().greater_equal_elem(-1.0).bool_and(at.clone().lower_equal_elem(length as f32)).float();
        let at = at.clamp_min(0.0);
        let low = at.clone().floor().clamp_max(last);
        let fraction = (at - low.clone()) * low.clone().lower_elem(last).float();
        let high = (low.clone() + 1.0).clamp_max(last);
        let places = positions(0..length, &device).float().reshape([1, 1, length]);
        let full = [count, bins * points, length];
        let weighed = |place: Tensor<2>, weight: Tensor<2>| {
            let place = place.reshape([count, bins * points, 1]).expand(full);
            place.equal(places.clone().expand(full)).float() * weight.reshape([count, bins * points, 1]).expand(full)
        };
        Neighbours {
            low: weighed(low, (-fraction.clone() + 1.0) * inside.clone()),
            high: weighed(high, fraction * inside),
        }
    }

    /// The mean over the points of each bin, `[regions, bins, pixels]`; a region without points gives zero.
    fn mean(&self, neighbours: Neighbours, axis: usize) -> Tensor<3> {
        let weights = neighbours.low + neighbours.high;
        let [count, all, length] = weights.dims();
        let (bins, points, device) = (self.size[axis], self.most(axis), weights.device());
        let shares: Vec<f32> = self.points[axis]
            .iter()
            .flat_map(|&own| (0..points).map(move |point| if point < own { 1.0 / own as f32 } else { 0.0 }))
            .collect();
        let shares = Tensor::<1>::from_data(&shares[..], &device).reshape([count, 1, points]);
        let shares = shares.expand([count, bins, points]).reshape([count, all, 1]).expand([count, all, length]);
        (weights * shares).reshape([count * bins, points, length]).sum_dim(1).reshape([count, bins, length])
    }
}
