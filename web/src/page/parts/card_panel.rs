//! How the picture is read: the model's card, and a form to correct it.

use std::rc::Rc;

use vitrine_protocol::{BoxFormat, BoxUnit, CandidateAxis, Channels, File, Layout, ModelSummary, Task};
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::parameter_field::Field;
use crate::card_draft::{CardField, Draft, word};
use crate::save;
use crate::state::{Action, CardChange, CardForm};
use crate::widgets::{Entry, FilePicker, Select};

/// Stands in the menu of presets for numbers that are those of none.
const OWN: &str = "";

const TASKS: [(Task, &str); 5] = [
    (Task::Classification, "one of several classes"),
    (Task::MultiLabel, "any number of classes"),
    (Task::Detection, "boxes with classes"),
    (Task::Segmentation, "a class for each pixel"),
    (Task::Embedding, "a description in numbers"),
];

const CHANNELS: [(Channels, &str); 3] =
    [(Channels::Rgb, "red, green, blue"), (Channels::Bgr, "blue, green, red"), (Channels::Grey, "grey")];

const LAYOUTS: [(Layout, &str); 2] =
    [(Layout::Nchw, "colour by colour (NCHW)"), (Layout::Nhwc, "pixel by pixel (NHWC)")];

/// Problems that are shown beside a field or a group of fields; others go above the buttons.
const GROUPS: [&str; 2] = ["input", "tokens"];

const FORMATS: [(BoxFormat, &str); 4] = [
    (BoxFormat::Corners, "left, top, right, bottom"),
    (BoxFormat::CornersYx, "top, left, bottom, right"),
    (BoxFormat::Centre, "centre, width, height"),
    (BoxFormat::Size, "left, top, width, height"),
];

const UNITS: [(BoxUnit, &str); 2] = [(BoxUnit::Pixels, "pixels"), (BoxUnit::Fractions, "fractions of the picture")];

const CANDIDATES: [(CandidateAxis, &str); 2] =
    [(CandidateAxis::Rows, "in the last axis but one"), (CandidateAxis::Columns, "in the last axis")];

