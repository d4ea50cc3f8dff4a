//! Many masked copies of the input, folded into running means on the device: what sampling methods stand on.

use std::ops::Range;

use vitrine_graph::{Run, Value};
use vitrine_protocol::{Layout, Tried};

use crate::{
    Budget, Context, ExplainError, HeatMap,
    attribution::{check_finite, picture_size},
    filler::Filler,
    frame::frame,
    observer::Progress,
};

/// Running means over masks, each `[1, height, width]` on the device.
pub(crate) struct Means {
    /// Masks so far.
    pub(crate) masks: usize,
    /// Mean of the masks.
    pub(crate) mask: Value,
    /// Mean of the scores.
    pub(crate) score: f64,
    /// Mean of what is observed.
    pub(crate) observed: Value,
    /// Observations so far: masks, or pairs of them.
    observations: usize,
    /// Sum of squared deviations of the observations from their mean.
    deviations: Value,
}

impl Means {
    fn new([height, width]: [usize; 2], device: &burn::tensor::Device) -> Means {
        let zero = Value::full(0.0, &[1, height, width], device);
        let (mask, observed, deviations) = (zero.clone(), zero.clone(), zero);
        Means { masks: 0, mask, score: 0.0, observed, observations: 0, deviations }
    }

    /// Adds observations `[batch, height, width]`, by Chan, Golub and LeVeque's pairwise update (1979), which keeps its
    /// precision however many there are.
    fn observe(&mut self, observations: &Value) -> Result<(), ExplainError> {
        let batch = observations.shape().first().copied().unwrap_or_default();
        let before = self.observations;
        self.observations += batch;
        let share = batch as f32 / self.observations as f32;
        let mean = mean(observations, batch)?;
        let deviations = observations.sub(&mean)?.map(|deviation| deviation.square())?.sum_axes(&[0])?;
        let step = mean.sub(&self.observed)?;
        let between = step.map(|step| step.square().mul_scalar(before as f32 * share))?;
        self.observed = self.observed.add(&step.map(|step| step.mul_scalar(share))?)?;
        self.deviations = self.deviations.add(&deviations)?.add(&between)?;
        Ok(())
    }

    /// Adds masks `[batch, height, width]` and their scores.
    fn count(&mut self, masks: &Value, scores: &[f32]) -> Result<(), ExplainError> {
        self.masks += scores.len();
        let share = scores.len() as f32 / self.masks as f32;
        let step = mean(masks, scores.len())?.sub(&self.mask)?;
        self.mask = self.mask.add(&step.map(|step| step.mul_scalar(share))?)?;
        let sum: f64 = scores.iter().copied().map(f64::from).sum();
        self.score += (sum / scores.len() as f64 - self.score) * f64::from(share);
        Ok(())
    }

    /// Standard error of [`Means::observed`]; nothing for a single observation.
    pub(crate) fn standard_error(&self) -> Result<Option<Value>, ExplainError> {
        if self.observations < 2 {
            return Ok(None);
        }
        let scale = self.observations as f32 * (self.observations - 1) as f32;
        Ok(Some(self.deviations.map(|deviations| deviations.div_scalar(scale).sqrt())?))
    }
}

fn mean(values: &Value, batch: usize) -> Result<Value, ExplainError> {
    Ok(values.sum_axes(&[0])?.map(|sum| sum.div_scalar(batch as f32))?)
}

/// How masks and scores become a map.
pub(crate) trait Estimator {
    /// What each mask shows: `[batch, height, width]` of masks of that shape, scores `[batch, 1, 1]`, and the target at the
    /// input.
    fn observe(&self, masks: &Value, scores: &Value, prediction: f32) -> Result<Value, ExplainError>;

    /// Whether every two masks depend on each other, so that their mean is one observation.
    fn in_pairs(&self) -> bool;

    /// The map `[1, height, width]` that the means amount to.
    fn map(&self, means: &Means, prediction: f32) -> Result<Value, ExplainError>;

    /// Its standard error, where it can be told.
    fn standard_error(&self, means: &Means) -> Result<Option<Value>, ExplainError>;
}

