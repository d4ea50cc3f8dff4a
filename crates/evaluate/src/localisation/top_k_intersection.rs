//! Top-k intersection (Theiner, Müller-Budack, Ewerth 2022): the part of the leading pixels of the map that lies on the
//! place. Departure: how many are leading is given as a part of the picture instead of as 1000 pixels.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::number};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question,
    localisation::inside,
    metric::{FREE, Found, of_map},
    statistics::{largest, wide},
};

vitrine_explain::options! {
    /// Options of top-k intersection.
    pub struct TopKOptions {
        /// How large a part of all pixels is leading.
        part: f64 [number(0.0001, 1.0)] = 0.02,
    }
}

const ID: &str = "top-k-intersection";

/// Top-k intersection.
pub struct TopKIntersection;

impl Metric for TopKIntersection {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "top-k-intersection".to_owned(),
            name: "Top-k intersection".to_owned(),
            group: MetricGroup::Localisation,
            better: Better::Higher,
            range: [Some(0.0), Some(1.0)],
            meaning: "Which part of the few brightest pixels of the map lies on the place.".to_owned(),
            caveat: "The model may rightly look elsewhere, and pixels beyond the leading ones are not seen.".to_owned(),
            reference: Reference {
                authors: "Theiner, Müller-Budack, Ewerth".to_owned(),
                year: 2022,
                title: "Interpretable Semantic Photo Geolocation".to_owned(),
                venue: "WACV".to_owned(),
            },
            needs: vec![MetricNeed::Mask],
            parameters: TopKOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        TopKOptions::parse(question.context.parameters)?;
        Ok(FREE)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let options = TopKOptions::parse(question.context.parameters)?;
            let inside = inside(question, ID)?;
            let count = ((options.part * inside.len() as f64).round() as usize).max(1);
            let leading = largest(&wide(&question.map.values), count);
            let hits = leading.iter().filter(|place| inside.get(**place) == Some(&true)).count();
            Ok(of_map(Some(hits as f64 / leading.len().max(1) as f64), options.values()))
        })
    }
}
