//! A body as it comes in. It is handed to the browser in pieces, so that the tab never holds all of it.

use js_sys::{Array, Date, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ReadableStreamDefaultReader, Response};

use super::failure::Failure;
use super::request::{Target, content_length};
use crate::model_file::MAX_BYTES;

/// Bytes that are gathered before they are handed over.
const PIECE: u64 = 16_000_000;

/// Milliseconds between two reports.
const PACE: i32 = 100;

/// The body of `response`, with reports of how many bytes have come, and of how many in all. `size` is how many there
/// must be, if that is known from elsewhere.
pub(super) async fn receive(
    target: &Target,
    response: &Response,
    size: Option<u64>,
    report: impl Fn(u64, Option<u64>),
) -> Result<Blob, Failure> {
    let announced = size.or_else(|| content_length(response));
    let too_large = |size| Failure::TooLarge { name: target.name.clone(), size };
    if let Some(size) = announced.filter(|size| *size > MAX_BYTES) {
        return Err(too_large(size));
    }
    let mut received = 0;
    // A body that was compressed on the way can be longer than what was announced.
    let total = |received| announced.filter(|total| received <= *total);
    let broken = |received| Failure::BrokenOff {
        host: target.host.clone(),
        name: target.name.clone(),
        received,
        total: total(received),
    };
    let body = response.body().ok_or_else(|| broken(0))?;
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let (mut pieces, mut piece, mut piece_size) = (Array::new(), Array::new(), 0);
    report(0, total(0));
    let (mut reported, mut reported_at) = (0, Date::now());
    loop {
        let reading = reader.read();
        if received > reported {
            // What has come shall be seen even if nothing more does.
            JsFuture::from(Promise::race(&Array::of2(&reading, &pause()))).await.ok();
            if Date::now() - reported_at >= f64::from(PACE) {
                report(received, total(received));
                (reported, reported_at) = (received, Date::now());
            }
        }
        let read = JsFuture::from(reading).await.map_err(|_| broken(received))?;
        let Some(chunk) = chunk(&read) else { break };
        let length = u64::from(chunk.length());
        received += length;
        piece_size += length;
        if received > MAX_BYTES {
            // Whoever aborts it no longer needs the rest.
            drop(reader.cancel());
            return Err(too_large(received));
        }
        piece.push(&chunk);
        if piece_size >= PIECE {
            pieces.push(&joined(&piece).ok_or_else(|| broken(received))?.into());
            (piece, piece_size) = (Array::new(), 0);
        }
    }
    report(received, total(received));
    pieces = pieces.concat(&piece);
    match joined(&pieces) {
        Some(blob) if size.is_none_or(|size| size == received) => Ok(blob),
        _ => Err(broken(received)),
    }
}

/// A promise that is kept after [`PACE`].
fn pause() -> Promise {
    Promise::new(&mut |resolve, _| {
        if let Some(window) = web_sys::window() {
            window.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, PACE).ok();
        }
    })
}

/// What a reader has read; nothing at the end.
fn chunk(read: &JsValue) -> Option<Uint8Array> {
    let done = Reflect::get(read, &"done".into()).is_ok_and(|done| done.is_truthy());
    let value = Reflect::get(read, &"value".into()).ok()?;
    if done { None } else { value.dyn_into().ok() }
}

fn joined(parts: &Array) -> Option<Blob> {
    Blob::new_with_u8_array_sequence(parts).ok()
}
