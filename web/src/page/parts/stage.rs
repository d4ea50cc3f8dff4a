//! The picture with the map over it, and everything about the map.

use std::collections::VecDeque;
use std::rc::Rc;

use vitrine_image::{Palette, Scale};
use vitrine_protocol::{DetectedBox, Picture, Prediction, Report, Tried};
use web_sys::{Element, ScrollIntoViewOptions, ScrollLogicalPosition};
use yew::prelude::*;

use super::band::Band;
use super::colour_bar::ColourBar;
use super::facts::Facts;
use super::made_canvas::MadeCanvas;
use super::map_canvas::MapCanvas;
use super::results::Results;
use super::tried_strip::TriedStrip;
use super::view_controls::ViewControls;
use crate::link::Link;
use crate::state::{Action, HeatMap, Image, Longer, PERCENTILE};
use crate::target;

#[derive(PartialEq, Properties)]
pub(crate) struct StageProperties {
    pub(crate) image: Option<Rc<Image>>,
    pub(crate) map: Option<Rc<HeatMap>>,
    /// What a method has made instead of a map; shown in the place of picture and map.
    pub(crate) made: Option<Rc<Picture>>,
    /// Standard error of the map's values, where its method tells it.
    pub(crate) error: Option<Rc<HeatMap>>,
    /// Whether that is shown in the place of the map.
    pub(crate) band: bool,
    /// What running longer would mean.
    pub(crate) longer: Option<Longer>,
    /// The masked pictures that were tried last.
    pub(crate) tried: VecDeque<Rc<Tried>>,
    /// Absent while the map is partial.
    pub(crate) report: Option<Rc<Report>>,
    /// Whether a run goes on.
    pub(crate) running: bool,
    pub(crate) palette: Palette,
    pub(crate) opacity: f32,
    /// Of the question, whose box is drawn boldly.
    pub(crate) target: String,
    /// Leads back to this map.
    pub(crate) link: Link,
    /// Whether the model's card is corrected, which the link does not carry.
    pub(crate) card_corrected: bool,
    /// Whether opacity, palette and colour bar are shown.
    pub(crate) controls: bool,
    /// Whether the numbers and the downloads are shown.
    pub(crate) facts: bool,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn Stage(properties: &StageProperties) -> Html {
    let StageProperties { image, map, made, report, opacity, on, .. } = properties;
    let errors = properties.error.as_ref().filter(|_| properties.band);
    let palette = if errors.is_some() { Palette::default_for(false) } else { properties.palette };
    let shown = errors.or(map.as_ref());
    let (canvas, made_canvas) = (use_node_ref(), use_node_ref());
    use_effect_with((canvas.clone(), properties.running), |(canvas, running)| {
        // On a phone the button is far from the map that it starts.
        if let Some(canvas) = canvas.cast::<Element>().filter(|_| *running) {
            let options = ScrollIntoViewOptions::new();
            options.set_block(ScrollLogicalPosition::Nearest);
            canvas.scroll_into_view_with_scroll_into_view_options(&options);
        }
    });
    let scale = shown.map(|map| Scale::fit(&map.values, palette, PERCENTILE));
    html! {
        <section class="stage" aria-label="Picture and heat map">
            <figure>
                <div class="picture">
                    if let Some(picture) = made {
                        <MadeCanvas canvas={made_canvas.clone()} picture={picture.clone()} label={made_caption(report.as_deref())} />
                    } else {
                        <MapCanvas canvas={canvas.clone()} image={image.clone()} map={shown.cloned()} {palette} {scale} {opacity} />
                        if let Some(image) = image {
                            { boxes(image, &properties.target) }
                        }
                    }
                </div>
                <figcaption>
                    if made.is_some() {
                        { made_caption(report.as_deref()) }
                    } else if errors.is_some() {
                        {"How sure the map is of each pixel, not the map itself"}
                    } else {
                        { caption(image.as_deref(), map.as_deref(), report.as_deref()) }
                    }
                </figcaption>
            </figure>
            if let (true, None, Some(map), Some(scale)) = (properties.controls, made, shown, scale) {
                <ColourBar
                    {palette}
                    {scale}
                    beyond={map.beyond(palette, scale)}
                    ends={errors.map(|_| ("settled", "still uncertain"))}
                />
            }
            if properties.controls && made.is_none() {
                <ViewControls palette={properties.palette} {opacity} {on} />
            }
            if !properties.tried.is_empty() {
                <TriedStrip tried={properties.tried.clone()} running={properties.running} />
            }
            if properties.controls && (properties.error.is_some() || properties.longer.is_some()) {
                <Band
                    map={map.clone()}
                    error={properties.error.clone()}
                    shown={properties.band}
                    longer={properties.longer.clone()}
                    {on}
                />
            }
            if let (true, Some(map), Some(report)) = (properties.facts, map, report) {
                <Facts report={report.clone()} made={made.is_some()} />
                <Results canvas={if made.is_some() { made_canvas } else { canvas }} report={report.clone()} map={map.clone()} link={properties.link.clone()} card_corrected={properties.card_corrected} {on} />
            }
        </section>
    }
}

/// What a detector finds, over the picture. The list of answers says the same in words.
fn boxes(image: &Image, target: &str) -> Html {
    let (_, class) = target::split(target);
    let explained = match class {
        "auto" => image.predictions.first(),
        class => target::find(class, &image.predictions),
    };
    let boxes: Vec<(&Prediction, &DetectedBox)> =
        image.predictions.iter().filter_map(|entry| Some((entry, entry.place.as_ref()?))).collect();
    if boxes.is_empty() {
        return Html::default();
    }
    let (width, height) = (image.picture.width, image.picture.height);
    let drawn = boxes.into_iter().map(|(entry, place)| {
        let DetectedBox { candidate, left, top, right, bottom } = place;
        html! {
            <rect
                key={*candidate}
                class={(explained == Some(entry)).then_some("explained")}
                x={left.to_string()}
                y={top.to_string()}
                width={(right - left).max(0.0).to_string()}
                height={(bottom - top).max(0.0).to_string()}
            />
        }
    });
    html! {
        <svg class="boxes" data-testid="boxes" viewBox={format!("0 0 {width} {height}")} aria-hidden="true">
            { for drawn }
        </svg>
    }
}

/// What a picture that a method has made is of; a report comes with the finished one.
fn made_caption(report: Option<&Report>) -> String {
    match report.map(|report| (&report.layer, &report.target)) {
        None => "A picture in the making, not the finished one".to_owned(),
        Some((Some(layer), _)) => format!("A picture made for the layer {layer}"),
        Some((None, target)) => format!("A picture made for the {target}"),
    }
}

fn caption(image: Option<&Image>, map: Option<&HeatMap>, report: Option<&Report>) -> String {
    match (image, map, report) {
        (None, ..) => String::new(),
        (Some(image), None, _) => {
            format!("{}, {} × {} pixels: as the model sees it", image.name, image.picture.width, image.picture.height)
        }
        (Some(image), Some(_), Some(report)) => format!("{}: what speaks for the {}", image.name, report.target),
        (Some(image), Some(_), None) => format!("{}: a first impression, not the finished map", image.name),
    }
}
