//! The masked pictures that a sampling method has just tried, each with what the model made of it.

use std::collections::VecDeque;
use std::rc::Rc;

use vitrine_protocol::Tried;
use yew::prelude::*;

use crate::number::short;
use crate::widgets::Picture;

#[derive(PartialEq, Properties)]
pub(crate) struct TriedStripProperties {
    /// The latest first.
    pub(crate) tried: VecDeque<Rc<Tried>>,
    /// Whether more are to come.
    pub(crate) running: bool,
}

#[component]
pub(crate) fn TriedStrip(properties: &TriedStripProperties) -> Html {
    let title = if properties.running { "Trying right now" } else { "Tried last" };
    html! {
        <div class="tried" data-testid="tried">
            <h3>{title}</h3>
            <p class="hint">{"What the model saw, and below it the number that is explained."}</p>
            <ol>
                { for properties.tried.iter().map(|tried| one(tried)) }
            </ol>
        </div>
    }
}

fn one(tried: &Tried) -> Html {
    let picture = &tried.picture;
    let rgba: Rc<[u8]> = picture.rgba.as_slice().into();
    html! {
        <li>
            <Picture width={picture.width} height={picture.height} {rgba} />
            <span>{short(tried.score.into())}</span>
        </li>
    }
}
