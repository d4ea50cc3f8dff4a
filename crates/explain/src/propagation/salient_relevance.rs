//! Salient relevance: where the map of relevance propagation stands out from itself. Relevance is speckled all over the
//! picture; what is unlike everything around it is what a person would look at.
//!
//! Heyi Li, Yunke Tian, Klaus Mueller, Xin Chen: Beyond Saliency: Understanding Convolutional Neural Networks from Saliency
//! Prediction on Layer-wise Relevance Propagation. Image and Vision Computing 2019.
//!
//! The second step is the context-aware saliency of Goferman, Zelnik-Manor and Tal (CVPR 2010). Two patches of the map
//! differ by d = d_value / (1 + 3 d_position); a patch whose `similar` most similar ones differ by d on average has the
//! saliency 1 - exp(-d). That is averaged over scales of 1, 0.8, 0.5 and 0.3, and falls with the distance to the nearest
//! place that is looked at, one with more than 0.8 of the largest saliency.
//!
//! Departures and readings: the paper does not tell its rule, so the rules are those of this program's relevance
//! propagation. The map is averaged to `grid` cells along its longer side, where Goferman et al. take 250 pixels and
//! patches of 7. d_value is the root mean square of two patches' differences after the map is divided by its largest
//! magnitude, d_position the distance in longer sides; patches begin at every cell, repeat the map's edge beyond it, and
//! are compared with those of their own scale only, never with themselves. The distance to the nearest place looked at is
//! in longer sides too, and at most 1.

use std::collections::BTreeMap;

use vitrine_image::upsample_bilinear;
use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use super::{Composite, Lrp};
use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, LocalBoxFuture,
    options::{integer, number, options},
    sampler::size_of_picture,
};

/// Sizes of the map at which its patches are compared, as parts of the first.
const SCALES: [f64; 4] = [1.0, 0.8, 0.5, 0.3];

/// How much distance makes a difference count less.
const DISTANCE_WEIGHT: f32 = 3.0;

/// The part of the largest saliency above which a place is looked at.
const FOCUS: f32 = 0.8;

options! {
    /// Options of [`SalientRelevance`].
    pub struct SalientRelevanceOptions {
        /// Which rule of relevance propagation each layer gets.
        composite: Composite [Composite::kind()] = Composite::EpsilonPlus,
        /// What is added to denominators, in the direction of their sign.
        epsilon: f64 [number(1e-9, 1e3)] = 1e-6,
        /// Cells along the longer side of the map whose patches are compared. The work grows with the fourth power.
        grid: usize [integer(4, 96)] = 48,
        /// Cells along a patch's side.
        patch: usize [integer(1, 15)] = 5,
        /// With how many most similar patches each is compared.
        similar: usize [integer(1, 1000)] = 64,
        /// How many of the scales 1, 0.8, 0.5 and 0.3 are averaged.
        scales: usize [integer(1, 4)] = 4,
    }
}

/// Salient relevance (Li et al. 2019).
///
/// `Attribution::values` is the saliency at each pixel, from 0 to 1, and `shape` is `[height, width]`.
pub struct SalientRelevance;

