//! Trains the built-in model and writes it, its card and the sample images into the crate's folder.
//!
//! The same settings give the same network on the same machine. A training that was interrupted goes on at its last checkpoint.

mod checkpoint;
mod export;
mod learn;
mod network;
mod pictures;
mod publish;

use std::path::PathBuf;
use std::process::{Command, exit};

use anyhow::Result;
use burn::module::Module;
use burn::tensor::Device;
use clap::Parser;

use crate::checkpoint::Checkpoint;
use crate::learn::Settings;

#[derive(Parser)]
#[command(about = "Trains the built-in model `critters`")]
struct Arguments {
    /// Decides the first weights
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Batches to train on
    #[arg(long, default_value_t = 500)]
    steps: u64,
    /// Pictures in a batch
    #[arg(long, default_value_t = 40)]
    batch: u64,
    /// Held-out pictures to measure the accuracy with
    #[arg(long, default_value_t = 2000)]
    test: u64,
    /// Folder for the state of an unfinished training
    #[arg(long, default_value = "target/train/critters")]
    checkpoint: PathBuf,
    /// Folder that gets models, samples and the source file that names them
    #[arg(long, default_value = env!("CARGO_MANIFEST_DIR"))]
    out: PathBuf,
}

fn main() -> Result<()> {
    use_the_cpu_everywhere()?;
    let arguments = Arguments::parse();
    let settings = Settings { seed: arguments.seed, steps: arguments.steps, batch: arguments.batch };
    let device = Device::flex();

    let network = learn::train(&settings, &Checkpoint::new(arguments.checkpoint), &device)?;
    println!("{} parameters", network.num_params());
    let accuracy = learn::accuracy(&network, arguments.test, &device)?;
    println!("{:.2} % of {} held-out pictures are named rightly", 100.0 * accuracy, arguments.test);
    publish::publish(&network, accuracy, &settings, &arguments.out, &device)
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
