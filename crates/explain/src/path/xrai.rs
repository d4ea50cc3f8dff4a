//! XRAI: the attribution of whole regions. The picture is cut into segments at several scales; one after the other, the segment
//! whose new pixels have the highest mean attribution is taken, and they get that mean.
//!
//! Andrei Kapishnikov, Tolga Bolukbasi, Fernanda Viégas, Michael Terry: XRAI: Better Attributions Through Regions. ICCV 2019.
//!
//! Readings and departures: sizes that the authors' program states for 224 x 224 pixels (smallest segment 150 pixels, widening
//! by 5, at least 50 new pixels) are scaled to the picture, which is cut at its own size; channels are summed, as in the paper,
//! where the program takes the largest; any method's map can be taken. Where that method has a baseline and none is given, the
//! maps of a black and of a white one are averaged.

use std::collections::BTreeMap;

use vitrine_image::{
    segment::{Felzenszwalb, felzenszwalb},
    to_planes,
};
use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, LocalBoxFuture, RegionsSpec,
    observer::Stage,
    options::{integer, options},
    regions::Regions,
    sampler::size_of_picture,
    wrapper::{Inner, joined, methods_below, split},
};

options! {
    /// Options of [`Xrai`]; those of the method within follow as `method.NAME`.
    pub struct XraiOptions {
        /// The method whose map is gathered into regions. Its own parameters are written with its name before them, as in
        /// method.steps=20.
        method: String [methods_below(Xrai.depth())] = "integrated-gradients".to_owned(),
        /// The segments to choose from. auto cuts the picture by Felzenszwalb's method at six scales.
        regions: RegionsSpec [ParameterKind::Regions] = RegionsSpec::Auto,
        /// How far segments are widened, in pixels of a picture with 224 to a side, so that edges belong to both sides.
        widen: usize [integer(0, 50)] = 5,
    }
}

/// Scales of the segments, as in the authors' program.
const SCALES: [f32; 6] = [50.0, 100.0, 150.0, 250.0, 500.0, 1200.0];

/// Pixels of the picture that the authors' sizes are meant for.
const THEIR_SIDE: f64 = 224.0;
const SMALLEST: f64 = 150.0;
const FEWEST_NEW: f64 = 50.0;

/// XRAI (Kapishnikov et al. 2019).
///
/// `Attribution::values` is the map itself, one number per pixel of the input, and `shape` is `[height, width]`.
pub struct Xrai;

