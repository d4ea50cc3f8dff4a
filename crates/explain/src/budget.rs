//! When a sampled run may end before its samples are used up.

use web_time::Instant;

use crate::options::{number, options};

options! {
    /// When a sampled run may end before its samples are used up.
    pub struct Budget {
        /// Seconds after which the run ends with what it has; 0 for no limit. The map then depends on the machine's speed.
        max_seconds: f64 [number(0.0, 86400.0)] = 0.0,
        /// Largest standard error accepted, as a part of the largest attribution: the run ends once it is below. 0 uses all
        /// samples.
        max_error: f64 [number(0.0, 1.0)] = 0.0,
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

impl Budget {
    /// Starts the run's time.
    pub(crate) fn clock(&self) -> Clock {
        Clock { started: Instant::now(), seconds: self.max_seconds }
    }

    /// Whether the errors, where they are known, are as small as asked beside the values.
    pub(crate) fn is_precise(&self, errors: Option<Vec<f64>>, values: impl FnOnce() -> Vec<f64>) -> bool {
        let largest =
            |numbers: Vec<f64>| numbers.into_iter().fold(0.0_f64, |largest, number| largest.max(number.abs()));
        self.max_error > 0.0
            && errors.is_some_and(|errors| {
                let largest_value = largest(values());
                largest(errors) <= self.max_error * largest_value
            })
    }

    /// What the reader should know of a run that ended early.
    pub(crate) fn note(&self, done: usize, count: usize) -> String {
        let reason = match self.max_seconds > 0.0 {
            true if self.max_error > 0.0 => "max-seconds or max-error was reached",
            true => "max-seconds was reached",
            false => "max-error was reached",
        };
        format!("It ended after {done} of {count} samples, as {reason}.")
    }
}
