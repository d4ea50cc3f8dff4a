//! Methods beside that of the question: each runs on the same picture with the same target, layer and seed, one after the
//! other, and their maps stand side by side.

use std::rc::Rc;

use vitrine_image::{Palette, Scale};
use vitrine_protocol::{ExplainRequest, Report, Request};

use super::{Command, HeatMap, Run, State};
use crate::question::Question;

/// Share of the values, in percent, that the colours tell apart: a few outliers would turn the rest pale.
pub(crate) const PERCENTILE: f32 = 99.5;

/// A method to compare with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Card {
    /// Its id.
    pub(crate) method: String,
    pub(crate) outcome: Outcome,
}

/// What became of a method to compare with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It has not run yet.
    Waiting,
    Running,
    Done(Rc<HeatMap>, Rc<Report>),
    /// The visitor stopped it.
    Stopped,
    /// What it said.
    Failed(String),
}

/// What the visitor does to the comparison.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CompareChange {
    Add(String),
    Remove(String),
    Scale(CompareScale),
}

/// What the same colour means in different maps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CompareScale {
    /// The same share of a map's total strength. The default, since methods measure in different units.
    #[default]
    Shares,
    /// The same number.
    Values,
    /// Nothing: each map has a scale of its own.
    Own,
}

impl CompareScale {
    /// All, in menu order.
    pub(crate) const ALL: [CompareScale; 3] = [CompareScale::Shares, CompareScale::Values, CompareScale::Own];

    /// How a menu calls it in the page's forms.
    pub(crate) fn id(self) -> &'static str {
        match self {
            CompareScale::Shares => "shares",
            CompareScale::Values => "values",
            CompareScale::Own => "own",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            CompareScale::Shares => "One scale: shares of each map's total",
            CompareScale::Values => "One scale: the numbers as they are",
            CompareScale::Own => "Each on its own scale",
        }
    }

    /// What it means, in one sentence.
    pub(crate) fn sentence(self) -> &'static str {
        match self {
            CompareScale::Shares => {
                "The same colour is the same share of a map's total strength, signs aside, in multiples of what every \
                 pixel would get if all got the same."
            }
            CompareScale::Values => {
                "The same colour is the same number, which says something only where methods measure in the same unit, \
                 as integrated gradients and its relatives do."
            }
            CompareScale::Own => {
                "Every map uses the full range of colours, so colours of different maps do not compare."
            }
        }
    }

    /// By what a map's values are multiplied before they get their colours.
    pub(crate) fn factor(self, map: &HeatMap) -> f32 {
        let total: f64 = map.values.iter().filter(|value| value.is_finite()).map(|value| f64::from(value.abs())).sum();
        match self {
            CompareScale::Shares if total > 0.0 => (map.values.len() as f64 / total) as f32,
            _ => 1.0,
        }
    }

    /// The colours' scale for each of these maps, in the maps' own numbers, and the one that all of them share, in the
    /// multiplied numbers.
    pub(crate) fn scales(self, maps: &[&HeatMap], palette: Palette) -> (Vec<Scale>, Option<Scale>) {
        let own: Vec<Scale> = maps.iter().map(|map| Scale::fit(&map.values, palette, PERCENTILE)).collect();
        if self == CompareScale::Own {
            return (own, None);
        }
        let factors: Vec<f32> = maps.iter().map(|map| self.factor(map)).collect();
        let limit = own.iter().zip(&factors).map(|(scale, factor)| scale.limit * factor).fold(0.0, f32::max);
        (factors.into_iter().map(|factor| Scale { limit: limit / factor }).collect(), Some(Scale { limit }))
    }
}

impl State {
    /// The request of run `run` for a question and a method of this id, or why there is none; nothing while model and
    /// methods are not known.
    pub(super) fn request(&self, run: u32, question: &Question, id: &str) -> Option<Result<ExplainRequest, String>> {
        let method = self.methods.iter().find(|method| method.id == id)?;
        Some(question.request(run, &question.setup(method, &self.methods), self.model.as_ref()?))
    }

    pub(super) fn change_comparison(&mut self, change: CompareChange) -> Vec<Command> {
        match change {
            CompareChange::Add(id) => self.add_card(id),
            CompareChange::Remove(id) => self.remove_card(&id),
            CompareChange::Scale(scale) => {
                self.compare_scale = scale;
                Vec::new()
            }
        }
    }

    /// The methods that a link wants compared, of those that there are.
    pub(super) fn compare_with(&mut self, ids: &[String]) {
        self.compare.clear();
        for id in ids {
            self.push_card(id);
        }
    }

    fn push_card(&mut self, id: &str) -> bool {
        let known = self.methods.iter().any(|method| method.id == id);
        let new = known && self.question.method != id && self.compare.iter().all(|card| card.method != id);
        if new {
            self.compare.push(Card { method: id.to_owned(), outcome: Outcome::Waiting });
        }
        new
    }

