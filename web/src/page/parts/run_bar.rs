//! The button that starts a run, what it is doing, and the button that stops it.

use yew::prelude::*;

use crate::number::seconds;
use crate::state::{Action, Run, Status};

#[derive(PartialEq, Properties)]
pub(crate) struct RunBarProperties {
    pub(crate) status: Status,
    pub(crate) sentence: String,
    /// What is wrong with the question.
    pub(crate) problem: Option<String>,
    /// What a run costs, once it is known.
    pub(crate) cost: Option<String>,
    pub(crate) run: Option<Run>,
    pub(crate) can_run: bool,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn RunBar(properties: &RunBarProperties) -> Html {
    let on = &properties.on;
    let running = properties.run.is_some();
    html! {
        <section class="run-bar" aria-label="Run">
            // Both stay where they are, so that the keyboard's focus does too.
            <button
                type="button"
                class="primary"
                data-testid="run"
                disabled={!running && !properties.can_run}
                aria-disabled={running.then_some("true")}
                onclick={on.reform(|_| Action::Run)}
            >
                {"Explain"}
            </button>
            <button
                type="button"
                data-testid="cancel"
                aria-disabled={(!running).then_some("true")}
                onclick={on.reform(|_| Action::Cancel)}
            >
                {"Stop"}
            </button>
            <div class="doing">
                <p role="status" aria-live="polite" data-testid="status" data-state={properties.status.id()}>
                    {&properties.sentence}
                </p>
                if let Some(run) = properties.run {
                    { progress(run) }
                } else if let Some(problem) = &properties.problem {
                    <p class="problem">{problem}</p>
                } else {
                    <p class="hint cost" data-testid="cost">{properties.cost.clone().unwrap_or_default()}</p>
                }
            </div>
        </section>
    }
}

fn progress(run: Run) -> Html {
    // Before the first report the browser shows that something goes on, without saying how far.
    let value = run.total.map(|_| run.done.to_string());
    let max = run.total.map(|total| total.to_string());
    html! {
        <>
            <progress data-testid="progress" {value} {max} aria-label="Progress of the run" />
            <p class="hint">
                if let Some(total) = run.total {
                    {format!("{} of {total}", run.done)}
                }
                if let Some(left) = run.seconds_left {
                    {format!(", about {} left", seconds(left))}
                }
            </p>
        </>
    }
}
