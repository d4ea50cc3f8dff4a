//! The project's jobs, one verb each.
//!
//! `cargo xtask serve` and `cargo xtask test` are all a fresh machine needs: each first installs what it misses.

mod bench;
mod checks;
mod dist;
mod fingerprint;
mod serve;
mod setup;
mod system;
mod test;
mod tools;
mod train;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build the page and serve it on this machine
    Serve(serve::Arguments),
    /// Build the page into a folder that any static host can serve, under any path
    Dist(dist::Arguments),
    /// Run every check and test, or some of the stages
    Test(test::Arguments),
    /// Measure speed, memory and page weight, natively and in a browser
    Bench(bench::Arguments),
    /// Train a built-in model and export it
    Train(train::Arguments),
    /// Install what building and testing need, and nothing else
    Setup,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Serve(arguments) => serve::run(&arguments),
        Verb::Dist(arguments) => dist::run(&arguments),
        Verb::Test(arguments) => test::run(&arguments),
        Verb::Bench(arguments) => bench::run(&arguments),
        Verb::Train(arguments) => train::run(&arguments),
        Verb::Setup => setup::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
