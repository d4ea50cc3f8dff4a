//! The page as a whole: passes what happens to the [`State`], does what it commands, and lays out the parts.

use gloo_events::{EventListener, EventListenerOptions};
use vitrine_protocol::{PROTOCOL_VERSION, Request};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{ClipboardEvent, DragEvent, KeyboardEvent};
use yew::prelude::*;

use crate::files;
use crate::link::Link;
use crate::network::{self, Downloading};
use crate::parts::{
    Answers, BenchPanel, CardPanel, Compare, Head, Images, MethodForm, ModelChoice, NoticeBar, RunBar, Stage,
    TrustPanel,
};
use crate::state::{Action, Command, State};
use crate::worker_handle::WorkerHandle;

/// The root component.
pub(crate) struct App {
    state: State,
    worker: Option<WorkerHandle>,
    download: Option<Downloading>,
    _listeners: Vec<EventListener>,
}

impl Component for App {
    type Message = Action;
    type Properties = ();

    fn create(ctx: &Context<Self>) -> Self {
        let state = State::new(link());
        let start = Command::StartWorker(state.device_choice);
        let mut app = App { state, worker: None, download: None, _listeners: listeners(&on(ctx)) };
        app.perform(ctx, start);
        let on = on(ctx);
        spawn_local(async move { on.emit(Action::Kept(network::list().await, None)) });
        app
    }

