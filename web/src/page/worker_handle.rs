//! The worker as the page sees it. Dropping the handle ends the worker and everything it was still to say.

use gloo_events::EventListener;
use vitrine_protocol::{Event, Request};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};
use yew::Callback;

use crate::state::Action;
use crate::wire;

/// A running worker.
pub(crate) struct WorkerHandle {
    worker: Worker,
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
        Ok(WorkerHandle { worker, _listeners: listeners })
    }

    /// Sends a request.
    pub(crate) fn send(&self, request: &Request) -> Result<(), String> {
        let (message, buffers) = wire::to_js(request).map_err(|error| error.to_string())?;
        self.worker.post_message_with_transfer(&message, &buffers).map_err(|error| describe(&error))
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

fn address() -> Option<String> {
    let document = web_sys::window()?.document()?;
    document.query_selector("meta[name=vitrine-worker]").ok()??.get_attribute("content")
}

fn describe(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message())).unwrap_or_else(|| format!("{error:?}"))
}
