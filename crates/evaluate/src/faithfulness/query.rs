//! Direct end-task queries (Bilodeau, Jaques, Koh, Kim 2024): instead of reading an answer off a map, the model is asked. A
//! region is changed by strengths drawn at random, and the number is the mean change of the score, with an interval of
//! confidence and the curve of change against strength. The region is the mask or, without one, what the map shows most, or any
//! other that is asked about.

use std::f64::consts::TAU;

use vitrine_explain::{
    Context, Cost, Infill, LocalBoxFuture, RegionsSpec,
    toolkit::{Masked, Purpose, Random, Regions, UNMASKED, integer, number},
};
use vitrine_graph::Value;
use vitrine_protocol::{Better, Curve, MetricGroup, MetricInfo, ParameterKind, Reference};

use crate::{
    EvaluateError, Metric, Question,
    altered::{Fill, Filling, Scale, on_scale, pixel},
    metric::Found,
    statistics::{Summary, largest, wide},
};

vitrine_explain::choices! {
    /// What is done to the region.
    pub enum Intervention {
        /// It fades into the infill, at full strength wholly.
        Remove = "remove",
        /// It fades into the blurred picture.
        Blur = "blur",
        /// It becomes brighter or, at negative strengths, darker; at full strength white or black.
        Brighten = "brighten",
        /// It moves in a random direction, at full strength by half the picture's shorter side, and leaves the infill.
        Shift = "shift",
    }
}

vitrine_explain::choices! {
    /// Which region is asked about.
    pub enum Place {
        /// The mask, where there is one, or else what the map shows most.
        Auto = "auto",
        /// What the map shows most.
        Map = "map",
        /// One of the regions.
        Region = "region",
    }
}

vitrine_explain::options! {
    /// Options of queries.
    pub struct QueryOptions {
        /// What is done to the region.
        what: Intervention [Intervention::kind()] = Intervention::Remove,
        /// Which region is asked about.
        place: Place [Place::kind()] = Place::Auto,
        /// Of these regions one, where place is region: grid:HxW, slic:N, felzenszwalb:SCALE, quickshift, watershed:N, or a .npy
        /// file of whole numbers. auto takes 8 x 8 cells.
        regions: RegionsSpec [ParameterKind::Regions] = RegionsSpec::Auto,
        /// Which of the regions, counted from 1: row by row in a grid, by their labels in a file.
        region: usize [integer(1, 1_000_000)] = 1,
        /// How large a part of the picture the region is, where it is what the map shows most.
        area: f64 [number(0.0001, 1.0)] = 0.1,
        /// Strengths that are drawn; each costs a forward pass.
        samples: usize [integer(2, 100_000)] = 50,
        /// What takes the region's place: black, white, grey, mean, blur or noise in pixel space; inpaint, interpolate
        /// or tile, which continue what is kept; zero or value:V in tensor space; or a file.
        infill: Infill [ParameterKind::Infill] = Infill::Black,
        /// Which scalar is followed.
        scale: Scale [Scale::kind()] = Scale::Target,
    }
}

/// Standard deviations on either side of a mean that 95 percent of normal numbers are within.
const WITHIN: f64 = 1.959_964;

/// Queries.
pub struct Query;

impl Metric for Query {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "query".to_owned(),
            name: "Ask the model".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Neither,
            range: [None, None],
            meaning: "How much the answer changes on average when the region is removed, blurred, brightened or moved by \
                      random strengths."
                .to_owned(),
            caveat: "It is the answer to this one question about this one region, and changed pictures are unlike those that \
                     the model has learnt from."
                .to_owned(),
            reference: Reference {
                authors: "Bilodeau, Jaques, Koh, Kim".to_owned(),
                year: 2024,
                title: "Impossibility theorems for feature attribution".to_owned(),
                venue: "PNAS".to_owned(),
            },
            needs: Vec::new(),
            parameters: QueryOptions::parameters(),
        }
    }

    fn ranks_maps(&self) -> bool {
        false
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        let options = QueryOptions::parse(question.context.parameters)?;
        // What cannot be asked about is refused even while something else is.
        Regions::expected(&question.context, &options.regions)?;
        Ok(Cost { forward_passes: (options.samples + UNMASKED) as u64, backward_passes: 0 })
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(ask(question))
    }
}

