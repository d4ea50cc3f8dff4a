//! The canvas with the picture that a method makes.

use std::rc::Rc;

use vitrine_protocol::Picture;
use web_sys::HtmlCanvasElement;
use yew::prelude::*;

use super::map_canvas::comfortable;
use crate::canvas::paint;

#[derive(PartialEq, Properties)]
pub(crate) struct MadeCanvasProperties {
    pub(crate) canvas: NodeRef,
    pub(crate) picture: Rc<Picture>,
    /// What the picture is of, in words.
    pub(crate) label: AttrValue,
}

#[component]
pub(crate) fn MadeCanvas(properties: &MadeCanvasProperties) -> Html {
    let MadeCanvasProperties { canvas, picture, label } = properties;
    let drawings = use_mut_ref(|| 0_u32);
    {
        let canvas = canvas.clone();
        use_effect_with(picture.clone(), move |picture| {
            let Some(canvas) = canvas.cast::<HtmlCanvasElement>() else { return };
            let Picture { width, height, rgba } = &**picture;
            if paint(&canvas, *width, *height, rgba, comfortable(*width, *height)).is_ok() {
                // Lets tests wait for a drawing instead of for a time.
                *drawings.borrow_mut() += 1;
                canvas.set_attribute("data-version", &drawings.borrow().to_string()).ok();
            }
        });
    }
    html! { <canvas ref={canvas} class="made" data-testid="visualisation" role="img" aria-label={label} width="512" height="512" /> }
}
