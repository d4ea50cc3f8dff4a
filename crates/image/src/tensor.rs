//! Between pixels, a model's input tensor, and planes of unit brightness.

use vitrine_protocol::{Channels, ImageInput, Layout};

use crate::error::check_length;
use crate::pixels::MAX_PIXELS;
use crate::{ImageError, Pixels};

/// Float pixels, one plane per channel, 0 (black) to 1 (full brightness). Infills are computed on these.
///
/// The channels are those of the model's input in its own order, so a BGR model has blue first.
#[derive(Clone, Debug, PartialEq)]
pub struct Planes {
    /// Number of channels: 3, or 1 for grey.
    pub channels: usize,
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// `channels * height * width` values: a channel's rows from the top, then the next channel's.
    pub values: Vec<f32>,
}

impl Planes {
    /// The planes of an input, every value the same.
    pub fn constant(channels: usize, height: usize, width: usize, value: f32) -> Self {
        Planes { channels, height, width, values: vec![value; channels * height * width] }
    }

    /// Planes of the same size with values made from each of the present ones.
    pub fn map(&self, value: impl FnMut(f32) -> f32) -> Self {
        Planes { values: self.values.iter().copied().map(value).collect(), ..*self }
    }
}

/// Says whether pixels can be turned into this input and back; every other function here refuses what this refuses.
///
/// # Errors
/// [`ImageError::Input`] for a size of zero or above [`MAX_PIXELS`](crate::MAX_PIXELS), a `mean` or `std` that is
/// neither empty nor one number per channel, a `std` of zero, an empty range, or numbers that are not finite.
pub fn check_input(input: &ImageInput) -> Result<(), ImageError> {
    let refuse = |reason: String| Err(ImageError::Input { reason });
    let ImageInput { width, height, range: [low, high], .. } = *input;
    if width == 0 || height == 0 {
        return refuse(format!("{width} x {height} pixels is no size"));
    }
    if width as u128 * height as u128 > u128::from(MAX_PIXELS) {
        return refuse(format!("{width} x {height} pixels is above {} megapixels", MAX_PIXELS / 1_000_000));
    }
    if !(low.is_finite() && high.is_finite()) || low == high {
        return refuse(format!("the range [{low}, {high}] has no two different finite ends"));
    }
    let count = input.channels.count();
    for (name, numbers) in [("mean", &input.mean), ("std", &input.std)] {
        if !numbers.is_empty() && numbers.len() != count {
            return refuse(format!("{name} has {} numbers for {count} channels", numbers.len()));
        }
        if numbers.iter().any(|number| !number.is_finite()) || (name == "std" && numbers.contains(&0.0)) {
            return refuse(format!("{name} holds {numbers:?}, where every number must be finite and no std zero"));
        }
    }
    Ok(())
}

/// The input tensor of a picture, without the batch axis: `[C, H, W]` or `[H, W, C]` as the input's layout says.
///
/// The whole picture is resized to the input's size as [`resize`](crate::resize) does (its sides are not kept in
/// proportion and nothing is cropped), then 0 and 255 become the ends of `range`, `mean` is subtracted and the result
/// divided by `std`, per channel. Grey inputs take ITU-R 601 luma, rounded to 8 bits before resizing, as Pillow's `L`.
///
/// # Errors
/// What [`check_input`] and [`resize`](crate::resize) refuse.
#[cfg(feature = "codecs")]
pub fn to_tensor(pixels: &Pixels, input: &ImageInput) -> Result<Vec<f32>, ImageError> {
    use crate::resize::{resize, resize_grey};
    check_input(input)?;
    let bytes = match input.channels {
        Channels::Grey => resize_grey((pixels.width, pixels.height), &luma(&pixels.rgb), (input.width, input.height))?,
        Channels::Rgb => resize(pixels, input.width, input.height)?.rgb,
        Channels::Bgr => {
            let mut rgb = resize(pixels, input.width, input.height)?.rgb;
            rgb.as_chunks_mut().0.iter_mut().for_each(|pixel: &mut [u8; 3]| pixel.reverse());
            rgb
        }
    };
    let channels = input.channels.count();
    let levels: Vec<[f32; 256]> = (0..channels)
        .map(|channel| std::array::from_fn(|level| normalise(level as f32 / 255.0, channel, input)))
        .collect();
    let plane = |levels: &[f32; 256], channel: usize| -> Vec<f32> {
        bytes.iter().skip(channel).step_by(channels).map(|&level| levels[usize::from(level)]).collect()
    };
    let planar: Vec<f32> = levels.iter().enumerate().flat_map(|(channel, levels)| plane(levels, channel)).collect();
    Ok(arrange(planar, input))
}

