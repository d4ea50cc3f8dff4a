//! The worker as the page sees it. Dropping the handle ends the worker and everything it was still to say.

use std::cell::RefCell;

use gloo_events::EventListener;
use js_sys::{Array, Promise, Reflect, Uint8Array};
use vitrine_protocol::{Event, File, ModelSource, Request};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{ErrorEvent, MessageEvent, Worker, WorkerOptions, WorkerType};
use yew::Callback;

use crate::model_file::ModelFile;
use crate::state::Action;
use crate::{files, wire};

/// A running worker.
pub(crate) struct WorkerHandle {
    worker: Worker,
    on: Callback<Action>,
    /// Settled when the last request has left: reading a model takes a while, and nothing may overtake it.
    last_sent: RefCell<Promise>,
    _listeners: [EventListener; 3],
}

/// A request on its way to the worker.
enum Outgoing {
    Request(Request),
    Model(ModelFile),
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
        let last_sent = RefCell::new(Promise::resolve(&JsValue::UNDEFINED));
        Ok(WorkerHandle { worker, on: on.clone(), last_sent, _listeners: listeners })
    }

    /// Sends a request, after those before it.
    pub(crate) fn send(&self, request: Request) {
        self.queue(Outgoing::Request(request));
    }

    /// Sends the request to load a model's file, after those before it.
    pub(crate) fn send_model(&self, file: ModelFile) {
        self.queue(Outgoing::Model(file));
    }

    fn queue(&self, outgoing: Outgoing) {
        let (worker, on) = (self.worker.clone(), self.on.clone());
        let before = JsFuture::from(self.last_sent.borrow().clone());
        *self.last_sent.borrow_mut() = future_to_promise(async move {
            before.await.ok();
            match outgoing {
                Outgoing::Request(request) => {
                    if let Err(error) = post(&worker, &request) {
                        on.emit(not_sent(&error));
                    }
                }
                Outgoing::Model(file) => match JsFuture::from(file.content.blob().array_buffer()).await {
                    Ok(buffer) => {
                        if let Err(error) = post_model(&worker, &file, &Uint8Array::new(&buffer)) {
                            on.emit(not_sent(&error));
                        }
                    }
                    Err(_) => on.emit(Action::Unread(file.content, files::unreadable(&file.name))),
                },
            }
            Ok(JsValue::UNDEFINED)
        });
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        self.worker.terminate();
    }
}

fn post(worker: &Worker, request: &Request) -> Result<(), JsValue> {
    let (message, buffers) = wire::to_js(request)?;
    worker.post_message_with_transfer(&message, &buffers)
}

/// The bytes go from the browser to the worker without passing through this program's memory, which never shrinks.
fn post_model(worker: &Worker, file: &ModelFile, bytes: &Uint8Array) -> Result<(), JsValue> {
    let onnx = File { name: file.name.clone(), bytes: Vec::new() };
    let request = Request::LoadModel(ModelSource::File { onnx, card: file.card.clone() });
    let (message, _) = wire::to_js(&request)?;
    let mut place = message.clone();
    for field in ["LoadModel", "File", "onnx"] {
        place = Reflect::get(&place, &field.into())?;
    }
    Reflect::set(&place, &"bytes".into(), bytes)?;
    worker.post_message_with_transfer(&message, &Array::of1(&bytes.buffer()))
}

fn not_sent(error: &JsValue) -> Action {
    Action::Crashed(format!("A request did not reach the worker ({}).", describe(error)))
}

fn address() -> Option<String> {
    let document = web_sys::window()?.document()?;
    document.query_selector("meta[name=vitrine-worker]").ok()??.get_attribute("content")
}

fn describe(error: &JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message())).unwrap_or_else(|| format!("{error:?}"))
}
