//! Regions made connected, and their areas bounded.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{LabelMap, colour, find, neighbours, refuse};
use crate::{ImageError, Planes};

/// Which neighbour a region joins that is too small.
#[derive(Clone, Copy, Debug)]
pub enum MergeInto<'a> {
    /// The one whose mean colour is nearest in these planes, which have the map's size.
    MostSimilar(&'a Planes),
    /// The one it shares the most sides of pixels with.
    LongestBorder,
}

/// Every connected piece of every region as a region of its own; pixels are connected by their sides.
///
/// # Errors
/// What [`LabelMap::new`] refuses.
pub fn connected(map: &LabelMap) -> Result<LabelMap, ImageError> {
    let map = LabelMap::new(map.height, map.width, &map.labels)?;
    let mut parents: Vec<u32> = (0..map.labels.len() as u32).collect();
    for pixel in 0..map.labels.len() {
        for neighbour in neighbours(pixel, map.height, map.width).filter(|&neighbour| neighbour > pixel) {
            if map.labels[pixel] == map.labels[neighbour] {
                let (one, other) = (find(&mut parents, pixel as u32), find(&mut parents, neighbour as u32));
                parents[one.max(other) as usize] = one.min(other);
            }
        }
    }
    let roots: Vec<u32> = (0..map.labels.len() as u32).map(|pixel| find(&mut parents, pixel)).collect();
    Ok(LabelMap::of_representatives(map.height, map.width, &roots))
}

/// Joins regions of less than `min_area` pixels with a neighbour, the smallest first, until there are none or only one
/// region is left. Of equal neighbours, the first in the order of labels is taken.
///
/// Connected regions stay connected.
///
/// # Errors
/// What [`LabelMap::new`] refuses, and planes that are no picture or of another size.
pub fn merge_small(map: &LabelMap, min_area: usize, into: MergeInto) -> Result<LabelMap, ImageError> {
    let map = LabelMap::new(map.height, map.width, &map.labels)?;
    let mut regions = Regions::new(&map, into)?;
    let mut parents: Vec<u32> = (0..map.count as u32).collect();
    let mut small: BinaryHeap<Reverse<(usize, u32)>> = BinaryHeap::new();
    let too_small = |area: usize, label: u32| (area < min_area).then_some(Reverse((area, label)));
    small.extend(regions.areas.iter().zip(0..).filter_map(|(&area, label)| too_small(area, label)));
    while let Some(Reverse((area, label))) = small.pop() {
        // Regions that have grown or gone since they were noted are noted anew.
        if parents[label as usize] != label || regions.areas[label as usize] != area {
            continue;
        }
        let Some(neighbour) = regions.neighbour(label, &mut parents) else { break };
        regions.join(label, neighbour);
        parents[label as usize] = neighbour;
        small.extend(too_small(regions.areas[neighbour as usize], neighbour));
    }
    let merged: Vec<u32> = map.labels.iter().map(|&label| find(&mut parents, label)).collect();
    LabelMap::new(map.height, map.width, &merged)
}

/// What is known of every region while regions are joined.
struct Regions {
    areas: Vec<usize>,
    /// Sums of colours; none where only borders count.
    colours: Option<Vec<[f64; 3]>>,
    /// The neighbours as they were named when noted, with the lengths of the borders; a neighbour may stand there often.
    borders: Vec<Vec<(u32, u32)>>,
}

impl Regions {
    fn new(map: &LabelMap, into: MergeInto) -> Result<Self, ImageError> {
        let mut borders = vec![Vec::new(); map.count];
        for (pixel, &label) in map.labels.iter().enumerate() {
            for neighbour in neighbours(pixel, map.height, map.width) {
                let other = map.labels[neighbour];
                match borders[label as usize].last_mut() {
                    Some((last, length)) if *last == other => *length += 1,
                    _ if other != label => borders[label as usize].push((other, 1)),
                    _ => {}
                }
            }
        }
        let colours = match into {
            MergeInto::LongestBorder => None,
            MergeInto::MostSimilar(planes) => {
                colour::check(planes)?;
                if (planes.height, planes.width) != (map.height, map.width) {
                    return refuse(format!(
                        "the picture has {} x {} pixels and the label map {} x {}",
                        planes.height, planes.width, map.height, map.width
                    ));
                }
                let mut sums = vec![[0.0; 3]; map.count];
                for (&label, colour) in map.labels.iter().zip(colour::pixels(planes)) {
                    sums[label as usize] = add(sums[label as usize], colour.map(f64::from));
                }
                Some(sums)
            }
        };
        Ok(Regions { areas: map.areas(), colours, borders })
    }

    /// The neighbour to join with; none where a region is all there is.
    fn neighbour(&mut self, label: u32, parents: &mut [u32]) -> Option<u32> {
        let mut borders = std::mem::take(&mut self.borders[label as usize]);
        for (neighbour, _) in &mut borders {
            *neighbour = find(parents, *neighbour);
        }
        borders.retain(|&(neighbour, _)| neighbour != label);
        borders.sort_unstable();
        let runs = borders.chunk_by(|one, other| one.0 == other.0);
        let lengths = runs.map(|run| (run[0].0, run.iter().map(|&(_, length)| length).sum::<u32>()));
        let unlike = |(neighbour, length): (u32, u32)| match &self.colours {
            None => (-f64::from(length), neighbour),
            Some(sums) => {
                let mean = |label: u32| sums[label as usize].map(|sum| sum / self.areas[label as usize] as f64);
                let (one, other) = (mean(label), mean(neighbour));
                (one.iter().zip(other).map(|(one, other)| (one - other).powi(2)).sum(), neighbour)
            }
        };
        let best = lengths.map(unlike).min_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, neighbour)| neighbour);
        self.borders[label as usize] = borders;
        best
    }

    fn join(&mut self, label: u32, neighbour: u32) {
        let (label, neighbour) = (label as usize, neighbour as usize);
        self.areas[neighbour] += self.areas[label];
        if let Some(sums) = &mut self.colours {
            sums[neighbour] = add(sums[neighbour], sums[label]);
        }
        let borders = std::mem::take(&mut self.borders[label]);
        self.borders[neighbour].extend(borders);
    }
}

