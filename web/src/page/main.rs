//! The page: what visitors see and touch. It owns pixels and state; a worker owns the model and computes.
//!
//! - [`state`]: everything the page knows and how it changes, free of the browser
//! - [`question`], [`target`], [`link`]: what is asked, and how it is written in an address
//! - [`family`], [`method_search`]: finding a method among many
//! - [`card_draft`]: how the picture is read, as the visitor corrects it
//! - [`label_map`]: regions drawn by hand
//! - [`place`], [`model_file`]: where a model is, and what the page holds of it
//! - [`app`]: carries out what the state commands, and lays out the [`parts`]
//! - [`parts`]: one component per part of the page; [`widgets`]: what they are made of
//! - [`network`]: models and images from addresses, and what the browser keeps of them
//! - [`worker_handle`], [`files`], [`save`], [`canvas`], [`panic`]: the browser

mod app;
mod canvas;
mod card_draft;
mod family;
mod files;
mod label_map;
mod link;
mod method_search;
mod metric_settings;
mod model_file;
mod network;
mod number;
mod panic;
mod parts;
mod place;
mod question;
mod save;
mod state;
mod target;
mod widgets;
#[path = "../wire.rs"]
mod wire;
mod worker_handle;

fn main() {
    panic::show_in_page();
    let place = web_sys::window().and_then(|window| window.document()?.get_element_by_id("vitrine"));
    if let Some(place) = place {
        yew::Renderer::<app::App>::with_root(place).render();
    }
}
