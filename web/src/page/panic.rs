//! A page that has stopped says so.

/// After a panic the page shows what happened and how to go on, instead of standing still.
pub(crate) fn show_in_page() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.to_string();
        web_sys::console::error_1(&message.clone().into());
        let place = web_sys::window().and_then(|window| window.document()?.get_element_by_id("vitrine"));
        if let Some(place) = place {
            place.set_text_content(Some(&format!(
                "The page has stopped because of a fault in it. Reload it to go on. What it said: {message}"
            )));
        }
    }));
}
