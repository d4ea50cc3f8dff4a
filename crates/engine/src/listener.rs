//! Who hears of a run: progress with the time left, partial maps, frames, cancelling.

use std::cell::Cell;

use vitrine_explain::{HeatMap, LocalBoxFuture, Observer};
use vitrine_image::{Pixels, resize};
use vitrine_protocol::{Curve, Picture, Tried};
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
    /// Whether [`Listener::tried`] does something; nothing is made for it otherwise.
    fn is_curious(&self) -> bool {
        false
    }
    /// A few of the masked pictures just scored, small; called a few times a second.
    fn tried(&self, tried: Vec<Tried>) {
        let _ = tried;
    }
    /// The curve so far, of a metric that follows one.
    fn curve(&self, curve: &Curve) {
        let _ = curve;
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

/// Masked pictures are shown at most this often: nobody can follow more.
const GLANCE: Duration = Duration::from_millis(300);
/// Pixels of their longer side.
const THUMBNAIL: usize = 64;

/// Adds the clock to what an explainer reports.
pub(crate) struct Watcher<'a> {
    listener: &'a dyn Listener,
    started: Instant,
    last_turn: Cell<Instant>,
    last_glance: Cell<Option<Instant>>,
}

impl<'a> Watcher<'a> {
    pub(crate) fn new(listener: &'a dyn Listener) -> Self {
        let now = Instant::now();
        Watcher { listener, started: now, last_turn: Cell::new(now), last_glance: Cell::new(None) }
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

    fn is_curious(&self) -> bool {
        self.listener.is_curious() && self.last_glance.get().is_none_or(|last| last.elapsed() >= GLANCE)
    }

    fn tried(&self, tried: &[Tried]) {
        self.last_glance.set(Some(Instant::now()));
        self.listener.tried(tried.iter().map(small).collect());
    }

    fn curve(&self, curve: &Curve) {
        self.listener.curve(curve);
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

fn small(Tried { picture, score }: &Tried) -> Tried {
    let longer = picture.width.max(picture.height).max(1);
    let side = |length: usize| (length * THUMBNAIL.min(longer)).div_ceil(longer);
    let picture = resize(&Pixels::from_picture(picture), side(picture.width), side(picture.height))
        .map_or_else(|_| picture.clone(), |pixels| pixels.to_picture());
    Tried { picture, score: *score }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[derive(Default)]
    struct Album(RefCell<Vec<Tried>>);

    impl Listener for Album {
        fn progress(&self, _done: u64, _total: u64, _seconds_left: Option<f64>) {}

        fn is_curious(&self) -> bool {
            true
        }

        fn tried(&self, tried: Vec<Tried>) {
            self.0.borrow_mut().extend(tried);
        }
    }

    #[test]
    fn masked_pictures_are_made_small_and_shown_now_and_then() {
        let album = Album::default();
        let watcher = Watcher::new(&album);
        assert!(watcher.is_curious() && !Watcher::new(&Silent).is_curious());
        let grey = |width, height| Picture { width, height, rgba: vec![[9, 9, 9, 255]; width * height].concat() };
        watcher.tried(&[Tried { picture: grey(256, 128), score: 0.5 }, Tried { picture: grey(8, 6), score: 1.5 }]);
        let expected = [Tried { picture: grey(64, 32), score: 0.5 }, Tried { picture: grey(8, 6), score: 1.5 }];
        assert_eq!(*album.0.borrow(), expected);
        assert!(!watcher.is_curious(), "the next ones come later");
    }
}
