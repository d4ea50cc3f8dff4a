//! The input with sets of its parts removed, scored batch by batch: what metrics of faithfulness stand on.

use vitrine_explain::{
    Context, Cost, ExplainError, Infill, RegionsSpec, Target,
    toolkit::{Filler, Masked, Purpose, Random, Regions, UNMASKED, frame, picture_size},
};
use vitrine_graph::Value;
use vitrine_image::{from_planes, infill::interpolate, to_planes};
use vitrine_protocol::{Layout, Picture};

use crate::{EvaluateError, Question};

vitrine_explain::choices! {
    /// Which scalar is followed.
    pub enum Scale {
        /// The one that was explained.
        Target = "target",
        /// The probability of the explained class, or what was explained where the model gives no probabilities.
        Probability = "probability",
    }
}

/// What removed pixels are replaced by.
#[derive(Clone, Debug)]
pub(crate) enum Fill {
    /// Something that is the same for all sets, or that continues what each set leaves.
    Infill(Infill),
    /// The weighted mean of their neighbours and some noise, as ROAD does it.
    Neighbours,
    /// Values between the smallest and the largest of the input, drawn anew for every set.
    Random,
}

/// How the input is altered.
pub(crate) struct Alteration {
    pub(crate) regions: RegionsSpec,
    pub(crate) fill: Fill,
    pub(crate) scale: Scale,
    /// Whether a negative number of the map says as much as a positive one.
    pub(crate) absolute: bool,
    /// How many of the altered inputs are to be shown.
    pub(crate) pictures: usize,
}

/// The parts of the picture, with what the map says of each.
pub(crate) struct Units {
    /// How many there are.
    pub(crate) count: usize,
    /// The part of every pixel; `count` where there is none.
    labels: Vec<u32>,
    /// Pixels of each.
    pub(crate) sizes: Vec<usize>,
    /// The sum of the map over each.
    pub(crate) sums: Vec<f64>,
    /// All parts, that of the largest mean first. Equal ones are in an order that the seed decides.
    pub(crate) order: Vec<usize>,
}

/// Single values are the usual parts of an input that is no picture.
fn whole_regions<'a>(question: &Question<'_>, regions: &'a RegionsSpec) -> &'a RegionsSpec {
    let is_picture = picture_size(question.context.shape(), question.context.layout()).is_some();
    if is_picture || *regions != RegionsSpec::Auto { regions } else { &RegionsSpec::Elements }
}

impl Units {
    pub(crate) async fn of(
        question: &Question<'_>,
        alteration: &Alteration,
    ) -> Result<(Units, Option<String>), EvaluateError> {
        let context = &question.context;
        let (count, labels, note) = match whole_regions(question, &alteration.regions) {
            RegionsSpec::Elements => {
                let count = question.map.values.len();
                (count, (0..count as u32).collect(), None)
            }
            spec => {
                let regions = Regions::of(context, spec).await?;
                (regions.count, regions.labels_of_pixels(context)?, regions.note())
            }
        };
        let (mut sizes, mut sums) = (vec![0; count], vec![0.0; count]);
        for (label, value) in labels.iter().zip(&question.map.values) {
            let value = f64::from(if alteration.absolute { value.abs() } else { *value });
            if let (Some(size), Some(sum)) = (sizes.get_mut(*label as usize), sums.get_mut(*label as usize)) {
                *size += 1;
                *sum += value;
            }
        }
        let mean = |unit: usize| sums[unit] / f64::from(sizes[unit].max(1) as u32);
        // The purpose's last number: the others are for sets.
        let mut order = Random::new(context.seed, Purpose::Metrics, u32::MAX).permutation(count);
        order.sort_by(|one, other| mean(*other).total_cmp(&mean(*one)));
        Ok((Units { count, labels, sizes, sums, order }, note))
    }

    /// How many there will be, of segments about.
    pub(crate) fn expected(question: &Question<'_>, regions: &RegionsSpec) -> Result<usize, EvaluateError> {
        Ok(match whole_regions(question, regions) {
            RegionsSpec::Elements => question.map.values.len(),
            spec => Regions::expected(&question.context, spec)?,
        })
    }