async fn ask(question: &Question<'_>) -> Result<Found, EvaluateError> {
    let options = QueryOptions::parse(question.context.parameters)?;
    let probability = on_scale(question.context.target, options.scale);
    let context = Context { target: probability.as_ref().unwrap_or(question.context.target), ..question.context };
    // What the region fades into, at negative strengths the second.
    let (toward, away) = match options.what {
        Intervention::Remove | Intervention::Shift => (options.infill.clone(), None),
        Intervention::Blur => (Infill::Blur, None),
        Intervention::Brighten => (Infill::White, Some(Infill::Black)),
    };
    let lowest = if away.is_some() { -1.0 } else { 0.0 };
    let toward = Filling::new(&context, &Fill::Infill(toward)).await?;
    let away = match away {
        Some(away) => away.tensor(&context).await?.to_vec().await?,
        None => Vec::new(),
    };
    let (region, note) = region(question, &options).await?;
    // The input without the region: what comes in its place may depend on what is around it.
    let without = toward.altered(&context, &region, 0).await?;
    let mut masked = Masked::start(&context, context.input.clone(), options.samples).await?;
    let whole = f64::from(masked.prediction);
    let (mut points, size) = (Vec::with_capacity(options.samples), context.batch_for(options.samples));
    for start in (0..options.samples).step_by(size) {
        let end = (start + size).min(options.samples);
        let (mut inputs, mut strengths) = (Vec::with_capacity((end - start) * toward.input.len()), Vec::new());
        for number in start..end {
            let mut random = Random::new(context.seed, Purpose::Metrics, number as u32);
            let strength = lowest + (1.0 - lowest) * random.uniform();
            strengths.push(f64::from(strength));
            inputs.extend(match options.what {
                Intervention::Shift => {
                    let step = step(question.size(), strength, random.uniform());
                    shifted(&context, &toward.input, &without, &region, question.size(), step)
                }
                _ => faded(&context, &toward.input, if strength < 0.0 { &away } else { &without }, &region, strength),
            });
        }
        let inputs = Value::from_f32(&inputs, &context.repeated(end - start), &context.input.device());
        let (_, scores) = masked.score_inputs(inputs).await?;
        points.extend(strengths.into_iter().zip(wide(&scores).into_iter().map(|score| score - whole)));
    }
    points.sort_by(|one: &(f64, f64), other| one.0.total_cmp(&other.0));
    let (xs, ys): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
    let Some(Summary { mean, interval, .. }) = Summary::of(&ys) else { return Ok(Found::default()) };
    let falls = ys.iter().filter(|change| **change < 0.0).count();
    let [least, most] = wilson(falls, ys.len()).map(|part| 100.0 * part);
    let mut notes = toward.notes;
    notes.extend(note);
    if let Some([low, high]) = interval {
        notes.push(format!("With 95 percent confidence the mean change is from {low:.4} to {high:.4}."));
    }
    notes.push(format!(
        "The answer falls in {falls} of {} samples, that is with 95 percent confidence in {least:.0} to {most:.0} percent of all.",
        ys.len()
    ));
    let (x_label, y_label) = ("strength".to_owned(), "change of the target".to_owned());
    Ok(Found {
        value: Some(mean),
        curves: vec![Curve { name: String::new(), x_label, y_label, xs, ys }],
        notes,
        parameters: options.values(),
        forward_passes: masked.passes(),
        ..Found::default()
    })
}

/// The pixels that are asked about, and what is to be said of how they were found.
async fn region(question: &Question<'_>, options: &QueryOptions) -> Result<(Vec<bool>, Option<String>), EvaluateError> {
    let mask = question.mask.filter(|_| options.place == Place::Auto);
    Regions::expected(&question.context, &options.regions)?;
    if options.place == Place::Region {
        let regions = Regions::of(&question.context, &options.regions).await?;
        let (asked, labels) = (options.region - 1, regions.labels_of_pixels(&question.context)?);
        if asked >= regions.count {
            return Err(EvaluateError::NoRegion { asked: options.region, count: regions.count });
        }
        return Ok((labels.iter().map(|label| *label as usize == asked).collect(), regions.note()));
    }
    if let Some(mask) = mask {
        let inside: Vec<bool> = mask.values.iter().map(|value| *value > 0.0).collect();
        return if inside.contains(&true) { Ok((inside, None)) } else { Err(EvaluateError::Mask("no pixel")) };
    }
    let values = &question.map.values;
    let mut inside = vec![false; values.len()];
    let count = (options.area * values.len() as f64).ceil() as usize;
    largest(&wide(values), count).into_iter().for_each(|place| inside[place] = true);
    Ok((inside, None))
}

/// The input with the region moved toward what it fades into.
fn faded(context: &Context<'_>, input: &[f32], toward: &[f32], region: &[bool], strength: f32) -> Vec<f32> {
    let value = |(index, (input, toward)): (usize, (&f32, &f32))| {
        let is_inside = region[pixel(context, index, region.len())];
        if is_inside { input + strength.abs() * (toward - input) } else { *input }
    };
    input.iter().zip(toward).enumerate().map(value).collect()
}

/// Rows and columns that a region moves by; `turn` is the direction, from 0 to 1.
fn step([height, width]: [usize; 2], strength: f32, turn: f32) -> [isize; 2] {
    let shorter = if height == 1 || width == 1 { height.max(width) } else { height.min(width) };
    let (distance, angle) = (f64::from(strength) * shorter as f64 / 2.0, TAU * f64::from(turn));
    [angle.sin(), angle.cos()].map(|part| (distance * part).round() as isize)
}

