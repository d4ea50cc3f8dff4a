//! Programs that are timed against one another: each is a process that prints numbers, and they take turns, so that a
//! busy machine slows all of them.

use std::process::Command;

use crate::speed::Result;

/// A program, and what it printed so far.
pub struct Rival {
    /// What it is called where its numbers are printed.
    pub name: String,
    command: Command,
    rounds: Vec<Vec<f64>>,
}

impl Rival {
    /// A program whose runs print numbers with white space between, always the same things in the same order.
    pub fn new(name: impl Into<String>, command: Command) -> Rival {
        Rival { name: name.into(), command, rounds: Vec::new() }
    }

    /// Runs it once more.
    ///
    /// # Errors
    /// A program that fails, with what it complained about, and one that prints other things than numbers.
    pub fn measure(&mut self) -> Result<()> {
        let output = self.command.output()?;
        if !output.status.success() {
            return Err(format!("{}: {}", self.name, String::from_utf8_lossy(&output.stderr)).into());
        }
        let text = String::from_utf8(output.stdout)?;
        self.rounds.push(text.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?);
        Ok(())
    }

    /// The median of each number over the runs so far.
    pub fn medians(&self) -> Vec<f64> {
        medians(&self.rounds)
    }

    /// How many times as large each number is as the other program's: the median of the ratios of runs that took turns,
    /// since the machine may be busier in another round. As many as both print.
    pub fn ratios(&self, other: &Rival) -> Vec<f64> {
        let of_round = |(ours, theirs): (&Vec<f64>, &Vec<f64>)| ours.iter().zip(theirs).map(|(a, b)| a / b).collect();
        medians(&self.rounds.iter().zip(&other.rounds).map(of_round).collect::<Vec<_>>())
    }
}

fn medians(rounds: &[Vec<f64>]) -> Vec<f64> {
    let count = rounds.iter().map(Vec::len).min().unwrap_or_default();
    let median = |at: usize| {
        let mut sorted: Vec<f64> = rounds.iter().map(|numbers| numbers[at]).collect();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    };
    (0..count).map(median).collect()
}

/// A number with so many decimals, or a dash for what is not measured.
pub fn written(value: Option<&f64>, decimals: usize) -> String {
    match value {
        Some(value) if !value.is_nan() => format!("{value:.decimals$}"),
        _ => "-".to_owned(),
    }
}
