//! Pictures as the segmentations look at them: checked, in CIELAB where asked for, one colour per pixel.

use crate::error::check_length;
use crate::{ImageError, Planes};

/// Refuses planes that are no picture.
pub(super) fn check(planes: &Planes) -> Result<(), ImageError> {
    let Planes { channels, height, width, ref values } = *planes;
    if !matches!(channels, 1 | 3) {
        return super::refuse(format!(
            "it has {channels} channels and grey (1) or red, green and blue (3) are expected"
        ));
    }
    if height == 0 || width == 0 {
        return super::refuse(format!("{height} x {width} pixels hold nothing"));
    }
    super::check_size(height, width)?;
    check_length("the picture", channels * height * width, values.len())?;
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => super::refuse(format!("value {index} of the picture is {}", values[index])),
        None => Ok(()),
    }
}

/// Refuses a standard deviation that no blur can have.
pub(super) fn check_sigma(sigma: f32, planes: &Planes) -> Result<(), ImageError> {
    let longest = planes.height.max(planes.width);
    if sigma >= 0.0 && sigma <= longest as f32 {
        return Ok(());
    }
    super::refuse(format!("sigma is {sigma} and must lie between 0 and the picture's longer side, {longest}"))
}

/// The colour of every pixel; grey has zeros behind its one number.
pub(super) fn pixels(planes: &Planes) -> Vec<[f32; 3]> {
    let area = planes.height * planes.width;
    let mut pixels = vec![[0.0; 3]; area];
    for (channel, plane) in planes.values.chunks_exact(area.max(1)).enumerate().take(3) {
        for (pixel, value) in pixels.iter_mut().zip(plane) {
            pixel[channel] = *value;
        }
    }
    pixels
}

/// sRGB, or grey, as CIELAB for the white of daylight (D65, 2 degrees): lightness from 0 to 100, then a and b.
pub(super) fn to_lab(planes: &Planes) -> Planes {
    let area = planes.height * planes.width;
    let mut values = vec![0.0; 3 * area];
    for (index, pixel) in pixels(planes).iter().enumerate() {
        let [red, green, blue] = if planes.channels == 1 { [pixel[0]; 3] } else { *pixel };
        let lab = lab([red, green, blue]);
        for (channel, value) in lab.into_iter().enumerate() {
            values[channel * area + index] = value;
        }
    }
    Planes { channels: 3, values, ..*planes }
}

/// IEC 61966-2-1 for the way to light, its matrix with the digits of CIE 15 for the way to XYZ over that of white.
fn lab(rgb: [f32; 3]) -> [f32; 3] {
    let [red, green, blue] =
        rgb.map(|value| if value > 0.04045 { ((value + 0.055) / 1.055).powf(2.4) } else { value / 12.92 });
    let x = (0.412_453 * red + 0.357_58 * green + 0.180_423 * blue) / 0.950_47;
    let y = 0.212_671 * red + 0.715_16 * green + 0.072_169 * blue;
    let z = (0.019_334 * red + 0.119_193 * green + 0.950_227 * blue) / 1.088_83;
    let [x, y, z] = [x, y, z].map(|value| if value > 0.008_856 { value.cbrt() } else { 7.787 * value + 16.0 / 116.0 });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// The brightness of every pixel, with the weights of ITU-R 709 that scikit-image uses.
pub(super) fn grey(planes: &Planes) -> Vec<f32> {
    let brightness = |[red, green, blue]: [f32; 3]| 0.2125 * red + 0.7154 * green + 0.0721 * blue;
    if planes.channels == 1 { planes.values.clone() } else { pixels(planes).into_iter().map(brightness).collect() }
}

/// The squared distance of two colours.
pub(super) fn squared_distance(one: [f32; 3], other: [f32; 3]) -> f32 {
    let [a, b, c] = [one[0] - other[0], one[1] - other[1], one[2] - other[2]];
    a * a + b * b + c * c
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colours_have_their_known_lab() {
        // CIE 15 for the sRGB primaries, as tabulated for D65.
        for (rgb, expected) in [
            ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
            ([1.0, 1.0, 1.0], [100.0, 0.0, 0.0]),
            ([1.0, 0.0, 0.0], [53.24, 80.09, 67.20]),
            ([0.0, 1.0, 0.0], [87.73, -86.18, 83.18]),
            ([0.0, 0.0, 1.0], [32.30, 79.19, -107.86]),
        ] {
            let found = lab(rgb);
            assert!(squared_distance(found, expected) < 0.001, "{rgb:?}: {found:?}, expected {expected:?}");
        }
    }
}
