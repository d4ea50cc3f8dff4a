//! The built-in models, and the visitor's own.

use std::rc::Rc;

use vitrine_protocol::ModelSummary;
use yew::prelude::*;

use crate::number::percent;
use crate::state::Action;
use crate::widgets::{DropZone, Entry, Select};

/// Stands in the menu for a model that is not built in.
const OWN: &str = "";

#[derive(PartialEq, Properties)]
pub(crate) struct ModelChoiceProperties {
    pub(crate) models: Rc<[(String, String)]>,
    /// The chosen model's name in links, if it has one.
    pub(crate) chosen: Option<String>,
    pub(crate) model: Option<Rc<ModelSummary>>,
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
                      If the answers look wrong, give a card too."}
                </p>
            }
            { for model.notes.iter().map(|note| html! { <p class="hint">{note}</p> }) }
        </>
    }
}
