//! Models that the browser keeps: they load without the network.

use web_sys::HtmlElement;
use yew::prelude::*;

use crate::model_file::KeptModel;
use crate::number::megabytes;
use crate::state::{Action, Shelf};

#[derive(PartialEq, Properties)]
pub(crate) struct KeptModelsProperties {
    pub(crate) shelf: Shelf,
    /// Key of the model at hand.
    pub(crate) chosen: Option<String>,
    /// Whether the model at hand could be kept and is not.
    pub(crate) can_keep: bool,
    pub(crate) disabled: bool,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn KeptModels(properties: &KeptModelsProperties) -> Html {
    let KeptModelsProperties { shelf, chosen, can_keep, disabled, on } = properties;
    let summary = use_node_ref();
    let models = shelf.models();
    let amount = match (shelf, models.len()) {
        (Shelf::Absent(_), _) => "not possible here".to_owned(),
        (_, 0) => "nothing yet".to_owned(),
        (_, 1) => format!("one model, {}", megabytes(shelf.size())),
        (_, number) => format!("{number} models, {}", megabytes(shelf.size())),
    };
    // What had the keyboard's focus is about to vanish.
    let hold_focus = {
        let summary = summary.clone();
        move || {
            if let Some(summary) = summary.cast::<HtmlElement>() {
                summary.focus().ok();
            }
        }
    };
    let row = |model: &KeptModel| {
        let forget = {
            let (key, hold_focus) = (model.key.clone(), hold_focus.clone());
            on.reform(move |_| {
                hold_focus();
                Action::Forget(key.clone())
            })
        };
        let key = model.key.clone();
        html! {
            <li key={model.key.clone()}>
                <button
                    type="button"
                    aria-pressed={(chosen.as_ref() == Some(&model.key)).to_string()}
                    title={model.key.clone()}
                    disabled={*disabled}
                    onclick={on.reform(move |_| Action::ChooseKept(key.clone()))}
                >
                    <span class="name">{&model.name}</span>
                    <span class="size">{megabytes(model.size)}</span>
                </button>
                <button type="button" class="quiet" aria-label={format!("Delete {}", model.name)} onclick={forget}>
                    {"Delete"}
                </button>
            </li>
        }
    };
    html! {
        <details data-testid="kept-models">
            <summary ref={summary.clone()}>{"Kept in this browser "}<span class="hint" data-testid="kept-total">{amount}</span></summary>
            if let Shelf::Absent(reason) = shelf {
                <p class="hint">{reason}</p>
            } else {
                <p class="hint">
                    {"Models from addresses are kept here and load again without the network. \
                      Your own files are kept if you ask for it."}
                </p>
            }
            if !models.is_empty() {
                <ul class="models">{ for models.iter().map(row) }</ul>
            }
            if *can_keep {
                <button type="button" data-testid="keep-model" onclick={on.reform(move |_| {
                    hold_focus();
                    Action::KeepModel
                })}>
                    {"Keep this model"}
                </button>
            }
        </details>
    }
}