fn add(one: [f64; 3], other: [f64; 3]) -> [f64; 3] {
    [one[0] + other[0], one[1] + other[1], one[2] + other[2]]
}

/// Halves regions of more than `max_area` pixels across their longer side, again and again, and gives every connected
/// piece that results a label of its own.
///
/// # Errors
/// What [`LabelMap::new`] refuses, and a `max_area` of zero.
pub fn split_large(map: &LabelMap, max_area: usize) -> Result<LabelMap, ImageError> {
    if max_area == 0 {
        return refuse("the largest area is 0 pixels and must be at least 1".to_owned());
    }
    let mut map = connected(map)?;
    loop {
        let areas = map.areas();
        if areas.iter().all(|&area| area <= max_area) {
            return Ok(map);
        }
        let mut members = vec![Vec::new(); map.count];
        for (pixel, &label) in map.labels.iter().enumerate() {
            members[label as usize].push(pixel);
        }
        let mut labels = map.labels.clone();
        for (pixels, label) in members.iter_mut().zip(map.count as u32..).filter(|(pixels, _)| pixels.len() > max_area)
        {
            sort_along_longer_side(pixels, map.width);
            pixels[..pixels.len() / 2].iter().for_each(|&pixel| labels[pixel] = label);
        }
        map = connected(&LabelMap { labels, ..map })?;
    }
}

/// Sorts pixels by row where the region is higher than wide, otherwise by column.
fn sort_along_longer_side(pixels: &mut [usize], width: usize) {
    let span = |place: fn(usize, usize) -> usize| {
        let places = pixels.iter().map(|&pixel| place(pixel, width));
        places.clone().max().unwrap_or(0) - places.min().unwrap_or(0)
    };
    if span(|pixel, width| pixel / width) <= span(|pixel, width| pixel % width) {
        // Stable: within a column, the rows' order stays.
        pixels.sort_by_key(|&pixel| pixel % width);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(height: usize, width: usize, labels: &[u32]) -> LabelMap {
        LabelMap::new(height, width, labels).unwrap()
    }

    #[test]
    fn pieces_that_touch_at_corners_only_are_parted() {
        let checkers = map(2, 2, &[0, 1, 1, 0]);
        assert_eq!(connected(&checkers).unwrap().labels, [0, 1, 2, 3]);
        // A ring around another region is one piece.
        let ring = map(3, 3, &[0, 0, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(connected(&ring).unwrap(), ring);
    }

    #[test]
    fn a_small_region_joins_its_longest_border_or_its_like() {
        // The region of two pixels shares three sides with the left one and one with the right one.
        let regions = map(2, 4, &[0, 0, 1, 2, 0, 0, 1, 2]);
        let l_shaped = map(2, 4, &[0, 1, 1, 2, 0, 0, 0, 2]);
        assert_eq!(merge_small(&l_shaped, 3, MergeInto::LongestBorder).unwrap().labels, [0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(merge_small(&l_shaped, 2, MergeInto::LongestBorder).unwrap(), l_shaped);
        // By colour, 0.8 goes to 1.0 rather than to 0.0; the two then have four pixels.
        let picture = Planes { channels: 1, height: 2, width: 4, values: [0.0, 0.0, 0.8, 1.0].repeat(2) };
        let joined = merge_small(&regions, 3, MergeInto::MostSimilar(&picture)).unwrap();
        assert_eq!(joined.labels, [0, 0, 1, 1, 0, 0, 1, 1]);
    }

    #[test]
    fn merging_ends_when_one_region_is_left() {
        let merged = merge_small(&map(1, 3, &[0, 1, 2]), 100, MergeInto::LongestBorder).unwrap();
        assert_eq!(merged, map(1, 3, &[0, 0, 0]));
    }

    #[test]
    fn large_regions_are_halved_across_their_longer_side() {
        let halved = split_large(&map(2, 4, &[0; 8]), 4).unwrap();
        assert_eq!(halved.labels, [0, 0, 1, 1, 0, 0, 1, 1]);
        let quartered = split_large(&map(4, 1, &[0; 4]), 1).unwrap();
        assert_eq!(quartered.labels, [0, 1, 2, 3]);
        assert!(split_large(&map(1, 1, &[0]), 0).is_err());
    }

    #[test]
    fn a_picture_of_another_size_is_refused() {
        let picture = Planes::constant(1, 2, 3, 0.0);
        assert_eq!(
            merge_small(&map(1, 3, &[0, 1, 2]), 2, MergeInto::MostSimilar(&picture)).unwrap_err().to_string(),
            "the picture cannot be cut into regions: the picture has 2 x 3 pixels and the label map 1 x 3"
        );
    }
}
