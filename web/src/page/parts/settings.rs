//! A method's parameters, folded away until somebody wants them.

use std::rc::Rc;

use vitrine_protocol::{MethodInfo, Parameter, Problem};
use yew::prelude::*;

use super::parameter_field::{Field, ParameterField};
use crate::label_map::LabelMap;
use crate::question::{Question, Setup};
use crate::state::{Action, Change};

/// So many parameters are shown before the others are folded away, where there are at least two of those.
const FEW: usize = 4;

#[derive(PartialEq, Properties)]
pub(crate) struct SettingsProperties {
    pub(crate) methods: Rc<[MethodInfo]>,
    pub(crate) method: MethodInfo,
    pub(crate) question: Question,
    /// What the worker has against the question.
    pub(crate) refusal: Option<Problem>,
    /// The regions that the visitor has drawn, where there are any.
    pub(crate) drawn: Option<Rc<LabelMap>>,
    /// Fields that every method has.
    pub(crate) children: Html,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn Settings(properties: &SettingsProperties) -> Html {
    let SettingsProperties { methods, method, question, on, .. } = properties;
    let setup = question.setup(method, methods);
    let ask = on.reform(Action::Ask);
    let changed = question.changed(&setup).len() + usize::from(question.seed != Question::default().seed);
    let state = match changed {
        0 => "all as the method suggests".to_owned(),
        1 => "one changed".to_owned(),
        number => format!("{number} changed"),
    };
    html! {
        <details data-testid="settings">
            <summary>{"Settings "}<span class="hint">{state}</span></summary>
            { properties.children.clone() }
            { fields(&setup, properties) }
            <Field
                id="seed"
                label="Seed"
                help="Decides everything random: the same seed gives the same map."
                problem={question.seed_problem()}
            >
                <input
                    id="seed"
                    data-testid="seed"
                    inputmode="numeric"
                    value={question.seed.clone()}
                    aria-describedby="seed-help"
                    aria-invalid={question.seed_problem().map(|_| "true")}
                    oninput={ask.reform(|event: InputEvent| Change::Seed(super::parameter_field::text(&event)))}
                />
            </Field>
            <button
                type="button"
                class="quiet"
                data-testid="reset"
                disabled={changed == 0}
                onclick={ask.reform(|_| Change::Reset)}
            >
                {"Back to the suggested settings"}
            </button>
        </details>
    }
}

/// The fields of a method, those beyond the first few folded away, and then those of the method within.
fn fields(setup: &Setup<'_>, properties: &SettingsProperties) -> Html {
    let SettingsProperties { methods, question, refusal, drawn, on, .. } = properties;
    let change = on.reform(Action::Ask);
    let field = |parameter: &Parameter| {
        let id = setup.id(parameter);
        let refused = refusal.as_ref().filter(|problem| problem.field.as_ref() == Some(&id));
        let problem = question.parameter_problem(&id, parameter);
        html! {
            <ParameterField
                key={id.clone()}
                methods={methods.clone()}
                parameter={parameter.clone()}
                value={question.value(&id, parameter)}
                problem={problem.or(refused.map(|problem| problem.message.clone()))}
                id={id.clone()}
                drawn={drawn.clone()}
                change={change.clone()}
                {on}
            />
        }
    };
    let parameters = &setup.method.parameters;
    let shown = if parameters.len() > FEW + 1 { FEW } else { parameters.len() };
    let (first, rest) = parameters.split_at(shown);
    html! {
        <>
            { for first.iter().map(field) }
            if !rest.is_empty() {
                <More key={setup.method.id.clone()} prefix={setup.prefix.clone()} count={rest.len()}>
                    { for rest.iter().map(field) }
                </More>
            }
            if let Some(inner) = &setup.inner {
                <fieldset class="inner" data-testid={format!("settings-{}", inner.prefix.trim_end_matches('.'))}>
                    <legend>{"Settings of "}{&inner.method.name}</legend>
                    <p class="hint">{&inner.method.summary}</p>
                    { fields(inner, properties) }
                </fieldset>
            }
        </>
    }
}

#[derive(PartialEq, Properties)]
struct MoreProperties {
    /// Of the method's parameters.
    prefix: String,
    count: usize,
    children: Html,
}

/// Fields that few visitors need.
#[component]
fn More(properties: &MoreProperties) -> Html {
    let open = use_state(|| false);
    let toggle = {
        let open = open.clone();
        move |_| open.set(!*open)
    };
    html! {
        <div class="more">
            <button
                type="button"
                class="quiet"
                data-testid={format!("{}more", properties.prefix)}
                aria-expanded={open.to_string()}
                onclick={toggle}
            >
                if *open { {"Fewer settings"} } else { {format!("{} more settings", properties.count)} }
            </button>
            <div hidden={!*open}>{ properties.children.clone() }</div>
        </div>
    }
}
