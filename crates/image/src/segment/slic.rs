//! Compact regions of similar colour and size (Achanta et al. 2012, SLIC Superpixels Compared to State-of-the-Art
//! Superpixel Methods).

use super::{LabelMap, colour, grid::Points, neighbours, refuse};
use crate::{ImageError, Planes, gaussian_blur};

/// How [`slic`] cuts; names, defaults and meanings are scikit-image's.
#[derive(Clone, Debug, PartialEq)]
pub struct Slic {
    /// About how many regions are wanted, from 1; at most one per pixel.
    pub n_segments: usize,
    /// What distance counts against colour: higher gives squarer regions. From 0.000001 to 1000000; good values depend
    /// on the picture, and in CIELAB lie around 10. With `slic_zero` only where every region starts from.
    pub compactness: f32,
    /// Most rounds of assigning pixels and moving centres, from 1.
    pub max_num_iter: usize,
    /// Standard deviation of the blur in front, in pixels; 0 for none.
    pub sigma: f32,
    /// Makes every region connected: pieces smaller than `min_size_factor` join a neighbour, and what is larger than
    /// `max_size_factor` is split.
    pub enforce_connectivity: bool,
    /// Smallest connected region, as part of a region's even share of the pixels, from 0.
    pub min_size_factor: f32,
    /// Largest connected region before small ones join it, as a multiple of a region's even share, from 0.
    pub max_size_factor: f32,
    /// Divides the differences of colour within each region by the largest seen there, so that smooth and textured regions
    /// become equally compact.
    pub slic_zero: bool,
    /// Compares colours in CIELAB (lightness 0 to 100) rather than as they are.
    pub convert2lab: bool,
}

impl Default for Slic {
    fn default() -> Self {
        Slic {
            n_segments: 100,
            compactness: 10.0,
            max_num_iter: 10,
            sigma: 0.0,
            enforce_connectivity: true,
            min_size_factor: 0.5,
            max_size_factor: 3.0,
            slic_zero: false,
            convert2lab: true,
        }
    }
}

impl Slic {
    fn check(&self, planes: &Planes) -> Result<(), ImageError> {
        colour::check(planes)?;
        colour::check_sigma(self.sigma, planes)?;
        for (name, number) in [("n_segments", self.n_segments), ("max_num_iter", self.max_num_iter)] {
            if number == 0 {
                return refuse(format!("{name} is 0 and must be at least 1"));
            }
        }
        for (name, value, least) in [
            ("compactness", self.compactness, 1e-6),
            ("min_size_factor", self.min_size_factor, 0.0),
            ("max_size_factor", self.max_size_factor, 0.0),
        ] {
            if !(value >= least && value <= 1e6) {
                return refuse(format!("{name} is {value} and must lie between {least} and 1000000"));
            }
        }
        Ok(())
    }
}

/// Clusters pixels by position and colour around centres that begin on a regular grid.
///
/// The picture's values are stretched to 0..1 first, all channels together, so that `compactness` means the same for
/// dim and bright pictures. Regions are connected by sides when `enforce_connectivity` is on.
///
/// # Errors
/// [`ImageError::Length`] and [`ImageError::Regions`] for planes that are no picture and parameters out of range.
pub fn slic(planes: &Planes, parameters: &Slic) -> Result<LabelMap, ImageError> {
    parameters.check(planes)?;
    let (height, width) = (planes.height, planes.width);
    let stretched = stretch(planes);
    let converted = if parameters.convert2lab { colour::to_lab(&stretched) } else { stretched };
    let weight = 1.0 / parameters.compactness;
    let pixels = colour::pixels(&gaussian_blur(&converted, parameters.sigma).map(|value| value * weight));

    let points = Points::new(height, width, parameters.n_segments);
    let step = points.rows.1.max(points.columns.1);
    let mut centres: Vec<Centre> = points
        .positions(height, width)
        // All of one colour: the first round goes by position alone.
        .map(|(row, column)| Centre { row: row as f32, column: column as f32, colour: [0.0; 3], widest: 1.0 })
        .collect();
    let mut assignment = Assignment::new(height, width, centres.len());
    for _ in 0..parameters.max_num_iter {
        if !assignment.assign(&pixels, &centres, 1.0 / (step * step) as f32) {
            break;
        }
        assignment.move_centres(&pixels, &mut centres);
        if parameters.slic_zero {
            assignment.widen(&pixels, &mut centres);
        }
    }
    if !parameters.enforce_connectivity {
        return LabelMap::new(height, width, &assignment.nearest);
    }
    let share = (height * width) as f32 / centres.len() as f32;
    let smallest = (parameters.min_size_factor * share) as usize;
    let largest = (parameters.max_size_factor * share) as usize;
    LabelMap::new(height, width, &connect(&assignment.nearest, height, width, smallest, largest))
}

/// The values of all channels stretched to 0..1; a picture of one value becomes black.
fn stretch(planes: &Planes) -> Planes {
    let (low, high) =
        planes.values.iter().fold((f32::MAX, f32::MIN), |(low, high), &value| (low.min(value), high.max(value)));
    let range = if high > low { high - low } else { 1.0 };
    planes.map(|value| (value - low) / range)
}

