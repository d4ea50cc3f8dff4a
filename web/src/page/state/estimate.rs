//! What a run would cost: asked of the worker whenever the question changes and nothing runs, one question at a time, so
//! that typing does not pile up requests.

use vitrine_protocol::{ExplainRequest, Problem, Report, Request};

use super::{Command, State};
use crate::number::seconds;

/// Questions about costs are numbered from here, so that their failures are told from those of runs.
const FIRST: u32 = 1 << 31;

/// Passes below which a run's time says more of its beginning than of its passes.
const ENOUGH: u64 = 10;

/// Single-image passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passes {
    pub(crate) forward: u64,
    pub(crate) backward: u64,
}

impl Passes {
    /// A backward pass counts as two forward passes, as it computes about twice as much.
    fn work(self) -> u64 {
        self.forward.saturating_add(self.backward.saturating_mul(2))
    }
}

/// `50 forward and 3 backward passes`.
impl std::fmt::Display for Passes {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = |count: u64, kind: &str| format!("{count} {kind} pass{}", if count == 1 { "" } else { "es" });
        match (self.forward, self.backward) {
            (forward, 0) => out.write_str(&of(forward, "forward")),
            (forward, backward) => write!(out, "{forward} forward and {}", of(backward, "backward")),
        }
    }
}

/// What is known of costs.
#[derive(Debug, Default)]
pub(super) struct Estimates {
    known: Vec<(ExplainRequest, Result<Passes, Problem>)>,
    /// What the worker was asked.
    asked: Option<(u32, ExplainRequest)>,
    count: u32,
    /// What the worker was asked when it died: to ask again could kill the next one, with nobody having pressed anything.
    deadly: Option<ExplainRequest>,
    /// Seconds of a forward pass, as the worker measured one.
    pass_seconds: Option<f64>,
    /// Seconds of a forward pass within the longest run so far, and that run's length in forward passes.
    pace: Option<(f64, u64)>,
}

impl Estimates {
    /// Another model or another image: nothing that is known holds any more.
    pub(super) fn forget(&mut self) {
        *self = Estimates { count: self.count, deadly: self.deadly.take(), ..Estimates::default() };
    }

    /// The worker died.
    pub(super) fn crashed(&mut self) {
        self.deadly = self.asked.take().map(|(_, request)| request).or(self.deadly.take());
    }

    pub(super) fn is_asked(&self, number: u32) -> bool {
        self.asked.as_ref().is_some_and(|(asked, _)| *asked == number)
    }

    pub(super) fn answer(&mut self, answer: Result<Passes, Problem>, pass_seconds: Option<f64>) {
        self.pass_seconds = pass_seconds.or(self.pass_seconds);
        self.known.extend(self.asked.take().map(|(_, request)| (request, answer)));
    }

    /// Takes the time of a finished run.
    pub(super) fn learn(&mut self, report: &Report) {
        let work = Passes { forward: report.forward_passes, backward: report.backward_passes }.work();
        if work >= self.pace.map_or(ENOUGH, |(_, longest)| longest) {
            self.pace = Some((report.seconds.explain / work as f64, work));
        }
    }

    fn of(&self, request: &ExplainRequest) -> Option<&Result<Passes, Problem>> {
        self.known.iter().find(|(known, _)| known == request).map(|(_, answer)| answer)
    }
}

impl State {
    /// Asks for the first cost that is not known, if there is one.
    pub(super) fn estimate(&mut self) -> Option<Command> {
        if self.run.is_some() || !self.is_settled() {
            return None;
        }
        let wanted: Vec<ExplainRequest> = self.plan().into_iter().flatten().collect();
        self.estimates.known.retain(|(known, _)| wanted.contains(known));
        if self.estimates.asked.is_some() {
            return None;
        }
        let open = |request: &ExplainRequest| {
            self.estimates.of(request).is_none() && self.estimates.deadly.as_ref() != Some(request)
        };
        let next = wanted.into_iter().find(open)?;
        let number = FIRST + self.estimates.count;
        self.estimates.count = (self.estimates.count + 1) % FIRST;
        self.estimates.asked = Some((number, next.clone()));
        Some(Command::Send(Request::Estimate(ExplainRequest { run: number, ..next })))
    }

    /// What the worker has against the question.
    pub(crate) fn refusal(&self) -> Option<&Problem> {
        let request = self.plan().into_iter().next()??;
        self.estimates.of(&request)?.as_ref().err()
    }

    /// What a run costs with everything that is compared: `In all 50 forward and 3 backward passes, about 2.5 s`. Nothing
    /// as long as it is not known.
    pub(crate) fn cost(&self) -> Option<String> {
        let plan = self.plan();
        let mut sum = Passes::default();
        for (place, request) in plan.iter().enumerate() {
            let passes = request.as_ref().map(|request| self.estimates.of(request));
            match passes {
                Some(None) => return None,
                Some(Some(Ok(passes))) => {
                    sum.forward = sum.forward.saturating_add(passes.forward);
                    sum.backward = sum.backward.saturating_add(passes.backward);
                }
                // What is compared and cannot run costs nothing.
                Some(Some(Err(_))) | None if place > 0 => {}
                Some(Some(Err(_))) | None => return None,
            }
        }
        let time = self.seconds_of(sum).map(|time| format!(", about {}", seconds(time))).unwrap_or_default();
        let all = if plan.len() > 1 { format!("{} methods, in all ", plan.len()) } else { String::new() };
        Some(format!("{all}{sum}{time}"))
    }

    /// About how long so many passes take, once that is known.
    pub(super) fn seconds_of(&self, passes: Passes) -> Option<f64> {
        let pass = self.estimates.pace.map(|(pace, _)| pace).or(self.estimates.pass_seconds)?;
        Some(pass * passes.work() as f64)
    }

    /// What a run would ask, the method of the question first and then those to compare; nothing for what cannot be
    /// asked. Images do not change the cost, so they stay here; label maps do.
    fn plan(&self) -> Vec<Option<ExplainRequest>> {
        let compared = self.compare.iter().map(|card| &card.method).filter(|id| **id != self.question.method);
        let request = |id: &String| {
            let mut request = self.request(0, &self.question, id)?.ok()?;
            request.infill_files.retain(|file| file.name.to_lowercase().ends_with(".npy"));
            Some(request)
        };
        std::iter::once(&self.question.method).chain(compared).map(request).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Passes;

    #[test]
    fn passes_are_counted_in_words() {
        for (forward, backward, text) in
            [(1, 0, "1 forward pass"), (500, 0, "500 forward passes"), (52, 50, "52 forward and 50 backward passes")]
        {
            assert_eq!(Passes { forward, backward }.to_string(), text);
        }
        assert_eq!(Passes { forward: 1, backward: 1 }.to_string(), "1 forward and 1 backward pass");
    }
}
