//! The worker as the page sees it. Dropping the handle ends the worker and everything it was still to say.

use gloo_events::EventListener;
use js_sys::Array;
use vitrine_protocol::{Event, ModelSource, Request};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};
use yew::Callback;

use crate::model_file::ModelFile;
use crate::state::Action;
use crate::wire;

/// A running worker.
pub(crate) struct WorkerHandle {
    worker: Worker,
    on: Callback<Action>,
    _listeners: [EventListener; 3],
}

impl WorkerHandle {
    /// Starts the worker that the page names in `<meta name="vitrine-worker">`; what it says goes to `on`.
    pub(crate) fn start(on: &Callback<Action>) -> Result<Self, String> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(&address().ok_or("The page does not name its worker.")?, &options)
            .map_err(|error| format!("The browser refused to start the worker ({}).", describe(&error)))?;

        let heard = on.reform(|event: MessageEvent| match wire::from_js::<Event>(event.data()) {
            Ok(event) => Action::Heard(event),
            Err(error) => Action::Crashed(format!("The worker said something unknown ({error}).")),
        });
        let died = on.reform(|event: web_sys::Event| {
            // A script that does not load gives a plain event without a message.
            let message = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message).filter(|message| !message.is_empty());
            Action::Crashed(message.unwrap_or_else(|| "The worker's program could not be loaded.".to_owned()))
        });
        let garbled =
            on.reform(|_: web_sys::Event| Action::Crashed("A message of the worker was unreadable.".to_owned()));
        let listeners = [
            EventListener::new(&worker, "message", move |event| heard.emit(event.clone().unchecked_into())),
            EventListener::new(&worker, "error", move |event| died.emit(event.clone())),
            EventListener::new(&worker, "messageerror", move |event| garbled.emit(event.clone())),
        ];
        Ok(WorkerHandle { worker, on: on.clone(), _listeners: listeners })
    }

    /// Sends a request.
    pub(crate) fn send(&self, request: &Request) {
        self.told(post(&self.worker, request, None));
    }

    /// Sends the request to load a model's file, with the file beside it.
    pub(crate) fn send_model(&self, file: &ModelFile) {
        let source = ModelSource::File { name: file.name.clone(), card: file.card.clone() };
        self.told(post(&self.worker, &Request::LoadModel(source), Some(file.content.blob())));
    }

    fn told(&self, sent: Result<(), JsValue>) {
        if let Err(error) = sent {
            self.on.emit(Action::Crashed(format!("A request did not reach the worker ({}).", describe(&error))));
        }
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

fn post(worker: &Worker, request: &Request, file: Option<&Blob>) -> Result<(), JsValue> {
    let (message, buffers) = wire::to_js(request)?;
    let message = match file {
        Some(file) => Array::of2(&message, file).into(),
        None => message,
    };
    worker.post_message_with_transfer(&message, &buffers)
}

fn address() -> Option<String> {
    let document = web_sys::window()?.document()?;
    document.query_selector("meta[name=vitrine-worker]").ok()??.get_attribute("content")
}

fn describe(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message())).unwrap_or_else(|| format!("{error:?}"))
}