#[derive(PartialEq, Properties)]
pub(crate) struct CardPanelProperties {
    pub(crate) model: Rc<ModelSummary>,
    pub(crate) form: CardForm,
    pub(crate) disabled: bool,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn CardPanel(properties: &CardPanelProperties) -> Html {
    let CardPanelProperties { model, form, disabled, on } = properties;
    let draft = &form.draft;
    let changed = draft.is_changed();
    let state = match (changed, model.inferred, form.corrected) {
        (true, ..) => "changed, not applied yet",
        (false, true, _) => "guessed: please check",
        (false, false, true) => "corrected by you",
        (false, false, false) => "from its card",
    };
    let change = on.reform(Action::Card);
    let submit = on.reform(|event: SubmitEvent| {
        event.prevent_default();
        Action::Card(CardChange::Apply)
    });
    html! {
        <section aria-labelledby="card-title" class="reading">
            <details data-testid="card" open={form.open}>
                <summary>
                    <h2 id="card-title">{"How the picture is read"}</h2>{" "}
                    <span
                        class={classes!("hint", (model.inferred || changed).then_some("badge"))}
                        data-testid="card-state"
                    >
                        {state}
                    </span>
                </summary>
                <p class="hint">
                    {"A model must get its numbers as in its training. Read in another way, it answers just as \
                      surely, and wrongly, and then every explanation is wrong too."}
                </p>
                <form onsubmit={submit}>
                    { numbers(model, form, &change) }
                    { answers(model, form, on) }
                    if draft.text(CardField::Task) == word(&Task::Detection) {
                        { boxes(form, &change) }
                    }
                    { layers(model, form, &change) }
                    if let Some(problem) = form.problem.as_ref().filter(|problem| !has_place(problem.field.as_deref())) {
                        <p class="problem" role="alert">{&problem.message}</p>
                    }
                    <div class="buttons">
                        // Stay where they are, so that the keyboard's focus does too.
                        <button type="submit" data-testid="card-apply" aria-disabled={disabled.then_some("true")}>
                            {"Apply"}
                        </button>
                        <button
                            type="button"
                            data-testid="card-undo"
                            aria-disabled={(!changed).then_some("true")}
                            onclick={change.reform(|_| CardChange::Undo)}
                        >
                            {"Undo changes"}
                        </button>
                        <button type="button" data-testid="card-save" onclick={save(model, draft, on)}>
                            {"Save card"}
                        </button>
                    </div>
                    <p class="hint">
                        if changed {
                            {"The saved card is the one in use: apply your changes first."}
                        } else {
                            {"Saved beside the model's file, under the same name, the card is found again."}
                        }
                    </p>
                </form>
            </details>
        </section>
    }
}

/// How pixels become numbers.
fn numbers(model: &ModelSummary, form: &CardForm, change: &Callback<CardChange>) -> Html {
    let draft = &form.draft;
    let preset = draft.preset();
    let mut presets: Vec<Entry> = draft.presets().map(|preset| Entry::new(preset.id, preset.name)).collect();
    if preset.is_none() {
        presets.push(Entry::new(OWN, "the numbers below"));
    }
    let size = if model.open_size {
        "The file leaves the size open; it is loaded again for another."
    } else {
        "The file fixes the size."
    };
    let number = |field, label, help| text(form, change, field, label, help, false);
    let side = |field, label| text(form, change, field, label, "", !model.open_size);
    html! {
        <fieldset>
            <legend>{"Pixels"}</legend>
            { group_problem(form, "input") }
            <div class="field">
                <label for="card-preset">{"Brightness becomes"}</label>
                <Select
                    id="card-preset"
                    test_id="card-preset"
                    entries={presets}
                    value={preset.map_or(OWN, |preset| preset.id).to_owned()}
                    on_change={change.reform(CardChange::Preset)}
                />
            </div>
            { number(CardField::Range, "Black and full brightness", "Two numbers.") }
            { number(CardField::Mean, "Subtracted (mean)", "One number per colour; nothing for zero.") }
            { number(CardField::Std, "Divided by (std)", "One number per colour; nothing for one.") }
            { menu(form, change, CardField::Channels, "Colours", entries(&CHANNELS)) }
            { menu(form, change, CardField::Layout, "Order of the numbers", entries(&LAYOUTS)) }
            <div class="pair">
                { side(CardField::Width, "Width") }
                { side(CardField::Height, "Height") }
            </div>
            <p class="hint">{size}</p>
        </fieldset>
    }
}

/// What comes out.
fn answers(model: &ModelSummary, form: &CardForm, on: &Callback<Action>) -> Html {
    let change = on.reform(Action::Card);
    let field = CardField::Labels;
    let id = field.id();
    let count = match form.draft.label_count() {
        0 => "None: the classes go by their numbers.".to_owned(),
        1 => "One class, one per line.".to_owned(),
        count => format!("{count} classes, one per line."),
    };
    let take =
        change.reform(move |file: File| CardChange::Text(field, String::from_utf8_lossy(&file.bytes).into_owned()));
    html! {
        <fieldset>
            <legend>{"Answers"}</legend>
            { menu(form, &change, CardField::Task, "The model gives", entries(&TASKS)) }
            if let Some(activation) = &model.split_off {
                <p class="hint" data-testid="card-split-off">
                    {"Explained is the score before the "}{activation}{" at the end."}
                </p>
            }
            <Field id={id.clone()} label="Class names" help={count} problem={problem(form, field)}>
                <textarea
                    id={id.clone()}
                    data-testid={id.clone()}
                    rows="4"
                    spellcheck="false"
                    value={form.draft.text(field)}
                    aria-describedby={format!("{id}-help")}
                    aria-invalid={problem(form, field).map(|_| "true")}
                    oninput={typed(&change, field)}
                />
                <FilePicker test_id="card-labels-file" accept=".txt,text/plain" label="From a text file" {on} {take} />
            </Field>
        </fieldset>
    }
}

/// How a detector's candidates are read.
fn boxes(form: &CardForm, change: &Callback<CardChange>) -> Html {
    let typed = |field, label, help| text(form, change, field, label, help, false);
    html! {
        <fieldset>
            <legend>{"Boxes"}</legend>
            { typed(CardField::Boxes, "Output with the boxes", "") }
            { typed(CardField::Scores, "Output with the scores", "The same if one table has both.") }
            { menu(form, change, CardField::Candidates, "Candidates are counted", entries(&CANDIDATES)) }
            { menu(form, change, CardField::Format, "A box is", entries(&FORMATS)) }
            { menu(form, change, CardField::Unit, "Counted in", entries(&UNITS)) }
            <div class="pair">
                { typed(CardField::BoxAt, "Box begins at", "") }
                { typed(CardField::ScoresAt, "Scores begin at", "") }
                { typed(CardField::ObjectnessAt, "Anything-at-all at", "") }
            </div>
            { typed(CardField::GridStrides, "Strides of the grids", "Only for boxes in the terms of grids, as YOLOX has them.") }
        </fieldset>
    }
}

/// Where to look inside.
fn layers(model: &ModelSummary, form: &CardForm, change: &Callback<CardChange>) -> Html {
    let mut layers = vec![Entry::new("", "chosen by itself")];
    layers.extend(model.layers.iter().map(|layer| Entry::new(&layer.name, &layer.name)));
    let chosen = form.draft.text(CardField::TargetLayer);
    if layers.iter().all(|entry| entry.value != chosen) {
        layers.push(Entry::new(&chosen, &chosen));
    }
    let folding = vec![Entry::new("false", "layers of their own"), Entry::new("true", "part of the layer before")];
    let count = |field, label| text(form, change, field, label, "", false);
    html! {
        <fieldset>
            <legend>{"Inside"}</legend>
            { menu(form, change, CardField::TargetLayer, "Layer that class activation maps look at", layers) }
            { menu(form, change, CardField::FoldBatchNorm, "Batch normalisations", folding) }
            if let Some(sequence) = model.sequence {
                { group_problem(form, "tokens") }
                <div class="pair">
                    { count(CardField::Rows, "Rows of tokens") }
                    { count(CardField::Columns, "Columns") }
                    { count(CardField::Prefix, "Before them") }
                </div>
                <p class="hint">
                    {format!("Attention is over {sequence} tokens: those before the picture's, then rows times columns.")}
                </p>
            }
        </fieldset>
    }
}

fn text(
    form: &CardForm,
    change: &Callback<CardChange>,
    field: CardField,
    label: &'static str,
    help: &'static str,
    readonly: bool,
) -> Html {
    let (id, problem) = (field.id(), problem(form, field));
    html! {
        <Field id={id.clone()} {label} {help} problem={problem.clone()}>
            <input
                id={id.clone()}
                data-testid={id.clone()}
                autocomplete="off"
                {readonly}
                value={form.draft.text(field)}
                aria-describedby={format!("{id}-help")}
                aria-invalid={problem.map(|_| "true")}
                oninput={typed(change, field)}
            />
        </Field>
    }
}

fn menu(
    form: &CardForm,
    change: &Callback<CardChange>,
    field: CardField,
    label: &'static str,
    entries: Vec<Entry>,
) -> Html {
    let id = field.id();
    html! {
        <Field id={id.clone()} {label} help="" problem={problem(form, field)}>
            <Select
                id={id.clone()}
                test_id={id.clone()}
                {entries}
                value={form.draft.text(field)}
                described_by={format!("{id}-help")}
                on_change={change.reform(move |text| CardChange::Text(field, text))}
            />
        </Field>
    }
}

fn entries<T: serde::Serialize>(choices: &[(T, &str)]) -> Vec<Entry> {
    choices.iter().map(|(choice, name)| Entry::new(word(choice), *name)).collect()
}

fn typed(change: &Callback<CardChange>, field: CardField) -> Callback<InputEvent> {
    change.reform(move |event: InputEvent| {
        // A text area's value is read in the same way.
        let text = event.target().map(|target| target.unchecked_into::<HtmlInputElement>().value());
        CardChange::Text(field, text.unwrap_or_default())
    })
}

/// What is wrong with a field.
fn problem(form: &CardForm, field: CardField) -> Option<String> {
    let problem = form.problem.as_ref()?;
    (problem.field.as_deref() == Some(field.name())).then(|| problem.message.clone())
}

/// What is wrong with several fields together.
fn group_problem(form: &CardForm, group: &str) -> Html {
    let problem = form.problem.as_ref().filter(|problem| problem.field.as_deref() == Some(group));
    html! {
        if let Some(problem) = problem {
            <p class="problem" role="alert">{&problem.message}</p>
        }
    }
}

fn has_place(field: Option<&str>) -> bool {
    field.is_some_and(|field| GROUPS.contains(&field) || CardField::ALL.iter().any(|known| known.name() == field))
}

fn save(model: &ModelSummary, draft: &Draft, on: &Callback<Action>) -> Callback<MouseEvent> {
    let stem = model.name.strip_suffix(".onnx").unwrap_or(&model.name);
    let (name, card, on) = (format!("{stem}.card.json"), draft.in_use().clone(), on.clone());
    Callback::from(move |_| {
        if let Err(error) = save::card(&name, &card) {
            on.emit(Action::Notify(format!("The file could not be saved: {error:?}.")));
        }
    })
}