impl Explainer for SalientRelevance {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "salient-relevance".to_owned(),
            name: "Salient Relevance".to_owned(),
            family: Family::Propagation,
            summary:
                "Hands the score back through the network and keeps the places where what arrives stands out. The \
                      map is smooth and easy to read, but it no longer tells what speaks for the answer from what \
                      speaks against it."
                    .to_owned(),
            reference: Reference {
                authors: "Heyi Li, Yunke Tian, Klaus Mueller, Xin Chen".to_owned(),
                year: 2019,
                title: "Beyond Saliency: Understanding Convolutional Neural Networks from Saliency Prediction on \
                        Layer-wise Relevance Propagation"
                    .to_owned(),
                venue: "Image and Vision Computing".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::ImageInput],
            parameters: SalientRelevanceOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = SalientRelevanceOptions::parse(context.parameters)?;
        Lrp.cost(&Context { parameters: &options.of_relevance(), ..*context })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

impl SalientRelevanceOptions {
    /// The parameters of the first step.
    fn of_relevance(&self) -> BTreeMap<String, String> {
        let (composite, epsilon) = (self.composite.id().to_owned(), self.epsilon.to_string());
        BTreeMap::from([("composite".to_owned(), composite), ("epsilon".to_owned(), epsilon)])
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = SalientRelevanceOptions::parse(context.parameters)?;
    let [height, width] = size_of_picture(context)?;
    let relevance = Lrp.explain(&Context { parameters: &options.of_relevance(), ..*context }).await?;
    let cells = options.grid as f64 / height.max(width).max(1) as f64;
    let size = scaled([height, width], cells.min(1.0));
    let saliency = saliency(&averaged(&relevance.map.values, [height, width], size), size, &options);
    let mut notes = relevance.notes;
    if saliency.iter().all(|value| *value == 0.0) {
        notes.push("The relevance is the same everywhere, so no place stands out.".to_owned());
    }
    let values = upsample_bilinear(&saliency, size, [height, width]);
    Ok(Attribution {
        map: HeatMap { height, width, values: values.clone() },
        values,
        shape: vec![height, width],
        completeness_gap: None,
        parameters: options.values(),
        notes,
        ..relevance
    })
}

/// The context-aware saliency of a map of this size, at each of its cells.
fn saliency(map: &[f32], size: [usize; 2], options: &SalientRelevanceOptions) -> Vec<f32> {
    let largest = map.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    if largest == 0.0 {
        return vec![0.0; map.len()];
    }
    let map: Vec<f32> = map.iter().map(|value| value / largest).collect();
    let scales = SCALES.get(..options.scales).unwrap_or(&SCALES);
    let mut found = vec![0.0; map.len()];
    for &scale in scales {
        let smaller = scaled(size, scale);
        let at_scale = at_scale(&averaged(&map, size, smaller), smaller, options);
        let share = 1.0 / scales.len() as f32;
        for (found, value) in found.iter_mut().zip(upsample_bilinear(&at_scale, smaller, size)) {
            *found += share * value;
        }
    }
    near_foci(&mut found, size);
    found
}

/// Saliency by the patches of one scale.
fn at_scale(map: &[f32], size: [usize; 2], options: &SalientRelevanceOptions) -> Vec<f32> {
    let [_, width] = size;
    let area = options.patch * options.patch;
    let patches = patches(map, size, options.patch);
    let patches: Vec<&[f32]> = patches.chunks(area).collect();
    let longer = size[0].max(size[1]) as f32;
    let between = |a: usize, b: usize| {
        let (rows, columns) = ((a / width).abs_diff(b / width), (a % width).abs_diff(b % width));
        (rows as f32).hypot(columns as f32) / longer
    };
    let mut differences = Vec::with_capacity(patches.len());
    let one = |(at, patch): (usize, &&[f32])| {
        differences.clear();
        let others = patches.iter().enumerate().filter(|(other, _)| *other != at);
        differences.extend(others.map(|(other, found)| {
            let squares: f32 = patch.iter().zip(*found).map(|(a, b)| (a - b) * (a - b)).sum();
            (squares / area as f32).sqrt() / (1.0 + DISTANCE_WEIGHT * between(at, other))
        }));
        let count = options.similar.min(differences.len());
        if count == 0 {
            return 0.0;
        }
        differences.select_nth_unstable_by(count - 1, f32::total_cmp);
        let mean = differences.iter().take(count).sum::<f32>() / count as f32;
        1.0 - (-mean).exp()
    };
    patches.iter().enumerate().map(one).collect()
}

/// The patch around each cell, one after the other.
fn patches(map: &[f32], [height, width]: [usize; 2], side: usize) -> Vec<f32> {
    let mut found = Vec::with_capacity(map.len() * side * side);
    let within = |at: usize, offset: usize, length: usize| (at + offset).saturating_sub(side / 2).min(length - 1);
    for cell in 0..map.len() {
        for offset in 0..side * side {
            let row = within(cell / width, offset / side, height);
            let column = within(cell % width, offset % side, width);
            found.push(map.get(row * width + column).copied().unwrap_or(0.0));
        }
    }
    found
}

/// Lowers saliency by the distance to the nearest place that is looked at.
fn near_foci(saliency: &mut [f32], [height, width]: [usize; 2]) {
    let largest = saliency.iter().copied().fold(0.0, f32::max);
    let is_focus = |value: f32| value > FOCUS * largest;
    let foci: Vec<[usize; 2]> = saliency
        .iter()
        .enumerate()
        .filter(|(_, value)| is_focus(**value))
        .map(|(at, _)| [at / width, at % width])
        .collect();
    let longer = height.max(width) as f32;
    for (at, value) in saliency.iter_mut().enumerate() {
        let (row, column) = (at / width, at % width);
        let distance = |focus: &[usize; 2]| (row.abs_diff(focus[0]) as f32).hypot(column.abs_diff(focus[1]) as f32);
        let nearest = foci.iter().map(distance).fold(f32::INFINITY, f32::min);
        *value *= 1.0 - (nearest / longer).min(1.0);
    }
}

/// A size times a factor, at least one cell each way.
fn scaled(size: [usize; 2], factor: f64) -> [usize; 2] {
    size.map(|length| ((length as f64 * factor).round() as usize).max(1))
}

/// A map averaged to a size that is not larger: each cell is the mean of the pixels that it touches.
fn averaged(map: &[f32], from: [usize; 2], to: [usize; 2]) -> Vec<f32> {
    let range = |at: usize, axis: usize| at * from[axis] / to[axis]..((at + 1) * from[axis]).div_ceil(to[axis]);
    let cell = |at: usize| {
        let (rows, columns) = (range(at / to[1], 0), range(at % to[1], 1));
        let count = rows.len() * columns.len();
        let pixels = rows.flat_map(|row| columns.clone().map(move |column| row * from[1] + column));
        pixels.filter_map(|pixel| map.get(pixel)).sum::<f32>() / count.max(1) as f32
    };
    (0..to[0] * to[1]).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use vitrine_onnx::{Node, Tensor};

    use super::*;
    use crate::testing::{Question, assert_close, graph};

    fn options(patch: usize, similar: usize, scales: usize) -> SalientRelevanceOptions {
        SalientRelevanceOptions { patch, similar, scales, ..SalientRelevanceOptions::default() }
    }

    #[test]
    fn a_uniform_map_has_no_saliency() {
        assert_eq!(saliency(&[0.3; 30], [5, 6], &options(3, 4, 4)), [0.0; 30]);
        assert_eq!(saliency(&[0.0; 30], [5, 6], &options(3, 4, 4)), [0.0; 30]);
    }

    /// Of 2 x 2 single cells the last differs from the others by 1 at distances of 1/2, 1/2 and root 2 over 2: by
    /// 1 / 2.5 and, nearest, 1 / (1 + 3 / root 2). The others have two equals each.
    #[test]
    fn one_odd_patch_stands_out_by_the_formula() {
        let mean = (1.0 / 2.5 + 1.0 / (1.0 + 3.0 / 2.0_f32.sqrt())) / 2.0;
        let expected = [0.0, 0.0, 0.0, 1.0 - (-mean).exp()];
        assert_close(&saliency(&[0.0, 0.0, 0.0, -4.0], [2, 2], &options(1, 2, 1)), &expected, 1e-6);
    }

    /// In a row of three cells with patches of three, edges repeated: the patches of [0, 0, 1] are 000, 001 and 011, whose
    /// squares differ by 1/3 between neighbours and 2/3 between the outer ones. Compared with the most similar one alone:
    /// root 1/3 over 1 + 3/3 for each neighbour, root 2/3 over 1 + 3 2/3 for the outer ones, which is less.
    #[test]
    fn patches_repeat_the_edge_and_rows_are_distances() {
        let outer = (2.0_f32 / 3.0).sqrt() / 3.0;
        let middle = (1.0_f32 / 3.0).sqrt() / 2.0;
        // A patch of three rows of which there is one has the same numbers thrice.
        let [outer, middle] = [outer, middle].map(|difference| 1.0 - (-difference).exp());
        // All are above 0.8 of the largest, so all are looked at.
        assert_close(&saliency(&[0.0, 0.0, 1.0], [1, 3], &options(3, 1, 1)), &[outer, middle, outer], 1e-6);
    }

    #[test]
    fn saliency_falls_with_the_distance_to_what_is_looked_at() {
        let mut found = [1.0, 0.5, 0.5, 0.9, 0.4, 0.0];
        near_foci(&mut found, [2, 3]);
        // In longer sides of 3: the foci are the first cells of both rows.
        let diagonal = 0.0;
        let expected = [1.0, 0.5 * (1.0 - 1.0 / 3.0), 0.5 * (1.0 - 2.0 / 3.0), 0.9, 0.4 * (1.0 - 1.0 / 3.0), diagonal];
        assert_close(&found, &expected, 1e-6);
    }

    #[test]
    fn cells_are_means_of_the_pixels_they_touch() {
        let map: Vec<f32> = (0..12).map(|at| at as f32).collect();
        assert_eq!(averaged(&map, [3, 4], [3, 2]), [0.5, 2.5, 4.5, 6.5, 8.5, 10.5]);
        // Three rows in two cells: the middle one touches both.
        assert_eq!(averaged(&[1.0, 2.0, 6.0], [3, 1], [2, 1]), [1.5, 4.0]);
    }

    /// Relevance of a linear model by epsilon is weight times input: only one pixel has any.
    #[test]
    fn the_pixel_with_relevance_stands_out() {
        let nodes = vec![Node::new("Flatten", &["x"], &["flat"]), Node::new("MatMul", &["flat", "w"], &["y"])];
        let weights = Tensor::from_f32("w", &[16, 2], &[0.5; 32]);
        let mut input = [0.0; 16];
        input[10] = 3.0;
        let question = Question::new(graph(&[1, 4, 4], nodes, vec![weights], 2), &input);
        let question = question.with("patch", "1").with("similar", "15").with("scales", "1").with("grid", "4");
        let found = pollster::block_on(SalientRelevance.explain(&question.context())).unwrap();
        let best = found.values.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
        assert_eq!((best.0, found.shape.clone(), found.forward_passes), (10, vec![4, 4], 1));
        assert_eq!(found.prediction, 1.5);
        let nothing = pollster::block_on(
            SalientRelevance.explain(
                &Question::new(
                    graph(
                        &[1, 4, 4],
                        vec![Node::new("Flatten", &["x"], &["flat"]), Node::new("MatMul", &["flat", "w"], &["y"])],
                        vec![Tensor::from_f32("w", &[16, 2], &[0.0; 32])],
                        2,
                    ),
                    &input,
                )
                .context(),
            ),
        )
        .unwrap();
        assert!(nothing.values.iter().all(|value| *value == 0.0));
        assert!(nothing.notes.iter().any(|note| note.contains("no place stands out")), "{:?}", nothing.notes);
    }
}
