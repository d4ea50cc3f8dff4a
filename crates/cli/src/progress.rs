//! The progress bar on the terminal.

use indicatif::{ProgressBar, ProgressStyle};
use vitrine_engine::Listener;

/// A bar on stderr; indicatif draws it only on a terminal.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new(title: &str, quiet: bool) -> Bar {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
        // The template is fixed text; the plain style stands in should it ever be refused.
        let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(title.to_owned());
        Bar(bar)
    }

    /// Writes a line above the bar; nothing where there is no bar.
    pub(crate) fn tell(&self, line: &str) {
        self.0.println(line);
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Listener for Bar {
    fn progress(&self, done: u64, total: u64, seconds_left: Option<f64>) {
        self.0.set_length(total);
        self.0.set_position(done);
        if let Some(seconds) = seconds_left {
            self.0.set_message(format!("{seconds:.0} s left"));
        }
    }
}
