//! BEE: integrated gradients from a menu of baselines, each map scored by a metric of faithfulness; the best one is
//! shown, and the scores of all are told.
//!
//! Oren Barkan, Yehonatan Elisha, Jonathan Weill, Noam Koenigstein: BEE: Metric-Adapted Explanations via Baseline
//! Exploration-Exploitation. AAAI 2025.
//!
//! Departures: the paper draws baselines from distributions that a bandit learns beforehand, and integrates at layers;
//! here the menu is fixed, every entry is tried once, and the gradients are the input's. A map chosen by a metric is
//! good by that metric; that says nothing about others.

use std::ops::Range;

use vitrine_graph::Value;
use vitrine_protocol::{Family, Layout, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, Infill, LocalBoxFuture, Rule,
    attribution::check_finite,
    completeness::{Found, Steps, gap, ignored},
    integrator::{Ends, Scalar, integrate},
    observer::Progress,
    options::{choices, integer, number, options},
    sampler::size_of_picture,
};

choices! {
    /// What the maps are scored by.
    pub enum Metric {
        /// Mean of the target while pixels are put into the empty picture, those of highest attribution first; the
        /// higher the better.
        Insertion = "insertion",
        /// Mean of the target while pixels are taken out of the image, those of highest attribution first; the lower the
        /// better.
        Deletion = "deletion",
    }
}

options! {
    /// Options of [`Bee`].
    pub struct BeeOptions {
        /// What the maps are scored by.
        metric: Metric [Metric::kind()] = Metric::Insertion,
        /// Parts into which the pixels are divided for scoring; each map takes one forward pass more than that.
        parts: usize [integer(2, 200)] = 10,
        /// The empty picture for scoring: black, white, grey, mean, blur or noise in pixel space, or zero and value:V in
        /// tensor space, or a file.
        infill: Infill [ParameterKind::Infill] = Infill::Black,
        /// Points on the way from each baseline, each one forward and one backward pass.
        steps: usize [integer(1, 1000)] = 20,
        /// Largest completeness gap accepted of the best map, as a part of the target's difference between input and
        /// baseline: while it is larger, that map is made again with twice the steps, up to 32 times as many. 0 accepts
        /// any.
        max_gap: f64 [number(0.0, 1.0)] = 0.0,
    }
}

/// Baseline exploration (Barkan, Elisha, Weill, Koenigstein 2025).
pub struct Bee;

/// The baselines tried.
fn menu(context: &Context<'_>) -> Vec<Infill> {
    match context.pixels {
        Some(_) => vec![Infill::Black, Infill::White, Infill::Grey, Infill::Mean, Infill::Blur],
        None => vec![Infill::Zero],
    }
}

