//! When a sampled run may end before its samples are used up.

use web_time::Instant;

use crate::options::{number, options};

options! {
    /// How long a run may take.
    pub struct TimeLimit {
        /// Seconds after which the run ends with what it has; 0 for no limit. The map then depends on the machine's speed.
        max_seconds: f64 [number(0.0, 86400.0)] = 0.0,
    }
}

options! {
    /// When a sampled run may end before its samples are used up.
    pub struct Budget {
        /// Largest standard error accepted, as a part of the largest attribution: the run ends once it is below. 0 uses all
        /// samples.
        max_error: f64 [number(0.0, 1.0)] = 0.0,
        ..time: TimeLimit,
    }
}

/// A run's time.
pub(crate) struct Clock {
    started: Instant,
    seconds: f64,
}

impl Clock {
    /// Whether the seconds allowed are over.
    pub(crate) fn is_over(&self) -> bool {
        self.seconds > 0.0 && self.started.elapsed().as_secs_f64() > self.seconds
    }
}

impl TimeLimit {
    /// Starts the run's time.
    pub(crate) fn clock(&self) -> Clock {
        Clock { started: Instant::now(), seconds: self.max_seconds }
    }

    /// What the reader should know of a run that ended early; `what` it counts, in the plural.
    pub(crate) fn note(&self, done: usize, count: usize, what: &str) -> String {
        ended(done, count, what, "max-seconds was reached")
    }
}

impl From<&TimeLimit> for Budget {
    fn from(time: &TimeLimit) -> Self {
        Budget { time: time.clone(), ..Budget::default() }
    }
}

/// The number furthest from zero, without its sign.
pub(crate) fn largest(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0_f64, |largest, number| largest.max(number.abs()))
}

fn ended(done: usize, count: usize, what: &str, reason: &str) -> String {
    format!("It ended after {done} of {count} {what}, as {reason}.")
}

impl Budget {
    /// Starts the run's time.
    pub(crate) fn clock(&self) -> Clock {
        self.time.clock()
    }

    /// Whether the errors, where they are known, are as small as asked beside the values. Nothing is worked out where no
    /// error was asked for.
    pub(crate) fn is_precise(
        &self,
        errors: impl FnOnce() -> Option<Vec<f64>>,
        values: impl FnOnce() -> Vec<f64>,
    ) -> bool {
        self.max_error > 0.0 && errors().is_some_and(|errors| largest(&errors) <= self.max_error * largest(&values()))
    }

    /// What the reader should know of a run that ended early.
    pub(crate) fn note(&self, done: usize, count: usize) -> String {
        let reason = match self.time.max_seconds > 0.0 {
            true if self.max_error > 0.0 => "max-seconds or max-error was reached",
            true => "max-seconds was reached",
            false => "max-error was reached",
        };
        ended(done, count, "samples", reason)
    }
}
