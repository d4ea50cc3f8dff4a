//! The canvas with the picture and the map.

use std::rc::Rc;

use vitrine_image::{Palette, Scale, overlay, render};
use web_sys::HtmlCanvasElement;
use yew::prelude::*;

use crate::canvas::paint;
use crate::state::{HeatMap, Image};

/// How many times a small picture is enlarged: to about 512 pixels, so that the saved picture is of use too.
pub(super) fn comfortable(width: usize, height: usize) -> usize {
    (512 / width.max(height).max(1)).max(1)
}

#[derive(PartialEq, Properties)]
pub(crate) struct MapCanvasProperties {
    pub(crate) canvas: NodeRef,
    pub(crate) image: Option<Rc<Image>>,
    pub(crate) map: Option<Rc<HeatMap>>,
    pub(crate) palette: Palette,
    /// Of the map's colours.
    pub(crate) scale: Option<Scale>,
    pub(crate) opacity: f32,
    #[prop_or("heatmap".into())]
    pub(crate) test_id: AttrValue,
    /// Whose map it is, where there are several.
    #[prop_or_default]
    pub(crate) method: Option<AttrValue>,
}

#[component]
pub(crate) fn MapCanvas(properties: &MapCanvasProperties) -> Html {
    let MapCanvasProperties { canvas, image, map, palette, scale, opacity, .. } = properties;
    let drawings = use_mut_ref(|| 0_u32);
    let content = (image.clone(), map.clone(), *palette, *scale, *opacity);
    {
        let canvas = canvas.clone();
        use_effect_with(content, move |(image, map, palette, scale, opacity)| {
            let (Some(canvas), Some(image)) = (canvas.cast::<HtmlCanvasElement>(), image) else { return };
            let picture = &image.picture;
            let shown = map.as_ref().filter(|map| (map.width, map.height) == (picture.width, picture.height));
            let rgba = match (shown, scale) {
                (Some(map), Some(scale)) => overlay(&picture.rgba, &render(&map.values, *palette, *scale), *opacity),
                _ => picture.rgba.clone(),
            };
            let factor = comfortable(picture.width, picture.height);
            if paint(&canvas, picture.width, picture.height, &rgba, factor).is_ok() {
                // Lets tests wait for a drawing instead of for a time.
                *drawings.borrow_mut() += 1;
                canvas.set_attribute("data-version", &drawings.borrow().to_string()).ok();
                canvas.set_attribute("data-shows", if shown.is_some() { "map" } else { "picture" }).ok();
            }
        });
    }
    let map_name = properties.method.as_ref().map_or("Heat map".to_owned(), |method| format!("Heat map of {method}"));
    let label = match (image, map) {
        (None, _) => "No picture yet".to_owned(),
        (Some(image), None) => format!("The picture {}", image.name),
        (Some(image), Some(_)) => format!("{map_name} over the picture {}", image.name),
    };
    html! { <canvas ref={canvas} data-testid={&properties.test_id} role="img" aria-label={label} width="512" height="512" /> }
}
