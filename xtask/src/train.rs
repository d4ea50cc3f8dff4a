//! `cargo xtask train`: trains a built-in model natively.

use anyhow::Result;
use xshell::cmd;

use crate::tools;
use crate::workspace::Workspace;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Arguments of the training program; `-- --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs the training program of the zoo.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let shell = tools::for_native_tests(&Workspace::read()?)?;
    let arguments = &arguments.arguments;
    Ok(cmd!(shell, "cargo run --release --package vitrine-zoo --features train --bin train -- {arguments...}").run()?)
}
