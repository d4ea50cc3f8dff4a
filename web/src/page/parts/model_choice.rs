//! The built-in models, and the visitor's own.

use std::rc::Rc;

use vitrine_protocol::ModelSummary;
use yew::prelude::*;

use super::kept_models::KeptModels;
use super::model_source::ModelSource;
use crate::number::percent;
use crate::state::{Action, Download, Offer, Shelf};
use crate::widgets::{DropZone, Entry, Select};

/// Stands in the menu for a model that is not built in.
const OWN: &str = "";

#[derive(PartialEq, Properties)]
pub(crate) struct ModelChoiceProperties {
    pub(crate) models: Rc<[(String, String)]>,
    /// The chosen model's name in links, if it has one.
    pub(crate) chosen: Option<String>,
    pub(crate) model: Option<Rc<ModelSummary>>,
    pub(crate) download: Option<Download>,
    pub(crate) offer: Option<Offer>,
    /// What is to be said of how the model was loaded or kept.
    pub(crate) note: Option<String>,
    /// Models that the browser keeps.
    pub(crate) shelf: Shelf,
    /// What the browser keeps the chosen model under.
    pub(crate) file_key: Option<String>,
    /// Whether the chosen model could be kept and is not.
    pub(crate) can_keep: bool,
    pub(crate) disabled: bool,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn ModelChoice(properties: &ModelChoiceProperties) -> Html {
    let mut entries: Vec<Entry> = properties.models.iter().map(|(id, name)| Entry::new(id, name)).collect();
    let builtin = properties.chosen.clone().filter(|id| entries.iter().any(|entry| entry.value == *id));
    if builtin.is_none() {
        let name = properties.model.as_ref().map_or("none yet", |model| model.name.as_str());
        entries.push(Entry::new(OWN, name));
    }
    let on_change = {
        let on = properties.on.clone();
        Callback::from(move |id: String| {
            if id != OWN {
                on.emit(Action::ChooseModel(id));
            }
        })
    };
    html! {
        <section aria-labelledby="model-title" class="model">
            <h2 id="model-title"><label for="model-select">{"Choose a model"}</label></h2>
            <Select
                id="model-select"
                test_id="model-select"
                {entries}
                value={builtin.unwrap_or_else(|| OWN.to_owned())}
                disabled={properties.disabled}
                described_by="model-description"
                {on_change}
            />
            <div id="model-description">
                if let Some(model) = &properties.model {
                    { description(model) }
                }
            </div>
            <DropZone
                test_id="model-drop"
                accept=".onnx,.json"
                multiple=true
                label="Your own model"
                hint="an .onnx file, with its .card.json if it has one"
                disabled={properties.disabled}
                on={&properties.on}
            />
            <ModelSource
                download={properties.download.clone()}
                offer={properties.offer.clone()}
                note={properties.note.clone()}
                disabled={properties.disabled}
                on={&properties.on}
            />
            <KeptModels
                shelf={properties.shelf.clone()}
                chosen={properties.file_key.clone()}
                can_keep={properties.can_keep}
                disabled={properties.disabled}
                on={&properties.on}
            />
        </section>
    }
}

fn description(model: &ModelSummary) -> Html {
    let card = &model.card;
    let input = format!("It sees {} × {} pixels", card.input.width, card.input.height);
    let accuracy = card.test_accuracy.map(|share| format!(" and is right on {} of new pictures", percent(share)));
    html! {
        <>
            if !card.description.is_empty() {
                <p class="hint">{&card.description}</p>
            }
            <p class="hint">{input}{accuracy}{"."}</p>
            if model.inferred {
                <p class="hint">
                    {"There is no model card, so how pixels become its input was guessed from the file. \
                      If the answers look wrong, correct it below or give a card too."}
                </p>
            }
            { for model.notes.iter().map(|note| html! { <p class="hint">{note}</p> }) }
        </>
    }
}
