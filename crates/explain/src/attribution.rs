//! The result of an explanation.

use std::collections::BTreeMap;

use vitrine_protocol::{Layout, ParameterValue, Picture};

use crate::{Context, ExplainError};

/// What a method found, raw and signed; normalising and colours belong to whoever shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attribution {
    /// The attribution, row by row.
    pub values: Vec<f32>,
    /// Its shape: the input's without the batch axis, or for layer methods the layer's `[height, width]`.
    pub shape: Vec<usize>,
    /// The attribution as one number per pixel of the input.
    pub map: HeatMap,
    /// The input that a method has made instead of explaining one.
    pub visualisation: Option<Visualisation>,
    /// Standard error of every value of `map`, for methods that estimate it from random samples.
    pub standard_error: Option<HeatMap>,
    /// The target's value at the input.
    pub prediction: f32,
    /// The target's value at the baseline, for methods that have one.
    pub baseline_prediction: Option<f32>,
    /// Sum of the attributions minus (prediction - baseline prediction), where the method promises that it is zero.
    pub completeness_gap: Option<f32>,
    /// Forward passes, counted per image.
    pub forward_passes: u64,
    /// Backward passes, counted per image.
    pub backward_passes: u64,
    /// Every parameter with the value used, defaults included.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// The layer looked at, by its value name, for layer methods; several with commas between.
    pub layer: Option<String>,
    /// What the reader should know, one sentence each.
    pub notes: Vec<String>,
}

/// An input that makes something in the model large.
#[derive(Clone, Debug, PartialEq)]
pub struct Visualisation {
    /// The input tensor, without the batch axis: what the model sees.
    pub values: Vec<f32>,
    /// What it looks like. Where the method says so, pixels are the more transparent the less they mattered.
    pub picture: Picture,
}

/// One number per pixel, row by row from the top.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeatMap {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// `height * width` numbers, signed.
    pub values: Vec<f32>,
}

impl HeatMap {
    /// Reduces an attribution of an input's shape (without the batch axis) to one number per pixel: the sum over the
    /// channels. An input that is a list of features becomes one row.
    pub fn of_input(values: &[f32], shape: &[usize], layout: Layout) -> HeatMap {
        HeatMap::of_channels(values, shape, layout, |a, b| a + b)
    }

    /// The same with another way than a sum to put a pixel's channels together, starting from zero.
    pub(crate) fn of_channels(values: &[f32], shape: &[usize], layout: Layout, join: fn(f32, f32) -> f32) -> HeatMap {
        let [height, width] = picture_size(shape, layout).unwrap_or([1, values.len()]);
        let (area, mut joined) = (height * width, vec![0.0; height * width]);
        for (index, value) in values.iter().enumerate() {
            let pixel = match layout {
                Layout::Nhwc if shape.len() == 3 => index * area / values.len(),
                _ => index % area,
            };
            joined[pixel] = join(joined[pixel], *value);
        }
        HeatMap { height, width, values: joined }
    }
}

/// Height and width of an input of this shape (without the batch axis): its two spatial axes, or the only two it has.
pub fn picture_size(shape: &[usize], layout: Layout) -> Option<[usize; 2]> {
    match (shape, layout) {
        (&[height, width, _], Layout::Nhwc) | (&[_, height, width], Layout::Nchw) | (&[height, width], _) => {
            Some([height, width])
        }
        _ => None,
    }
}

/// Refuses numbers that would make a blank or broken map.
///
/// # Errors
/// [`ExplainError::NotFinite`].
pub fn check_finite(values: &[f32], what: &'static str, advice: &'static str) -> Result<(), ExplainError> {
    if values.iter().all(|value| value.is_finite()) { Ok(()) } else { Err(ExplainError::NotFinite { what, advice }) }
}

impl Context<'_> {
    /// Order of the input's axes; channels first unless the model card says otherwise.
    pub fn layout(&self) -> Layout {
        self.pixels.map_or(Layout::Nchw, |pixels| pixels.layout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_summed_in_either_layout() {
        // Two channels of a picture of one row and three columns.
        let planes = [1.0, 2.0, 3.0, 10.0, 20.0, 30.0];
        let pixels = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0];
        let expected = HeatMap { height: 1, width: 3, values: vec![11.0, 22.0, 33.0] };
        assert_eq!(HeatMap::of_input(&planes, &[2, 1, 3], Layout::Nchw), expected);
        assert_eq!(HeatMap::of_input(&pixels, &[1, 3, 2], Layout::Nhwc), expected);
    }

    #[test]
    fn features_become_one_row() {
        let map = HeatMap::of_input(&[1.0, -2.0], &[2], Layout::Nchw);
        assert_eq!(map, HeatMap { height: 1, width: 2, values: vec![1.0, -2.0] });
    }
}
