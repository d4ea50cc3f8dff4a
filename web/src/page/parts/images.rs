//! The sample images, and the visitor's own.

use std::rc::Rc;

use vitrine_protocol::Sample;
use yew::prelude::*;

use crate::state::Action;
use crate::widgets::{DropZone, Picture};

#[derive(PartialEq, Properties)]
pub(crate) struct ImagesProperties {
    pub(crate) samples: Rc<[Sample]>,
    pub(crate) chosen: Option<usize>,
    /// Name of the visitor's own image, when that is chosen.
    pub(crate) own: Option<String>,
    pub(crate) disabled: bool,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn Images(properties: &ImagesProperties) -> Html {
    // The pixels of a sample never change, so they are copied for drawing once.
    let pixels = use_memo(properties.samples.clone(), |samples| {
        samples.iter().map(|sample| Rc::<[u8]>::from(sample.picture.rgba.as_slice())).collect::<Vec<_>>()
    });
    let thumbnails = properties.samples.iter().zip(pixels.iter()).enumerate().map(|(index, (sample, rgba))| {
        html! {
            <li>
                <button
                    type="button"
                    data-testid={format!("sample-{index}")}
                    aria-pressed={(properties.chosen == Some(index)).to_string()}
                    disabled={properties.disabled}
                    onclick={properties.on.reform(move |_| Action::ChooseSample(index))}
                >
                    <Picture width={sample.picture.width} height={sample.picture.height} {rgba} />
                    <span>{&sample.label}</span>
                </button>
            </li>
        }
    });
    let hint = match &properties.own {
        Some(name) => format!("Now: {name}"),
        None => "drop, paste or pick".to_owned(),
    };
    html! {
        <section aria-labelledby="images-title">
            <h2 id="images-title">{"Choose a picture"}</h2>
            <ul class="gallery">
                { for thumbnails }
                <li class={classes!(properties.own.is_some().then_some("own"))}>
                    <DropZone
                        test_id="image-drop"
                        accept="image/*"
                        label="Your own picture"
                        {hint}
                        disabled={properties.disabled}
                        on={&properties.on}
                    />
                </li>
            </ul>
        </section>
    }
}