/// The picture that an input tensor (without the batch axis) shows, to look at baselines and perturbed inputs.
///
/// The inverse of [`to_tensor`] but for the size; values outside the range of pixels are clamped, NaN becomes black.
///
/// # Errors
/// What [`to_planes`] refuses.
pub fn from_tensor(tensor: &[f32], input: &ImageInput) -> Result<Pixels, ImageError> {
    let planes = to_planes(tensor, input)?;
    // A cast from float saturates and turns NaN into 0.
    let levels: Vec<u8> = planes.values.iter().map(|value| (value * 255.0).round() as u8).collect();
    let area = input.width * input.height;
    let order = match input.channels {
        Channels::Rgb => [0, 1, 2],
        Channels::Bgr => [2, 1, 0],
        Channels::Grey => [0, 0, 0],
    };
    let rgb = (0..area).flat_map(|pixel| order.map(|channel| levels[channel * area + pixel])).collect();
    Ok(Pixels { width: input.width, height: input.height, rgb })
}

/// Undoes range, mean and std and puts the channels first: an input tensor (without the batch axis) as planes.
///
/// # Errors
/// What [`check_input`] refuses, and [`ImageError::Length`] when the tensor is not of the input's size.
pub fn to_planes(tensor: &[f32], input: &ImageInput) -> Result<Planes, ImageError> {
    check_input(input)?;
    let (channels, area) = (input.channels.count(), input.width * input.height);
    check_length("the input tensor", channels * area, tensor.len())?;
    let [low, high] = input.range;
    let mut values = Vec::with_capacity(tensor.len());
    for channel in 0..channels {
        let (mean, std) = (input.mean_of(channel), input.std_of(channel));
        let unit = |value: f32| (value * std + mean - low) / (high - low);
        match input.layout {
            Layout::Nchw => values.extend(tensor.iter().skip(channel * area).take(area).copied().map(unit)),
            Layout::Nhwc => values.extend(tensor.iter().skip(channel).step_by(channels).copied().map(unit)),
        }
    }
    Ok(Planes { channels, height: input.height, width: input.width, values })
}

/// The input tensor (without the batch axis) of planes: the inverse of [`to_planes`].
///
/// # Errors
/// What [`check_input`] refuses, and [`ImageError::Length`] when the planes are not of the input's size.
pub fn from_planes(planes: &Planes, input: &ImageInput) -> Result<Vec<f32>, ImageError> {
    check_input(input)?;
    let area = input.width * input.height;
    check_length("the planes of the input", input.channels.count() * area, planes.values.len())?;
    let planar =
        planes.values.iter().enumerate().map(|(index, &value)| normalise(value, index / area, input)).collect();
    Ok(arrange(planar, input))
}

/// Brightness 0 to 1 as the model wants it.
fn normalise(unit: f32, channel: usize, input: &ImageInput) -> f32 {
    let [low, high] = input.range;
    (low + unit * (high - low) - input.mean_of(channel)) / input.std_of(channel)
}

/// Planes in the input's layout.
fn arrange(planar: Vec<f32>, input: &ImageInput) -> Vec<f32> {
    let area = input.width * input.height;
    match input.layout {
        Layout::Nchw => planar,
        Layout::Nhwc => (0..area).flat_map(|pixel| planar.iter().skip(pixel).step_by(area).copied()).collect(),
    }
}

