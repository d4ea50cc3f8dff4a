//! The top of the page: its name, its promise, and where it computes.

use vitrine_protocol::{Device, DeviceChoice};
use yew::prelude::*;

use crate::link::{device_choice, device_id};
use crate::state::Action;
use crate::widgets::{Entry, Select};

#[derive(PartialEq, Properties)]
pub(crate) struct HeadProperties {
    pub(crate) device: Option<Device>,
    pub(crate) choice: DeviceChoice,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn Head(properties: &HeadProperties) -> Html {
    let name = properties.device.as_ref().map_or("starting ...", |device| device.name.as_str());
    let reason = properties.device.as_ref().map(|device| device.reason.clone());
    html! {
        <header>
            <div class="brand">
                <h1>{"Vitrine"}</h1>
                <p>{"See why a neural network answers as it does. Nothing leaves this tab."}</p>
            </div>
            <div class="device">
                <p>{"Computing on "}<strong data-testid="device">{name}</strong></p>
                if let Some(reason) = reason {
                    <p class="hint">{reason}</p>
                }
                <div class="device-choice">
                    <label for="device-select">{"Use"}</label>
                    <Select
                        id="device-select"
                        test_id="device-select"
                        entries={entries()}
                        value={device_id(properties.choice)}
                        on_change={properties.on.reform(|id: String| Action::ChooseDevice(device_choice(&id)))}
                    />
                </div>
            </div>
        </header>
    }
}

fn entries() -> Vec<Entry> {
    vec![
        Entry::new("auto", "the best there is"),
        Entry::new("cpu", "the CPU"),
        Entry::new("gpu", "the GPU, even a simulated one"),
    ]
}
