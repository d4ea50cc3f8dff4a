//! Intersection over union, as weakly supervised localisation takes it (Selvaraju et al. 2017, who cut at 15 percent of
//! the largest value): pixels that are both marked by the map and on the place, over those that are either. The curve
//! shows other thresholds. Departure: the pixels themselves are compared instead of boxes around them.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::number};
use vitrine_protocol::{Better, Curve, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question,
    localisation::inside,
    metric::{FREE, Found, of_map},
};

vitrine_explain::options! {
    /// Options of intersection over union.
    pub struct IouOptions {
        /// What is marked: pixels above this part of the largest value of the map.
        threshold: f64 [number(0.0, 1.0)] = 0.15,
    }
}

const ID: &str = "iou";

/// Intersection over union.
pub struct Iou;

impl Metric for Iou {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "iou".to_owned(),
            name: "Intersection over union".to_owned(),
            group: MetricGroup::Localisation,
            better: Better::Higher,
            range: [Some(0.0), Some(1.0)],
            meaning: "How well the part that the map marks covers the place, and no more than it.".to_owned(),
            caveat: "The threshold decides, and so does how far the map is spread.".to_owned(),
            reference: Reference {
                authors: "Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra".to_owned(),
                year: 2017,
                title: "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization".to_owned(),
                venue: "ICCV".to_owned(),
            },
            needs: vec![MetricNeed::Mask],
            parameters: IouOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        IouOptions::parse(question.context.parameters)?;
        Ok(FREE)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let options = IouOptions::parse(question.context.parameters)?;
            let inside = inside(question, ID)?;
            let values = &question.map.values;
            let most = values.iter().fold(0.0_f32, |most, value| most.max(*value));
            let at = |part: f64| {
                let (mut both, mut any) = (0, 0);
                for (value, inside) in values.iter().zip(&inside) {
                    let marked = *value > 0.0 && *value >= part as f32 * most;
                    both += usize::from(marked && *inside);
                    any += usize::from(marked || *inside);
                }
                f64::from(both as u32) / f64::from(any.max(1) as u32)
            };
            let xs: Vec<f64> = (1..20).map(|step| f64::from(step) / 20.0).collect();
            let ys = xs.iter().map(|part| at(*part)).collect();
            let (x_label, y_label) = ("threshold".to_owned(), "intersection over union".to_owned());
            let curves = vec![Curve { name: String::new(), x_label, y_label, xs, ys }];
            Ok(Found { curves, ..of_map(Some(at(options.threshold)), options.values()) })
        })
    }
}
