//! Many masked copies of the input, folded into running means on the device: what sampling methods stand on.

use std::ops::Range;

use vitrine_graph::Value;
use vitrine_protocol::Layout;

use crate::{
    Context, ExplainError, HeatMap,
    attribution::{check_finite, picture_size},
    observer::Progress,
};

/// Running means over masks, each `[1, height, width]` on the device.
pub(crate) struct Means {
    /// Masks so far.
    pub(crate) count: usize,
    /// Mean of score times mask.
    pub(crate) weighted: Value,
    /// Sum of squared deviations of score times mask from its mean.
    deviations: Value,
    /// Mean of the masks.
    pub(crate) masks: Value,
}

impl Means {
    fn new([height, width]: [usize; 2], device: &burn::tensor::Device) -> Means {
        let zero = Value::full(0.0, &[1, height, width], device);
        Means { count: 0, weighted: zero.clone(), deviations: zero.clone(), masks: zero }
    }

    /// Adds masks `[batch, height, width]` with scores `[batch]`, by Chan, Golub and LeVeque's pairwise update (1979),
    /// which keeps its precision however many masks there are.
    fn add(&mut self, masks: &Value, scores: &Value) -> Result<(), ExplainError> {
        let batch = scores.len();
        let all = self.count + batch;
        let share = batch as f32 / all as f32;
        let mean = |value: &Value| value.sum_axes(&[0])?.map(|sum| sum.div_scalar(batch as f32));
        let weighted = masks.mul(&scores.reshape(&[batch, 1, 1])?)?;
        let batch_mean = mean(&weighted)?;
        let deviations = weighted.sub(&batch_mean)?.map(|deviation| deviation.square())?.sum_axes(&[0])?;
        let step = batch_mean.sub(&self.weighted)?;
        let between = step.map(|step| step.square().mul_scalar(self.count as f32 * share))?;
        self.weighted = self.weighted.add(&step.map(|step| step.mul_scalar(share))?)?;
        self.deviations = self.deviations.add(&deviations)?.add(&between)?;
        let step = mean(masks)?.sub(&self.masks)?;
        self.masks = self.masks.add(&step.map(|step| step.mul_scalar(share))?)?;
        self.count = all;
        Ok(())
    }

    /// Standard error of [`Means::weighted`]; nothing for a single mask.
    pub(crate) fn standard_error(&self) -> Result<Option<Value>, ExplainError> {
        if self.count < 2 {
            return Ok(None);
        }
        let scale = self.count as f32 * (self.count - 1) as f32;
        Ok(Some(self.deviations.map(|deviations| deviations.div_scalar(scale).sqrt())?))
    }
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
pub(crate) const UNMASKED: usize = 1;

/// The input with parts of it replaced, scored batch by batch.
pub(crate) struct Masked<'a> {
    context: &'a Context<'a>,
    infill: Value,
    /// The input minus the infill.
    difference: Value,
    progress: Progress<'a>,
    /// The target at the input as it is.
    pub(crate) prediction: f32,
}

impl<'a> Masked<'a> {
    /// Runs the input as it is; `passes` more are to come.
    pub(crate) async fn start(
        context: &'a Context<'a>,
        infill: Value,
        passes: usize,
    ) -> Result<Masked<'a>, ExplainError> {
        let mut progress = Progress::start(context.observer, (passes + UNMASKED) as u64);
        let prediction = context.predict(context.input.clone())?.to_vec().await?;
        check_finite(&prediction, "The target at the input", "check the input's values and the model card")?;
        progress.advance(UNMASKED).await?;
        let difference = context.input.sub(&infill)?;
        let prediction = prediction.first().copied().unwrap_or(f32::NAN);
        Ok(Masked { context, infill, difference, progress, prediction })
    }

    /// The target at `input * kept + infill * (1 - kept)`, on the device and here. `kept` has the batch axis and the
    /// input's others, each of which may be 1.
    pub(crate) async fn score(&mut self, kept: &Value) -> Result<(Value, Vec<f32>), ExplainError> {
        let scores = self.context.predict(self.difference.mul(kept)?.add(&self.infill)?)?;
        // Waiting for this batch's scores keeps the device's queue, the progress and the cancelling in step.
        let values = scores.to_vec().await?;
        check_finite(&values, "The target at a masked input", "try another infill")?;
        self.progress.advance(values.len()).await?;
        Ok((scores, values))
    }

    /// Forward passes so far.
    pub(crate) fn passes(&self) -> u64 {
        self.progress.done()
    }
}

/// Scores `count` masked copies of the input, `input * mask + infill * (1 - mask)`, batch by batch, and returns the
/// target at the unmasked input with the means over all masks.
///
/// `masks` gives the masks of a range of numbers, `[masks, height, width]`. About ten times on the way the observer gets
/// the map that `estimate` makes of the means so far.
pub(crate) async fn sample(
    context: &Context<'_>,
    infill: Value,
    count: usize,
    masks: &dyn Fn(Range<usize>) -> Result<Value, ExplainError>,
    estimate: &dyn Fn(&Means) -> Result<Value, ExplainError>,
) -> Result<(f32, Means), ExplainError> {
    let [height, width] = size_of_picture(context)?;
    let mut masked = Masked::start(context, infill, count).await?;
    let mut means = Means::new([height, width], &context.input.device());
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
        let (scores, _) = masked.score(&over_channels).await?;
        means.add(&masks, &scores)?;
        if (number + 1).is_multiple_of(partial_every) && means.count < count {
            let values = estimate(&means)?.to_vec().await?;
            context.observer.partial(&HeatMap { height, width, values });
        }
    }
    Ok((masked.prediction, means))
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::testing::{assert_close, read};

    /// Mean and standard error of numbers far from zero, where sums of squares lose everything.
    #[test]
    fn means_and_errors_are_those_of_the_whole_list_in_any_batches() {
        let scores: Vec<f32> = (0..24).map(|index| 1000.0 + (index as f32 * 1.7).sin()).collect();
        let mean: f64 = scores.iter().map(|&score| f64::from(score)).sum::<f64>() / 24.0;
        let squares: f64 = scores.iter().map(|&score| (f64::from(score) - mean).powi(2)).sum();
        let error = (squares / (24.0 * 23.0)).sqrt() as f32;
        for size in [1, 5, 24] {
            let device = Device::flex();
            let mut means = Means::new([1, 2], &device);
            for batch in scores.chunks(size) {
                // The second pixel is never kept.
                let masks: Vec<f32> = batch.iter().flat_map(|_| [1.0, 0.0]).collect();
                let masks = Value::from_f32(&masks, &[batch.len(), 1, 2], &device);
                means.add(&masks, &Value::from_f32(batch, &[batch.len()], &device)).unwrap();
            }
            assert_eq!(means.count, 24);
            assert_close(&read(&means.weighted), &[mean as f32, 0.0], 1e-6);
            assert_close(&read(&means.masks), &[1.0, 0.0], 1e-6);
            let found = read(&means.standard_error().unwrap().unwrap());
            assert!((found[0] / error - 1.0).abs() < 1e-3 && found[1] == 0.0, "{found:?}, not {error}");
        }
    }
}