struct Centre {
    row: f32,
    column: f32,
    colour: [f32; 3],
    /// The largest squared difference of colour seen in the region, for `slic_zero`; otherwise 1.
    widest: f32,
}

/// Which centre each pixel is nearest to.
struct Assignment {
    height: usize,
    width: usize,
    /// How many rows and columns from its centre a pixel may be.
    reach: (f32, f32),
    nearest: Vec<u32>,
    distances: Vec<f32>,
}

impl Assignment {
    /// The reach is two steps of an even grid of as many points as there are centres.
    fn new(height: usize, width: usize, centres: usize) -> Self {
        let grid = Points::new(height, width, centres);
        let reach = (2.0 * grid.rows.1 as f32, 2.0 * grid.columns.1 as f32);
        let area = height * width;
        Assignment { height, width, reach, nearest: vec![0; area], distances: vec![f32::MAX; area] }
    }

    /// Gives every pixel to the nearest centre within reach; one out of reach of all stays with the one it had. Squares of
    /// distances in pixels count `nearness`. Whether anything changed.
    fn assign(&mut self, pixels: &[[f32; 3]], centres: &[Centre], nearness: f32) -> bool {
        self.distances.fill(f32::MAX);
        let before = self.nearest.clone();
        // A cast from float saturates at 0.
        let window = |centre: f32, reach: f32, length: usize| {
            (centre - reach) as usize..((centre + reach + 1.0) as usize).min(length)
        };
        for (number, centre) in centres.iter().enumerate() {
            let per_colour = 1.0 / centre.widest;
            for row in window(centre.row, self.reach.0, self.height) {
                let down = (row as f32 - centre.row).powi(2);
                for column in window(centre.column, self.reach.1, self.width) {
                    let pixel = row * self.width + column;
                    let apart = nearness * (down + (column as f32 - centre.column).powi(2));
                    let distance = apart + per_colour * colour::squared_distance(pixels[pixel], centre.colour);
                    if distance < self.distances[pixel] {
                        self.distances[pixel] = distance;
                        self.nearest[pixel] = number as u32;
                    }
                }
            }
        }
        self.nearest != before
    }

    /// Moves every centre to the mean position and colour of its pixels. One without pixels gets no number for a position
    /// (0 / 0), and with that an empty window for good.
    fn move_centres(&self, pixels: &[[f32; 3]], centres: &mut [Centre]) {
        let mut sums = vec![[0.0_f64; 6]; centres.len()];
        for (pixel, (&nearest, colour)) in self.nearest.iter().zip(pixels).enumerate() {
            let (row, column) = ((pixel / self.width) as f64, (pixel % self.width) as f64);
            let values = [1.0, row, column, f64::from(colour[0]), f64::from(colour[1]), f64::from(colour[2])];
            for (sum, value) in sums[nearest as usize].iter_mut().zip(values) {
                *sum += value;
            }
        }
        for (centre, [count, sums @ ..]) in centres.iter_mut().zip(sums) {
            let [row, column, colour @ ..] = sums.map(|sum| (sum / count) as f32);
            *centre = Centre { row, column, colour, widest: centre.widest };
        }
    }

    /// Notes the largest difference of colour from each centre.
    fn widen(&self, pixels: &[[f32; 3]], centres: &mut [Centre]) {
        for (&nearest, &pixel) in self.nearest.iter().zip(pixels) {
            let centre = &mut centres[nearest as usize];
            centre.widest = centre.widest.max(colour::squared_distance(pixel, centre.colour));
        }
    }
}

/// Numbers connected pieces anew, in the order of their first pixels. A piece ends when it has `largest` pixels; one with
/// less than `smallest` takes the number of an earlier piece at its border, the first one that of its successor, which
/// always touches it.
fn connect(labels: &[u32], height: usize, width: usize, smallest: usize, largest: usize) -> Vec<u32> {
    const NONE: u32 = u32::MAX;
    let mut numbers = vec![NONE; labels.len()];
    let mut next = 0;
    let mut piece = Vec::new();
    for start in 0..labels.len() {
        if numbers[start] != NONE {
            continue;
        }
        let mut bordering = 0;
        piece.clear();
        piece.push(start);
        numbers[start] = next;
        let mut visited = 0;
        while visited < piece.len() && piece.len() < largest {
            for neighbour in neighbours(piece[visited], height, width) {
                if numbers[neighbour] == NONE && labels[neighbour] == labels[start] {
                    numbers[neighbour] = next;
                    piece.push(neighbour);
                    if piece.len() >= largest {
                        break;
                    }
                } else if numbers[neighbour] != NONE && numbers[neighbour] != next {
                    bordering = numbers[neighbour];
                }
            }
            visited += 1;
        }
        if piece.len() < smallest {
            piece.iter().for_each(|&pixel| numbers[pixel] = bordering);
        } else {
            next += 1;
        }
    }
    numbers
}
