//! Trains a built-in model and writes it and its card into the crate's folder; with the default model the samples too.
//!
//! The same settings give the same network on the same machine. A training that was interrupted goes on at its last checkpoint.

mod batch;
mod checkpoint;
mod export;
mod layers;
mod learn;
mod publish;
mod recipe;
mod recipes;
mod samples;

use std::path::PathBuf;
use std::process::{Command, exit};

use anyhow::Result;
use burn::module::Module;
use burn::tensor::Device;
use clap::Parser;

use crate::checkpoint::Checkpoint;
use crate::learn::Settings;
use crate::recipe::Recipe;
use crate::recipes::IDS;

#[derive(Parser)]
#[command(about = "Trains a built-in model")]
struct Arguments {
    /// Which model
    #[arg(default_value = IDS[0], value_parser = clap::builder::PossibleValuesParser::new(IDS))]
    model: String,
    /// Decides the first weights
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Batches to train on; each model has a number of its own
    #[arg(long)]
    steps: Option<u64>,
    /// Pictures in a batch
    #[arg(long, default_value_t = 40)]
    batch: u64,
    /// Held-out pictures to measure the accuracy with
    #[arg(long, default_value_t = 2000)]
    test: u64,
    /// Folder for the state of an unfinished training, target/train/MODEL unless told otherwise
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// Folder that gets models, samples and the source files that name them
    #[arg(long, default_value = env!("CARGO_MANIFEST_DIR"))]
    out: PathBuf,
}

fn main() -> Result<()> {
    use_the_cpu_everywhere()?;
    recipes::run(&Arguments::parse())
}

fn run<R: Recipe>(arguments: &Arguments) -> Result<()> {
    let Arguments { seed, steps, batch, test, checkpoint, out, .. } = arguments;
    let settings = Settings { seed: *seed, steps: steps.unwrap_or(R::STEPS), batch: *batch };
    let device = Device::flex();
    let checkpoint = checkpoint.clone().unwrap_or_else(|| PathBuf::from("target/train").join(R::ID));

    let network = learn::train::<R>(&settings, &Checkpoint::new(checkpoint), &device)?;
    println!("{} parameters", network.num_params());
    let accuracy = learn::accuracy::<R>(&network, *test, &device)?;
    println!("{}: {:.2} % of what {test} held-out pictures ask is right", R::ID, 100.0 * accuracy);
    publish::publish::<R>(&network, accuracy, &settings, out, &device)
}

/// Starts over with burn's default device set to the CPU: a resumed optimiser's state is put there, and the default is
/// otherwise a GPU, whether there is one or not.
fn use_the_cpu_everywhere() -> Result<()> {
    const NAME: &str = "BURN_DEVICE";
    if std::env::var_os(NAME).is_some_and(|value| value == "flex") {
        return Ok(());
    }
    let status = Command::new(std::env::current_exe()?).args(std::env::args_os().skip(1)).env(NAME, "flex").status()?;
    exit(status.code().unwrap_or(1))
}
