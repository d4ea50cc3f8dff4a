//! The visitor's files, read in the tab; models are left unread until the worker gets them.

use js_sys::Uint8Array;
use vitrine_protocol::File;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::FileList;
use yew::Callback;

use crate::model_file::{Content, MAX_BYTES, ModelFile, own_key};
use crate::network::Failure;
use crate::place::is_onnx;
use crate::state::{Action, Given};

/// Reads a list of files and passes them on together; an empty list is passed over.
pub(crate) fn read(list: Option<FileList>, on: Callback<Action>) {
    read_for(list, on.clone(), on.reform(Action::Files));
}

/// Reads a list of files for one purpose.
pub(crate) fn read_for(list: Option<FileList>, on: Callback<Action>, take: Callback<Vec<Given>>) {
    let files: Vec<web_sys::File> =
        list.map(|list| (0..list.length()).filter_map(|index| list.get(index)).collect()).unwrap_or_default();
    if files.is_empty() {
        return;
    }
    spawn_local(async move {
        let mut given = Vec::new();
        for file in files {
            match read_one(file).await {
                Ok(file) => given.push(file),
                Err(message) => return on.emit(Action::Notify(message)),
            }
        }
        take.emit(given);
    });
}

async fn read_one(file: web_sys::File) -> Result<Given, String> {
    let (name, size) = (file.name(), file.size() as u64);
    if size > MAX_BYTES {
        return Err(Failure::TooLarge { name, size }.to_string());
    }
    if is_onnx(&name) {
        let key = own_key(&name, size, file.last_modified());
        let content = Content::new(file.into());
        return Ok(Given::Model(ModelFile { name, size, content, card: None, key, version: None, keep: false }));
    }
    match JsFuture::from(file.array_buffer()).await {
        Ok(buffer) => Ok(Given::Other(File { name, bytes: Uint8Array::new(&buffer).to_vec() })),
        Err(_) => Err(format!("{name} could not be read. Is it a folder, or was it moved meanwhile?")),
    }
}
