//! A method's parameters, folded away until somebody wants them.

use vitrine_protocol::MethodInfo;
use yew::prelude::*;

use super::parameter_field::{Field, ParameterField};
use crate::question::Question;
use crate::state::{Action, Change};

#[derive(PartialEq, Properties)]
pub(crate) struct SettingsProperties {
    pub(crate) method: MethodInfo,
    pub(crate) question: Question,
    /// Fields that every method has.
    pub(crate) children: Html,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn Settings(properties: &SettingsProperties) -> Html {
    let SettingsProperties { method, question, on, .. } = properties;
    let ask = on.reform(Action::Ask);
    let changed = question.changed(method).len() + usize::from(question.seed != Question::default().seed);
    let state = match changed {
        0 => "all as the method suggests".to_owned(),
        1 => "one changed".to_owned(),
        number => format!("{number} changed"),
    };
    html! {
        <details data-testid="settings">
            <summary>{"Settings "}<span class="hint">{state}</span></summary>
            { properties.children.clone() }
            { for method.parameters.iter().map(|parameter| html! {
                <ParameterField
                    key={parameter.id.clone()}
                    parameter={parameter.clone()}
                    value={question.value(parameter)}
                    problem={question.parameter_problem(parameter)}
                    {on}
                />
            }) }
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
