//! Who watches a run: progress, partial maps, cancelling.

use std::{future::Future, pin::Pin};

use vitrine_protocol::{Curve, Picture, Tried};

use crate::{ExplainError, HeatMap};

/// A future that stays on its thread, as everything in a browser tab does.
pub type LocalBoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What a run tells whoever started it, and asks. Every answer has a default; [`Unobserved`] takes them all.
pub trait Observer {
    /// `done` of `total` passes are done; called once before the first batch and once after each, up to `total`.
    fn progress(&self, done: u64, total: u64) {
        let _ = (done, total);
    }

    /// The map so far; called about ten times by methods that promise it.
    fn partial(&self, map: &HeatMap) {
        let _ = map;
    }

    /// The picture so far; called about fifty times by methods that make one.
    fn frame(&self, picture: &Picture) {
        let _ = picture;
    }

    /// Whether [`Observer::tried`] is of use now; asked before each batch of masked inputs, which costs nothing while it is
    /// not.
    fn is_curious(&self) -> bool {
        false
    }

    /// A few of the masked inputs just scored, each as large as the input.
    fn tried(&self, tried: &[Tried]) {
        let _ = tried;
    }

    /// The curve so far; called after each batch by metrics that follow one.
    fn curve(&self, curve: &Curve) {
        let _ = curve;
    }

    /// Whether the run should end; asked after each batch.
    fn cancelled(&self) -> bool {
        false
    }

    /// Lets others have a turn, such as the event loop of a worker; awaited after each batch.
    fn breathe(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// An [`Observer`] that looks away.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {}

/// A run that is a part of a longer one: its passes count on from those before it, and its partial maps are not shown.
pub struct Stage<'a> {
    /// Who watches the longer run.
    pub observer: &'a dyn Observer,
    /// Passes before it.
    pub before: u64,
    /// Passes of the longer run.
    pub all: u64,
}

impl Observer for Stage<'_> {
    fn progress(&self, done: u64, _: u64) {
        if done > 0 {
            self.observer.progress(self.before + done, self.all);
        }
    }

    fn is_curious(&self) -> bool {
        self.observer.is_curious()
    }

    fn tried(&self, tried: &[Tried]) {
        self.observer.tried(tried);
    }

    fn cancelled(&self) -> bool {
        self.observer.cancelled()
    }

    fn breathe(&self) -> LocalBoxFuture<'_, ()> {
        self.observer.breathe()
    }
}

/// Counts the passes of a run.
pub struct Progress<'a> {
    observer: &'a dyn Observer,
    done: u64,
    total: u64,
}

impl<'a> Progress<'a> {
    /// Begins a run of so many passes.
    pub fn start(observer: &'a dyn Observer, total: u64) -> Self {
        observer.progress(0, total);
        Progress { observer, done: 0, total }
    }

    /// Adds passes that were not foreseen when the run began.
    pub fn extend(&mut self, passes: usize) {
        self.total += passes as u64;
    }

    /// Passes counted so far.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Counts a batch, and ends the run if that is wanted by now.
    ///
    /// # Errors
    /// [`ExplainError::Cancelled`].
    pub async fn advance(&mut self, passes: usize) -> Result<(), ExplainError> {
        self.done += passes as u64;
        self.observer.progress(self.done, self.total);
        self.observer.breathe().await;
        if self.observer.cancelled() { Err(ExplainError::Cancelled) } else { Ok(()) }
    }
}
