//! Pixels on a canvas.

use std::rc::Rc;

use web_sys::HtmlCanvasElement;
use yew::prelude::*;

use crate::canvas::paint;

#[derive(PartialEq, Properties)]
pub(crate) struct PictureProperties {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Four bytes per pixel, row by row.
    pub(crate) rgba: Rc<[u8]>,
    #[prop_or_default]
    pub(crate) class: Classes,
    /// Says in words what is seen; decoration when absent.
    #[prop_or_default]
    pub(crate) label: Option<AttrValue>,
}

#[component]
pub(crate) fn Picture(properties: &PictureProperties) -> Html {
    let node = use_node_ref();
    use_effect_with(
        (node.clone(), properties.width, properties.height, properties.rgba.clone()),
        |(node, width, height, rgba)| {
            if let Some(canvas) = node.cast::<HtmlCanvasElement>() {
                paint(&canvas, *width, *height, rgba, 1).ok();
            }
        },
    );
    let role = properties.label.is_some().then_some("img");
    let hidden = properties.label.is_none().then_some("true");
    html! {
        <canvas
            ref={node}
            class={properties.class.clone()}
            {role}
            aria-label={&properties.label}
            aria-hidden={hidden}
        />
    }
}
