//! Regions of pixels that climb to the same peak of density (Vedaldi and Soatto 2008, Quick Shift and Kernel Methods
//! for Mode Seeking).

use super::{LabelMap, colour, refuse};
use crate::{ImageError, Planes, gaussian_blur};

/// How [`quickshift`] cuts; names, defaults and meanings are scikit-image's.
#[derive(Clone, Debug, PartialEq)]
pub struct Quickshift {
    /// What a difference of colour counts against a pixel of distance, from 0.
    pub ratio: f32,
    /// Standard deviation of the density's Gaussian, in pixels, up to 100; it is cut off at three. Time grows with
    /// its square.
    pub kernel_size: f32,
    /// The longest step to a denser pixel, over position and colour together, from 0: larger gives fewer regions.
    pub max_dist: f32,
    /// Standard deviation of the blur in front, in pixels; 0 for none.
    pub sigma: f32,
    /// Compares colours in CIELAB (lightness 0 to 100) rather than as they are.
    pub convert2lab: bool,
}

impl Default for Quickshift {
    fn default() -> Self {
        Quickshift { ratio: 1.0, kernel_size: 5.0, max_dist: 10.0, sigma: 0.0, convert2lab: true }
    }
}

/// Links every pixel to the nearest denser one, over position and colour, and cuts the links longer than `max_dist`:
/// each tree is a region, which need not be connected.
///
/// Where densities are equal the pixel that comes first, row by row, counts as denser, so that a flat area is one region;
/// scikit-image draws noise to that end.
///
/// # Errors
/// [`ImageError::Length`] and [`ImageError::Regions`] for planes that are no picture and parameters out of range.
pub fn quickshift(planes: &Planes, parameters: &Quickshift) -> Result<LabelMap, ImageError> {
    colour::check(planes)?;
    let Quickshift { ratio, kernel_size, max_dist, sigma, convert2lab } = *parameters;
    colour::check_sigma(sigma, planes)?;
    // Within these bounds no square below leaves what a float32 holds.
    for (name, value, [least, most]) in
        [("ratio", ratio, [0.0, 1e6]), ("kernel_size", kernel_size, [0.001, 100.0]), ("max_dist", max_dist, [0.0, 1e6])]
    {
        if !(value >= least && value <= most) {
            return refuse(format!("{name} is {value} and must lie between {least} and {most}"));
        }
    }
    let converted = if convert2lab { colour::to_lab(planes) } else { planes.clone() };
    let pixels = colour::pixels(&gaussian_blur(&converted, sigma).map(|value| value * ratio));
    let (height, width) = (planes.height, planes.width);
    let radius = ((3.0 * kernel_size).ceil() as usize).min(height.max(width) - 1) as isize;
    let densities = densities(&pixels, height, width, kernel_size, radius);
    let mut parents = parents(&pixels, &densities, height, width, max_dist, radius.min(max_dist as isize));
    let roots: Vec<u32> = (0..pixels.len() as u32).map(|pixel| super::find(&mut parents, pixel)).collect();
    Ok(LabelMap::of_representatives(height, width, &roots))
}

/// The sum over all pixels of a window of a Gaussian of their distance, over position and colour.
fn densities(pixels: &[[f32; 3]], height: usize, width: usize, kernel_size: f32, radius: isize) -> Vec<f32> {
    let exponent = -0.5 / (kernel_size * kernel_size);
    let mut densities = vec![1.0; pixels.len()];
    // Each pair once. The order of additions is the same for every pixel, so that equal surroundings give equal sums.
    for down in 0..=radius {
        for across in -radius..=radius {
            if down == 0 && across <= 0 || down as usize >= height || across.unsigned_abs() >= width {
                continue;
            }
            let apart = (down * down + across * across) as f32;
            let (from, to) = (across.min(0).unsigned_abs(), width - across.max(0).unsigned_abs());
            for row in 0..height - down as usize {
                let (first, other) = (row * width, (row + down as usize) * width);
                for column in from..to {
                    let (one, two) = (first + column, other.wrapping_add_signed(column as isize + across));
                    let distance = apart + colour::squared_distance(pixels[one], pixels[two]);
                    let weight = (exponent * distance).exp();
                    densities[one] += weight;
                    densities[two] += weight;
                }
            }
        }
    }
    densities
}

/// The nearest denser pixel of every pixel, or the pixel itself where none is within `max_dist`.
fn parents(
    pixels: &[[f32; 3]],
    densities: &[f32],
    height: usize,
    width: usize,
    max_dist: f32,
    radius: isize,
) -> Vec<u32> {
    let mut steps: Vec<(isize, isize, isize)> = (-radius..=radius)
        .flat_map(|down| (-radius..=radius).map(move |across| (down * down + across * across, down, across)))
        .filter(|&(apart, ..)| apart > 0 && apart as f32 <= max_dist * max_dist)
        .collect();
    steps.sort_unstable();
    let parent = |pixel: usize| {
        let (row, column) = (pixel / width, pixel % width);
        let mut nearest = (max_dist * max_dist).next_up();
        let mut parent = pixel;
        for &(apart, down, across) in &steps {
            // Colour can only add to the distance.
            if apart as f32 >= nearest {
                break;
            }
            let (Some(row), Some(column)) = (row.checked_add_signed(down), column.checked_add_signed(across)) else {
                continue;
            };
            if row >= height || column >= width {
                continue;
            }
            let other = row * width + column;
            let denser = densities[other] > densities[pixel] || densities[other] == densities[pixel] && other < pixel;
            let distance = apart as f32 + colour::squared_distance(pixels[pixel], pixels[other]);
            if denser && distance < nearest {
                (nearest, parent) = (distance, other);
            }
        }
        parent as u32
    };
    (0..pixels.len()).map(parent).collect()
}
