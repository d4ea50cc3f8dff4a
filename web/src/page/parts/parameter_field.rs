//! One parameter as a form field, made from its description alone.

use std::rc::Rc;

use vitrine_protocol::{File, MethodInfo, Parameter, ParameterKind};
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::method_menu::entries;
use super::regions_field::{ExtentField, RegionsField};
use crate::label_map::LabelMap;
use crate::state::{Action, Change, drawn_file};
use crate::widgets::{Entry, FilePicker, Select};

/// What can stand for "removed" in a page; links may name other values.
pub(super) const INFILLS: [(&str, &str); 7] = [
    ("zero", "zero, as the model sees it"),
    ("black", "black"),
    ("white", "white"),
    ("grey", "grey"),
    ("mean", "the picture's mean colour"),
    ("blur", "a strongly blurred copy"),
    ("noise", "noise"),
];

/// What can stand for it besides, where a method says so in the parameter's help: these need something that is kept.
const CONTINUATIONS: [(&str, &str); 3] = [
    ("inpaint", "a smooth continuation of what is around"),
    ("interpolate", "the mean of what is around, with noise"),
    ("tile", "what lies beside"),
];

#[derive(PartialEq, Properties)]
pub(crate) struct ParameterFieldProperties {
    /// Every method, for parameters that are one.
    pub(crate) methods: Rc<[MethodInfo]>,
    /// The parameter's full id: `method.steps` of a method within another.
    pub(crate) id: String,
    pub(crate) parameter: Parameter,
    /// The text of the field.
    pub(crate) value: String,
    pub(crate) problem: Option<String>,
    /// The regions that the visitor has drawn, where there are any.
    pub(crate) drawn: Option<Rc<LabelMap>>,
    pub(crate) change: Callback<Change>,
    /// Hears of a file that cannot be read.
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn ParameterField(properties: &ParameterFieldProperties) -> Html {
    let ParameterFieldProperties { parameter, value, problem, .. } = properties;
    let id = format!("parameter-{}", properties.id);
    let on_value = {
        let parameter = properties.id.clone();
        properties.change.reform(move |value: String| Change::Parameter(parameter.clone(), value))
    };
    let number = |min: String, max: String, step: &'static str| {
        html! {
            <input
                id={id.clone()}
                data-testid={id.clone()}
                type="number"
                {min}
                {max}
                {step}
                value={value.clone()}
                aria-describedby={format!("{id}-help")}
                aria-invalid={problem.as_ref().map(|_| "true")}
                oninput={on_value.reform(|event: InputEvent| text(&event))}
            />
        }
    };
    let choice = |entries: Vec<Entry>| {
        html! {
            <Select
                id={id.clone()}
                test_id={id.clone()}
                {entries}
                value={value.clone()}
                described_by={format!("{id}-help")}
                on_change={on_value.clone()}
            />
        }
    };
    let control = match &parameter.kind {
        ParameterKind::Integer { min, max } => number(min.to_string(), max.to_string(), "1"),
        ParameterKind::Number { min, max } => number(min.to_string(), max.to_string(), "any"),
        ParameterKind::Boolean => html! {
            <input
                id={id.clone()}
                data-testid={id.clone()}
                type="checkbox"
                checked={value == "true"}
                aria-describedby={format!("{id}-help")}
                onchange={on_value.reform(|event: Event| checked(&event).to_string())}
            />
        },
        ParameterKind::Choice { choices } => {
            choice(choices.iter().map(|choice| Entry::new(&choice.id, described(&choice.id, &choice.help))).collect())
        }
        ParameterKind::Method { methods } => {
            choice(entries(&properties.methods, |method| methods.contains(&method.id)))
        }
        ParameterKind::Regions => {
            let parameter = properties.id.clone();
            let take = properties.change.reform(move |file: File| Change::Infill(parameter.clone(), file));
            let drawn = properties.drawn.clone().map(|drawn| take.reform(move |_| drawn_file(&drawn)));
            html! {
                <>
                    <RegionsField id={id.clone()} value={value.clone()} on_change={on_value.clone()} />
                    <FilePicker
                        test_id={format!("{id}-file")}
                        accept=".npy"
                        label="Use a label map"
                        on={&properties.on}
                        {take}
                    />
                    if let Some(onclick) = drawn {
                        <button type="button" class="quiet" data-testid={format!("{id}-drawn")} {onclick}>
                            {"Use the regions you drew"}
                        </button>
                    }
                </>
            }
        }
        ParameterKind::Extent => {
            html! { <ExtentField id={id.clone()} value={value.clone()} on_change={on_value.clone()} /> }
        }
        ParameterKind::Infill => {
            let continuations = CONTINUATIONS.into_iter().filter(|(id, _)| parameter.help.contains(*id));
            let words = INFILLS.into_iter().chain(continuations);
            let mut entries: Vec<Entry> = words.map(|(id, name)| Entry::new(id, name)).collect();
            if entries.iter().all(|entry| entry.value != *value) {
                entries.push(Entry::new(value, value));
            }
            let parameter = properties.id.clone();
            let take = properties.change.reform(move |image: File| Change::Infill(parameter.clone(), image));
            html! {
                <>
                    { choice(entries) }
                    <FilePicker
                        test_id={format!("{id}-image")}
                        accept="image/*"
                        label="Use another image"
                        on={&properties.on}
                        {take}
                    />
                </>
            }
        }
    };
    html! {
        <Field id={id.clone()} label={label(&parameter.id)} help={parameter.help.clone()} problem={problem.clone()}>
            { control }
        </Field>
    }
}

#[derive(PartialEq, Properties)]
pub(crate) struct FieldProperties {
    /// Id of the control.
    pub(crate) id: AttrValue,
    pub(crate) label: AttrValue,
    pub(crate) help: AttrValue,
    pub(crate) problem: Option<String>,
    pub(crate) children: Html,
}

/// A control with its label above, and below it what is wrong with its value, or else what it does.
#[component]
pub(crate) fn Field(properties: &FieldProperties) -> Html {
    html! {
        <div class="field">
            <label for={&properties.id}>{&properties.label}</label>
            { properties.children.clone() }
            <p id={format!("{}-help", properties.id)} class="hint">
                if let Some(problem) = &properties.problem {
                    <span class="problem" role="alert">{problem}{" "}</span>
                }
                {&properties.help}
            </p>
        </div>
    }
}

/// The text of the input that an event comes from.
pub(super) fn text(event: &InputEvent) -> String {
    event.target().map(|target| target.unchecked_into::<HtmlInputElement>().value()).unwrap_or_default()
}

fn checked(event: &Event) -> bool {
    event.target().is_some_and(|target| target.unchecked_into::<HtmlInputElement>().checked())
}

/// `multiply-by-inputs` is `Multiply by inputs`.
fn label(id: &str) -> String {
    let words = id.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn described(id: &str, help: &str) -> String {
    if help.is_empty() { id.to_owned() } else { format!("{id}: {help}") }
}
