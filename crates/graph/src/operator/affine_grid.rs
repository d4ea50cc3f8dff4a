//! AffineGrid: where an affine map takes each pixel of an image.

use super::{
    Arguments, Inputs, Operator, Refusal, Resolved,
    arguments::{Fact, check_rank, invalid},
};
use crate::{GraphError, Value};

/// A sampling grid for images of two or three spatial axes.
#[derive(Clone, Debug)]
pub(crate) struct AffineGrid {
    /// Lengths of the spatial axes.
    size: Vec<usize>,
    align_corners: bool,
}

pub(crate) fn affine_grid(arguments: &Arguments<'_>) -> Result<Resolved, Refusal> {
    let theta = arguments.float_shape(0)?;
    let Some(given) = arguments.constant(1)?.map(|size| size.to_ints()) else { return invalid("its size is missing") };
    let size: Option<Vec<usize>> =
        given.iter().skip(2).map(|&length| usize::try_from(length).ok().filter(|&length| length > 0)).collect();
    let Some(size) = size.filter(|size| (2..=3).contains(&size.len())) else {
        return invalid(format!("its size {given:?} is not that of a batch of images"));
    };
    let axes = size.len();
    let &[batch, rows, columns] = theta else { return invalid(format!("its maps have shape {theta:?}")) };
    if (rows, columns) != (axes, axes + 1) {
        return invalid(format!("maps of shape {theta:?} do not fit {axes} spatial axes"));
    }
    let shape = [&[batch], &size[..], &[axes]].concat();
    check_rank(shape.len())?;
    let align_corners = arguments.int("align_corners", 0) != 0;
    let outputs = vec![Fact::float(shape)];
    Ok(Resolved { operator: Operator::AffineGrid(AffineGrid { size, align_corners }), outputs, inputs: 1 })
}

impl AffineGrid {
    /// Homogeneous positions of all pixels, the last axis first, `[axes + 1, pixels]`.
    fn positions(&self) -> Vec<f32> {
        let pixels: usize = self.size.iter().product();
        let coordinate = |axis: usize, pixel: usize| {
            let length = self.size[axis];
            let at = (pixel / self.size[axis + 1..].iter().product::<usize>() % length) as f32;
            match self.align_corners {
                // One pixel has no two corners; both references put it at the first.
                true if length == 1 => -1.0,
                true => 2.0 * at / (length - 1) as f32 - 1.0,
                false => (2.0 * at + 1.0) / length as f32 - 1.0,
            }
        };
        let axes = (0..self.size.len()).rev();
        axes.flat_map(|axis| (0..pixels).map(move |pixel| coordinate(axis, pixel)))
            .chain(std::iter::repeat_n(1.0, pixels))
            .collect()
    }

    pub(crate) fn run(&self, inputs: &Inputs<'_>) -> Result<Value, GraphError> {
        let theta = inputs.get(0)?;
        let (batch, axes) = (theta.shape()[0], self.size.len());
        let pixels: usize = self.size.iter().product();
        let positions = Value::from_f32(&self.positions(), &[1, axes + 1, pixels], &theta.device());
        let positions = positions.expand(&[batch, axes + 1, pixels])?.tensor::<3>()?;
        let moved = Value::new(theta.tensor::<3>()?.matmul(positions)).permute(&[0, 2, 1])?;
        moved.reshape(&[&[batch], &self.size[..], &[axes]].concat())
    }
}
