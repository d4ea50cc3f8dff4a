//! Regions by the differences along and across their borders (Felzenszwalb and Huttenlocher 2004, Efficient
//! Graph-Based Image Segmentation).

use super::{LabelMap, colour, find, refuse};
use crate::{ImageError, Planes, gaussian_blur};

/// How [`felzenszwalb`] cuts; names, defaults and meanings are scikit-image's.
#[derive(Clone, Debug, PartialEq)]
pub struct Felzenszwalb {
    /// How large regions become, in levels of 255: the paper's `k`. From 0.
    pub scale: f32,
    /// Standard deviation of the blur in front, in pixels; 0 for none.
    pub sigma: f32,
    /// Fewest pixels of a region; smaller ones join the neighbour that differs least.
    pub min_size: usize,
}

impl Default for Felzenszwalb {
    fn default() -> Self {
        Felzenszwalb { scale: 1.0, sigma: 0.8, min_size: 20 }
    }
}

/// One of the at most eight neighbours a pixel is compared with. The derived order is that of the differences.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    /// The bits of the difference: of numbers without sign they are in the numbers' order.
    difference: u32,
    pixel: u32,
    other: u32,
}

/// Joins pixels, the most alike first, as long as the difference between two regions is no larger than what each has
/// inside, plus `scale` over its area.
///
/// Regions are connected by sides or corners. The difference of two pixels is the distance of their colours.
///
/// # Errors
/// [`ImageError::Length`] and [`ImageError::Regions`] for planes that are no picture and parameters out of range.
pub fn felzenszwalb(planes: &Planes, parameters: &Felzenszwalb) -> Result<LabelMap, ImageError> {
    colour::check(planes)?;
    let Felzenszwalb { scale, sigma, min_size } = *parameters;
    colour::check_sigma(sigma, planes)?;
    if !(scale >= 0.0 && scale.is_finite()) {
        return refuse(format!("scale is {scale} and must be a number from 0"));
    }
    let edges = edges(&gaussian_blur(planes, sigma));
    let area = planes.height * planes.width;
    let mut parents: Vec<u32> = (0..area as u32).collect();
    let mut areas = vec![1_u32; area];
    let mut inside = vec![0.0_f32; area];
    let scale = scale / 255.0;
    for edge in &edges {
        let (one, other) = (find(&mut parents, edge.pixel), find(&mut parents, edge.other));
        let difference = f32::from_bits(edge.difference);
        let bound = |root: u32| inside[root as usize] + scale / areas[root as usize] as f32;
        if one != other && difference < bound(one).min(bound(other)) {
            let root = join(&mut parents, &mut areas, one, other);
            // Differences only grow from edge to edge.
            inside[root as usize] = difference;
        }
    }
    for edge in &edges {
        let (one, other) = (find(&mut parents, edge.pixel), find(&mut parents, edge.other));
        if one != other && (areas[one as usize].min(areas[other as usize]) as usize) < min_size {
            join(&mut parents, &mut areas, one, other);
        }
    }
    let roots: Vec<u32> = (0..area as u32).map(|pixel| find(&mut parents, pixel)).collect();
    Ok(LabelMap::of_representatives(planes.height, planes.width, &roots))
}

/// The larger region takes the smaller one in.
fn join(parents: &mut [u32], areas: &mut [u32], one: u32, other: u32) -> u32 {
    let (root, joining) = if areas[one as usize] < areas[other as usize] { (other, one) } else { (one, other) };
    parents[joining as usize] = root;
    areas[root as usize] += areas[joining as usize];
    root
}

/// All pairs of pixels that share a side or a corner, the most alike first.
fn edges(planes: &Planes) -> Vec<Edge> {
    let Planes { height, width, .. } = *planes;
    let pixels = colour::pixels(planes);
    let mut edges = Vec::with_capacity(4 * pixels.len());
    let mut add = |pixel: usize, other: usize| {
        let difference = colour::squared_distance(pixels[pixel], pixels[other]).sqrt().to_bits();
        edges.push(Edge { difference, pixel: pixel as u32, other: other as u32 });
    };
    for row in 0..height {
        for column in 0..width {
            let pixel = row * width + column;
            let (right, below) = (column + 1 < width, row + 1 < height);
            if right {
                add(pixel, pixel + 1);
            }
            if below {
                add(pixel, pixel + width);
            }
            if right && below {
                add(pixel, pixel + width + 1);
                add(pixel + 1, pixel + width);
            }
        }
    }
    edges.sort_unstable();
    edges
}
