//! The training itself: stochastic gradient descent over pictures that never repeat.

use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Tensor};
use indicatif::{ProgressBar, ProgressStyle};
use vitrine_scenes::Class;

use crate::checkpoint::Checkpoint;
use crate::network::Network;
use crate::pictures::{Batch, test_scene, training_scene};

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

/// The highest learning rate, reached after the warm-up.
const RATE: f64 = 4e-3;
/// Steps over which the learning rate rises.
const WARM_UP: f64 = 40.0;
/// Steps between two checkpoints.
const CHECKPOINT_EVERY: u64 = 50;

/// Trains from the checkpoint, or from the start where there is none.
pub(crate) fn train(settings: &Settings, checkpoint: &Checkpoint, device: &Device) -> Result<Network> {
    device.seed(settings.seed);
    let device = &device.clone().autodiff();
    let mut network = Network::new(Class::ALL.len(), device);
    let mut optimiser = AdamWConfig::new().with_weight_decay(0.02).init();
    let mut done = 0;
    if let Some(saved) = checkpoint.load(settings, network.clone(), optimiser.clone())? {
        (done, network, optimiser) = saved;
    }

    let criterion = CrossEntropyLossConfig::new().with_smoothing(Some(0.05)).init(device);
    let bar = progress_bar(settings.steps, "training");
    bar.set_position(done);
    bar.reset_eta();
    let mut average = None;
    for batch in batches(settings, done) {
        let (pictures, classes) = batch.to_device(device);
        let loss = criterion.forward(network.forward(pictures), classes);
        let value: f32 = loss.clone().into_scalar();
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimiser.step(rate(done, settings.steps), network, gradients);

        done += 1;
        average = Some(average.map_or(value, |average| 0.95 * average + 0.05 * value));
        bar.set_message(format!("loss {:.3}", average.unwrap_or(value)));
        bar.inc(1);
        if done % CHECKPOINT_EVERY == 0 || done == settings.steps {
            checkpoint.save(settings, done, network.clone(), &optimiser)?;
        }
    }
    bar.finish();
    Ok(network.valid())
}

/// The batches still to come, rendered on a thread of their own.
fn batches(settings: &Settings, done: u64) -> impl Iterator<Item = Batch> + use<> {
    let (sender, receiver) = sync_channel(4);
    let Settings { steps, batch, .. } = *settings;
    thread::spawn(move || {
        for step in done..steps {
            let batch = Batch::render((step * batch..(step + 1) * batch).map(training_scene));
            if sender.send(batch).is_err() {
                break;
            }
        }
    });
    receiver.into_iter()
}

/// A linear warm-up, then half a cosine down to nothing.
fn rate(step: u64, steps: u64) -> f64 {
    let warm = ((step + 1) as f64 / WARM_UP).min(1.0);
    let cosine = (std::f64::consts::PI * step as f64 / steps as f64).cos();
    RATE * warm * (1.0 + cosine) / 2.0
}

/// The fraction of `count` held-out critters that the network names rightly.
pub(crate) fn accuracy(network: &Network, count: u64, device: &Device) -> Result<f64> {
    let bar = progress_bar(count, "testing");
    let mut right = 0;
    let batch = 100;
    for start in (0..count).step_by(batch) {
        let batch = Batch::render((start..(start + batch as u64).min(count)).map(test_scene));
        let probabilities = probabilities(network, &batch, device)?;
        let answers = probabilities.iter().map(|row| best(row));
        right += answers.zip(batch.classes()).filter(|(answer, class)| *answer as i64 == **class).count();
        bar.inc(batch.classes().len() as u64);
    }
    bar.finish();
    Ok(right as f64 / count as f64)
}

/// The network's answers: one row of probabilities for each picture.
pub(crate) fn probabilities(network: &Network, batch: &Batch, device: &Device) -> Result<Vec<Vec<f32>>> {
    let logits = logits(network, batch, device);
    let values = burn::tensor::activation::softmax(logits, 1).into_data();
    let values = values.try_to_vec::<f32>().context("the answers could not be read")?;
    Ok(values.chunks_exact(Class::ALL.len()).map(<[f32]>::to_vec).collect())
}

/// The network's outputs `[batch, classes]`.
pub(crate) fn logits(network: &Network, batch: &Batch, device: &Device) -> Tensor<2> {
    network.forward(batch.to_device(device).0)
}

/// The position of the largest value.
pub(crate) fn best(values: &[f32]) -> usize {
    (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap_or(0)
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
        assert!((rates[0] - RATE / WARM_UP).abs() < 1e-6, "begins at {}", rates[0]);
        assert!(rates[..35].is_sorted(), "does not rise");
        assert!(rates[40..].is_sorted_by(|a, b| a >= b), "does not fall");
        assert!(rates[999] < 1e-7, "ends at {}", rates[999]);
    }
}
