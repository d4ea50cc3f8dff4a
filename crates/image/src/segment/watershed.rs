//! Regions as basins of the picture's edges (Beucher and Lantuéjoul 1979; flooded as by Meyer 1991; compact as by
//! Neubert and Protzel 2014).

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{LabelMap, colour, grid::Points, neighbours, refuse};
use crate::{ImageError, Planes};

/// How [`watershed`] cuts; names, defaults and meanings are scikit-image's, for its Sobel filter of the picture in grey.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watershed {
    /// Where the regions begin.
    pub markers: Markers,
    /// What a pixel of distance from its marker counts against the height of an edge: higher gives rounder regions. From
    /// 0 to 1000000.
    pub compactness: f32,
}

/// Where the regions of a [`watershed`] begin; each marker is one region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Markers {
    /// In every flat place that is lower than all around it: usually very many regions.
    #[default]
    Minima,
    /// At about so many points in even rows and columns, from 1; at most one per pixel.
    Grid(usize),
}

/// Floods the height of the picture's edges from the markers, lowest pixels first, until the floods meet.
///
/// Regions are connected by sides.
///
/// # Errors
/// [`ImageError::Length`] and [`ImageError::Regions`] for planes that are no picture and parameters out of range.
pub fn watershed(planes: &Planes, parameters: &Watershed) -> Result<LabelMap, ImageError> {
    colour::check(planes)?;
    let Watershed { markers, compactness } = *parameters;
    if !(0.0..=1e6).contains(&compactness) {
        return refuse(format!("compactness is {compactness} and must lie between 0 and 1000000"));
    }
    let (height, width) = (planes.height, planes.width);
    let heights = sobel(&colour::grey(planes), height, width);
    let starts = match markers {
        Markers::Minima => minima(&heights, height, width),
        Markers::Grid(0) => return refuse("the number of markers is 0 and must be at least 1".to_owned()),
        Markers::Grid(count) => {
            let mut starts = vec![NONE; heights.len()];
            for (row, column) in Points::new(height, width, count).positions(height, width) {
                starts[row * width + column] = (row * width + column) as u32;
            }
            starts
        }
    };
    LabelMap::new(height, width, &flood(&heights, height, width, starts, compactness))
}

/// A pixel that no marker has reached.
const NONE: u32 = u32::MAX;

/// Heights are whole multiples of one part of so many, so that equal edges are equal however they were rounded.
const STEPS: f32 = 65536.0;

/// The height of edges: the root mean square of the differences down and across, each smoothed the other way. Beyond
/// its edges the picture goes on with its outermost pixels.
fn sobel(grey: &[f32], height: usize, width: usize) -> Vec<f32> {
    let mut heights = Vec::with_capacity(grey.len());
    for row in 0..height {
        let rows = [row.saturating_sub(1), row, (row + 1).min(height - 1)];
        for column in 0..width {
            let columns = [column.saturating_sub(1), column, (column + 1).min(width - 1)];
            let [above, middle, below] = rows.map(|row| columns.map(|column| grey[row * width + column]));
            let smooth = |[a, b, c]: [f32; 3]| (a + 2.0 * b + c) / 4.0;
            let side = |index: usize| smooth([above[index], middle[index], below[index]]);
            let down = smooth(above) - smooth(below);
            let across = side(0) - side(2);
            heights.push((((down * down + across * across) / 2.0).sqrt() * STEPS).round() / STEPS);
        }
    }
    heights
}

/// Connected pixels of one height with higher ones only around them: each names the first of them, all other pixels
/// [`NONE`]. A picture of one height is such a place itself.
fn minima(heights: &[f32], height: usize, width: usize) -> Vec<u32> {
    let mut minima = vec![NONE; heights.len()];
    let mut seen = vec![false; heights.len()];
    let mut place = Vec::new();
    for start in 0..heights.len() {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        place.clear();
        place.push(start);
        let mut lowest = true;
        let mut visited = 0;
        while let Some(&pixel) = place.get(visited) {
            for neighbour in neighbours(pixel, height, width) {
                lowest &= heights[neighbour] >= heights[start];
                if heights[neighbour] == heights[start] && !seen[neighbour] {
                    seen[neighbour] = true;
                    place.push(neighbour);
                }
            }
            visited += 1;
        }
        if lowest {
            place.iter().for_each(|&pixel| minima[pixel] = start as u32);
        }
    }
    minima
}

/// Gives every pixel the marker that reaches it first. Of pixels of one height those come first that were reached first.
fn flood(heights: &[f32], height: usize, width: usize, starts: Vec<u32>, compactness: f32) -> Vec<u32> {
    let mut reached = starts;
    // Height as bits, which for numbers without sign are in the numbers' order; age; pixel; the marker's pixel.
    let mut front = BinaryHeap::new();
    let mut age = 0_u32;
    for pixel in (0..reached.len()).filter(|&pixel| reached[pixel] != NONE) {
        front.push(Reverse((heights[pixel].to_bits(), 0, pixel as u32, pixel as u32)));
    }
    while let Some(Reverse((level, _, pixel, source))) = front.pop() {
        let pixel = pixel as usize;
        if compactness > 0.0 {
            // Several floods may be on their way to a pixel; it belongs to the one that arrives first.
            if reached[pixel] != NONE && pixel != source as usize {
                continue;
            }
            reached[pixel] = reached[source as usize];
        }
        for neighbour in neighbours(pixel, height, width) {
            if reached[neighbour] != NONE {
                continue;
            }
            age += 1;
            let mut height = heights[neighbour];
            if compactness > 0.0 {
                height += compactness * distance(neighbour, source as usize, width);
            } else {
                reached[neighbour] = reached[pixel];
            }
            // What lies below the flood's level is under water already.
            front.push(Reverse((height.to_bits().max(level), age, neighbour as u32, source)));
        }
    }
    reached
}

/// How far two pixels are apart.
fn distance(one: usize, other: usize, width: usize) -> f32 {
    let down = (one / width).abs_diff(other / width) as f32;
    let across = (one % width).abs_diff(other % width) as f32;
    (down * down + across * across).sqrt()
}