/// The size of the context's picture.
///
/// # Errors
/// [`ExplainError::NotAnImage`] unless the input has channels, height and width.
pub(crate) fn size_of_picture(context: &Context<'_>) -> Result<[usize; 2], ExplainError> {
    let size = picture_size(context.shape(), context.layout()).filter(|_| context.shape().len() == 3);
    size.ok_or_else(|| ExplainError::NotAnImage { shape: context.shape().to_vec() })
}

/// Forward passes beside one for each mask: the input as it is.
pub const UNMASKED: usize = 1;

/// The input with parts of it replaced, scored batch by batch.
pub struct Masked<'a> {
    context: &'a Context<'a>,
    filler: Filler<'a>,
    progress: Progress<'a>,
    /// The target at the input as it is.
    pub prediction: f32,
}

impl<'a> Masked<'a> {
    /// Runs the input as it is; `passes` more are to come.
    ///
    /// # Errors
    /// Those of [`Masked::score`].
    pub async fn start(
        context: &'a Context<'a>,
        infill: impl Into<Filler<'a>>,
        passes: usize,
    ) -> Result<Masked<'a>, ExplainError> {
        let mut progress = Progress::start(context.observer, (passes + UNMASKED) as u64);
        let prediction = context.predict(context.input.clone())?.to_vec().await?;
        check_finite(&prediction, "The target at the input", "check the input's values and the model card")?;
        progress.advance(UNMASKED).await?;
        let prediction = prediction.first().copied().unwrap_or(f32::NAN);
        Ok(Masked { context, filler: infill.into(), progress, prediction })
    }

    /// The same where the target at the input is known.
    pub(crate) fn of(
        context: &'a Context<'a>,
        filler: Filler<'a>,
        progress: Progress<'a>,
        prediction: f32,
    ) -> Masked<'a> {
        Masked { context, filler, progress, prediction }
    }

    /// Takes another infill from here on.
    pub(crate) fn refill(&mut self, infill: Value) {
        self.filler = infill.into();
    }

    /// The target at `input * kept + infill * (1 - kept)`, on the device and here. `kept` has the batch axis and the
    /// input's others, each of which may be 1.
    ///
    /// # Errors
    /// Those of [`Masked::score_inputs`].
    pub async fn score(&mut self, kept: &Value) -> Result<(Value, Vec<f32>), ExplainError> {
        let inputs = self.input(kept).await?;
        self.score_inputs(inputs).await
    }

    /// The target at a batch of altered inputs, on the device and here.
    ///
    /// # Errors
    /// [`ExplainError::NotFinite`], [`ExplainError::Cancelled`], and what running the model refuses.
    pub async fn score_inputs(&mut self, inputs: Value) -> Result<(Value, Vec<f32>), ExplainError> {
        let watched = self.context.observer.is_curious().then(|| inputs.clone());
        let scores = self.context.predict(inputs)?;
        // Waiting for this batch's scores keeps the device's queue, the progress and the cancelling in step.
        let values = scores.to_vec().await?;
        check_finite(&values, "The target at a masked input", "try another infill")?;
        if let Some(inputs) = watched {
            self.show(&inputs, &values).await?;
        }
        self.progress.advance(values.len()).await?;
        Ok((scores, values))
    }

    /// Values of the graph at the same inputs: of every name those of the whole batch.
    pub(crate) async fn read(&mut self, kept: &Value, names: &[&str]) -> Result<Vec<Vec<f32>>, ExplainError> {
        let inputs = self.input(kept).await?;
        let count = inputs.shape().first().copied().unwrap_or_default();
        let trace = self.context.graph.run(&Run::of(names.iter().copied()).feed(self.context.input_name, inputs))?;
        let mut found = Vec::with_capacity(names.len());
        for name in names {
            let values = trace.value(name)?.to_vec().await?;
            check_finite(&values, "A value of the model at a masked input", "try another infill")?;
            found.push(values);
        }
        self.progress.advance(count).await?;
        Ok(found)
    }

    /// Counts passes that were made elsewhere.
    pub(crate) async fn count(&mut self, passes: usize) -> Result<(), ExplainError> {
        self.progress.advance(passes).await
    }

    /// `input * kept + infill * (1 - kept)`.
    pub(crate) async fn input(&self, kept: &Value) -> Result<Value, ExplainError> {
        let infill = self.filler.of(kept).await?;
        Ok(self.context.input.sub(&infill)?.mul(kept)?.add(&infill)?)
    }

    /// Hands the first few of a batch, where they are pictures, to who watches.
    async fn show(&self, inputs: &Value, scores: &[f32]) -> Result<(), ExplainError> {
        const FEW: usize = 3;
        if size_of_picture(self.context).is_err() {
            return Ok(());
        }
        let mut tried = Vec::new();
        for (index, &score) in scores.iter().take(FEW).enumerate() {
            let values = inputs.narrow(0, index, 1)?.to_vec().await?;
            tried.push(Tried { picture: frame(self.context, &values, None), score });
        }
        self.context.observer.tried(&tried);
        Ok(())
    }

    /// Forward passes so far.
    pub fn passes(&self) -> u64 {
        self.progress.done()
    }
}

