//! Several methods side by side.

use std::rc::Rc;

use vitrine_image::{Palette, Scale};
use vitrine_protocol::{MethodInfo, Promise, Report};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlCanvasElement, HtmlElement};
use yew::prelude::*;

use super::colour_bar::ColourBar;
use super::map_canvas::MapCanvas;
use super::method_menu::entries;
use crate::number::{seconds, short};
use crate::state::{Action, Card, CompareChange, CompareScale, HeatMap, Image, Outcome, Passes};
use crate::widgets::{Entry, Select};
use crate::{canvas, save};

#[derive(PartialEq, Properties)]
pub(crate) struct CompareProperties {
    pub(crate) methods: Rc<[MethodInfo]>,
    /// Id of the question's method.
    pub(crate) method: String,
    pub(crate) cards: Vec<Card>,
    pub(crate) image: Option<Rc<Image>>,
    /// The map of the question, once it is finished.
    pub(crate) own: Option<(Rc<HeatMap>, Rc<Report>)>,
    pub(crate) scale: CompareScale,
    pub(crate) palette: Palette,
    pub(crate) opacity: f32,
    pub(crate) disabled: bool,
    pub(crate) on: Callback<Action>,
}

/// One place of the grid.
struct Place<'a> {
    method: &'a str,
    map: Option<(&'a Rc<HeatMap>, &'a Rc<Report>)>,
    /// Nothing for the question's own method.
    card: Option<&'a Card>,
}

#[component]
pub(crate) fn Compare(properties: &CompareProperties) -> Html {
    let CompareProperties { methods, cards, scale, palette, on, .. } = properties;
    let palette = *palette;
    let change = on.reform(Action::Compare);
    let list = use_node_ref();
    let places = places(properties);
    let maps: Vec<&HeatMap> = places.iter().filter_map(|place| Some(place.map?.0.as_ref())).collect();
    let (scales, shared) = scale.scales(&maps, palette);
    let mut scales = scales.into_iter();
    let beyond = shared.map(|shared| {
        let parts = maps.iter().map(|map| map.beyond(palette, Scale { limit: shared.limit / scale.factor(map) }));
        parts.fold((false, false), |(below, above), (low, high)| (below || low, above || high))
    });
    let choice = {
        // What makes a picture explains none, so there is nothing to lay beside.
        let taken = |method: &MethodInfo| {
            method.id == properties.method
                || method.promises.contains(&Promise::Picture)
                || cards.iter().any(|card| card.method == method.id)
        };
        [vec![Entry::new("", "Add a method ...")], entries(methods, |method| !taken(method))].concat()
    };
    let choose_scale = change.reform(|id: String| {
        let scale = CompareScale::ALL.into_iter().find(|scale| scale.id() == id);
        CompareChange::Scale(scale.unwrap_or_default())
    });
    let some = maps.len() > 1;
    html! {
        <section class="compare" aria-labelledby="compare-title" data-testid="compare">
            <h2 id="compare-title">{"Side by side"}</h2>
            <p class="hint">
                {"Other methods on the same picture, about the same answer, with the same seed; settings of the same name \
                  hold for all."}
            </p>
            <div class="compare-controls">
                <div class="field">
                    <label for="compare-add">{"Compare with"}</label>
                    <Select
                        id="compare-add"
                        test_id="compare-add"
                        entries={choice}
                        value=""
                        disabled={properties.disabled}
                        on_change={change.reform(CompareChange::Add)}
                    />
                </div>
                if !cards.is_empty() {
                    <div class="field">
                        <label for="compare-scale">{"Colours"}</label>
                        <Select
                            id="compare-scale"
                            test_id="compare-scale"
                            entries={CompareScale::ALL.map(|scale| Entry::new(scale.id(), scale.name())).to_vec()}
                            value={scale.id()}
                            described_by="compare-meaning"
                            on_change={choose_scale}
                        />
                    </div>
                }
            </div>
            if !cards.is_empty() {
                <p id="compare-meaning" class="hint">{scale.sentence()}</p>
                <ul ref={list.clone()} data-testid="compare-list">
                    { for places.iter().map(|place| {
                        let own = place.map.and_then(|_| scales.next());
                        card(place, properties, own)
                    }) }
                </ul>
                if let (true, Some(scale), Some(beyond)) = (some, shared, beyond) {
                    <ColourBar {palette} {scale} {beyond} />
                }
                if some {
                    <div class="buttons">
                        <button type="button" data-testid="compare-png" onclick={save_all(list, on.clone())}>
                            {"Save all as one picture"}
                        </button>
                    </div>
                }
            }
        </section>
    }
}