    /// What part of the picture these make up.
    pub(crate) fn part(&self, units: &[usize]) -> f64 {
        let pixels: usize = units.iter().filter_map(|unit| self.sizes.get(*unit)).sum();
        pixels as f64 / self.labels.len().max(1) as f64
    }

    /// Which pixels are removed with these.
    pub(crate) fn removed(&self, units: &[usize]) -> Vec<bool> {
        let mut gone = vec![false; self.count + 1];
        units.iter().for_each(|unit| gone[*unit] = true);
        self.labels.iter().map(|label| gone[*label as usize]).collect()
    }
}

/// The target at the input and at altered ones.
pub(crate) struct Scored {
    pub(crate) units: Units,
    /// The target at the input as it is.
    pub(crate) whole: f64,
    /// The target where each set is removed.
    pub(crate) scores: Vec<f64>,
    /// What some of the altered inputs look like, by the number of their set.
    pub(crate) pictures: Vec<(usize, Picture)>,
    pub(crate) notes: Vec<String>,
    /// Forward passes.
    pub(crate) passes: u64,
}

/// The cost of scoring so many sets.
pub(crate) fn cost(sets: usize) -> Cost {
    Cost { forward_passes: (sets + UNMASKED) as u64, backward_passes: 0 }
}

/// The question asked of what the scale says.
pub(crate) fn on_scale(target: &Target, scale: Scale) -> Option<Target> {
    if scale == Scale::Probability { target.probability() } else { None }
}

/// Scores the input without each of some sets of parts; `sets` is how many, and `set` lists the parts of one. After each
/// batch `tell` hears of the target at the whole input and at the sets so far.
pub(crate) async fn score(
    question: &Question<'_>,
    alteration: &Alteration,
    sets: &dyn Fn(&Units) -> usize,
    set: &dyn Fn(&Units, usize) -> Vec<usize>,
    tell: &dyn Fn(&Units, f64, &[f64]),
) -> Result<Scored, EvaluateError> {
    let (units, note) = Units::of(question, alteration).await?;
    let count = sets(&units);
    let probability = on_scale(question.context.target, alteration.scale);
    let target = probability.as_ref().unwrap_or(question.context.target);
    let context = Context { target, ..question.context };
    let filling = Filling::new(&context, &alteration.fill).await?;
    let mut masked = Masked::start(&context, filling.filler.clone(), count).await?;
    let (mut scores, mut pictures) = (Vec::with_capacity(count), Vec::new());
    let size = context.batch_for(count);
    let shown = |number: usize| number * alteration.pictures / count < (number + 1) * alteration.pictures / count;
    for start in (0..count).step_by(size) {
        let end = (start + size).min(count);
        let removed: Vec<Vec<bool>> = (start..end).map(|number| units.removed(&set(&units, number))).collect();
        let read = match filling.drawn {
            None => masked.score(&kept(&context, &removed)).await?,
            Some(_) => {
                let mut inputs = Vec::with_capacity(removed.len() * filling.input.len());
                for (number, removed) in (start..end).zip(&removed) {
                    inputs.extend(filling.altered(&context, removed, number).await?);
                }
                let shape = context.repeated(end - start);
                masked.score_inputs(Value::from_f32(&inputs, &shape, &context.input.device())).await?
            }
        };
        scores.extend(read.1.into_iter().map(f64::from));
        tell(&units, f64::from(masked.prediction), &scores);
        for (number, removed) in (start..end).zip(&removed).filter(|(number, _)| shown(*number)) {
            pictures.push((number, frame(&context, &filling.altered(&context, removed, number).await?, None)));
        }
    }
    let (whole, passes) = (f64::from(masked.prediction), masked.passes());
    Ok(Scored { units, whole, scores, pictures, notes: filling.notes.into_iter().chain(note).collect(), passes })
}

/// The shape of one number per pixel beside a batch of inputs.
pub(crate) fn over_channels(context: &Context<'_>, batch: usize) -> Vec<usize> {
    match (context.shape(), context.layout()) {
        (&[_, height, width], Layout::Nchw) => vec![batch, 1, height, width],
        (&[height, width, _], Layout::Nhwc) => vec![batch, height, width, 1],
        (shape, _) => [&[batch], shape].concat(),
    }
}