impl Explainer for Bee {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "bee".to_owned(),
            name: "Baseline Exploration".to_owned(),
            family: Family::Path,
            summary: "Tries several empty pictures to fade in from and shows the map that a test finds best. It \
                      spares you the choice, but a map that is best by one test need not be best by another."
                .to_owned(),
            reference: Reference {
                authors: "Oren Barkan, Yehonatan Elisha, Jonathan Weill, Noam Koenigstein".to_owned(),
                year: 2025,
                title: "BEE: Metric-Adapted Explanations via Baseline Exploration-Exploitation".to_owned(),
                venue: "AAAI".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::ImageInput],
            parameters: BeeOptions::parameters(),
            promises: vec![Promise::Completeness, Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = BeeOptions::parse(context.parameters)?;
        let baselines = menu(context).len();
        let beside = 1 + baselines * (options.parts + 2);
        let passes = baselines * options.steps;
        Ok(Cost { forward_passes: (passes + beside) as u64, backward_passes: passes as u64 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

/// One baseline's map.
struct Tried {
    infill: Infill,
    values: Vec<f32>,
    ends: Ends,
    score: f32,
    reached: bool,
}

/// Integrated gradients on the way between these ends, and whether the target depends on the input at all.
async fn integrated(
    context: &Context<'_>,
    ends: &Ends,
    steps: &mut Steps<'_>,
) -> Result<(Vec<f32>, bool), ExplainError> {
    let points = Rule::GaussLegendre.points(steps.count);
    let gradient = integrate(context, Scalar::Target, context.input_name, ends, &points, &mut steps.progress).await?;
    let values = match &gradient {
        Some(gradient) => gradient.mul(&ends.end.sub(&ends.start)?)?.to_vec().await?,
        None => vec![0.0; context.input.len()],
    };
    check_finite(&values, "A gradient of the target", "the model's numbers overflow on the way")?;
    Ok((values, gradient.is_some()))
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = BeeOptions::parse(context.parameters)?;
    let size = size_of_picture(context)?;
    let menu = menu(context);
    let beside = 1 + menu.len() * (options.parts + 2);
    let of_others = menu.len().saturating_sub(1) * options.steps;
    let mut steps = Steps::start(context, options.steps, 1, beside + of_others, options.max_gap);
    let empty = options.infill.tensor(context).await?;
    let at_end = predicted(context, context.input, "The target at the input", &mut steps.progress).await?;
    let mut tried: Vec<Tried> = Vec::new();
    for infill in menu {
        let start = infill.tensor(context).await?;
        let at_start = predicted(context, &start, "The target at a baseline", &mut steps.progress).await?;
        let ends = Ends { start, end: context.input.clone(), at_start, at_end };
        let (values, reached) = integrated(context, &ends, &mut steps).await?;
        let map = HeatMap::of_input(&values, context.shape(), context.layout());
        let score = score(context, &options, &map, size, &empty, &mut steps.progress).await?;
        tried.push(Tried { infill, values, ends, score, reached });
    }
    let listed: Vec<String> = tried.iter().map(|tried| format!("{} {:.3}", tried.infill, tried.score)).collect();
    let better = |a: &Tried, b: &Tried| match options.metric {
        Metric::Insertion => b.score.total_cmp(&a.score),
        Metric::Deletion => a.score.total_cmp(&b.score),
    };
    tried.sort_by(better);
    let Some(mut best) = tried.into_iter().next() else {
        return Err(ExplainError::NotAnImage { shape: context.shape().to_vec() });
    };
    let mut notes = vec![format!(
        "Scores by {}: {}. The map shown is that of {}. It was chosen by this metric, so a good score by it proves little.",
        options.metric.id(),
        listed.join(", "),
        best.infill
    )];
    let difference = at_end - best.ends.at_start;
    while steps.refine(gap(&best.values, difference), difference) {
        best.values = integrated(context, &best.ends, &mut steps).await?.0;
    }
    let gap = gap(&best.values, difference);
    notes.extend(steps.note(gap, difference));
    if !best.reached {
        notes.push(ignored(context));
    }
    let found = Found {
        layer: None,
        values: best.values,
        ends: [at_end, best.ends.at_start],
        gap: Some(gap),
        backward_passes: steps.progress.done() - beside as u64,
        parameters: options.values(),
        notes,
    };
    Ok(found.attribution(context, &steps.progress))
}

/// The target at an input of one sample.
async fn predicted(
    context: &Context<'_>,
    input: &Value,
    what: &'static str,
    progress: &mut Progress<'_>,
) -> Result<f32, ExplainError> {
    let found = context.predict(input.clone())?.to_vec().await?;
    check_finite(&found, what, "check the input's values and the model card")?;
    progress.advance(1).await?;
    Ok(found.first().copied().unwrap_or(f32::NAN))
}

/// The mean of the target over pictures of which 0, 1 ... all parts of the pixels are put in or taken out in the order
/// of the map.
async fn score(
    context: &Context<'_>,
    options: &BeeOptions,
    map: &HeatMap,
    [height, width]: [usize; 2],
    empty: &Value,
    progress: &mut Progress<'_>,
) -> Result<f32, ExplainError> {
    let mut order: Vec<usize> = (0..map.values.len()).collect();
    order.sort_by(|&a, &b| map.values[b].total_cmp(&map.values[a]));
    let mut rank = vec![0; order.len()];
    order.iter().enumerate().for_each(|(place, &pixel)| rank[pixel] = place);
    let (first, then) = match options.metric {
        Metric::Insertion => (context.input, empty),
        Metric::Deletion => (empty, context.input),
    };
    let difference = first.sub(then)?;
    let pictures = |range: Range<usize>| {
        let shape = match context.layout() {
            Layout::Nchw => [range.len(), 1, height, width],
            Layout::Nhwc => [range.len(), height, width, 1],
        };
        let changed =
            |part: usize| rank.iter().map(move |&rank| f32::from(rank * options.parts < part * (height * width)));
        let mask: Vec<f32> = range.flat_map(changed).collect();
        difference.mul(&Value::from_f32(&mask, &shape, &empty.device()))?.add(then)
    };
    let (count, mut sum) = (options.parts + 1, 0.0);
    let size = context.batch_for(count);
    for start in (0..count).step_by(size) {
        let range = start..(start + size).min(count);
        let found = context.predict(pictures(range.clone())?)?.to_vec().await?;
        check_finite(&found, "The target at a picture with pixels put in or taken out", "try another infill")?;
        sum += found.iter().sum::<f32>();
        progress.advance(range.len()).await?;
    }
    Ok(sum / count as f32)
}

#[cfg(test)]
mod tests {
    use vitrine_protocol::{Channels, ImageInput};

    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight};

    fn question() -> Question {
        let pixels = ImageInput::plain(Layout::Nchw, Channels::Grey, 1, 4);
        Question::new(linear(&[1, 1, 4]), &[0.0, 0.5, 1.0, 0.25]).pixels(pixels).with("parts", "4")
    }

    /// The score of a given map, written out pixel by pixel.
    #[test]
    fn pixels_come_and_go_in_the_order_of_the_map() {
        let input = [0.0, 0.5, 1.0, 0.25];
        let map = HeatMap { height: 1, width: 4, values: vec![0.1, 0.4, -1.0, 0.2] };
        let target = |x: &[f32]| 1.0 + (0..4).map(|i| linear_weight(i, 1) * x[i]).sum::<f32>();
        for (metric, start, end) in [("insertion", [0.0; 4], input), ("deletion", input, [0.0; 4])] {
            let mut picture = start;
            let mut sum = target(&picture);
            for pixel in [1, 3, 0, 2] {
                picture[pixel] = end[pixel];
                sum += target(&picture);
            }
            let question = question().with("metric", metric);
            let context = question.context();
            let options = BeeOptions::parse(context.parameters).unwrap();
            let empty = pollster::block_on(Infill::Black.tensor(&context)).unwrap();
            let mut progress = Progress::start(context.observer, 5);
            let found = pollster::block_on(score(&context, &options, &map, [1, 4], &empty, &mut progress)).unwrap();
            assert!((found - sum / 5.0).abs() < 1e-5, "{metric}: {found}, not {}", sum / 5.0);
        }
    }

    #[test]
    fn the_map_of_the_best_baseline_is_shown_and_all_scores_are_told() {
        let found = pollster::block_on(Bee.explain(&question().context())).unwrap();
        let scores: Vec<(String, f32)> = found.notes[0]
            .trim_start_matches("Scores by insertion: ")
            .split(". The")
            .next()
            .unwrap()
            .split(", ")
            .map(|pair| pair.split_once(' ').unwrap())
            .map(|(infill, score)| (infill.to_owned(), score.parse().unwrap()))
            .collect();
        assert_eq!(scores.len(), 5, "{:?}", found.notes);
        let best = scores.iter().fold(&scores[0], |best, next| if next.1 > best.1 { next } else { best });
        assert!(found.notes[0].contains(&format!("that of {}.", best.0)), "{:?}", found.notes);
        let baseline = pollster::block_on(Infill::parse(&best.0).unwrap().tensor(&question().context())).unwrap();
        let baseline = crate::testing::read(&baseline);
        let input = [0.0, 0.5, 1.0, 0.25];
        let expected: Vec<f32> = (0..4).map(|i| linear_weight(i, 1) * (input[i] - baseline[i])).collect();
        assert_close(&found.values, &expected, 1e-5);
    }
}
