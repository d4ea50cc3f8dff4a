//! A button to pick one file for one purpose.

use vitrine_protocol::File;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::files;
use crate::state::{Action, Given};

#[derive(PartialEq, Properties)]
pub(crate) struct FilePickerProperties {
    pub(crate) test_id: AttrValue,
    /// File types for the browser's dialogue.
    pub(crate) accept: AttrValue,
    /// What the button says.
    pub(crate) label: AttrValue,
    /// Hears of a file that cannot be read.
    pub(crate) on: Callback<Action>,
    pub(crate) take: Callback<File>,
}

/// As in a drop zone, the label is the button of a hidden input.
#[component]
pub(crate) fn FilePicker(properties: &FilePickerProperties) -> Html {
    let (on, take) = (properties.on.clone(), properties.take.clone());
    let onchange = Callback::from(move |event: Event| {
        let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) else { return };
        let take = take.clone();
        let notify = on.clone();
        let first = Callback::from(move |files: Vec<Given>| {
            for file in files {
                match file {
                    Given::Other(file) => take.emit(file),
                    Given::Model(model) => {
                        notify.emit(Action::Notify(format!("{} is a model, which is of no use here.", model.name)))
                    }
                }
            }
        });
        files::read_for(input.files(), on.clone(), first);
        // So that the same file can be picked again.
        input.set_value("");
    });
    html! {
        <label class="file-picker" data-testid={&properties.test_id}>
            <input type="file" class="visually-hidden" accept={&properties.accept} {onchange} />
            {&properties.label}
        </label>
    }
}
