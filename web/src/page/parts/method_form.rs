//! The question: which answer, by which method, with which settings.

use std::rc::Rc;

use vitrine_protocol::{MethodInfo, ModelSummary, Need, Prediction, Problem};
use yew::prelude::*;

use super::layer_fields::layer_fields;
use super::method_menu::MethodMenu;
use super::settings::Settings;
use crate::label_map::LabelMap;
use crate::number::percent;
use crate::question::Question;
use crate::state::{Action, Change};
use crate::target::{self, Scalar};
use crate::widgets::{Entry, Select};

#[derive(PartialEq, Properties)]
pub(crate) struct MethodFormProperties {
    pub(crate) methods: Rc<[MethodInfo]>,
    pub(crate) question: Question,
    pub(crate) predictions: Vec<Prediction>,
    pub(crate) model: Option<Rc<ModelSummary>>,
    /// What the worker has against the question.
    pub(crate) refusal: Option<Problem>,
    /// The regions that the visitor has drawn, where there are any.
    pub(crate) drawn: Option<Rc<LabelMap>>,
    /// Whether the method's settings are shown.
    pub(crate) settings: bool,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn MethodForm(properties: &MethodFormProperties) -> Html {
    let MethodFormProperties { methods, question, predictions, model, .. } = properties;
    let ask = properties.on.reform(Action::Ask);
    let (scalar, class) = target::split(&question.target);
    let method = methods.iter().find(|method| method.id == question.method);
    let choose_class = ask.reform(move |class: String| Change::Target(format!("{}{class}", scalar.prefix())));
    let choose_scalar = {
        let class = class.to_owned();
        ask.reform(move |prefix: String| Change::Target(format!("{prefix}{class}")))
    };
    html! {
        <form class="method" aria-labelledby="method-title" onsubmit={properties.on.reform(|event: SubmitEvent| {
            event.prevent_default();
            Action::Run
        })}>
            <h2 id="method-title">{"Ask why"}</h2>
            <div class="field">
                <label for="target-select">{"Explain"}</label>
                <Select
                    id="target-select"
                    test_id="target-select"
                    entries={classes(class, predictions)}
                    value={shown_class(class, predictions)}
                    on_change={choose_class}
                />
            </div>
            <MethodMenu methods={methods.clone()} chosen={question.method.clone()} choose={ask.reform(Change::Method)} />
            if let Some(method) = method {
                if let Some(model) = model.as_ref().filter(|_| question.setup(method, methods).needs(Need::SpatialLayer)) {
                    { layer_fields(question, model, &ask) }
                }
                if properties.settings {
                    <Settings
                        methods={methods.clone()}
                        method={method.clone()}
                        question={question.clone()}
                        refusal={properties.refusal.clone()}
                        drawn={properties.drawn.clone()}
                        on={&properties.on}
                    >
                        <div class="field">
                            <label for="scalar-select">{"Number explained"}</label>
                            <Select
                                id="scalar-select"
                                test_id="scalar-select"
                                entries={Scalar::ALL.map(|scalar| Entry::new(scalar.prefix(), scalar.name())).to_vec()}
                                value={scalar.prefix()}
                                on_change={choose_scalar}
                            />
                        </div>
                    </Settings>
                }
            }
            // Lets Enter in a field start the run.
            <input type="submit" hidden=true />
        </form>
    }
}

/// The menu of answers, in the model's own order, and whatever else a link asks for.
fn classes(class: &str, predictions: &[Prediction]) -> Vec<Entry> {
    let best = predictions.first().map(|best| format!("the top answer: {}", best.label));
    let mut entries = vec![Entry::new("auto", best.unwrap_or_else(|| "the top answer".to_owned()))];
    let mut sorted: Vec<&Prediction> = predictions.iter().collect();
    sorted.sort_by_key(|entry| entry.class);
    entries.extend(sorted.into_iter().map(|entry| {
        let label = match &entry.place {
            Some(_) => format!("{}, {}", entry.label, percent(entry.score.into())),
            None => entry.label.clone(),
        };
        Entry::new(target::of(entry), label)
    }));
    let value = shown_class(class, predictions);
    if entries.iter().all(|entry| entry.value != value) {
        entries.push(Entry::new(value.clone(), value));
    }
    entries
}

fn shown_class(class: &str, predictions: &[Prediction]) -> String {
    target::find(class, predictions).map_or_else(|| class.to_owned(), target::of)
}