/// A sampled run.
pub(crate) struct Sampled {
    /// The target at the input.
    pub(crate) prediction: f32,
    pub(crate) means: Means,
    /// Forward passes.
    pub(crate) passes: u64,
    /// What the reader should know.
    pub(crate) note: Option<String>,
}

/// Scores `count` masked copies of the input, `input * mask + infill * (1 - mask)`, batch by batch, unless the budget ends it
/// before. `masks` gives the masks of a range of numbers, `[masks, height, width]`. About ten times on the way the observer
/// gets the map so far.
pub(crate) async fn sample(
    context: &Context<'_>,
    filler: Filler<'_>,
    count: usize,
    masks: &dyn Fn(Range<usize>) -> Result<Value, ExplainError>,
    estimator: &dyn Estimator,
    budget: &Budget,
) -> Result<Sampled, ExplainError> {
    let [height, width] = size_of_picture(context)?;
    let mut masked = Masked::start(context, filler, count).await?;
    let prediction = masked.prediction;
    let mut means = Means::new([height, width], &context.input.device());
    let (clock, mut note) = (budget.clock(), None);
    // The first of a pair whose second comes with the next batch.
    let mut held: Option<Value> = None;
    let size = context.batch_for(count);
    let partial_every = count.div_ceil(size).div_ceil(10);
    for (number, start) in (0..count).step_by(size).enumerate() {
        let range = start..(start + size).min(count);
        let batch = range.len();
        let masks = masks(range)?;
        let over_channels = match context.layout() {
            Layout::Nchw => masks.reshape(&[batch, 1, height, width])?,
            Layout::Nhwc => masks.reshape(&[batch, height, width, 1])?,
        };
        let (scores, read) = masked.score(&over_channels).await?;
        means.count(&masks, &read)?;
        let seen = estimator.observe(&masks, &scores.reshape(&[batch, 1, 1])?, prediction)?;
        held = if estimator.in_pairs() {
            let all = held.map_or_else(|| Ok(seen.clone()), |held| Value::concat(&[held, seen.clone()], 0))?;
            let all_batch = all.shape().first().copied().unwrap_or_default();
            let pairs = all_batch / 2;
            if pairs > 0 {
                let pairs = all.narrow(0, 0, 2 * pairs)?.reshape(&[pairs, 2, height, width])?.sum_axes(&[1])?;
                let pairs = pairs.reshape(&[pairs.len() / (height * width), height, width])?;
                means.observe(&pairs.map(|sum| sum.div_scalar(2.0))?)?;
            }
            if all_batch % 2 == 1 { Some(all.narrow(0, all_batch - 1, 1)?) } else { None }
        } else {
            means.observe(&seen)?;
            None
        };
        if means.masks == count || means.observations == 0 {
            continue;
        }
        let (shows, is_limited) = ((number + 1).is_multiple_of(partial_every), budget.max_error > 0.0);
        if shows {
            let values = estimator.map(&means, prediction)?.to_vec().await?;
            context.observer.partial(&HeatMap { height, width, values });
        }
        let precise = shows && is_limited && is_precise(estimator, &means, prediction, budget).await?;
        if clock.is_over() || precise {
            note = Some(budget.note(means.masks, count));
            break;
        }
    }
    Ok(Sampled { prediction, means, passes: masked.passes(), note })
}