/// The question's own method first.
fn places(properties: &CompareProperties) -> Vec<Place<'_>> {
    let own = properties.own.as_ref();
    let method = own.map_or(&properties.method, |(_, report)| &report.method);
    let first = Place { method, map: own.map(|(map, report)| (map, report)), card: None };
    let others = properties.cards.iter().map(|card| {
        let map = match &card.outcome {
            Outcome::Done(map, report) => Some((map, report)),
            _ => None,
        };
        Place { method: &card.method, map, card: Some(card) }
    });
    std::iter::once(first).chain(others).collect()
}

fn card(place: &Place<'_>, properties: &CompareProperties, scale: Option<Scale>) -> Html {
    let CompareProperties { methods, image, opacity, on, .. } = properties;
    let palette = properties.palette;
    let Place { method: id, map, card } = *place;
    let name = methods.iter().find(|method| method.id == id).map_or(id, |method| method.name.as_str()).to_owned();
    let (state, text) = match card.map(|card| &card.outcome) {
        None if map.is_some() => ("done", String::new()),
        None | Some(Outcome::Waiting) => ("waiting", "Runs when you press Explain, or after what runs now.".to_owned()),
        Some(Outcome::Running) => ("running", "Running ...".to_owned()),
        Some(Outcome::Done(..)) => ("done", String::new()),
        Some(Outcome::Stopped) => ("stopped", "Stopped.".to_owned()),
        Some(Outcome::Failed(message)) => ("failed", message.clone()),
    };
    let remove = card.map(|_| {
        let removed = id.to_owned();
        on.reform(move |_: MouseEvent| {
            // The button goes, and the keyboard's focus must not go with it.
            focus("compare-add");
            Action::Compare(CompareChange::Remove(removed.clone()))
        })
    });
    html! {
        <li key={id.to_owned()} data-method={id.to_owned()} data-state={state}>
            <div class="title">
                <h3>{&name}</h3>
                if let Some(remove) = remove {
                    <button
                        type="button"
                        class="quiet"
                        data-testid={format!("compare-remove-{id}")}
                        aria-label={format!("Take {name} out of the comparison")}
                        onclick={remove}
                    >
                        {"Remove"}
                    </button>
                }
            </div>
            <MapCanvas
                canvas={NodeRef::default()}
                image={image.clone()}
                map={map.map(|(map, _)| map.clone())}
                {palette}
                {scale}
                {opacity}
                test_id={format!("compare-map-{id}")}
                method={name}
            />
            <div>
                if let Some((_, report)) = map {
                    { facts(report, scale.filter(|_| properties.scale == CompareScale::Own)) }
                } else {
                    <p class={if state == "failed" { "problem" } else { "hint" }}>{text}</p>
                }
            </div>
        </li>
    }
}

fn facts(report: &Report, own: Option<Scale>) -> Html {
    let passes = Passes { forward: report.forward_passes, backward: report.backward_passes };
    html! {
        <>
            <p class="hint">{format!("{}, {passes}", seconds(report.seconds.explain))}</p>
            if let Some(scale) = own {
                <p class="hint">{format!("Strongest colour: {}", short(scale.limit.into()))}</p>
            }
            { for report.notes.iter().map(|note| html! { <p class="hint note">{note}</p> }) }
        </>
    }
}

fn focus(id: &str) {
    let element = web_sys::window().and_then(|window| window.document()?.get_element_by_id(id));
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        element.focus().ok();
    }
}

/// Saves the finished maps with their methods' names as one PNG.
fn save_all(list: NodeRef, on: Callback<Action>) -> Callback<MouseEvent> {
    Callback::from(move |_| {
        let Some(list) = list.cast::<Element>() else { return };
        let saved = tiles(&list)
            .and_then(|tiles| canvas::sheet(&tiles))
            .and_then(|sheet| save::png("vitrine-comparison.png".to_owned(), &sheet));
        if let Err(error) = saved {
            on.emit(Action::Notify(format!("The file could not be saved: {error:?}.")));
        }
    })
}

/// The canvases that show maps, with what stands above them.
fn tiles(list: &Element) -> Result<Vec<(HtmlCanvasElement, String)>, wasm_bindgen::JsValue> {
    let places = list.query_selector_all("li[data-state=done]")?;
    let mut tiles = Vec::new();
    for index in 0..places.length() {
        let Some(place) = places.get(index).and_then(|place| place.dyn_into::<Element>().ok()) else { continue };
        let name = place.query_selector("h3")?.and_then(|title| title.text_content()).unwrap_or_default();
        if let Some(canvas) = place.query_selector("canvas")? {
            tiles.push((canvas.unchecked_into(), name));
        }
    }
    Ok(tiles)
}
