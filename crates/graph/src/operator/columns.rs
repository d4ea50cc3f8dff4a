//! Col2Im: overlapping blocks added up to an image, as a transposed convolution whose kernels each place one element.

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, invalid, unsupported},
    convolution::TransposedConvolution,
    window::Window,
};
use crate::{
    GraphError, Value,
    host::{HostData, HostTensor},
};

/// Adds up blocks of an image.
#[derive(Clone, Debug)]
pub(crate) struct ColumnsToImage {
    /// The input's shape with one axis for each axis along which blocks are counted.
    blocks: Vec<usize>,
    placement: TransposedConvolution,
    /// One kernel per channel and element of a block.
    kernels: HostTensor,
}

/// More weights than this are no block of an image.
const MAX_WEIGHTS: usize = 1 << 24;

pub(crate) fn columns_to_image(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let sizes = |index: usize| -> Result<Vec<usize>, Refusal> {
        match arguments.constant(index)? {
            Some(sizes) => Ok(sizes.to_ints().iter().map(|&size| usize::try_from(size).unwrap_or(0)).collect()),
            None => invalid(format!("input {index} is missing")),
        }
    };
    let (image, block) = (sizes(1)?, sizes(2)?);
    if !(1..=3).contains(&image.len()) {
        return unsupported(format!("an image of {} axes", image.len()));
    }
    let [images, rows, count] = *arguments.float_shape(0)? else { return invalid("its input has not three axes") };
    let window = Window::resolve(arguments, block, &image)?;
    let counts = window.output(&image)?;
    let area = window.kernel.iter().try_fold(1_usize, |area, &size| area.checked_mul(size));
    let Some(area) = area.filter(|&area| area.saturating_mul(rows) <= MAX_WEIGHTS) else {
        return unsupported(format!("blocks of shape {:?}", window.kernel));
    };
    if rows == 0 || !rows.is_multiple_of(area) || counts.iter().product::<usize>() != count {
        return invalid(format!(
            "{rows} rows and {count} columns are not blocks of shape {:?} in an image of shape {image:?}",
            window.kernel
        ));
    }
    let channels = rows / area;
    // Row by row, each kernel has its one at the next element of the block.
    let ones = (0..rows * area).map(|at| f32::from(u8::from(at / area % area == at % area))).collect();
    let kernels = HostTensor { shape: [&[rows, 1], &window.kernel[..]].concat(), data: HostData::Float(ones) };
    let placement = TransposedConvolution {
        crops: window.pads.iter().map(|&(before, _)| before).collect(),
        strides: window.strides,
        dilations: window.dilations,
        groups: channels,
        output: image.clone(),
    };
    let blocks = [&[images, rows], &counts[..]].concat();
    let operator = Operator::ColumnsToImage(ColumnsToImage { blocks, placement, kernels });
    let output = [&[images, channels], &image[..]].concat();
    Ok(Resolved { operator, outputs: vec![Fact::float(output)], inputs: 1 })
}

impl ColumnsToImage {
    /// What [`ColumnsToImage::run`] wants on the device, after its input.
    pub(crate) fn constants(&self) -> Vec<&HostTensor> {
        vec![&self.kernels]
    }

    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        self.placement.apply(&inputs.get(0)?.reshape(&self.blocks)?, inputs.get(1)?, None)
    }
}
