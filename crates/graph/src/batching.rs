//! Whether a model may be run on several images at once, proved on the model itself.

use burn::tensor::Device;

use crate::{Graph, GraphError, Run, Value};

/// How shapes are found for a batch size that is not the file's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum BatchMode {
    /// The file's shape arithmetic gives them.
    AsWritten,
    /// The file's shapes are written for its own batch size: their first axis is scaled.
    Scaled,
}

/// Whether batches give what single images give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batching {
    /// Any number of images at once.
    Any,
    /// One at a time.
    OneAtATime {
        /// Why, for people.
        reason: String,
    },
}

/// Largest difference between a batch and single runs, relative to the largest output.
const TOLERANCE: f32 = 1e-3;

impl Graph {
    /// Compares a batch of two different inputs with two single runs, in each way of finding the shapes, and keeps the
    /// way that agrees.
    ///
    /// # Errors
    /// [`GraphError::Device`] when the device fails, and whatever a single run refuses.
    pub async fn settle_batching(&self) -> Result<Batching, GraphError> {
        if self.mode.get().is_some() {
            return Ok(Batching::Any);
        }
        if self.declared_batch != 1 {
            let reason = format!("the file is written for batches of {}", self.declared_batch);
            return Ok(Batching::OneAtATime { reason });
        }
        let inputs = self.inputs();
        let samples: Vec<Vec<Value>> =
            [0, 1].map(|shift| inputs.iter().map(|(_, shape)| pattern(shape, shift, self.device())).collect()).into();
        let mut single = Vec::new();
        for sample in &samples {
            single.push(self.outputs_of(sample, BatchMode::AsWritten).await?);
        }
        let modes = match self.fixed_batch {
            true => [BatchMode::Scaled, BatchMode::AsWritten],
            false => [BatchMode::AsWritten, BatchMode::Scaled],
        };
        let mut reason = String::new();
        for mode in modes {
            match self.differs(mode, &samples, &single).await {
                Ok(false) => {
                    self.mode.get_or_init(|| mode);
                    return Ok(Batching::Any);
                }
                Ok(true) => reason = "a batch gives other answers than its images one by one".to_owned(),
                Err(error @ GraphError::Device(_)) => return Err(error),
                Err(error) if reason.is_empty() => reason = error.to_string(),
                Err(_) => {}
            }
        }
        Ok(Batching::OneAtATime { reason })
    }

    /// Whether the two samples in one batch give other outputs than each alone.
    async fn differs(
        &self,
        mode: BatchMode,
        samples: &[Vec<Value>],
        single: &[Vec<Vec<f32>>],
    ) -> Result<bool, GraphError> {
        let mut batch = Vec::new();
        for input in 0..self.inputs.len() {
            let pair: Vec<Value> = samples.iter().map(|sample| sample[input].clone()).collect();
            batch.push(if self.is_batched(input) { Value::concat(&pair, 0)? } else { pair[0].clone() });
        }
        let together = self.outputs_of(&batch, mode).await?;
        Ok((0..together.len()).any(|output| {
            let apart: Vec<f32> = single.iter().flat_map(|outputs| outputs[output].iter().copied()).collect();
            let largest = apart.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
            let agrees = |(a, b): (&f32, &f32)| (a - b).abs() <= TOLERANCE * largest;
            apart.len() != together[output].len() || !apart.iter().zip(&together[output]).all(agrees)
        }))
    }

    async fn outputs_of(&self, inputs: &[Value], mode: BatchMode) -> Result<Vec<Vec<f32>>, GraphError> {
        let run = self
            .inputs()
            .iter()
            .zip(inputs)
            .fold(Run::of(self.outputs()), |run, ((name, _), value)| run.feed(name, value.clone()));
        let trace = self.run_in(&run, Some(mode))?;
        let mut outputs = Vec::new();
        for name in self.outputs() {
            outputs.push(trace.value(name)?.to_vec().await?);
        }
        Ok(outputs)
    }
}

/// A smooth but irregular input with values from 0 to 1, another one for each `shift`.
fn pattern(shape: &[usize], shift: usize, device: &Device) -> Value {
    let length: usize = shape.iter().product();
    let wave = |index: usize| 0.5 + 0.5 * ((index * (index % 7 + 3 + shift)) as f32 * 0.37 + shift as f32).sin();
    Value::from_f32(&(0..length).map(wave).collect::<Vec<_>>(), shape, device)
}
