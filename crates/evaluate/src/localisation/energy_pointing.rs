//! Energy-based pointing game (Wang et al. 2020): the part of the map's positive values that lies on the place.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::no_options};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question,
    localisation::inside,
    metric::{FREE, Found, of_map},
};

const ID: &str = "energy-pointing";

/// Energy-based pointing game.
pub struct EnergyPointing;

impl Metric for EnergyPointing {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "energy-pointing".to_owned(),
            name: "Energy-based pointing game".to_owned(),
            group: MetricGroup::Localisation,
            better: Better::Higher,
            range: [Some(0.0), Some(1.0)],
            meaning: "Which part of what speaks for the class lies on the place.".to_owned(),
            caveat: "What surrounds an object can rightly speak for it, and counts against the map here.".to_owned(),
            reference: Reference {
                authors: "Wang, Wang, Du, Yang, Zhang, Ding, Mardziel, Hu".to_owned(),
                year: 2020,
                title: "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks".to_owned(),
                venue: "CVPR workshops".to_owned(),
            },
            needs: vec![MetricNeed::Mask],
            parameters: Vec::new(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        no_options(question.context.parameters)?;
        Ok(FREE)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let parameters = no_options(question.context.parameters)?;
            let inside = inside(question, ID)?;
            let positive: Vec<f64> = question.map.values.iter().map(|value| f64::from(value.max(0.0))).collect();
            let all: f64 = positive.iter().sum();
            let within: f64 = positive.iter().zip(&inside).filter(|(_, inside)| **inside).map(|(value, _)| value).sum();
            Ok(of_map((all > 0.0).then(|| within / all), parameters))
        })
    }
}
