//! A place to drop files on, and a button to pick them.

use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::files;
use crate::state::Action;

#[derive(PartialEq, Properties)]
pub(crate) struct DropZoneProperties {
    pub(crate) test_id: AttrValue,
    /// File types for the browser's dialogue.
    pub(crate) accept: AttrValue,
    #[prop_or_default]
    pub(crate) multiple: bool,
    /// What the button says.
    pub(crate) label: AttrValue,
    /// Which other ways there are.
    pub(crate) hint: AttrValue,
    pub(crate) disabled: bool,
    pub(crate) on: Callback<Action>,
}

/// The label is the button: a click on it reaches the hidden input, which also takes the keyboard's focus. Files can be
/// dropped anywhere on the page, so the zone only shows where.
#[component]
pub(crate) fn DropZone(properties: &DropZoneProperties) -> Html {
    let on = properties.on.clone();
    let onchange = Callback::from(move |event: Event| {
        let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) else { return };
        files::read(input.files(), on.clone());
        // So that the same file can be picked again.
        input.set_value("");
    });
    html! {
        <label class="drop-zone" data-testid={&properties.test_id}>
            <input
                type="file"
                class="visually-hidden"
                accept={&properties.accept}
                multiple={properties.multiple}
                disabled={properties.disabled}
                {onchange}
            />
            <span class="drop-label">{&properties.label}</span>
            <span class="hint">{&properties.hint}</span>
        </label>
    }
}
