//! Which colour stands for which value.

use std::rc::Rc;

use vitrine_image::{Palette, Scale, legend};
use yew::prelude::*;

use crate::number::short;
use crate::widgets::Picture;

/// Colours of the bar.
const STEPS: usize = 256;

#[derive(PartialEq, Properties)]
pub(crate) struct ColourBarProperties {
    pub(crate) palette: Palette,
    pub(crate) scale: Scale,
    /// Whether there are values below and above the ends, which share the ends' colours.
    pub(crate) beyond: (bool, bool),
    /// What the ends mean, where it is not the part in an answer.
    #[prop_or_default]
    pub(crate) ends: Option<(&'static str, &'static str)>,
}

#[component]
pub(crate) fn ColourBar(properties: &ColourBarProperties) -> Html {
    let ColourBarProperties { palette, scale, beyond, ends } = properties;
    let rgba: Rc<[u8]> = legend(*palette, STEPS).into();
    let (low, high) = scale.range(*palette);
    if scale.limit == 0.0 {
        return html! { <p class="hint">{"This map is the same everywhere: it singles nothing out."}</p> };
    }
    let below = if beyond.0 { "≤ " } else { "" };
    let above = if beyond.1 { "≥ " } else { "" };
    let usual =
        if palette.is_signed() { ("speaks against it", "speaks for it") } else { ("matters little", "speaks for it") };
    let (left, right) = ends.unwrap_or(usual);
    html! {
        <div class="colour-bar" data-testid="colour-bar">
            <Picture width={STEPS} height=1 {rgba} label={format!("Colours from {} to {}", short(low.into()), short(high.into()))} />
            <div class="ticks">
                <span>{below}{short(low.into())}</span>
                if palette.is_signed() {
                    <span>{"0"}</span>
                }
                <span>{above}{short(high.into())}</span>
            </div>
            <div class="ticks hint"><span>{left}</span><span>{right}</span></div>
        </div>
    }
}
