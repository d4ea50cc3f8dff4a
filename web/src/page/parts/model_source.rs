//! A model from an address or from a Hugging Face repository: where it is, how far it has come, which one of several.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::number::{megabytes, megabytes_of};
use crate::state::{Action, Download, Offer};

#[derive(PartialEq, Properties)]
pub(crate) struct ModelSourceProperties {
    pub(crate) download: Option<Download>,
    pub(crate) offer: Option<Offer>,
    /// What is to be said of the last thing that was loaded or kept.
    pub(crate) note: Option<String>,
    pub(crate) disabled: bool,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn ModelSource(properties: &ModelSourceProperties) -> Html {
    let ModelSourceProperties { download, offer, note, disabled, on } = properties;
    let input = use_node_ref();
    let onsubmit = {
        let input = input.clone();
        on.reform(move |event: SubmitEvent| {
            event.prevent_default();
            Action::LoadFrom(input.cast::<HtmlInputElement>().map(|input| input.value()).unwrap_or_default())
        })
    };
    html! {
        <form class="from-address" {onsubmit}>
            <label for="model-url">{"From an address or Hugging Face"}</label>
            <input
                ref={input}
                id="model-url"
                data-testid="model-url"
                inputmode="url"
                autocomplete="off"
                autocapitalize="none"
                spellcheck="false"
                required=true
                disabled={*disabled}
                aria-describedby="model-url-hint"
            />
            <p class="hint" id="model-url-hint">{"https://… .onnx, or a repository as owner/name"}</p>
            // Both stay where they are, so that the keyboard's focus does too.
            <div class="buttons">
                <button type="submit" data-testid="model-load" disabled={*disabled}>{"Load"}</button>
                <button
                    type="button"
                    data-testid="model-cancel"
                    aria-disabled={download.is_none().then_some("true")}
                    onclick={on.reform(|_| Action::Cancel)}
                >
                    {"Stop"}
                </button>
            </div>
            if let Some(download) = download {
                { progress(download) }
            }
            // Always there: a screen reader reads only what changes in a place that it knows.
            <p class="hint" role="status" data-testid="model-note">{note.clone()}</p>
            if let Some(offer) = offer {
                { choices(offer, on) }
            }
        </form>
    }
}

fn progress(download: &Download) -> Html {
    // Without a total the browser shows that something goes on, without saying how far.
    let value = download.total.map(|_| download.received.to_string());
    let max = download.total.map(|total| total.to_string());
    let amount = match download.total {
        Some(_) => megabytes_of(download.received, download.total),
        None if download.received > 0 => {
            format!("{} so far; the server does not say of how many", megabytes(download.received))
        }
        None => "waiting for an answer".to_owned(),
    };
    let name = download.name();
    html! {
        <div class="download">
            <progress data-testid="model-progress" {value} {max} aria-label={format!("Download of {name}")} />
            <p class="hint"><span class="name">{name}</span>{": "}<span data-testid="model-amount">{amount}</span></p>
        </div>
    }
}

fn choices(offer: &Offer, on: &Callback<Action>) -> Html {
    let files = offer.files.iter().map(|file| {
        let path = file.path.clone();
        html! {
            <li>
                <button type="button" onclick={on.reform(move |_| Action::ChooseOffered(path.clone()))}>
                    <span class="name">{&file.path}</span>
                    <span class="size">{file.size.map(megabytes)}</span>
                </button>
            </li>
        }
    });
    html! {
        <ul class="models" data-testid="model-offer" aria-label={format!("Models of {}", offer.repository)}>
            { for files }
        </ul>
    }
}
