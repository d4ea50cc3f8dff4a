//! The command line, as clap reads it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use vitrine_protocol::DeviceChoice;

/// Explains why a vision model answers as it does.
#[derive(Debug, Parser)]
#[command(name = "vitrine", version, about)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the built-in models: size, task, input and licence.
    Models(Listing),
    /// Lists every explainer: id, family, parameters, reference, needs and promises.
    Methods(Listing),
    /// Lists every metric of explanations: id, which direction is better, parameters.
    Metrics(Listing),
    /// Lists the protocols that test methods on pictures of which the truth is known.
    Protocols(Listing),
    /// Describes a model: inputs, outputs, layers, unsupported operators, whether it runs in batches.
    Inspect(Inspect),
    /// Runs a model and writes every output, and probed values, into an NPZ file.
    Run(Run),
    /// Prints the leading classes.
    Predict(Predict),
    /// Explains a prediction and writes the attribution, the heat map, a picture if the method makes one, and a report.
    Explain(Explain),
    /// Explains by several methods and scores their maps, or maps from files, by metrics and protocols with ground truth.
    Evaluate(Evaluate),
}

#[derive(Debug, Args)]
pub(crate) struct Listing {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where and how to compute.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Where to compute: auto takes a real GPU if there is one, gpu any graphics adapter.
    #[arg(long, value_enum, default_value_t = DeviceName::Auto)]
    pub(crate) device: DeviceName,
    /// No progress bar.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Most images in one batch [default: what memory allows].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) batch: Option<u32>,
    /// Model card (JSON) [default: NAME.card.json beside NAME.onnx].
    #[arg(long, value_name = "FILE")]
    pub(crate) card: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DeviceName {
    Auto,
    Cpu,
    Gpu,
}

impl From<DeviceName> for DeviceChoice {
    fn from(name: DeviceName) -> Self {
        match name {
            DeviceName::Auto => DeviceChoice::Auto,
            DeviceName::Cpu => DeviceChoice::Cpu,
            DeviceName::Gpu => DeviceChoice::Gpu,
        }
    }
}

/// Model and input.
#[derive(Debug, Args)]
pub(crate) struct Subject {
    /// Id of a built-in model, or path to an .onnx file [default: the first built-in model].
    #[arg(long, value_name = "M")]
    pub(crate) model: Option<String>,
    /// Image file, .npy/.npz with a ready-made tensor, or a sample image's label; NAME=PATH for one of several inputs [default: a sample image].
    #[arg(long, value_name = "I")]
    pub(crate) input: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Id of a built-in model, or path to an .onnx file [default: the first built-in model].
    #[arg(long, value_name = "M")]
    pub(crate) model: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) subject: Subject,
    /// A further value to write, by its name in the graph; may be repeated.
    #[arg(long, value_name = "VALUE_NAME")]
    pub(crate) probe: Vec<String>,
    /// The NPZ file to write.
    #[arg(long, value_name = "FILE.npz")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct Predict {
    #[command(flatten)]
    pub(crate) subject: Subject,
    /// How many classes or boxes to print.
    #[arg(long, value_name = "K", default_value_t = 5)]
    pub(crate) top: usize,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) subject: Subject,
    /// The method's id; `vitrine methods` lists them.
    #[arg(long, value_name = "ID", default_value = "integrated-gradients")]
    pub(crate) method: String,
    /// What to explain: class index, label, auto; prob:T, logodds:T; A-B for a margin; box:N or box:N/CLASS of a detector.
    #[arg(long, value_name = "T", default_value = "auto", allow_hyphen_values = true)]
    pub(crate) target: String,
    /// The layer to look at, by its value name; may be repeated [default: the card's, or the last spatial one].
    #[arg(long, value_name = "NAME")]
    pub(crate) layer: Vec<String>,
    /// A parameter of the method; may be repeated. `regions=parts` takes the parts of a built-in picture.
    #[arg(long = "param", value_name = "KEY=VALUE")]
    pub(crate) parameters: Vec<String>,
    /// Seed of all randomness.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// The folder to write into; made if it does not exist.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Print the report as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    /// Ids of built-in models, or paths to .onnx files [default: the first built-in model].
    #[arg(long, value_name = "M", num_args = 1..)]
    pub(crate) model: Vec<String>,
    /// Image files, .npy/.npz with ready-made tensors, or labels of sample images; each by itself [default: a sample image].
    #[arg(long, value_name = "I", num_args = 1..)]
    pub(crate) input: Vec<String>,
    /// Ids of the methods whose maps are scored, with commas between; `vitrine methods` lists them.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) methods: Vec<String>,
    /// A map from elsewhere: .npy of height and width, or a picture, whose brightness counts; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Vec<PathBuf>,
    /// Ids of the metrics, with commas between; `vitrine metrics` lists them.
    #[arg(long, value_name = "X,Y", value_delimiter = ',')]
    pub(crate) metrics: Vec<String>,
    /// Ids of protocols with ground truth, which draw their own pictures; `vitrine protocols` lists them.
    #[arg(long, value_name = "P,Q", value_delimiter = ',')]
    pub(crate) protocols: Vec<String>,
    /// How many pictures a protocol draws.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) pictures: u32,
    /// Where the maps should lie, for metrics of localisation: .npy or a picture, above zero inside.
    #[arg(long, value_name = "FILE")]
    pub(crate) mask: Option<PathBuf>,
    /// What to explain: class index, label, auto; prob:T, logodds:T; A-B for a margin; box:N or box:N/CLASS of a detector.
    #[arg(long, value_name = "T", default_value = "auto", allow_hyphen_values = true)]
    pub(crate) target: String,
    /// The layer to look at, by its value name; may be repeated [default: the card's, or the last spatial one].
    #[arg(long, value_name = "NAME")]
    pub(crate) layer: Vec<String>,
    /// A parameter of all metrics and protocols that have it, or of one of them or a method, as ID.KEY=VALUE; may be repeated.
    #[arg(long = "param", value_name = "KEY=VALUE")]
    pub(crate) parameters: Vec<String>,
    /// Seed of all randomness.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// The folder to write into; made if it does not exist. What a stopped run has left there is taken.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Print the scores as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
