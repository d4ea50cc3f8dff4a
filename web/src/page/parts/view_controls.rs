//! How the map is drawn; the values behind it stay what they are.

use vitrine_image::Palette;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::state::Action;
use crate::widgets::{Entry, Select};

#[derive(PartialEq, Properties)]
pub(crate) struct ViewControlsProperties {
    pub(crate) palette: Palette,
    pub(crate) opacity: f32,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn ViewControls(properties: &ViewControlsProperties) -> Html {
    let on = &properties.on;
    let percent = (100.0 * properties.opacity).round().to_string();
    let entries: Vec<Entry> = Palette::ALL
        .into_iter()
        .map(|palette| {
            let group = if palette.is_signed() { "For and against" } else { "Strength alone" };
            Entry { group: group.to_owned(), ..Entry::new(palette.id(), palette.name()) }
        })
        .collect();
    let choose = on.clone();
    html! {
        <div class="view-controls">
            <div class="field">
                <label for="opacity">{"Map over picture"}</label>
                <input
                    id="opacity"
                    data-testid="opacity"
                    type="range"
                    min="0"
                    max="100"
                    value={percent.clone()}
                    aria-valuetext={format!("{percent} percent map")}
                    oninput={on.reform(|event: InputEvent| Action::SetOpacity(fraction(&event)))}
                />
            </div>
            <div class="field">
                <label for="palette">{"Colours"}</label>
                <Select
                    id="palette"
                    test_id="palette"
                    {entries}
                    value={properties.palette.id()}
                    on_change={Callback::from(move |id: String| {
                        if let Some(palette) = Palette::from_id(&id) {
                            choose.emit(Action::SetPalette(palette));
                        }
                    })}
                />
            </div>
        </div>
    }
}

fn fraction(event: &InputEvent) -> f32 {
    let value = event.target().map(|target| target.unchecked_into::<HtmlInputElement>().value_as_number());
    value.unwrap_or_default() as f32 / 100.0
}
