//! vitrine: explain a vision model from the command line.

mod arguments;
mod checkpoint;
mod commands;
mod failure;
mod files;
mod given;
mod leaderboard;
mod maps;
mod output;
mod progress;
mod scores;
mod setup;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if !error.use_stderr() => {
            // Help and version were asked for.
            return if error.print().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Err(error) => {
            eprintln!("{}", first_paragraph(&error.to_string()));
            return ExitCode::from(failure::CALLER);
        }
    };
    match pollster::block_on(commands::dispatch(arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {}", one_line(&failure.to_string()));
            ExitCode::from(failure.status())
        }
    }
}

/// What a refused command line is told, in one line.
fn first_paragraph(text: &str) -> String {
    one_line(text.split("\n\n").next().unwrap_or(text))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_command_line_is_one_line_beginning_with_error() {
        let error = Arguments::try_parse_from(["vitrine", "explain", "--target"]).unwrap_err();
        let line = first_paragraph(&error.to_string());
        assert!(line.starts_with("error: ") && !line.contains('\n'), "{line}");
        assert!(line.contains("--target"), "{line}");
    }
}
