//! The worker: owns the device, the model and the session, and answers the page's requests one after the other.

mod conversation;
mod model_file;
#[path = "../wire.rs"]
mod wire;

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use js_sys::Array;
use vitrine_protocol::{Event, Problem, ProblemKind, Request};
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{Blob, DedicatedWorkerGlobalScope, MessageEvent};

use crate::conversation::{Cancellation, Conversation};

fn main() {
    std::panic::set_hook(Box::new(|panic| {
        // The instance is lost after a panic; the page hears why and starts another worker.
        post(&Event::Failed { run: None, problem: internal(format!("The worker stopped: {panic}")) });
    }));
    let inbox = Rc::new(Inbox::default());
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
        let data = message.data();
        let (data, file) = match data.dyn_ref::<Array>() {
            Some(both) => (both.get(0), both.get(1).dyn_into().ok()),
            None => (data, None),
        };
        match wire::from_js::<Request>(data) {
            Ok(Request::Cancel { run }) => inbox.cancellation.cancel(run),
            Ok(request) => Inbox::push(&inbox, request, file),
            Err(error) => {
                post(&Event::Failed { run: None, problem: internal(format!("A message was not understood: {error}")) })
            }
        }
    });
    scope().set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // The handler lives as long as the worker.
    on_message.forget();
}

/// A fault of the program.
fn internal(message: String) -> Problem {
    Problem { kind: ProblemKind::Internal, message, field: None }
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// Sends an event to the page, handing over its byte buffers.
fn post(event: &Event) {
    let sent = wire::to_js(event).map(|(message, buffers)| scope().post_message_with_transfer(&message, &buffers));
    if !matches!(sent, Ok(Ok(()))) {
        log::error!("an event could not be sent");
    }
}

/// Requests that wait for the one at work. A cancellation does not wait.
#[derive(Default)]
struct Inbox {
    waiting: RefCell<VecDeque<(Request, Option<Blob>)>>,
    /// Taken out while a request is at work.
    conversation: RefCell<Option<Conversation>>,
    busy: RefCell<bool>,
    cancellation: Rc<Cancellation>,
}

impl Inbox {
    fn push(inbox: &Rc<Inbox>, request: Request, file: Option<Blob>) {
        inbox.waiting.borrow_mut().push_back((request, file));
        if !inbox.busy.replace(true) {
            let inbox = Rc::clone(inbox);
            wasm_bindgen_futures::spawn_local(async move { inbox.work().await });
        }
    }

    async fn work(&self) {
        let held = self.conversation.borrow_mut().take();
        let mut conversation = held.unwrap_or_else(|| Conversation::new(Rc::clone(&self.cancellation)));
        loop {
            // Bound first, so that the queue is free while the request is at work.
            let next = self.waiting.borrow_mut().pop_front();
            let Some((request, file)) = next else { break };
            conversation.answer(request, file).await;
        }
        *self.conversation.borrow_mut() = Some(conversation);
        self.busy.replace(false);
    }
}
