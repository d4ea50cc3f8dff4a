//! How messages cross between page and worker: plain JavaScript objects, with byte fields as typed arrays whose buffers
//! are handed over instead of copied. A model's file travels beside its message, as `[message, file]`, and is a handle
//! with which the worker reads the bytes where the browser has them.

use js_sys::{Array, Map, Object, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::{Error, Serializer};
use wasm_bindgen::{JsCast, JsValue};

/// A message as `postMessage` takes it, and the buffers it hands over.
///
/// # Errors
/// When the value has no JavaScript form; messages of the protocol always have one.
pub(crate) fn to_js(message: &impl Serialize) -> Result<(JsValue, Array), Error> {
    // A seed has 64 bits, a JavaScript number holds 53.
    let serializer = Serializer::new().serialize_large_number_types_as_bigints(true);
    let value = message.serialize(&serializer)?;
    let buffers = Array::new();
    collect_buffers(&value, &buffers);
    Ok((value, buffers))
}

/// The message in the data of a `message` event.
///
/// # Errors
/// When the data are of another form, as from the other half of another version.
pub(crate) fn from_js<T: DeserializeOwned>(data: JsValue) -> Result<T, Error> {
    serde_wasm_bindgen::from_value(data)
}

fn collect_buffers(value: &JsValue, buffers: &Array) {
    if let Some(bytes) = value.dyn_ref::<Uint8Array>() {
        buffers.push(&bytes.buffer());
    } else if let Some(items) = value.dyn_ref::<Array>() {
        items.iter().for_each(|item| collect_buffers(&item, buffers));
    } else if value.is_instance_of::<Map>() {
        // Maps hold parameters as text, never bytes.
    } else if let Some(object) = value.dyn_ref::<Object>() {
        Object::values(object).iter().for_each(|field| collect_buffers(&field, buffers));
    }
}
