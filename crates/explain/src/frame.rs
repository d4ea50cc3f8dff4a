//! An input tensor as a picture to look at.

use vitrine_image::from_tensor;
use vitrine_protocol::{Channels, ImageInput, Layout, Picture};

use crate::{Context, HeatMap, attribution::picture_size};

/// Pixels whose gradients sum to more than those of this part of all are opaque.
const OPAQUE: f64 = 0.8;

/// The picture of an input, `values` without the batch axis. Where nobody knows how pixels become the input, from the
/// smallest value, black, to the largest, white; grey where there are not three channels.
///
/// With `seen`, how much each value mattered, the picture is the more transparent the less a pixel did.
pub fn frame(context: &Context<'_>, values: &[f32], seen: Option<&Vec<f32>>) -> Picture {
    let mut picture = match context.pixels.map(|pixels| from_tensor(values, pixels)) {
        Some(Ok(pixels)) => pixels.to_picture(),
        _ => unknown(context, values),
    };
    if let Some(seen) = seen {
        let map = HeatMap::of_input(seen, context.shape(), context.layout());
        let opacity = opacity(&map.values);
        for (pixel, opacity) in picture.rgba.as_chunks_mut::<4>().0.iter_mut().zip(opacity) {
            pixel[3] = opacity;
        }
    }
    picture
}

/// 0 to 255 for each pixel: its part of the value below which [`OPAQUE`] of all lie. A map of zeros is opaque.
fn opacity(map: &[f32]) -> Vec<u8> {
    let mut sorted = map.to_vec();
    sorted.sort_by(f32::total_cmp);
    let full = sorted.get((OPAQUE * sorted.len() as f64) as usize).or(sorted.last()).copied().unwrap_or_default();
    // Where most pixels matter nothing, those that do are opaque.
    let full = if full > 0.0 { full } else { f32::MIN_POSITIVE };
    let blank = sorted.last().is_none_or(|largest| *largest <= 0.0);
    // A cast from float saturates.
    map.iter().map(|value| if blank { 255 } else { (255.0 * value / full).round() as u8 }).collect()
}

fn unknown(context: &Context<'_>, values: &[f32]) -> Picture {
    let (shape, layout) = (context.shape(), context.layout());
    let [height, width] = picture_size(shape, layout).unwrap_or([1, values.len()]);
    let coloured = values.len() == 3 * height * width;
    let shown = if coloured { values.to_vec() } else { HeatMap::of_input(values, shape, layout).values };
    let (low, high) =
        shown.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)));
    let (channels, layout) = if coloured { (Channels::Rgb, layout) } else { (Channels::Grey, Layout::Nchw) };
    let range = if low < high { [low, high] } else { [low - 1.0, low + 1.0] };
    let input = ImageInput { range, ..ImageInput::plain(layout, channels, height, width) };
    let blank = || Picture { width, height, rgba: vec![0; 4 * width * height] };
    from_tensor(&shown, &input).map_or_else(|_| blank(), |pixels| pixels.to_picture())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, linear};

    #[test]
    fn pixels_are_as_opaque_as_they_mattered() {
        // Of five values the fourth counts in full, and so does what is above it.
        assert_eq!(opacity(&[0.0, 1.0, 2.0, 4.0, 4.0]), [0, 64, 128, 255, 255]);
        assert_eq!(opacity(&[0.0; 3]), [255; 3]);
        assert_eq!(opacity(&[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]), [0, 0, 0, 0, 0, 255]);
    }

    #[test]
    fn an_input_of_unknown_make_is_drawn_from_its_smallest_to_its_largest_value() {
        let question = Question::new(linear(&[1, 1, 3]), &[0.0; 3]);
        let picture = frame(&question.context(), &[-1.0, 1.0, 0.0], None);
        assert_eq!((picture.width, picture.height), (3, 1));
        assert_eq!(picture.rgba, [[0, 0, 0, 255], [255; 4], [128, 128, 128, 255]].concat());
        let features = Question::new(linear(&[2]), &[0.0; 2]);
        let picture = frame(&features.context(), &[5.0, 5.0], Some(&vec![0.0, 2.0]));
        assert_eq!(picture.rgba, [128, 128, 128, 0, 128, 128, 128, 255]);
    }
}