    /// Adds a method, and runs it at once if the map on screen answers the question as it stands.
    fn add_card(&mut self, id: String) -> Vec<Command> {
        if !self.push_card(&id) {
            return Vec::new();
        }
        let answered = self.report.is_some() && self.asked.as_ref() == Some(&self.question) && self.is_settled();
        if self.run.is_some() {
            self.queue.push_back(id);
        } else if answered {
            self.queue.push_back(id);
            return self.run_next();
        }
        Vec::new()
    }

    fn remove_card(&mut self, id: &str) -> Vec<Command> {
        self.compare.retain(|card| card.method != id);
        self.queue.retain(|waiting| waiting != id);
        if self.running.as_deref() == Some(id) { self.cancel_run() } else { Vec::new() }
    }

    /// Starts the next method of the queue that can be asked.
    pub(super) fn run_next(&mut self) -> Vec<Command> {
        self.running = None;
        let Some(question) = self.asked.clone() else { return Vec::new() };
        while let Some(id) = self.queue.pop_front() {
            let number = self.last_run + 1;
            match self.request(number, &question, &id) {
                Some(Ok(request)) => {
                    self.last_run = number;
                    self.run = Some(Run { number, done: 0, total: None, seconds_left: None });
                    self.settle(&id, Outcome::Running);
                    self.running = Some(id);
                    return vec![Command::Send(Request::Explain(request))];
                }
                Some(Err(message)) => self.settle(&id, Outcome::Failed(message)),
                None => {}
            }
        }
        Vec::new()
    }

    /// The run that goes on, or nobody any more, answers a method to compare with.
    pub(super) fn settle(&mut self, id: &str, outcome: Outcome) {
        if let Some(card) = self.compare.iter_mut().find(|card| card.method == id) {
            card.outcome = outcome;
        }
    }

    /// Nothing runs any more, and nothing is to run after it.
    pub(super) fn leave_run(&mut self) {
        self.run = None;
        self.queue.clear();
        self.stop_measuring();
        if let Some(id) = self.running.take() {
            self.settle(&id, Outcome::Stopped);
        }
    }

    /// The finished maps side by side, that of the question first.
    pub(crate) fn compared(&self) -> Vec<(&Rc<HeatMap>, &Rc<Report>)> {
        let own = self.map.iter().zip(&self.report);
        let others = self.compare.iter().filter_map(|card| match &card.outcome {
            Outcome::Done(map, report) => Some((map, report)),
            _ => None,
        });
        own.chain(others).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(values: &[f32]) -> HeatMap {
        HeatMap { width: values.len(), height: 1, values: values.to_vec() }
    }

    /// The first map's strength is 8 over 4 pixels, so its values are divided by 2; the second's is 2 over 4 pixels.
    #[test]
    fn a_share_is_a_multiple_of_an_even_one() {
        let maps = [map(&[4.0, -4.0, 0.0, 0.0]), map(&[2.0, 0.0, 0.0, 0.0])];
        let maps: Vec<&HeatMap> = maps.iter().collect();
        let factors: Vec<f32> = maps.iter().map(|map| CompareScale::Shares.factor(map)).collect();
        assert_eq!(factors, [0.5, 2.0]);
        let (scales, shared) = CompareScale::Shares.scales(&maps, Palette::BlueRed);
        assert_eq!(shared, Some(Scale { limit: 4.0 }), "all on one of four pixels");
        assert_eq!(scales, [Scale { limit: 8.0 }, Scale { limit: 2.0 }], "in the maps' own numbers");
    }

    #[test]
    fn as_they_are_the_largest_number_decides_and_on_their_own_each_decides_for_itself() {
        let maps = [map(&[4.0, -4.0, 0.0, 0.0]), map(&[2.0, 0.0, 0.0, 0.0])];
        let maps: Vec<&HeatMap> = maps.iter().collect();
        let (scales, shared) = CompareScale::Values.scales(&maps, Palette::BlueRed);
        assert_eq!((scales, shared), (vec![Scale { limit: 4.0 }; 2], Some(Scale { limit: 4.0 })));
        let (scales, shared) = CompareScale::Own.scales(&maps, Palette::BlueRed);
        assert_eq!((scales, shared), (vec![Scale { limit: 4.0 }, Scale { limit: 2.0 }], None));
    }

    #[test]
    fn an_empty_map_beside_others_stays_empty() {
        let maps = [map(&[0.0, 0.0]), map(&[1.0, 3.0])];
        let maps: Vec<&HeatMap> = maps.iter().collect();
        let (scales, shared) = CompareScale::Shares.scales(&maps, Palette::Viridis);
        assert_eq!(shared, Some(Scale { limit: 1.5 }));
        assert!(scales[0].limit.is_finite(), "{scales:?}");
        let (scales, shared) = CompareScale::Shares.scales(&maps[..1], Palette::Viridis);
        assert_eq!((scales, shared), (vec![Scale { limit: 0.0 }], Some(Scale { limit: 0.0 })));
    }
}
