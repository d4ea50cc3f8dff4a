//! Trying things by hand: hide parts of the picture and see the score move, or draw regions for methods to play with.

use std::rc::Rc;

use vitrine_protocol::Prediction;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement};
use yew::prelude::*;

use super::bench_canvas::{BenchCanvas, COLOURS};
use super::parameter_field::INFILLS;
use super::regions_field::RegionsField;
use crate::number::{percent, short};
use crate::state::{Action, Bench, BenchChange, Image, Purpose, Scored, Tool};
use crate::widgets::{Entry, Picture, Select};

/// Answers that are listed.
const LISTED: usize = 4;

#[derive(PartialEq, Properties)]
pub(crate) struct BenchPanelProperties {
    pub(crate) bench: Bench,
    pub(crate) image: Rc<Image>,
    /// Whether the question's method can play with regions.
    pub(crate) takes_regions: bool,
    /// Whether it plays with those drawn here.
    pub(crate) plays: bool,
    /// Whether a run goes on, which the score waits for.
    pub(crate) running: bool,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn BenchPanel(properties: &BenchPanelProperties) -> Html {
    let BenchPanelProperties { bench, image, .. } = properties;
    let change = properties.on.reform(Action::Bench);
    let toggle = change.reform(|event: Event| {
        let details = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        BenchChange::Open(details.is_some_and(|details| details.has_attribute("open")))
    });
    html! {
        <section class="bench" aria-labelledby="bench-title" data-testid="edit-regions">
            <details open={bench.open} ontoggle={toggle}>
                <summary>
                    <h2 id="bench-title">{"Try it by hand"}</h2>{" "}
                    <span class="hint">{"hide parts and see the score move, or draw your own regions"}</span>
                </summary>
                if bench.open {
                    <div class="buttons" role="group" aria-label="What for">
                        { purpose_button(bench, &change, Purpose::Hide, "bench-hide", "Hide parts of the picture") }
                        { purpose_button(bench, &change, Purpose::Regions, "bench-draw", "Draw regions") }
                    </div>
                    <div class="workbench">
                        <div>
                            <BenchCanvas
                                image={image.clone()}
                                purpose={bench.purpose}
                                tool={bench.tool}
                                size={bench.size}
                                labels={bench.labels().clone()}
                                cut={bench.cut().cloned()}
                                cursor={bench.cursor}
                                corners={bench.corners.clone()}
                                change={&change}
                            />
                            <p role="status" class="hint" data-testid="bench-cursor">{bench.under_cursor()}</p>
                            <p id="bench-keys" class="hint">
                                {"Draw with the pointer, or with the keyboard: arrows move the ring (with Shift by one pixel), \
                                  Space uses the tool, Backspace takes a step back."}
                                if bench.tool == Tool::Outline { {" Enter closes the outline."} }
                            </p>
                        </div>
                        <div>
                            { tools(properties, &change) }
                            if bench.purpose == Purpose::Hide {
                                { hiding(properties, &change) }
                            } else {
                                { regions(properties, &change) }
                            }
                        </div>
                    </div>
                }
            </details>
        </section>
    }
}

fn purpose_button(
    bench: &Bench,
    change: &Callback<BenchChange>,
    purpose: Purpose,
    id: &'static str,
    label: &'static str,
) -> Html {
    let pressed = (bench.purpose == purpose).to_string();
    let onclick = change.reform(move |_: MouseEvent| BenchChange::Purpose(purpose));
    html! { <button type="button" data-testid={id} aria-pressed={pressed} {onclick}>{label}</button> }
}

fn tools(properties: &BenchPanelProperties, change: &Callback<BenchChange>) -> Html {
    let bench = &properties.bench;
    let tool = |tool: Tool, id: &'static str, label: &'static str| {
        let pressed = (bench.tool == tool).to_string();
        let onclick = change.reform(move |_: MouseEvent| BenchChange::Tool(tool));
        html! { <button type="button" data-testid={id} aria-pressed={pressed} {onclick}>{label}</button> }
    };
    let largest = properties.image.picture.width.min(properties.image.picture.height) / 2;
    let resize = change.reform(|event: InputEvent| {
        let size = event.target().map(|target| target.unchecked_into::<HtmlInputElement>().value_as_number());
        BenchChange::Size(size.unwrap_or_default() as usize)
    });
    html! {
        <>
            <div class="buttons" role="group" aria-label="Tool">
                { tool(Tool::Brush, "brush", "Brush") }
                { tool(Tool::Region, "click-region", "Whole regions") }
                { tool(Tool::Outline, "outline", "Outline") }
                { tool(Tool::Erase, "eraser", "Eraser") }
            </div>
            if matches!(bench.tool, Tool::Brush | Tool::Erase) {
                <div class="field">
                    <label for="brush-size">{format!("Width: {} pixels", bench.size)}</label>
                    <input
                        id="brush-size"
                        data-testid="brush-size"
                        type="range"
                        min="1"
                        max={largest.max(1).to_string()}
                        value={bench.size.to_string()}
                        oninput={resize}
                    />
                </div>
            }
            if bench.tool == Tool::Region {
                <div class="field">
                    <label for="bench-cells">{"Regions to click"}</label>
                    <RegionsField
                        id="bench-cells"
                        value={bench.cells.clone()}
                        on_change={change.reform(BenchChange::Cells)}
                    />
                    <p id="bench-cells-help" class="hint">
                        if bench.cut().is_none() && bench.refusal().is_none() { {"Cutting the picture ..."} }
                    </p>
                </div>
            }
            if bench.tool == Tool::Outline {
                <button
                    type="button"
                    data-testid="close-outline"
                    disabled={bench.corners.len() < 3}
                    onclick={change.reform(|_| BenchChange::Close)}
                >
                    {format!("Close the outline ({} corners)", bench.corners.len())}
                </button>
            }
            if let Some(refusal) = bench.refusal() {
                <p class="problem" role="alert">{refusal.to_owned()}</p>
            }
            <div class="buttons">
                <button
                    type="button"
                    data-testid="bench-undo"
                    aria-disabled={(!bench.can_undo()).then_some("true")}
                    onclick={change.reform(|_| BenchChange::Undo)}
                >
                    {"Undo"}
                </button>
                <button
                    type="button"
                    data-testid="bench-clear"
                    aria-disabled={bench.labels().is_empty().then_some("true")}
                    onclick={change.reform(|_| BenchChange::Clear)}
                >
                    {"Start over"}
                </button>
            </div>
        </>
    }
}

/// What hidden parts become, and what that does to the score.
fn hiding(properties: &BenchPanelProperties, change: &Callback<BenchChange>) -> Html {
    let bench = &properties.bench;
    let entries = INFILLS.into_iter().map(|(id, name)| Entry::new(id, name)).collect::<Vec<_>>();
    let waiting = match (bench.labels().is_empty(), bench.scored()) {
        (true, _) => Some("Nothing is hidden yet."),
        (false, _) if properties.running => Some("The score follows when the run has ended."),
        (false, None) if bench.refusal().is_none() => Some("Asking the model ..."),
        _ => None,
    };
    html! {
        <>
            <div class="field">
                <label for="bench-infill">{"Hidden parts become"}</label>
                <Select
                    id="bench-infill"
                    test_id="bench-infill"
                    {entries}
                    value={bench.infill.clone()}
                    on_change={change.reform(BenchChange::Infill)}
                />
            </div>
            <div class="score" role="status">
                if let Some(waiting) = waiting {
                    <p class="hint">{waiting}</p>
                }
                if let Some(scored) = bench.scored() {
                    { outcome(scored, &properties.image, bench) }
                }
            </div>
        </>
    }
}

fn outcome(scored: &Scored, image: &Image, bench: &Bench) -> Html {
    let Scored { before, after, picture, predictions } = scored;
    let number = |score: f32| if image.probabilities { percent(score.into()) } else { short(score.into()) };
    let rgba: Rc<[u8]> = picture.rgba.as_slice().into();
    let row = |now: &Prediction| {
        let whole = image.predictions.iter().find(|entry| entry.class == now.class);
        html! {
            <tr>
                <th scope="row">{&now.label}</th>
                <td>{whole.map(|whole| number(whole.score)).unwrap_or_default()}</td>
                <td>{number(now.score)}</td>
            </tr>
        }
    };
    html! {
        <>
            <p
                data-testid="bench-score"
                data-before={before.to_string()}
                data-after={after.to_string()}
                data-waiting={bench.is_waiting().to_string()}
            >
                {"The number explained goes from "}<strong>{short((*before).into())}</strong>
                {" to "}<strong>{short((*after).into())}</strong>
                {format!(" with {} of the picture hidden.", percent(bench.labels().share()))}
            </p>
            <div class="saw">
                <Picture
                    width={picture.width}
                    height={picture.height}
                    {rgba}
                    label="What the model saw with the parts hidden"
                />
                <table>
                    <thead>
                        <tr><th scope="col">{"Answer"}</th><th scope="col">{"Whole"}</th><th scope="col">{"Now"}</th></tr>
                    </thead>
                    <tbody>{ for predictions.iter().take(LISTED).map(row) }</tbody>
                </table>
            </div>
        </>
    }
}

/// The regions drawn so far, and a way to use them.
fn regions(properties: &BenchPanelProperties, change: &Callback<BenchChange>) -> Html {
    let bench = &properties.bench;
    let used = bench.regions();
    let next = used.last().map_or(0, |last| last + 1);
    let mut labels = used.clone();
    if !labels.contains(&bench.label) {
        labels.push(bench.label);
    }
    let label_button = |label: &i32| {
        let label = *label;
        let [red, green, blue] = COLOURS[label as usize % COLOURS.len()];
        html! {
            <button
                type="button"
                key={label}
                data-testid={format!("region-{label}")}
                aria-pressed={(bench.label == label).to_string()}
                onclick={change.reform(move |_| BenchChange::Label(label))}
            >
                <svg class="swatch" viewBox="0 0 1 1" aria-hidden="true">
                    <rect width="1" height="1" fill={format!("rgb({red} {green} {blue})")} />
                </svg>
                {format!("Region {}", label + 1)}
            </button>
        }
    };
    let advice = match (used.is_empty(), properties.takes_regions, properties.plays) {
        (true, ..) => "Draw at least one region. What is in none is always kept, and gets no share.",
        (_, false, _) => {
            "The chosen method does not play with regions; choose one that does, such as feature ablation, LIME or \
             KernelSHAP."
        }
        (_, _, true) => {
            "The method plays with these regions: press Explain. What you draw later is used once you press again."
        }
        (_, _, false) => "What is in no region is always kept, and gets no share.",
    };
    html! {
        <>
            <div class="buttons" role="group" aria-label="Region to draw">
                { for labels.iter().map(label_button) }
                <button
                    type="button"
                    class="quiet"
                    data-testid="region-new"
                    disabled={!used.contains(&bench.label)}
                    onclick={change.reform(move |_| BenchChange::Label(next))}
                >
                    {"Another region"}
                </button>
            </div>
            <div class="buttons">
                <button
                    type="button"
                    data-testid="use-regions"
                    disabled={used.is_empty() || !properties.takes_regions}
                    onclick={change.reform(|_| BenchChange::Play)}
                >
                    {"Use these regions"}
                </button>
            </div>
            <p role="status" class="hint">{advice}</p>
        </>
    }
}
