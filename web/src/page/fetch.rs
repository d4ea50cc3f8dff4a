//! Files that a link names by their address.

use js_sys::Uint8Array;
use vitrine_protocol::File;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use crate::state::{Action, Fetch};

/// Fetches a model, with its card if there is one beside it, or an image.
pub(crate) async fn fetch(wanted: Fetch) -> Action {
    let (Fetch::Model(address) | Fetch::Image(address)) = &wanted;
    let file = match file(address).await {
        Ok(file) => file,
        Err(message) => return Action::NotFetched(message),
    };
    let mut files = vec![file];
    if let (Fetch::Model(_), Some(stem)) = (&wanted, address.strip_suffix(".onnx")) {
        // Most models have no card.
        files.extend(self::file(&format!("{stem}.card.json")).await);
    }
    Action::Fetched(wanted, files)
}

async fn file(address: &str) -> Result<File, String> {
    let unreachable = || {
        format!(
            "{address} cannot be fetched: the address is wrong, or its server does not let other pages read it. \
             Download the file and drop it here instead."
        )
    };
    let window = web_sys::window().ok_or_else(unreachable)?;
    let response = JsFuture::from(window.fetch_with_str(address)).await.map_err(|_| unreachable())?;
    let response: Response = response.unchecked_into();
    if !response.ok() {
        return Err(format!("{address} cannot be fetched: its server answers {}.", response.status()));
    }
    let buffer = response.array_buffer().map_err(|_| unreachable())?;
    let buffer = JsFuture::from(buffer).await.map_err(|_| unreachable())?;
    let path = address.split(['?', '#']).next().unwrap_or(address);
    let name = path.rsplit('/').next().unwrap_or(path).to_owned();
    Ok(File { name, bytes: Uint8Array::new(&buffer).to_vec() })
}
