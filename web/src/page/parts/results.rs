//! The ways a result leaves the page.

use std::rc::Rc;

use vitrine_protocol::Report;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlCanvasElement;
use yew::prelude::*;

use crate::link::Link;
use crate::save;
use crate::state::{Action, HeatMap};

#[derive(PartialEq, Properties)]
pub(crate) struct ResultsProperties {
    /// What is on it is what the PNG shows.
    pub(crate) canvas: NodeRef,
    pub(crate) report: Rc<Report>,
    pub(crate) map: Rc<HeatMap>,
    /// Leads back to this map.
    pub(crate) link: Link,
    /// Whether the model's card is corrected, which the link does not carry.
    pub(crate) card_corrected: bool,
    pub(crate) on: Callback<Action>,
}

/// What came of pressing "share".
#[derive(Clone, PartialEq)]
enum Shared {
    Copied,
    /// The browser does not let the page copy, so the visitor does.
    Shown(String),
}

#[component]
pub(crate) fn Results(properties: &ResultsProperties) -> Html {
    let ResultsProperties { canvas, report, map, link, card_corrected, on } = properties;
    let shared = use_state(|| None::<Shared>);
    let name = format!("vitrine-{}", report.method);
    let save_png = {
        let (canvas, name, on) = (canvas.clone(), format!("{name}.png"), on.clone());
        move |_| {
            let Some(canvas) = canvas.cast::<HtmlCanvasElement>() else { return };
            report_failure(save::png(name.clone(), &canvas), &on);
        }
    };
    let save_json = {
        let (report, map, name, on) = (report.clone(), map.clone(), format!("{name}.json"), on.clone());
        move |_| report_failure(save::json(&name, &report, &map), &on)
    };
    let share = {
        let (fragment, shared) = (link.to_fragment(), shared.clone());
        move |_| {
            let Some(address) = save::address(&fragment) else { return };
            let shared = shared.clone();
            spawn_local(async move {
                let copied = save::copy(&address).await;
                shared.set(Some(if copied { Shared::Copied } else { Shared::Shown(address) }));
            });
        }
    };
    html! {
        <div class="results">
            <div class="buttons">
                <button type="button" data-testid="download-png" onclick={save_png}>{"Save picture"}</button>
                <button type="button" data-testid="download-json" onclick={save_json}>{"Save numbers"}</button>
                <button type="button" data-testid="share" onclick={share}>{"Copy link"}</button>
            </div>
            <div role="status" class="hint">
                if let Some(shared) = &*shared {
                    { message(shared, link, *card_corrected) }
                }
            </div>
        </div>
    }
}

fn message(shared: &Shared, link: &Link, card_corrected: bool) -> Html {
    let own = match (&link.model, &link.image) {
        (Some(_), Some(_)) => "",
        (Some(_), None) => " It leaves out your picture, which stays in this tab.",
        (None, Some(_)) => " It leaves out your model, which stays in this tab.",
        (None, None) => " It leaves out your picture and your model, which stay in this tab.",
    };
    let card = if card_corrected && link.model.is_some() {
        " It leaves out how you corrected the reading of the picture; save the model card for that."
    } else {
        ""
    };
    match shared {
        Shared::Copied => html! { <p>{"The link is copied: it brings back this map."}{own}{card}</p> },
        Shared::Shown(address) => html! {
            <p>
                <label for="link">{"Copy this link: it brings back this map."}{own}{card}</label>
                <input id="link" readonly=true value={address.clone()} />
            </p>
        },
    }
}

fn report_failure(result: Result<(), JsValue>, on: &Callback<Action>) {
    if let Err(error) = result {
        on.emit(Action::Notify(format!("The file could not be saved: {error:?}.")));
    }
}
