//! Parameters that say how the picture is cut and how large a window is: a menu of kinds, with the numbers beside it.

use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::widgets::{Entry, Select};

#[derive(PartialEq, Properties)]
pub(crate) struct ShapeFieldProperties {
    /// Of the menu; the numbers add `-rows`, `-columns` or `-number`.
    pub(crate) id: AttrValue,
    /// As on the command line.
    pub(crate) value: String,
    pub(crate) on_change: Callback<String>,
}

/// A kind of regions, what the menu calls it, and its number: what it is called and a usual value.
struct Kind {
    id: &'static str,
    name: &'static str,
    number: Option<(&'static str, &'static str)>,
}

static KINDS: [Kind; 7] = [
    Kind { id: "auto", name: "as the method suggests", number: None },
    Kind { id: "slic", name: "pieces of one colour, compact (SLIC)", number: Some(("How many", "50")) },
    Kind { id: "felzenszwalb", name: "pieces of one colour, any form (Felzenszwalb)", number: Some(("Scale", "100")) },
    Kind { id: "quickshift", name: "pieces of one colour, as LIME cuts (quick shift)", number: None },
    Kind { id: "watershed", name: "pieces between edges (watershed)", number: Some(("How many", "50")) },
    Kind { id: "parts", name: "the parts of the creature (the page's own pictures)", number: None },
    Kind { id: "elements", name: "every pixel and channel by itself", number: None },
];

/// Regions: `auto`, `grid:HxW`, `slic:N` ...; a name that is none of these stands for a label map.
#[component]
pub(crate) fn RegionsField(properties: &ShapeFieldProperties) -> Html {
    let ShapeFieldProperties { id, value, on_change } = properties;
    let (kind, number) = value.split_once(':').unwrap_or((value, ""));
    let mut entries: Vec<Entry> = KINDS.iter().map(|kind| Entry::new(kind.id, kind.name)).collect();
    entries.insert(1, Entry::new("grid", "cells of a grid"));
    let is_known = entries.iter().any(|entry| entry.value == kind);
    if !is_known {
        entries.push(Entry::new(value, format!("label map {value}")));
    }
    let choose = on_change.reform(|kind: String| match KINDS.iter().find(|known| known.id == kind) {
        _ if kind == "grid" => "grid:8x8".to_owned(),
        Some(Kind { number: Some((_, usual)), .. }) => format!("{kind}:{usual}"),
        _ => kind,
    });
    let numbers = match KINDS.iter().find(|known| known.id == kind) {
        _ if kind == "grid" => {
            let (rows, columns) = number.split_once('x').unwrap_or((number, number));
            sides(id, rows, columns, on_change.reform(|(rows, columns)| format!("grid:{rows}x{columns}")))
        }
        Some(Kind { id: kind, number: Some((label, _)), .. }) => {
            number_field(&format!("{id}-number"), label, number, on_change.reform(move |text| format!("{kind}:{text}")))
        }
        _ => Html::default(),
    };
    html! {
        <div class="shape">
            <Select
                id={id.clone()}
                test_id={id.clone()}
                {entries}
                value={if is_known { kind.to_owned() } else { value.clone() }}
                described_by={format!("{id}-help")}
                on_change={choose}
            />
            { numbers }
        </div>
    }
}

/// Lengths along axes: `auto`, one number for all, or `HxW`; more axes are left as they were typed elsewhere.
#[component]
pub(crate) fn ExtentField(properties: &ShapeFieldProperties) -> Html {
    let ShapeFieldProperties { id, value, on_change } = properties;
    let axes: Vec<&str> = value.split('x').collect();
    let kind = match axes[..] {
        ["auto"] => "auto",
        [_] => "square",
        [_, _] => "sides",
        _ => value.as_str(),
    };
    let mut entries = vec![
        Entry::new("auto", "as suits the picture"),
        Entry::new("square", "as many pixels each way"),
        Entry::new("sides", "height and width"),
    ];
    if axes.len() > 2 {
        entries.push(Entry::new(kind, value));
    }
    let first = axes.first().filter(|first| **first != "auto").map_or("8", |first| *first).to_owned();
    let choose = {
        let first = first.clone();
        on_change.reform(move |kind: String| match kind.as_str() {
            "square" => first.clone(),
            "sides" => format!("{first}x{first}"),
            _ => kind,
        })
    };
    let numbers = match axes[..] {
        ["auto"] => Html::default(),
        [size] => number_field(&format!("{id}-number"), "Pixels", size, on_change.clone()),
        [height, width] => sides(id, height, width, on_change.reform(|(height, width)| format!("{height}x{width}"))),
        _ => Html::default(),
    };
    html! {
        <div class="shape">
            <Select
                id={id.clone()}
                test_id={id.clone()}
                {entries}
                value={kind.to_owned()}
                described_by={format!("{id}-help")}
                on_change={choose}
            />
            { numbers }
        </div>
    }
}

/// Rows and columns, or height and width.
fn sides(id: &str, rows: &str, columns: &str, on_change: Callback<(String, String)>) -> Html {
    let (other_rows, other_columns) = (rows.to_owned(), columns.to_owned());
    let on_rows = on_change.reform(move |rows| (rows, other_columns.clone()));
    let on_columns = on_change.reform(move |columns| (other_rows.clone(), columns));
    html! {
        <>
            { number_field(&format!("{id}-rows"), "Down", rows, on_rows) }
            { number_field(&format!("{id}-columns"), "Across", columns, on_columns) }
        </>
    }
}

fn number_field(id: &str, label: &'static str, value: &str, on_change: Callback<String>) -> Html {
    let oninput = on_change.reform(|event: InputEvent| {
        event.target().map(|target| target.unchecked_into::<HtmlInputElement>().value()).unwrap_or_default()
    });
    html! {
        <label class="number">
            {label}
            <input id={id.to_owned()} data-testid={id.to_owned()} type="number" min="1" step="1" value={value.to_owned()} {oninput} />
        </label>
    }
}
