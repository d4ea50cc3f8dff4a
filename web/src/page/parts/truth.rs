//! Where the parts of a rendered creature are, beside the map, and how much of the map lies on each.

use std::rc::Rc;

use vitrine_image::{Palette, Scale};
use yew::prelude::*;

use super::bench_canvas::{COLOURS, tinted};
use super::map_canvas::MapCanvas;
use crate::number::percent;
use crate::state::{HeatMap, Image, PERCENTILE, PartShare, Truth};
use crate::widgets::Picture;

#[derive(PartialEq, Properties)]
pub(crate) struct TruthPanelProperties {
    pub(crate) truth: Truth,
    pub(crate) image: Rc<Image>,
    pub(crate) map: Rc<HeatMap>,
    pub(crate) palette: Palette,
    pub(crate) opacity: f32,
}

#[component]
pub(crate) fn TruthPanel(properties: &TruthPanelProperties) -> Html {
    let TruthPanelProperties { truth, image, map, palette, opacity } = properties;
    let shares = truth.shares(map);
    let creature =
        |share: fn(&PartShare) -> f64| -> f64 { shares.iter().filter(|part| part.label.is_some()).map(share).sum() };
    let (area, strength) = (creature(|part| part.area), creature(|part| part.map));
    let shown: Rc<[u8]> = tinted(&image.picture, &truth.labels).into();
    html! {
        <div class="truth" data-testid="truth">
            <h3>{"What is known of this picture"}</h3>
            <p>
                {format!(
                    "The creature is {} of the picture, and {} of what speaks for the answer lies on it.",
                    percent(area),
                    percent(strength)
                )}
            </p>
            <p class="hint">
                {"But: this says where the parts are, not which of them the model looks at; a model that looks at the \
                  surroundings deserves a map that shows them."}
            </p>
            <div class="beside">
                <MapCanvas
                    canvas={NodeRef::default()}
                    image={image.clone()}
                    map={map.clone()}
                    palette={*palette}
                    scale={Scale::fit(&map.values, *palette, PERCENTILE)}
                    opacity={*opacity}
                    test_id="truth-map"
                />
                <Picture
                    width={image.picture.width}
                    height={image.picture.height}
                    rgba={shown}
                    label="The parts of the creature in colours"
                />
                <table>
                    <thead>
                        <tr><th scope="col">{"Part"}</th><th scope="col">{"Picture"}</th><th scope="col">{"Map"}</th></tr>
                    </thead>
                    <tbody>{ for shares.iter().map(row) }</tbody>
                </table>
            </div>
        </div>
    }
}

fn row(part: &PartShare) -> Html {
    let fill = match part.label {
        Some(label) => {
            let [red, green, blue] = COLOURS[label % COLOURS.len()];
            format!("rgb({red} {green} {blue})")
        }
        None => "none".to_owned(),
    };
    html! {
        <tr data-part={part.name.clone()}>
            <th scope="row">
                <svg class="swatch" viewBox="0 0 1 1" aria-hidden="true"><rect width="1" height="1" {fill} /></svg>
                {&part.name}
            </th>
            <td>{percent(part.area)}</td>
            <td>{percent(part.map)}</td>
        </tr>
    }
}
