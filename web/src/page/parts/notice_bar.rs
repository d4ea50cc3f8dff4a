//! What went wrong, and what to do.

use yew::prelude::*;

use crate::state::{Action, Notice};

#[derive(PartialEq, Properties)]
pub(crate) struct NoticeBarProperties {
    pub(crate) notice: Notice,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn NoticeBar(properties: &NoticeBarProperties) -> Html {
    html! {
        <div class="notice" role="alert" data-testid="error">
            <p>{&properties.notice.message}</p>
            if properties.notice.reload {
                <button type="button" onclick={|_| reload()}>{"Reload the page"}</button>
            } else {
                <button type="button" data-testid="dismiss" onclick={properties.on.reform(|_| Action::Dismiss)}>
                    {"Dismiss"}
                </button>
            }
        </div>
    }
}

fn reload() {
    if let Some(window) = web_sys::window() {
        window.location().reload().ok();
    }
}
