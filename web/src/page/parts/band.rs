//! How sure a sampled map is, and running it longer.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::number::{percent, short};
use crate::state::{Action, HeatMap, Longer};

#[derive(PartialEq, Properties)]
pub(crate) struct BandProperties {
    pub(crate) map: Option<Rc<HeatMap>>,
    /// Standard error of the map's values.
    pub(crate) error: Option<Rc<HeatMap>>,
    /// Whether that is what the canvas shows.
    pub(crate) shown: bool,
    pub(crate) longer: Option<Longer>,
    pub(crate) on: Callback<Action>,
}

#[component]
pub(crate) fn Band(properties: &BandProperties) -> Html {
    let BandProperties { map, error, shown, longer, on } = properties;
    let toggle = on.reform(|event: Event| {
        let input = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        Action::ShowBand(input.is_some_and(|input| input.checked()))
    });
    html! {
        <div class="band">
            if let (Some(map), Some(error)) = (map, error) {
                <label class="check">
                    <input
                        type="checkbox"
                        data-testid="band-toggle"
                        checked={*shown}
                        aria-describedby="band-legend"
                        onchange={toggle}
                    />
                    {"Show how sure the map is"}
                </label>
                <p id="band-legend" class="hint" data-testid="band-legend">{legend(&map.values, &error.values)}</p>
            }
            if let Some(Longer { parameter, from, to }) = longer {
                <button type="button" data-testid="run-longer" onclick={on.reform(|_| Action::RunLonger)}>
                    {format!("Run longer: {to} {parameter} instead of {from}")}
                </button>
            }
        </div>
    }
}

/// What the band is, and how wide.
fn legend(map: &[f32], error: &[f32]) -> String {
    let mean = error.iter().copied().map(f64::from).sum::<f64>() / error.len().max(1) as f64;
    let strongest = map.iter().fold(0.0_f64, |most, value| most.max(f64::from(value.abs())));
    let share = match strongest {
        0.0 => String::new(),
        strongest => format!(", {} of the map's strongest value", percent(2.0 * mean / strongest)),
    };
    format!(
        "The map is an average over chance. If it ran again with another seed, most values would stay within ± {} (twice \
         the mean standard error{share}). Four times the work halves that.",
        short(2.0 * mean)
    )
}

#[cfg(test)]
mod tests {
    use super::legend;

    /// Errors of 0.1 and 0.3 are 0.2 in the mean; twice that is 0.4, which is a tenth of 4.
    #[test]
    fn the_band_is_told_in_the_maps_numbers_and_as_a_share() {
        let text = legend(&[-4.0, 1.0], &[0.1, 0.3]);
        assert!(text.contains("± 0.4 ") && text.contains("10.0 % of the map's strongest"), "{text}");
        assert!(legend(&[0.0], &[0.0]).contains("± 0 (twice the mean standard error)"));
    }
}
