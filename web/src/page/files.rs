//! The visitor's files, read in the tab.

use js_sys::Uint8Array;
use vitrine_protocol::File;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::FileList;
use yew::Callback;

use crate::state::Action;

/// Reads a list of files and passes them on together; an empty list is passed over.
pub(crate) fn read(list: Option<FileList>, on: Callback<Action>) {
    read_for(list, on.clone(), on.reform(Action::Files));
}

/// Reads a list of files for one purpose.
pub(crate) fn read_for(list: Option<FileList>, on: Callback<Action>, take: Callback<Vec<File>>) {
    let files: Vec<web_sys::File> =
        list.map(|list| (0..list.length()).filter_map(|index| list.get(index)).collect()).unwrap_or_default();
    if files.is_empty() {
        return;
    }
    spawn_local(async move {
        let mut read = Vec::new();
        for file in files {
            let name = file.name();
            match JsFuture::from(file.array_buffer()).await {
                Ok(buffer) => read.push(File { name, bytes: Uint8Array::new(&buffer).to_vec() }),
                Err(_) => {
                    let message = format!("{name} could not be read. Is it a folder, or was it moved meanwhile?");
                    return on.emit(Action::Notify(message));
                }
            }
        }
        take.emit(read);
    });
}