impl Explainer for Xrai {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "xrai".to_owned(),
            name: "XRAI".to_owned(),
            family: Family::Path,
            summary: "Cuts the picture into segments and ranks them by how much importance another method finds in each. \
                      Whole shapes are easier to read than single dots, but borders come from the colours, not from the \
                      model."
                .to_owned(),
            reference: Reference {
                authors: "Andrei Kapishnikov, Tolga Bolukbasi, Fernanda Viégas, Michael Terry".to_owned(),
                year: 2019,
                title: "XRAI: Better Attributions Through Regions".to_owned(),
                venue: "ICCV".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::ImageInput],
            parameters: XraiOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel],
        }
    }

    fn depth(&self) -> usize {
        2
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let (options, runs) = read(context)?;
        if options.regions != RegionsSpec::Auto {
            Regions::expected(context, &options.regions)?;
        }
        runs.iter().try_fold(Cost::default(), |sum, run| {
            let cost = run.cost(context)?;
            Ok(Cost {
                forward_passes: sum.forward_passes + cost.forward_passes,
                backward_passes: sum.backward_passes + cost.backward_passes,
            })
        })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

/// The options, and the runs of the method within whose maps are averaged.
fn read(context: &Context<'_>) -> Result<(XraiOptions, Vec<Inner>), ExplainError> {
    let (own, inner) = split(context.parameters);
    let options = XraiOptions::parse(&own)?;
    let run = |parameters: BTreeMap<String, String>| Inner::new(&options.method, parameters);
    let first = run(inner.clone())?;
    let has_baseline = first.method.info().parameters.iter().any(|parameter| parameter.id == "baseline");
    if !has_baseline || inner.contains_key("baseline") {
        return Ok((options, vec![first]));
    }
    let of = |colour: &str| {
        let mut parameters = inner.clone();
        parameters.insert("baseline".to_owned(), colour.to_owned());
        run(parameters)
    };
    let runs = vec![of("black")?, of("white")?];
    Ok((options, runs))
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let (options, runs) = read(context)?;
    let [height, width] = size_of_picture(context)?;
    let all = Xrai.cost(context)?.forward_passes;
    let segments = segments(context, &options).await?;
    context.observer.progress(0, all);
    let mut attribution = Attribution::default();
    let mut mean = vec![0.0; height * width];
    let (mut forward_passes, mut backward_passes) = (0, 0);
    for run in &runs {
        let stage = Stage { observer: context.observer, before: forward_passes, all };
        let found = run.method.explain(&Context { observer: &stage, ..run.context(context) }).await?;
        mean.iter_mut().zip(&found.map.values).for_each(|(sum, value)| *sum += value / runs.len() as f32);
        forward_passes += found.forward_passes;
        backward_passes += found.backward_passes;
        attribution = found;
    }
    if runs.len() > 1 {
        attribution.notes.push("It is the mean of two maps, with a black and with a white baseline.".to_owned());
    }
    let scale = (height * width) as f64 / (THEIR_SIDE * THEIR_SIDE);
    let values = ranked(&mean, segments, ((FEWEST_NEW * scale) as usize).max(1));
    Ok(Attribution {
        map: HeatMap { height, width, values: values.clone() },
        values,
        shape: vec![height, width],
        standard_error: None,
        baseline_prediction: None,
        completeness_gap: None,
        forward_passes,
        backward_passes,
        parameters: joined(options.values(), attribution.parameters),
        ..attribution
    })
}

/// The pixels of every segment.
async fn segments(context: &Context<'_>, options: &XraiOptions) -> Result<Vec<Vec<usize>>, ExplainError> {
    let [height, width] = size_of_picture(context)?;
    let side = ((height * width) as f64).sqrt();
    let widen = (options.widen as f64 * side / THEIR_SIDE).round() as usize;
    let mut maps: Vec<(usize, Vec<u32>)> = Vec::new();
    if options.regions == RegionsSpec::Auto {
        let Some(pixels) = context.pixels else {
            let regions = "auto".to_owned();
            let problem = "segments need a picture, and it is not known how pixels become this input".to_owned();
            return Err(ExplainError::Regions { regions, problem });
        };
        let planes = to_planes(&context.input.to_vec().await?, pixels)?;
        let min_size = (SMALLEST * side * side / (THEIR_SIDE * THEIR_SIDE)).round().max(1.0) as usize;
        for scale in SCALES {
            let map = felzenszwalb(&planes, &Felzenszwalb { scale, min_size, ..Felzenszwalb::default() })?;
            maps.push((map.count, map.labels));
        }
    } else {
        let regions = Regions::of(context, &options.regions).await?;
        maps.push((regions.count, regions.labels_of_pixels(context)?));
    }
    let mut segments = Vec::new();
    for (count, labels) in maps {
        let mut pixels = vec![Vec::new(); count];
        for (pixel, label) in labels.iter().enumerate() {
            if let Some(segment) = pixels.get_mut(*label as usize) {
                segment.push(pixel);
            }
        }
        segments.extend(pixels.into_iter().map(|segment| widened(segment, [height, width], widen)));
    }
    Ok(segments)
}

/// A segment with all pixels that are no farther from it than this.
fn widened(segment: Vec<usize>, [height, width]: [usize; 2], by: usize) -> Vec<usize> {
    if by == 0 {
        return segment;
    }
    let mut inside = vec![false; height * width];
    for pixel in segment {
        let (row, column) = (pixel / width, pixel % width);
        for other in row.saturating_sub(by)..(row + by + 1).min(height) {
            let reach = ((by * by - row.abs_diff(other).pow(2)) as f64).sqrt() as usize;
            let start = other * width + column.saturating_sub(reach);
            inside[start..=other * width + (column + reach).min(width - 1)].fill(true);
        }
    }
    (0..inside.len()).filter(|pixel| inside[*pixel]).collect()
}

/// Takes segments by the mean of their pixels that are still free, best first, and gives these that mean. Segments with fewer
/// free pixels than `fewest` are passed over; what is left over in the end gets its own mean.
fn ranked(map: &[f32], mut segments: Vec<Vec<usize>>, fewest: usize) -> Vec<f32> {
    let (mut values, mut is_free) = (vec![0.0; map.len()], vec![true; map.len()]);
    let mean = |pixels: &[usize]| pixels.iter().map(|pixel| f64::from(map[*pixel])).sum::<f64>() / pixels.len() as f64;
    loop {
        segments.iter_mut().for_each(|segment| segment.retain(|pixel| is_free[*pixel]));
        segments.retain(|segment| segment.len() >= fewest);
        let best = (0..segments.len()).max_by(|a, b| mean(&segments[*a]).total_cmp(&mean(&segments[*b])));
        let Some(best) = best else { break };
        let segment = segments.swap_remove(best);
        let gain = mean(&segment) as f32;
        for pixel in segment {
            values[pixel] = gain;
            is_free[pixel] = false;
        }
    }
    let rest: Vec<usize> = (0..map.len()).filter(|pixel| is_free[*pixel]).collect();
    if !rest.is_empty() {
        let gain = mean(&rest) as f32;
        rest.into_iter().for_each(|pixel| values[pixel] = gain);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight};

    /// Segments of 1 2 | 9 3 | 0, and one over 2 9: that has a mean of 5.5 and less than 9 3, whose mean is 6. Then 2 is left of
    /// it, which is more than the 1.5 of 1 2, and of that 1; 0 is passed over for its size when two are asked for.
    #[test]
    fn segments_are_taken_by_what_they_add() {
        let map = [1.0, 2.0, 9.0, 3.0, 0.0];
        let segments = || vec![vec![0, 1], vec![2, 3], vec![4], vec![1, 2]];
        assert_eq!(ranked(&map, segments(), 1), [1.0, 2.0, 6.0, 6.0, 0.0]);
        assert_eq!(ranked(&map, segments(), 2), [1.5, 1.5, 6.0, 6.0, 0.0]);
    }

    #[test]
    fn a_segment_is_widened_by_a_disc() {
        // The middle of 5 x 5, by 2: a diamond with a straight middle, 13 pixels.
        let found = widened(vec![12], [5, 5], 2);
        assert_eq!(found, [2, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 18, 22]);
        assert_eq!(widened(vec![0], [2, 3], 1), [0, 1, 3]);
    }

    /// For a linear model integrated gradients are exact: half of the pixels' weights times their differences from the two
    /// baselines.
    #[test]
    fn regions_of_a_linear_model_get_the_mean_of_their_pixels() {
        let input: Vec<f32> = (0..8).map(|index| (index as f32 * 0.9).cos()).collect();
        let question =
            Question::new(linear(&[1, 2, 4]), &input).target("0").with("regions", "grid:1x2").with("widen", "0");
        let found = pollster::block_on(Xrai.explain(&question.with("method.baseline", "value:0.5").context())).unwrap();
        let part = |pixel: usize| linear_weight(pixel, 0) * (input[pixel] - 0.5);
        let half = |columns: [usize; 2]| {
            [0, 4].iter().flat_map(|row| columns.map(|column| part(row + column))).sum::<f32>() / 4.0
        };
        let (left, right) = (half([0, 1]), half([2, 3]));
        assert_close(&found.values, &[left, left, right, right, left, left, right, right], 1e-5);
        assert_eq!(found.forward_passes, 52);
    }
}
