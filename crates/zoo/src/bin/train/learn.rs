//! The training itself: stochastic gradient descent over pictures that never repeat.

use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::Device;
use indicatif::{ProgressBar, ProgressStyle};

use crate::batch::{Batch, Example};
use crate::checkpoint::Checkpoint;
use crate::recipe::{Grade, Network, Purpose, Recipe};

/// What decides the result.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Settings {
    /// Decides the first weights; the pictures are the same for all seeds.
    pub(crate) seed: u64,
    /// Batches to train on.
    pub(crate) steps: u64,
    /// Pictures in a batch.
    pub(crate) batch: u64,
}

/// Steps over which the learning rate rises.
const WARM_UP: f64 = 40.0;
/// Steps between two checkpoints.
const CHECKPOINT_EVERY: u64 = 50;

/// Trains from the checkpoint, or from the start where there is none.
pub(crate) fn train<R: Recipe>(settings: &Settings, checkpoint: &Checkpoint, device: &Device) -> Result<R::Network> {
    device.seed(settings.seed);
    let device = &device.clone().autodiff();
    let mut network = R::Network::new(device);
    let mut optimiser = AdamWConfig::new().with_weight_decay(0.02).init();
    let mut done = 0;
    if let Some(saved) = checkpoint.load(settings, network.clone(), optimiser.clone())? {
        (done, network, optimiser) = saved;
    }

    let bar = progress_bar(settings.steps, "training");
    bar.set_position(done);
    bar.reset_eta();
    let mut average = None;
    for batch in batches::<R>(settings, done) {
        let loss = R::loss(network.forward(batch.pictures(device)), &batch);
        let value: f32 = loss.clone().into_scalar();
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimiser.step(R::RATE * rate(done, settings.steps), network, gradients);

        done += 1;
        average = Some(average.map_or(value, |average| 0.95 * average + 0.05 * value));
        bar.set_message(format!("loss {:.3}", average.unwrap_or(value)));
        bar.inc(1);
        if done % CHECKPOINT_EVERY == 0 || done == settings.steps {
            checkpoint.save(settings, done, network.clone(), &optimiser)?;
            if bar.is_hidden() {
                eprintln!("{} of {} batches, loss {:.3}", done, settings.steps, average.unwrap_or(value));
            }
        }
    }
    bar.finish();
    Ok(network.valid())
}

/// The batches still to come, rendered on a thread of their own.
fn batches<R: Recipe>(settings: &Settings, done: u64) -> impl Iterator<Item = Batch> + use<R> {
    let (sender, receiver) = sync_channel(4);
    let Settings { steps, batch, .. } = *settings;
    thread::spawn(move || {
        for step in done..steps {
            let positions = step * batch..(step + 1) * batch;
            let batch = Batch::of(positions.map(|position| R::example(position, Purpose::Training)));
            if sender.send(batch).is_err() {
                break;
            }
        }
    });
    receiver.into_iter()
}

/// A linear warm-up to one, then half a cosine down to nothing.
fn rate(step: u64, steps: u64) -> f64 {
    let warm = ((step + 1) as f64 / WARM_UP).min(1.0);
    let cosine = (std::f64::consts::PI * step as f64 / steps as f64).cos();
    warm * (1.0 + cosine) / 2.0
}

/// How much of `count` held-out examples the network answers rightly, 0 to 1.
pub(crate) fn accuracy<R: Recipe>(network: &R::Network, count: u64, device: &Device) -> Result<f64> {
    let bar = progress_bar(count, "testing");
    let mut total = Grade::default();
    let step = 100;
    for start in (0..count).step_by(step) {
        let positions = start..(start + step as u64).min(count);
        let batch = Batch::of(positions.map(|position| R::example(position, Purpose::Test)));
        for (answer, example) in answers(network, &batch, device)?.iter().zip(batch.examples()) {
            total = total + R::grade(answer, example);
        }
        bar.inc(batch.examples().len() as u64);
    }
    bar.finish();
    Ok(total.right / total.of.max(1.0))
}

/// The network's scores of each example.
pub(crate) fn answers<N: Network>(network: &N, batch: &Batch, device: &Device) -> Result<Vec<Vec<f32>>> {
    let values = network.forward(batch.pictures(device)).into_data();
    let values = values.try_to_vec::<f32>().context("the answers could not be read")?;
    let examples: &[Example] = batch.examples();
    Ok(values.chunks_exact((values.len() / examples.len().max(1)).max(1)).map(<[f32]>::to_vec).collect())
}

fn progress_bar(length: u64, name: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>9} {wide_bar} {pos}/{len} {msg} {eta} left");
    let bar = ProgressBar::new(length).with_prefix(name);
    bar.enable_steady_tick(Duration::from_secs(1));
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_then_falls_to_nothing() {
        let rates: Vec<f64> = (0..1000).map(|step| rate(step, 1000)).collect();
        assert!((rates[0] - 1.0 / WARM_UP).abs() < 1e-4, "begins at {}", rates[0]);
        assert!(rates[..35].is_sorted(), "does not rise");
        assert!(rates[40..].is_sorted_by(|a, b| a >= b), "does not fall");
        assert!(rates[999] < 1e-5, "ends at {}", rates[999]);
    }
}