    fn update(&mut self, ctx: &Context<Self>, action: Action) -> bool {
        for command in self.state.update(action, js_sys::Date::now()) {
            self.perform(ctx, command);
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> Html {
        let state = &self.state;
        let on = on(ctx);
        let predictions = state.image.as_ref().map(|image| image.predictions.clone()).unwrap_or_default();
        let given = state.shows("images") || state.shows("model");
        let loading = state.worker != crate::state::Worker::Ready;
        html! {
            <>
                if !state.embed && state.shows("head") {
                    <Head device={state.device.clone()} choice={state.device_choice} on={&on} />
                }
                if let Some(notice) = state.notice.clone() {
                    <NoticeBar {notice} on={&on} />
                }
                <main class={classes!((!given).then_some("nothing-given"))}>
                    if given { <div class="given">
                        if state.shows("images") {
                            <Images
                                samples={state.samples.clone()}
                                chosen={state.chosen_sample()}
                                own={state.own_image()}
                                disabled={loading}
                                on={&on}
                            />
                        }
                        if state.shows("model") {
                            <ModelChoice
                                models={state.models.clone()}
                                chosen={state.model_link()}
                                model={state.model.clone()}
                                download={state.download.clone()}
                                offer={state.offer.clone()}
                                note={state.model_note.clone()}
                                shelf={state.shelf.clone()}
                                file_key={state.model_key()}
                                can_keep={state.can_keep()}
                                disabled={loading}
                                on={&on}
                            />
                        }
                    </div> }
                    <Stage
                        image={state.image.clone()}
                        map={state.map.clone()}
                        made={state.made.clone()}
                        error={state.error.clone()}
                        band={state.view.band}
                        longer={state.longer()}
                        tried={state.tried.clone()}
                        report={state.report.clone()}
                        running={state.run.is_some()}
                        palette={state.palette()}
                        opacity={state.view.opacity}
                        target={state.question.target.clone()}
                        link={state.link()}
                        card_corrected={state.card_corrected()}
                        controls={state.shows("view")}
                        facts={state.shows("result")}
                        on={&on}
                    />
                    <div class="asked">
                        if state.shows("answers") {
                            <Answers
                                predictions={predictions.clone()}
                                probabilities={state.image.as_ref().is_some_and(|image| image.probabilities)}
                                task={state.model.as_ref().map(|model| model.card.task).unwrap_or_default()}
                                target={state.question.target.clone()}
                                on={&on}
                            />
                        }
                        if state.shows("method") {
                            <MethodForm
                                methods={state.methods.clone()}
                                question={state.question.clone()}
                                {predictions}
                                model={state.model.clone()}
                                refusal={state.refusal().cloned()}
                                drawn={state.drawn()}
                                settings={state.shows("settings")}
                                on={&on}
                            />
                        }
                    </div>
                    <div class="below">
                        if state.shows("trust") && !state.metrics.is_empty() {
                            <TrustPanel
                                measures={state.measures()}
                                usual={state.usual()}
                                ready={state.can_measure()}
                                on_screen={state.judged()}
                                methods={state.methods.clone()}
                                settings={state.metric_settings()}
                                drawn={state.drawn()}
                                palette={state.palette()}
                                opacity={state.view.opacity}
                                on={&on}
                            />
                        }
                        if state.shows("compare") {
                            <Compare
                                methods={state.methods.clone()}
                                method={state.question.method.clone()}
                                cards={state.compare.clone()}
                                image={state.image.clone()}
                                own={state.map.clone().zip(state.report.clone())}
                                scale={state.compare_scale}
                                palette={state.compare_palette()}
                                opacity={state.view.opacity}
                                disabled={loading}
                                on={&on}
                            />
                        }
                        if let (true, Some(image)) = (state.shows("bench"), &state.image) {
                            <BenchPanel
                                bench={state.bench.clone()}
                                image={image.clone()}
                                takes_regions={state.takes_regions()}
                                plays={state.plays_drawn()}
                                running={state.run.is_some()}
                                on={&on}
                            />
                        }
                    </div>
                    if let (true, Some(model), Some(form)) = (state.shows("model"), &state.model, &state.card) {
                        <CardPanel model={model.clone()} form={form.clone()} disabled={loading || !state.is_settled()} on={&on} />
                    }
                    <RunBar
                        status={state.status()}
                        sentence={state.status_sentence()}
                        problem={state.problem().or(state.refusal().map(|problem| problem.message.clone()))}
                        cost={state.cost()}
                        run={state.run}
                        can_run={state.can_run()}
                        on={&on}
                    />
                </main>
                if !state.embed && state.shows("foot") {
                    <footer>
                        <p>{"Vitrine "}{env!("CARGO_PKG_VERSION")}{". Pictures and models stay in this tab: nothing is uploaded."}</p>
                    </footer>
                }
            </>
        }
    }
}

impl App {
    fn perform(&mut self, ctx: &Context<Self>, command: Command) {
        let on = on(ctx);
        match command {
            Command::StartWorker(device) => {
                // The old one first: two would hold a model and a device each.
                self.worker = None;
                match WorkerHandle::start(&on) {
                    Ok(worker) => self.worker = Some(worker),
                    Err(message) => return on.emit(Action::Crashed(message)),
                }
                self.perform(ctx, Command::Send(Request::Start { version: PROTOCOL_VERSION, device }));
            }
            Command::StopWorker => self.worker = None,
            Command::Send(request) => {
                if let Some(worker) = &self.worker {
                    worker.send(&request);
                }
            }
            Command::SendModel(file) => {
                if let Some(worker) = &self.worker {
                    worker.send_model(&file);
                }
            }
            Command::Download { number, origin, size } => {
                self.download = Downloading::start(number, origin, size, on);
            }
            Command::StopDownload => self.download = None,
            Command::Keep(file) => spawn_local(async move {
                let note = network::keep(&file).await.err();
                on.emit(Action::Kept(network::list().await, note));
            }),
            Command::KeepCard { key, card } => spawn_local(async move {
                if let Err(note) = network::keep_card(&key, &card).await {
                    on.emit(Action::Kept(network::list().await, Some(note)));
                }
            }),
            Command::Forget(key) => spawn_local(async move {
                let note = network::forget(&key).await.err();
                on.emit(Action::Kept(network::list().await, note));
            }),
            Command::FetchImage(address) => spawn_local(async move {
                let fetched = network::fetch_image(&address).await.map_err(|failure| failure.to_string());
                on.emit(Action::ImageFetched(address, fetched));
            }),
        }
    }
}

fn on(ctx: &Context<App>) -> Callback<Action> {
    ctx.link().callback(|action| action)
}

fn link() -> Link {
    let fragment = web_sys::window().and_then(|window| window.location().hash().ok());
    Link::parse(&fragment.unwrap_or_default())
}

/// What can happen anywhere on the page.
fn listeners(on: &Callback<Action>) -> Vec<EventListener> {
    let Some(window) = web_sys::window() else { return Vec::new() };
    let followed = on.reform(|()| Action::Follow(link()));
    let escaped = on.reform(|()| Action::Cancel);
    let (pasted, dropped) = (on.clone(), on.clone());
    let refusable = EventListenerOptions::enable_prevent_default();
    vec![
        EventListener::new(&window, "hashchange", move |_| followed.emit(())),
        EventListener::new(&window, "keydown", move |event| {
            if event.dyn_ref::<KeyboardEvent>().is_some_and(|event| event.key() == "Escape") {
                escaped.emit(());
            }
        }),
        EventListener::new(&window, "paste", move |event| {
            let data = event.dyn_ref::<ClipboardEvent>().and_then(ClipboardEvent::clipboard_data);
            files::read(data.and_then(|data| data.files()), pasted.clone());
        }),
        // Without this the browser would leave the page to show the file.
        EventListener::new_with_options(&window, "dragover", refusable, |event| {
            event.prevent_default();
            mark_dragging(true);
        }),
        EventListener::new(&window, "dragleave", |event| {
            if event.dyn_ref::<DragEvent>().is_some_and(|event| event.related_target().is_none()) {
                mark_dragging(false);
            }
        }),
        EventListener::new_with_options(&window, "drop", refusable, move |event| {
            event.prevent_default();
            mark_dragging(false);
            let data = event.dyn_ref::<DragEvent>().and_then(DragEvent::data_transfer);
            files::read(data.and_then(|data| data.files()), dropped.clone());
        }),
    ]
}

/// The style sheet shows where files can be dropped.
fn mark_dragging(dragging: bool) {
    let root = web_sys::window().and_then(|window| window.document()?.document_element());
    if let Some(root) = root {
        root.class_list().toggle_with_force("dragging", dragging).ok();
    }
}
