//! The numbers of a report that matter, in words.

use std::rc::Rc;

use vitrine_protocol::Report;
use yew::prelude::*;

use crate::number::{percent, seconds, short};

#[derive(PartialEq, Properties)]
pub(crate) struct FactsProperties {
    pub(crate) report: Rc<Report>,
    /// Whether the method has made a picture instead of explaining one.
    pub(crate) made: bool,
}

#[component]
pub(crate) fn Facts(properties: &FactsProperties) -> Html {
    let report = &properties.report;
    let facts = facts(report, properties.made);
    html! {
        <div class="facts" data-testid="facts">
            { for report.notes.iter().map(|note| html! { <p class="note">{note}</p> }) }
            <dl>
                { for facts.into_iter().map(|(name, value)| html! { <div><dt>{name}</dt><dd>{value}</dd></div> }) }
            </dl>
        </div>
    }
}

fn facts(report: &Report, made: bool) -> Vec<(&'static str, String)> {
    let prediction = short(report.prediction.into());
    let mut facts = Vec::new();
    match report.baseline_prediction.map(|baseline| short(baseline.into())) {
        Some(first) if made => facts.push(("What was to grow", format!("went from {first} to {prediction}"))),
        baseline => {
            facts.push(("Explained", format!("{}, which is {prediction}", report.target)));
            facts.extend(baseline.map(|baseline| ("At the baseline", baseline)));
        }
    }
    if let (Some(gap), Some(baseline)) = (report.completeness_gap, report.baseline_prediction) {
        facts.push(("Does it add up?", completeness(report.prediction - baseline, gap)));
    }
    if let Some(layer) = &report.layer {
        facts.push(("Layer", layer.clone()));
    }
    let passes = match (report.forward_passes, report.backward_passes) {
        (forward, 0) => format!("the model ran {forward} times"),
        (forward, backward) => format!("the model ran {forward} times forward and {backward} times backward"),
    };
    facts.push(("Work", format!("{passes}, at most {} pictures at once", report.batch)));
    facts.push(("Time", format!("{} on {}", seconds(report.seconds.explain), report.device)));
    facts
}

/// What completeness says, and how far it is off.
fn completeness(rise: f32, gap: f32) -> String {
    let share = f64::from(gap.abs()) / f64::from(rise.abs()).max(f64::MIN_POSITIVE);
    let verdict = match share {
        share if share <= 0.01 => "yes",
        share if share <= 0.05 => "nearly",
        _ => "not well; more steps bring it closer",
    };
    format!(
        "{verdict}: the parts that pixels or regions have add up to {}, and from the baseline to the picture the number changes by {} \
         (gap {}, {})",
        short(f64::from(rise) + f64::from(gap)),
        short(rise.into()),
        short(gap.into()),
        percent(share)
    )
}

#[cfg(test)]
mod tests {
    use super::completeness;

    #[test]
    fn the_gap_is_judged_by_its_share_of_the_change() {
        assert_eq!(
            completeness(5.0, 0.01),
            "yes: the parts that pixels or regions have add up to 5.01, and from the baseline to the picture the number changes by 5 \
             (gap 0.01, 0.2 %)"
        );
        assert!(completeness(-5.0, 0.2).starts_with("nearly"), "4 %");
        assert!(completeness(5.0, -1.0).starts_with("not well"), "20 %");
    }
}
