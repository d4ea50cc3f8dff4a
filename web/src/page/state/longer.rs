//! Running a method that draws at random again, with twice as many draws.

use vitrine_protocol::{ParameterKind, ParameterValue, Promise};

use super::{Command, State};

/// The parameters that count draws; methods call them as the literature does.
const COUNTS: [&str; 4] = ["masks", "samples", "permutations", "designs"];

/// A longer run of what is on screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Longer {
    /// The parameter that counts.
    pub(crate) parameter: &'static str,
    /// What it was.
    pub(crate) from: i64,
    /// What it is to be: twice as many, or as many as the method takes.
    pub(crate) to: i64,
}

impl State {
    /// What running longer means for the finished map; nothing for methods without chance or at their most.
    pub(crate) fn longer(&self) -> Option<Longer> {
        let report = self.report.as_ref().filter(|_| self.run.is_none())?;
        let method = self.methods.iter().find(|method| method.id == report.method)?;
        if !method.promises.contains(&Promise::Seeded) {
            return None;
        }
        COUNTS.into_iter().find_map(|id| {
            let parameter = method.parameters.iter().find(|parameter| parameter.id == id)?;
            let (ParameterKind::Integer { max, .. }, Some(ParameterValue::Integer(from))) =
                (&parameter.kind, report.parameters.get(id))
            else {
                return None;
            };
            let to = from.saturating_mul(2).min(*max);
            (to > *from).then_some(Longer { parameter: id, from: *from, to })
        })
    }

    /// Asks the question of the map on screen again, with twice as many draws.
    pub(super) fn run_longer(&mut self) -> Vec<Command> {
        let (Some(longer), Some(asked)) = (self.longer(), self.asked.clone()) else { return Vec::new() };
        self.question = asked;
        self.question.parameters.insert(longer.parameter.to_owned(), longer.to.to_string());
        self.start_run()
    }
}
