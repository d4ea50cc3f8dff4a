//! Results out of the page: files to keep, links to pass on.

use js_sys::{Array, Reflect};
use serde::Serialize;
use vitrine_protocol::{ModelCard, Report};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, HtmlCanvasElement, Url};

use crate::state::HeatMap;

/// A report, and the raw values it reports on.
#[derive(Serialize)]
struct Download<'a> {
    #[serde(flatten)]
    report: &'a Report,
    heatmap: Values<'a>,
}

/// A map at input resolution, row by row from the top.
#[derive(Serialize)]
struct Values<'a> {
    width: usize,
    height: usize,
    values: &'a [f32],
}

/// Saves the report and the map's raw values as JSON.
pub(crate) fn json(name: &str, report: &Report, map: &HeatMap) -> Result<(), JsValue> {
    let heatmap = Values { width: map.width, height: map.height, values: &map.values };
    text_as_file(name, serde_json::to_string(&Download { report, heatmap }).map_err(|error| error.to_string())?)
}

/// Saves a model card as JSON.
pub(crate) fn card(name: &str, card: &ModelCard) -> Result<(), JsValue> {
    text_as_file(name, serde_json::to_string_pretty(card).map_err(|error| error.to_string())?)
}

fn text_as_file(name: &str, text: String) -> Result<(), JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type("application/json");
    let blob = Blob::new_with_str_sequence_and_options(&Array::of1(&text.into()), &options)?;
    blob_as_file(name, &blob)
}

/// Saves what a canvas shows as PNG.
pub(crate) fn png(name: String, canvas: &HtmlCanvasElement) -> Result<(), JsValue> {
    let made = Closure::once_into_js(move |blob: Option<Blob>| {
        if let Some(blob) = blob {
            blob_as_file(&name, &blob).ok();
        }
    });
    canvas.to_blob(made.unchecked_ref())
}

fn blob_as_file(name: &str, blob: &Blob) -> Result<(), JsValue> {
    let document = web_sys::window().and_then(|window| window.document()).ok_or("there is no document")?;
    let address = Url::create_object_url_with_blob(blob)?;
    let anchor: HtmlAnchorElement = document.create_element("a")?.unchecked_into();
    anchor.set_href(&address);
    anchor.set_download(name);
    anchor.click();
    Url::revoke_object_url(&address)
}

/// The page's address with another fragment, which also becomes the address of the tab.
pub(crate) fn address(fragment: &str) -> Option<String> {
    let window = web_sys::window()?;
    let fragment = format!("#{fragment}");
    // Unlike a new value of `location.hash`, this does not count as following a link.
    window.history().ok()?.replace_state_with_url(&JsValue::NULL, "", Some(&fragment)).ok()?;
    window.location().href().ok()
}

/// Copies a text; false where the browser does not allow it.
pub(crate) async fn copy(text: &str) -> bool {
    let Some(window) = web_sys::window() else { return false };
    let navigator = window.navigator();
    // Pages that are not served securely have no clipboard.
    let exists = Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|clipboard| !clipboard.is_undefined());
    exists && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}