/// Which pixels are kept, beside a batch of inputs.
fn kept(context: &Context<'_>, removed: &[Vec<bool>]) -> Value {
    let kept: Vec<f32> = removed.iter().flatten().map(|removed| f32::from(u8::from(!*removed))).collect();
    Value::from_f32(&kept, &over_channels(context, removed.len()), &context.input.device())
}

/// What is drawn anew for every set.
enum Drawn {
    /// Noise beside the means of neighbours.
    Noise,
    /// Values between bounds.
    Between([f32; 2]),
}

/// What comes in the place of removed pixels.
pub(crate) struct Filling<'a> {
    drawn: Option<Drawn>,
    /// What makes it, unless it is drawn.
    pub(crate) filler: Filler<'a>,
    pub(crate) input: Vec<f32>,
    /// What replaces the input, where that does not depend on what is removed.
    pub(crate) fill: Option<Vec<f32>>,
    pub(crate) notes: Vec<String>,
}

impl<'a> Filling<'a> {
    pub(crate) async fn new(context: &'a Context<'a>, fill: &Fill) -> Result<Filling<'a>, ExplainError> {
        let input = context.input.to_vec().await?;
        let (drawn, infill) = match fill {
            Fill::Infill(infill) => (None, Some(infill)),
            Fill::Neighbours if context.pixels.is_none() => {
                return Err(ExplainError::NotAnImage { shape: context.shape().to_vec() });
            }
            Fill::Neighbours => (Some(Drawn::Noise), None),
            Fill::Random => {
                let least = input.iter().fold(f32::INFINITY, |least, value| least.min(*value));
                let most = input.iter().fold(f32::NEG_INFINITY, |most, value| most.max(*value));
                (Some(Drawn::Between([least, most])), None)
            }
        };
        let (filler, note) = match infill {
            Some(infill) => (infill.filler(context).await?, infill.note(context)),
            None => (context.input.clone().into(), None),
        };
        let fill = match filler.same() {
            Some(value) => Some(value.to_vec().await?),
            None => None,
        };
        Ok(Filling { drawn, filler, input, fill, notes: Vec::from_iter(note) })
    }

    /// The input without some pixels; `number` decides the noise.
    pub(crate) async fn altered(
        &self,
        context: &Context<'_>,
        removed: &[bool],
        number: usize,
    ) -> Result<Vec<f32>, ExplainError> {
        let mut random = Random::new(context.seed, Purpose::Infill, number as u32);
        if let (Some(Drawn::Noise), Some(pixels)) = (&self.drawn, context.pixels) {
            let planes = to_planes(&self.input, pixels)?;
            return Ok(from_planes(&interpolate(&planes, removed, || NOISE * random.normal())?, pixels)?);
        }
        let pixel = |index: usize| pixel(context, index, removed.len());
        let mut filled = |fill: f32| match self.drawn {
            Some(Drawn::Between([least, most])) => least + (most - least) * random.uniform(),
            _ => fill,
        };
        let around = match &self.fill {
            Some(_) => None,
            None => Some(self.filler.of(&kept(context, &[removed.to_vec()])).await?.to_vec().await?),
        };
        let fill = self.fill.as_ref().or(around.as_ref()).unwrap_or(&self.input);
        let pairs = self.input.iter().zip(fill).enumerate();
        Ok(pairs.map(|(index, (input, fill))| if removed[pixel(index)] { filled(*fill) } else { *input }).collect())
    }
}

/// The pixel, of so many, that a value of the input belongs to.
pub(crate) fn pixel(context: &Context<'_>, index: usize, area: usize) -> usize {
    match (context.shape(), context.layout()) {
        (&[_, _, channels], Layout::Nhwc) => index / channels.max(1),
        _ => index % area.max(1),
    }
}

/// Standard deviation of the noise beside means of neighbours, where pixels go from 0 to 1.
const NOISE: f32 = 0.01;
