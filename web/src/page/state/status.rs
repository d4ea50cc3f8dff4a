//! What the page is doing, in one word for programs and one sentence for people.

use super::{End, State, Worker};
use crate::number::seconds;

/// The word in `data-state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Loading,
    Ready,
    Running,
    Done,
    Cancelled,
    Error,
}

impl Status {
    pub(crate) fn id(self) -> &'static str {
        match self {
            Status::Loading => "loading",
            Status::Ready => "ready",
            Status::Running => "running",
            Status::Done => "done",
            Status::Cancelled => "cancelled",
            Status::Error => "error",
        }
    }
}

impl State {
    /// What the page is doing.
    pub(crate) fn status(&self) -> Status {
        let ended = || match self.last_end {
            None => Status::Ready,
            Some(End::Done) => Status::Done,
            Some(End::Cancelled) => Status::Cancelled,
            Some(End::Error) => Status::Error,
        };
        match self.worker {
            Worker::Stopped => Status::Error,
            Worker::Starting => Status::Loading,
            Worker::Ready if !self.sources.is_settled() || self.download.is_some() => Status::Loading,
            Worker::Ready if self.run.is_some() => Status::Running,
            Worker::Ready => ended(),
        }
    }

    /// The same as a sentence. It does not count, because a screen reader reads out every change.
    pub(crate) fn status_sentence(&self) -> String {
        let running = self.running.as_ref().or(self.asked.as_ref().map(|question| &question.method));
        let method = self.methods.iter().find(|method| Some(&method.id) == running).map(|method| method.name.as_str());
        let method = method.unwrap_or_default();
        match self.status() {
            Status::Loading if self.worker == Worker::Starting => "Starting ...".to_owned(),
            Status::Loading => self.download_sentence().unwrap_or_else(|| "Loading ...".to_owned()),
            Status::Ready => "Ready.".to_owned(),
            Status::Running if self.is_measuring() => {
                format!("{} is measured. Escape stops it.", self.measuring().unwrap_or_default())
            }
            Status::Running if self.running.is_none() && self.queue.is_empty() => {
                format!("{method} is running. Escape stops it.")
            }
            Status::Running => match self.queue.len() {
                0 => format!("{method} is running, the last one. Escape stops it."),
                left => format!("{method} is running, {left} to go. Escape stops all."),
            },
            Status::Done => match &self.report {
                Some(_) if self.compared().len() > 1 => {
                    let maps = self.compared();
                    let time = maps.iter().map(|(_, report)| report.seconds.explain).sum();
                    format!("Done: {} maps in {}.", maps.len(), seconds(time))
                }
                Some(report) => format!("Done in {}.", seconds(report.seconds.explain)),
                None => "Done.".to_owned(),
            },
            Status::Cancelled if self.made.is_some() => "Stopped. The picture shows what was made by then.".to_owned(),
            Status::Cancelled if self.map.is_some() => "Stopped. The map shows what was known by then.".to_owned(),
            Status::Cancelled => "Stopped.".to_owned(),
            Status::Error if self.worker == Worker::Stopped => {
                "Out of order until the page is loaded again.".to_owned()
            }
            Status::Error => "That did not work; the message says why.".to_owned(),
        }
    }
}
