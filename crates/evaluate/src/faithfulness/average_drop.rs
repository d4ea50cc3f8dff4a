//! Average drop (Chattopadhay et al. 2018): the picture is multiplied by the map, scaled to values from 0 to 1, and the
//! probability should not fall. The number is the part of the probability that is lost; where it rises, nothing is.
//! Departure: of one picture, where the authors average over many.

use vitrine_explain::{
    Context, Cost, Infill, LocalBoxFuture,
    toolkit::{Masked, UNMASKED},
};

use vitrine_graph::Value;
use vitrine_protocol::{Better, MetricGroup, MetricInfo, ParameterKind, Reference};

use crate::{
    EvaluateError, Metric, Question,
    altered::{Scale, on_scale, over_channels},
    metric::Found,
};

vitrine_explain::options! {
    /// Options of average drop.
    pub struct AverageDropOptions {
        /// What takes the place of pixels that the map does not show: black, white, grey, mean, blur or noise in pixel
        /// space; inpaint, interpolate or tile, which continue what is shown; zero or value:V in tensor space; or a file.
        infill: Infill [ParameterKind::Infill] = Infill::Black,
        /// Which scalar is followed.
        scale: Scale [Scale::kind()] = Scale::Probability,
    }
}

/// Average drop.
pub struct AverageDrop;

impl Metric for AverageDrop {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "average-drop".to_owned(),
            name: "Average drop".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Lower,
            range: [Some(0.0), Some(1.0)],
            meaning: "Which part of the answer is lost when the picture is only as bright as the map is strong."
                .to_owned(),
            caveat: "A map that is strong everywhere loses nothing and says nothing.".to_owned(),
            reference: Reference {
                authors: "Chattopadhay, Sarkar, Howlader, Balasubramanian".to_owned(),
                year: 2018,
                title: "Grad-CAM++: Generalized Gradient-based Visual Explanations for Deep Convolutional Networks"
                    .to_owned(),
                venue: "WACV".to_owned(),
            },
            needs: Vec::new(),
            parameters: AverageDropOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        AverageDropOptions::parse(question.context.parameters)?;
        Ok(Cost { forward_passes: (1 + UNMASKED) as u64, backward_passes: 0 })
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let options = AverageDropOptions::parse(question.context.parameters)?;
            let probability = on_scale(question.context.target, options.scale);
            let target = probability.as_ref().unwrap_or(question.context.target);
            let context = Context { target, ..question.context };
            let infill = options.infill.filler(&context).await?;
            let mut masked = Masked::start(&context, infill, 1).await?;
            let values = &question.map.values;
            let least = values.iter().fold(f32::INFINITY, |least, value| least.min(*value));
            let range = values.iter().fold(f32::NEG_INFINITY, |most, value| most.max(*value)) - least;
            let kept = values.iter().map(|value| if range > 0.0 { (value - least) / range } else { 0.0 });
            let shape = over_channels(&context, 1);
            let kept = Value::from_f32(&kept.collect::<Vec<_>>(), &shape, &context.input.device());
            let (_, left) = masked.score(&kept).await?;
            let (whole, left) = (f64::from(masked.prediction), f64::from(left.first().copied().unwrap_or_default()));
            let mut notes = Vec::from_iter(options.infill.note(&context));
            if whole <= 0.0 {
                notes.push("The target is not above zero, so no part of it can be lost.".to_owned());
            }
            Ok(Found {
                value: (whole > 0.0).then(|| ((whole - left) / whole).max(0.0)),
                notes,
                parameters: options.values(),
                forward_passes: masked.passes(),
                ..Found::default()
            })
        })
    }
}