/// ITU-R 601 luma in Pillow's fixed-point arithmetic.
#[cfg(feature = "codecs")]
fn luma(rgb: &[u8]) -> Vec<u8> {
    let weighted = |&[red, green, blue]: &[u8; 3]| {
        ((u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471 + 0x8000) >> 16) as u8
    };
    rgb.as_chunks().0.iter().map(weighted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(layout: Layout, channels: Channels) -> ImageInput {
        ImageInput {
            mean: vec![0.5, 0.25, 0.0].into_iter().take(channels.count()).collect(),
            std: vec![0.5, 0.25, 2.0].into_iter().take(channels.count()).collect(),
            ..ImageInput::plain(layout, channels, 1, 2)
        }
    }

    /// One row: a red pixel and a half-bright cyan one.
    #[cfg(feature = "codecs")]
    fn row() -> Pixels {
        Pixels { width: 2, height: 1, rgb: vec![255, 0, 0, 0, 51, 255] }
    }

    #[test]
    #[cfg(feature = "codecs")]
    fn each_layout_and_channel_order_is_arranged_as_it_says() {
        // Red: (1 - 0.5) / 0.5 and (0 - 0.5) / 0.5. Green: (0 - 0.25) / 0.25 and (0.2 - 0.25) / 0.25. Blue: 0, 1 / 2.
        let tensor = |layout, channels| to_tensor(&row(), &input(layout, channels)).unwrap();
        let close = |found: Vec<f32>, expected: &[f32]| {
            let equal = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6);
            assert!(equal && found.len() == expected.len(), "found {found:?}, expected {expected:?}");
        };
        close(tensor(Layout::Nchw, Channels::Rgb), &[1.0, -1.0, -1.0, -0.2, 0.0, 0.5]);
        close(tensor(Layout::Nhwc, Channels::Rgb), &[1.0, -1.0, 0.0, -1.0, -0.2, 0.5]);
        // Blue first: (0 - 0.5) / 0.5 and (1 - 0.5) / 0.5; red last: 1 / 2 and 0.
        close(tensor(Layout::Nchw, Channels::Bgr), &[-1.0, 1.0, -1.0, -0.2, 0.5, 0.0]);
    }

    #[test]
    #[cfg(feature = "codecs")]
    fn grey_is_luma() {
        // 0.299 * 255 = 76.2; 0.587 * 51 + 0.114 * 255 = 59.0.
        assert_eq!(luma(&row().rgb), [76, 59]);
        let grey = ImageInput { range: [0.0, 255.0], ..ImageInput::plain(Layout::Nchw, Channels::Grey, 1, 2) };
        assert_eq!(to_tensor(&row(), &grey).unwrap(), [76.0, 59.0]);
    }

    #[test]
    #[cfg(feature = "codecs")]
    fn the_range_is_applied_before_mean_and_std() {
        let caffe = ImageInput {
            range: [0.0, 255.0],
            mean: vec![104.0, 117.0, 123.0],
            std: vec![],
            ..input(Layout::Nchw, Channels::Bgr)
        };
        assert_eq!(to_tensor(&row(), &caffe).unwrap(), [-104.0, 151.0, -117.0, -66.0, 132.0, -123.0]);
    }

    #[test]
    #[cfg(feature = "codecs")]
    fn a_tensor_shows_the_picture_it_came_from() {
        for layout in [Layout::Nchw, Layout::Nhwc] {
            for channels in [Channels::Rgb, Channels::Bgr] {
                let input = ImageInput { range: [-1.0, 3.0], ..input(layout, channels) };
                let tensor = to_tensor(&row(), &input).unwrap();
                assert_eq!(from_tensor(&tensor, &input).unwrap(), row(), "{layout:?} {channels:?}");
            }
        }
    }

    #[test]
    fn values_no_pixel_has_are_clamped() {
        let grey = ImageInput::plain(Layout::Nchw, Channels::Grey, 1, 4);
        let shown = from_tensor(&[-3.0, 0.5, 9.0, f32::NAN], &grey).unwrap();
        assert_eq!(shown.rgb, [0, 0, 0, 128, 128, 128, 255, 255, 255, 0, 0, 0]);
    }

    #[test]
    fn planes_are_in_unit_brightness_and_lead_back() {
        let nhwc = input(Layout::Nhwc, Channels::Rgb);
        let tensor = [1.0, -1.0, 0.0, -1.0, 3.0, 0.5];
        let planes = to_planes(&tensor, &nhwc).unwrap();
        assert_eq!((planes.channels, planes.height, planes.width), (3, 1, 2));
        assert_eq!(planes.values, [1.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
        assert_eq!(from_planes(&planes, &nhwc).unwrap(), tensor);
        let nchw = ImageInput { layout: Layout::Nchw, ..nhwc };
        assert_eq!(from_planes(&planes, &nchw).unwrap(), [1.0, -1.0, -1.0, 3.0, 0.0, 0.5]);
    }

    #[test]
    fn a_tensor_of_another_size_is_refused_with_both_sizes() {
        let error = to_planes(&[0.0; 5], &input(Layout::Nchw, Channels::Rgb)).unwrap_err();
        assert_eq!(error.to_string(), "the input tensor needs 6 values and has 5");
    }

    #[test]
    fn a_senseless_input_is_refused_and_says_why() {
        let good = input(Layout::Nchw, Channels::Rgb);
        assert_eq!(check_input(&good), Ok(()));
        for (bad, word) in [
            (ImageInput { width: 0, ..good.clone() }, "size"),
            (ImageInput { width: usize::MAX, height: usize::MAX, ..good.clone() }, "megapixels"),
            (ImageInput { range: [1.0, 1.0], ..good.clone() }, "range"),
            (ImageInput { range: [0.0, f32::NAN], ..good.clone() }, "range"),
            (ImageInput { mean: vec![0.5], ..good.clone() }, "mean has 1 numbers for 3 channels"),
            (ImageInput { std: vec![1.0, 0.0, 1.0], ..good.clone() }, "std"),
        ] {
            let text = check_input(&bad).unwrap_err().to_string();
            assert!(text.contains(word), "{text:?} does not mention {word:?}");
        }
    }
}
