//! The worker: owns the device, the model and the session, and answers the page's requests one after the other.

mod conversation;
#[path = "../wire.rs"]
mod wire;

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use vitrine_protocol::{Event, Problem, ProblemKind, Request};
use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

use crate::conversation::{Cancellation, Conversation};

fn main() {
    std::panic::set_hook(Box::new(|panic| {
        // The instance is lost after a panic; the page hears why and starts another worker.
        post(&Event::Failed { run: None, problem: internal(format!("The worker stopped: {panic}")) });
    }));
    let inbox = Rc::new(Inbox::default());
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
        match wire::from_js::<Request>(message.data()) {
            Ok(Request::Cancel { run }) => inbox.cancellation.cancel(run),
            Ok(request) => Inbox::push(&inbox, request),
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
    waiting: RefCell<VecDeque<Request>>,
    /// Taken out while a request is at work.
    conversation: RefCell<Option<Conversation>>,
    busy: RefCell<bool>,
    cancellation: Rc<Cancellation>,
}

impl Inbox {
    fn push(inbox: &Rc<Inbox>, request: Request) {
        inbox.waiting.borrow_mut().push_back(request);
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
            let Some(request) = next else { break };
            conversation.answer(request).await;
        }
        *self.conversation.borrow_mut() = Some(conversation);
        self.busy.replace(false);
    }
}
