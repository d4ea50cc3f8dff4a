//! Who hears of a run: progress with the time left, partial maps, frames, cancelling.

use std::cell::Cell;

use vitrine_explain::{HeatMap, LocalBoxFuture, Observer};
use vitrine_protocol::Picture;
use web_time::{Duration, Instant};

use crate::platform;

/// What a worker or a command line does with the news of a run.
pub trait Listener {
    /// `done` of `total` passes are done; `seconds_left` once the pace is known.
    fn progress(&self, done: u64, total: u64, seconds_left: Option<f64>);
    /// The map so far.
    fn partial(&self, map: &HeatMap) {
        let _ = map;
    }
    /// The picture so far, of a method that makes one.
    fn frame(&self, picture: &Picture) {
        let _ = picture;
    }
    /// Whether the run should end.
    fn cancelled(&self) -> bool {
        false
    }
}

/// A listener that hears nothing.
pub struct Silent;

impl Listener for Silent {
    fn progress(&self, _done: u64, _total: u64, _seconds_left: Option<f64>) {}
}

/// Others are let in at most this often: each turn of a tab's event loop costs milliseconds.
const TURN: Duration = Duration::from_millis(30);

/// Adds the clock to what an explainer reports.
pub(crate) struct Watcher<'a> {
    listener: &'a dyn Listener,
    started: Instant,
    last_turn: Cell<Instant>,
}

impl<'a> Watcher<'a> {
    pub(crate) fn new(listener: &'a dyn Listener) -> Self {
        let now = Instant::now();
        Watcher { listener, started: now, last_turn: Cell::new(now) }
    }
}

impl Observer for Watcher<'_> {
    fn progress(&self, done: u64, total: u64) {
        let elapsed = self.started.elapsed().as_secs_f64();
        let seconds_left = (done > 0).then(|| elapsed * total.saturating_sub(done) as f64 / done as f64);
        self.listener.progress(done, total, seconds_left);
    }

    fn partial(&self, map: &HeatMap) {
        self.listener.partial(map);
    }

    fn frame(&self, picture: &Picture) {
        self.listener.frame(picture);
    }

    fn cancelled(&self) -> bool {
        self.listener.cancelled()
    }

    fn breathe(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(async {
            if self.last_turn.get().elapsed() >= TURN {
                platform::let_others_run().await;
                self.last_turn.set(Instant::now());
            }
        })
    }
}