/// The input with the region somewhere else and the infill where it was.
fn shifted(
    context: &Context<'_>,
    input: &[f32],
    without: &[f32],
    region: &[bool],
    [height, width]: [usize; 2],
    [down, across]: [isize; 2],
) -> Vec<f32> {
    let area = height * width;
    // Values of a pixel follow each other, or lie an area apart.
    let is_last = pixel(context, 1, area) == 0 && input.len() > area;
    let stride = if is_last { (input.len() / area) as isize } else { 1 };
    let value = |(index, without): (usize, &f32)| {
        let at = pixel(context, index, area);
        let row = (at / width).checked_add_signed(-down).filter(|row| *row < height);
        let column = (at % width).checked_add_signed(-across).filter(|column| *column < width);
        let from = row.zip(column).map(|(row, column)| row * width + column).filter(|from| region[*from]);
        match from {
            Some(from) => input[index.saturating_add_signed((from as isize - at as isize) * stride)],
            None => *without,
        }
    };
    without.iter().enumerate().map(value).collect()
}

/// The interval of Wilson (1927): how often, with 95 percent confidence, what was so in `hits` of `count` cases is so.
fn wilson(hits: usize, count: usize) -> [f64; 2] {
    let (count, square) = (count.max(1) as f64, WITHIN * WITHIN);
    let part = hits as f64 / count;
    let centre = part + square / (2.0 * count);
    let margin = WITHIN * (part * (1.0 - part) / count + square / (4.0 * count * count)).sqrt();
    [centre - margin, centre + margin].map(|bound| bound / (1.0 + square / count))
}

#[cfg(test)]
mod tests {
    use vitrine_protocol::{Channels, ImageInput, Layout};

    use super::*;
    use crate::testing::{Asked, WEIGHTS, score};

    /// The first pixel, whose weight is 4, is the mask; faded by a part it takes away four times that.
    #[test]
    fn the_answer_changes_with_the_strength_as_on_paper() {
        let found = score("query", &[("samples", "40")], &Asked::default());
        let (curve, value) = (&found.curves[0], found.value.unwrap());
        assert!(curve.xs.windows(2).all(|pair| pair[0] <= pair[1]) && curve.xs.len() == 40);
        assert!(curve.xs.iter().zip(&curve.ys).all(|(x, y)| (y + 4.0 * x).abs() < 1e-5), "{curve:?}");
        assert!((value - curve.ys.iter().sum::<f64>() / 40.0).abs() < 1e-9 && (value + 2.0).abs() < 0.5, "{value}");
        assert!(found.notes.iter().any(|note| note.starts_with("With 95 percent")), "{:?}", found.notes);
    }

    /// Cells of a grid of one row and four columns are single pixels, of which the third weighs 3; the map shows the last most.
    #[test]
    fn other_regions_than_the_mask_can_be_asked_about() {
        let asked = Asked { map: vec![0.0, 0.0, 0.0, 1.0], ..Asked::default() };
        let cell = [("place", "region"), ("regions", "grid:1x4"), ("region", "3")];
        for (given, weight) in [(&cell[..], WEIGHTS[2]), (&[("place", "map"), ("area", "0.25")], WEIGHTS[3])] {
            let curve = &score("query", given, &asked).curves[0];
            let all = curve.xs.iter().zip(&curve.ys).all(|(x, y)| (y + f64::from(weight) * x).abs() < 1e-5);
            assert!(all, "{given:?}: {curve:?}");
        }
    }

    /// Of ones, a one moved onto another one changes nothing there and leaves nothing behind: 4 less, unless it stays.
    #[test]
    fn what_is_moved_leaves_the_infill() {
        let found = score("query", &[("what", "shift")], &Asked::default());
        let changes = &found.curves[0].ys;
        assert!(changes.iter().all(|change| *change == 0.0 || (change + 4.0).abs() < 1e-5), "{changes:?}");
        assert!(changes.contains(&0.0) && changes.iter().any(|change| *change < 0.0), "{changes:?}");
        assert_eq!(step([8, 12], 1.0, 0.25), [4, 0]);
        assert_eq!(step([8, 12], 1.0, 0.5), [0, -4]);
        assert_eq!(step([1, 12], 0.5, 0.0), [0, 3]);
    }

    /// The picture is white: only darker it changes, by four times the strength, and blurred it does not.
    #[test]
    fn a_white_picture_can_only_become_darker() {
        let pixels = || Some(ImageInput::plain(Layout::Nchw, Channels::Grey, 1, 4));
        let found = score("query", &[("what", "brighten")], &Asked { pixels: pixels(), ..Asked::default() });
        let curve = &found.curves[0];
        assert!(curve.xs.iter().zip(&curve.ys).all(|(x, y)| (y - 4.0 * x.min(0.0)).abs() < 1e-5), "{curve:?}");
        assert!(curve.xs[0] < -0.5 && curve.xs[curve.xs.len() - 1] > 0.5, "{curve:?}");
        let blurred = score("query", &[("what", "blur")], &Asked { pixels: pixels(), ..Asked::default() });
        assert!(blurred.value.unwrap().abs() < 1e-5, "{blurred:?}");
    }

    /// Of 8 of 10 tables give 0.490 to 0.943.
    #[test]
    fn the_interval_of_a_share_is_that_of_the_tables() {
        let [least, most] = wilson(8, 10);
        assert!((least - 0.4902).abs() < 1e-4 && (most - 0.9433).abs() < 1e-4, "{least} to {most}");
    }
}
