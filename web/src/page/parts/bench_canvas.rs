//! The picture to draw on, with pointer or keyboard.

use std::rc::Rc;

use vitrine_protocol::Picture;
use web_sys::{HtmlCanvasElement, KeyboardEvent, PointerEvent};
use yew::prelude::*;

use super::map_canvas::comfortable;
use crate::canvas::paint;
use crate::label_map::LabelMap;
use crate::state::{BenchChange, Image, Purpose, Tool};

/// Of regions, in turn: Okabe and Ito's, which people tell apart whatever colours they see.
pub(super) const COLOURS: [[u8; 3]; 8] = [
    [230, 159, 0],
    [86, 180, 233],
    [0, 158, 115],
    [240, 228, 66],
    [0, 114, 178],
    [213, 94, 0],
    [204, 121, 167],
    [255, 255, 255],
];

#[derive(PartialEq, Properties)]
pub(crate) struct BenchCanvasProperties {
    pub(crate) image: Rc<Image>,
    pub(crate) purpose: Purpose,
    pub(crate) tool: Tool,
    pub(crate) size: usize,
    pub(crate) labels: Rc<LabelMap>,
    /// Regions to click.
    pub(crate) cut: Option<Rc<LabelMap>>,
    pub(crate) cursor: (usize, usize),
    /// Of an outline that is not closed.
    pub(crate) corners: Vec<(usize, usize)>,
    pub(crate) change: Callback<BenchChange>,
}

#[component]
pub(crate) fn BenchCanvas(properties: &BenchCanvasProperties) -> Html {
    let BenchCanvasProperties { image, labels, cut, purpose, change, size, .. } = properties;
    let canvas = use_node_ref();
    let content = (image.clone(), labels.clone(), cut.clone(), *purpose);
    {
        let canvas = canvas.clone();
        use_effect_with(content, move |(image, labels, cut, purpose)| {
            let Some(canvas) = canvas.cast::<HtmlCanvasElement>() else { return };
            let (width, height) = (image.picture.width, image.picture.height);
            let rgba = drawn(&image.picture, labels, cut.as_deref(), *purpose);
            paint(&canvas, width, height, &rgba, comfortable(width, height)).ok();
        });
    }
    let (width, height) = (image.picture.width, image.picture.height);
    let place = {
        let canvas = canvas.clone();
        move |event: &PointerEvent| {
            let canvas = canvas.cast::<HtmlCanvasElement>()?;
            let at = |offset: i32, shown: i32, length: usize| {
                let pixel = f64::from(offset) / f64::from(shown.max(1)) * length as f64;
                (pixel.max(0.0) as usize).min(length.saturating_sub(1))
            };
            Some((
                at(event.offset_x(), canvas.client_width(), width),
                at(event.offset_y(), canvas.client_height(), height),
            ))
        }
    };
    let begin = {
        let (canvas, place, change) = (canvas.clone(), place.clone(), change.clone());
        move |event: PointerEvent| {
            let (Some(element), Some((x, y))) = (canvas.cast::<HtmlCanvasElement>(), place(&event)) else { return };
            // A stroke may leave the picture and come back.
            element.set_pointer_capture(event.pointer_id()).ok();
            change.emit(BenchChange::Begin(x, y));
        }
    };
    let draw = {
        let (change, place) = (change.clone(), place.clone());
        move |event: PointerEvent| {
            if event.buttons() & 1 == 1
                && let Some((x, y)) = place(&event)
            {
                change.emit(BenchChange::Draw(x, y));
            }
        }
    };
    let press = {
        let (change, step, outline) = (change.clone(), (*size as i32 / 2).max(1), properties.tool == Tool::Outline);
        move |event: KeyboardEvent| {
            let step = if event.shift_key() { 1 } else { step };
            let told = match event.key().as_str() {
                "ArrowLeft" => BenchChange::Move(-step, 0),
                "ArrowRight" => BenchChange::Move(step, 0),
                "ArrowUp" => BenchChange::Move(0, -step),
                "ArrowDown" => BenchChange::Move(0, step),
                "Enter" if outline => BenchChange::Close,
                " " | "Enter" => BenchChange::Use,
                "Backspace" => BenchChange::Undo,
                _ => return,
            };
            event.prevent_default();
            change.emit(told);
        }
    };
    html! {
        <div class="drawing">
            <canvas
                ref={canvas}
                data-testid="bench-canvas"
                role="application"
                tabindex="0"
                aria-label={format!("The picture {} to draw on", image.name)}
                aria-describedby="bench-keys"
                onpointerdown={begin}
                onpointermove={draw}
                onkeydown={press}
            />
            { pointer(properties, width, height) }
        </div>
    }
}

/// The cursor and the outline in the making.
fn pointer(properties: &BenchCanvasProperties, width: usize, height: usize) -> Html {
    let (x, y) = properties.cursor;
    let middle = |at: usize| (at as f64 + 0.5).to_string();
    let radius = match properties.tool {
        Tool::Brush | Tool::Erase => properties.size as f64 / 2.0,
        Tool::Region | Tool::Outline => width.min(height) as f64 / 40.0,
    };
    let corners: Vec<String> =
        properties.corners.iter().map(|(x, y)| format!("{},{}", middle(*x), middle(*y))).collect();
    html! {
        <svg viewBox={format!("0 0 {width} {height}")} aria-hidden="true">
            <polyline points={corners.join(" ")} />
            { for properties.corners.iter().map(|(x, y)| html! {
                <circle class="corner" cx={middle(*x)} cy={middle(*y)} r={(width.min(height) as f64 / 80.0).to_string()} />
            }) }
            <circle cx={middle(x)} cy={middle(y)} r={radius.to_string()} />
        </svg>
    }
}

/// The picture with every label in its colour.
pub(super) fn tinted(picture: &Picture, labels: &LabelMap) -> Vec<u8> {
    drawn(picture, labels, None, Purpose::Regions)
}

/// The picture with what is hidden hatched, or with its regions coloured.
fn drawn(picture: &Picture, labels: &LabelMap, cut: Option<&LabelMap>, purpose: Purpose) -> Vec<u8> {
    let mut rgba = picture.rgba.clone();
    for (index, pixel) in rgba.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let (x, y) = (index % picture.width.max(1), index / picture.width.max(1));
        let over = match (purpose, labels.at(x, y)) {
            (_, None) => None,
            (Purpose::Hide, Some(_)) => Some(([if (x + y) % 4 < 2 { 40 } else { 75 }; 3], 0.9)),
            (Purpose::Regions, Some(label)) => Some((COLOURS[label as usize % COLOURS.len()], 0.6)),
        };
        let edge = cut.filter(|cut| cut.is_edge(x, y)).map(|_| ([255; 3], 0.55));
        for (colour, share) in over.into_iter().chain(edge) {
            for (level, colour) in pixel.iter_mut().zip(colour) {
                *level = (f32::from(*level) * (1.0 - share) + f32::from(colour) * share) as u8;
            }
        }
    }
    rgba
}
