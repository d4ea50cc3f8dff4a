//! The model card at hand, and the visitor's corrections of it.

use vitrine_protocol::{ModelCard, ModelSummary, Problem};

use super::{Command, End, State};
use crate::card_draft::{CardField, CardProblem, Draft, Preset};

/// The form in which a card is corrected.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CardForm {
    pub(crate) draft: Draft,
    pub(crate) problem: Option<CardProblem>,
    /// Whether the form is open until the visitor says otherwise.
    pub(crate) open: bool,
    /// Whether the card in use is the visitor's correction.
    pub(crate) corrected: bool,
    /// Whether the worker is to answer a correction.
    applying: bool,
}

/// What the visitor does to the form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CardChange {
    Text(CardField, String),
    /// The id of a preset.
    Preset(String),
    /// Back to the card in use.
    Undo,
    /// Use the card as it now is.
    Apply,
}

impl State {
    /// Whether the card in use is the visitor's correction, which no link carries.
    pub(crate) fn card_corrected(&self) -> bool {
        self.card.as_ref().is_some_and(|form| form.corrected)
    }

    pub(super) fn change_card(&mut self, change: CardChange) -> Vec<Command> {
        let Some(form) = &mut self.card else { return Vec::new() };
        match change {
            CardChange::Text(field, text) => form.draft.set(field, text),
            CardChange::Preset(id) => {
                if let Some(preset) = Preset::find(&id) {
                    form.draft.choose(preset);
                }
            }
            CardChange::Undo => form.draft.undo(),
            CardChange::Apply => return self.apply_card(),
        }
        form.problem = None;
        Vec::new()
    }

    fn apply_card(&mut self) -> Vec<Command> {
        let settled = self.is_settled();
        let (Some(form), Some(model)) = (&mut self.card, &self.model) else { return Vec::new() };
        let card = match form.draft.card() {
            Ok(card) => card,
            Err(problem) => {
                form.problem = Some(problem);
                return Vec::new();
            }
        };
        let size = |card: &ModelCard| (card.input.width, card.input.height);
        let replan =
            model.open_size && size(&card) != size(&model.card) || card.fold_batch_norm != model.card.fold_batch_norm;
        let (true, Ok(text)) = (settled, serde_json::to_string(&card)) else { return Vec::new() };
        form.problem = None;
        form.applying = true;
        self.begin_loading(|state| state.sources.set_card(text, replan).into_iter().collect())
    }

    /// A model is loaded, or the one at hand has another card. Gives what is to be kept of a correction.
    pub(super) fn show_card(&mut self, summary: &ModelSummary) -> Option<Command> {
        let corrected = self.card.as_ref().is_some_and(|form| form.applying);
        let open = if corrected { self.card.as_ref().is_some_and(|form| form.open) } else { summary.inferred };
        let draft = Draft::of(summary.card.clone());
        self.card = Some(CardForm { draft, problem: None, open, corrected, applying: false });
        let file = self.sources.model_file().filter(|file| corrected && self.is_kept(&file.key))?;
        Some(Command::KeepCard { key: file.key, card: file.card? })
    }

    /// Something did not load: a correction, which stays in the form with the reason beside it, or else false.
    pub(super) fn refuse_card(&mut self, problem: &Problem) -> bool {
        let Some(form) = self.card.as_mut().filter(|form| form.applying) else { return false };
        form.applying = false;
        form.problem = Some(CardProblem { field: problem.field.clone(), message: problem.message.clone() });
        self.last_end = Some(End::Error);
        true
    }

    /// Nobody will answer a correction any more.
    pub(super) fn forget_correction(&mut self) {
        if let Some(form) = &mut self.card {
            form.applying = false;
        }
    }
}