async fn is_precise(
    estimator: &dyn Estimator,
    means: &Means,
    prediction: f32,
    budget: &Budget,
) -> Result<bool, ExplainError> {
    let Some(error) = estimator.standard_error(means)? else { return Ok(false) };
    let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
    let error: Vec<f64> = wide(error.to_vec().await?);
    let values: Vec<f64> = wide(estimator.map(means, prediction)?.to_vec().await?);
    Ok(budget.is_precise(|| Some(error), || values))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::{
        Observer,
        testing::{Question, assert_close, device, linear, linear_weight, read},
    };

    /// Is curious every other time.
    #[derive(Default)]
    struct Watcher {
        asked: RefCell<usize>,
        tried: RefCell<Vec<Vec<Tried>>>,
    }

    impl Observer for Watcher {
        fn is_curious(&self) -> bool {
            *self.asked.borrow_mut() += 1;
            self.asked.borrow().is_multiple_of(2)
        }

        fn tried(&self, tried: &[Tried]) {
            self.tried.borrow_mut().push(tried.to_vec());
        }
    }

    /// Of a picture 0, 1 whose pixels are hidden in turn, and where nobody knows how pixels became it: drawn from its
    /// smallest value, black, to its largest, white.
    #[test]
    fn who_watches_sees_the_first_masked_pictures_of_a_batch_with_their_scores() {
        let question = Question::new(linear(&[1, 1, 2]), &[0.0, 1.0]).target("0");
        let watcher = Watcher::default();
        let context = Context { observer: &watcher, ..question.context() };
        let kept = Value::from_f32(&[1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0], &[4, 1, 1, 2], &device());
        let infill = Value::full(1.0, &[1, 1, 1, 2], &device());
        pollster::block_on(async {
            let mut masked = Masked::start(&context, infill, 8).await.unwrap();
            masked.score(&kept).await.unwrap();
            assert!(watcher.tried.borrow().is_empty(), "nobody was curious");
            masked.score(&kept).await.unwrap();
        });
        let tried = watcher.tried.borrow();
        let [tried] = &tried[..] else { panic!("{tried:?}") };
        let greys: Vec<[u8; 2]> = tried.iter().map(|tried| [tried.picture.rgba[0], tried.picture.rgba[4]]).collect();
        assert_eq!(greys, [[0, 255], [128, 128], [0, 255]]);
        let scores: Vec<f32> = tried.iter().map(|tried| tried.score).collect();
        let both = linear_weight(0, 0) + linear_weight(1, 0);
        assert_close(&scores, &[linear_weight(1, 0), both, linear_weight(1, 0)], 1e-5);
    }

    /// Mean and standard error of numbers far from zero, where sums of squares lose everything.
    #[test]
    fn means_and_errors_are_those_of_the_whole_list_in_any_batches() {
        let scores: Vec<f32> = (0..24).map(|index| 1000.0 + (index as f32 * 1.7).sin()).collect();
        let mean: f64 = scores.iter().map(|&score| f64::from(score)).sum::<f64>() / 24.0;
        let squares: f64 = scores.iter().map(|&score| (f64::from(score) - mean).powi(2)).sum();
        let error = (squares / (24.0 * 23.0)).sqrt() as f32;
        for size in [1, 5, 24] {
            let device = device();
            let mut means = Means::new([1, 2], &device);
            for batch in scores.chunks(size) {
                // The second pixel is never kept.
                let masks: Vec<f32> = batch.iter().flat_map(|_| [1.0, 0.0]).collect();
                let masks = Value::from_f32(&masks, &[batch.len(), 1, 2], &device);
                let scores = Value::from_f32(batch, &[batch.len(), 1, 1], &device);
                means.observe(&masks.mul(&scores).unwrap()).unwrap();
                means.count(&masks, batch).unwrap();
            }
            assert_eq!((means.masks, means.observations), (24, 24));
            assert_close(&read(&means.observed), &[mean as f32, 0.0], 1e-6);
            assert_close(&read(&means.mask), &[1.0, 0.0], 1e-6);
            assert!((means.score - mean).abs() < 1e-3);
            let found = read(&means.standard_error().unwrap().unwrap());
            assert!((found[0] / error - 1.0).abs() < 1e-3 && found[1] == 0.0, "{found:?}, not {error}");
        }
    }
}
