//! What the model answers, and a way to ask why for any of it.

use vitrine_protocol::{Prediction, Task};
use yew::prelude::*;

use crate::number::{percent, short};
use crate::state::{Action, Change};
use crate::target;

/// Rows shown at first.
const FEW: usize = 5;

#[derive(PartialEq, Properties)]
pub(crate) struct AnswersProperties {
    /// Best first.
    pub(crate) predictions: Vec<Prediction>,
    pub(crate) probabilities: bool,
    pub(crate) task: Task,
    pub(crate) target: String,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn Answers(properties: &AnswersProperties) -> Html {
    let all = use_state(|| false);
    let predictions = &properties.predictions;
    let (scalar, class) = target::split(&properties.target);
    let explained = match class {
        "auto" => predictions.first(),
        class => target::find(class, predictions),
    };
    let explained = explained.map(target::of);
    let longest = predictions.iter().map(|entry| entry.score.abs()).fold(f32::MIN_POSITIVE, f32::max);
    let full = if properties.probabilities { 1.0 } else { longest };
    let shown = if *all { predictions.len() } else { FEW };
    let rows = predictions.iter().take(shown).map(|entry| {
        let answer = target::of(entry);
        // A box has one number only.
        let prefix = if entry.place.is_some() { "" } else { scalar.prefix() };
        let target = format!("{prefix}{answer}");
        html! {
            <li key={answer.clone()} data-class={entry.class.to_string()} data-score={entry.score.to_string()}>
                <button
                    type="button"
                    aria-pressed={(explained.as_ref() == Some(&answer)).to_string()}
                    title={format!("Explain “{}”", entry.label)}
                    onclick={properties.on.reform(move |_| Action::Ask(Change::Target(target.clone())))}
                >
                    <span class="label">{&entry.label}</span>
                    { bar(entry.score / full) }
                    <span class="score">{ score(entry.score, properties.probabilities) }</span>
                </button>
            </li>
        }
    });
    html! {
        <section aria-labelledby="answers-title" class="answers">
            <h2 id="answers-title">{"What the model answers"}</h2>
            <p class="hint">{ meaning(properties.task) }{"Press an answer to ask about it."}</p>
            <ol data-testid="predictions">{ for rows }</ol>
            if predictions.len() > FEW {
                <button
                    type="button"
                    class="quiet"
                    data-testid="show-all"
                    aria-expanded={all.to_string()}
                    onclick={let all = all.clone(); move |_| all.set(!*all)}
                >
                    if *all { {"Show fewer"} } else { {format!("Show all {}", predictions.len())} }
                </button>
            }
        </section>
    }
}

/// What the numbers beside the answers are, where that is no matter of course.
fn meaning(task: Task) -> &'static str {
    match task {
        Task::Classification | Task::MultiLabel => "",
        Task::Detection => "What it finds, with scores. ",
        Task::Segmentation => "Shares of the picture. ",
        Task::Embedding => "Its largest numbers. ",
    }
}

/// Drawn as a picture, because a strict content security policy forbids style attributes.
fn bar(share: f32) -> Html {
    let (width, sign) = (100.0 * share.abs().min(1.0), if share < 0.0 { "negative" } else { "positive" });
    html! {
        <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
            <rect class={sign} width={width.to_string()} height="1" />
        </svg>
    }
}

fn score(score: f32, probability: bool) -> String {
    if probability { percent(score.into()) } else { short(score.into()) }
}
