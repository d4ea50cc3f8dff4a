//! A worker in a browser tab: messages arrive only while nothing runs, and the built-in models are files beside it.

use js_sys::{ArrayBuffer, Uint8Array};
use vitrine_zoo::Builtin;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Response, WorkerGlobalScope};

use crate::EngineError;

/// Lets the event loop turn, so that a cancel message can arrive.
pub(crate) async fn let_others_run() {
    gloo_timers::future::TimeoutFuture::new(0).await;
}

/// Fetches a built-in model; its hash in the address makes a stale copy impossible.
pub(crate) async fn builtin_onnx(model: &Builtin) -> Result<Vec<u8>, EngineError> {
    let address = format!("models/{}?{}", model.file, model.sha256.get(..16).unwrap_or_default());
    fetch(&address).await.map_err(|_| EngineError::Fetch(address))
}

/// Lets the libraries of the GPU backend register their parts.
///
/// Unless a program does so itself, the linker makes every call from JavaScript do it, each time anew: thousands of
/// functions for each object that a message consists of.
pub(crate) fn run_constructors() {
    __wasm_call_ctors();
}

#[allow(unsafe_code, reason = "the linker makes this function, which takes and returns nothing")]
unsafe extern "C" {
    safe fn __wasm_call_ctors();
}

async fn fetch(address: &str) -> Result<Vec<u8>, JsValue> {
    let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
    let absolute = web_sys::Url::new_with_base(address, &scope.location().href())?.href();
    let response: Response = JsFuture::from(scope.fetch_with_str(&absolute)).await?.dyn_into()?;
    if !response.ok() {
        return Err(JsValue::NULL);
    }
    let buffer: ArrayBuffer = JsFuture::from(response.array_buffer()?).await?.dyn_into()?;
    Ok(Uint8Array::new(&buffer).to_vec())
}
