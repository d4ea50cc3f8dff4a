//! Softmax information curve (Kapishnikov et al. 2019): pixels are put back into a blurred picture, the most important
//! first, and the probability is followed over how much there is to see, measured by the size of the compressed picture.
//! Both go from 0 for the blurred picture to 1 for the whole one, and the curve never falls. The number is the area under
//! it. Departures: sizes are those of PNG instead of WebP; steps are even; no random pixels are shown at the start.

use std::ops::Range;

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::frame};
use vitrine_image::encode_png;
use vitrine_protocol::{Better, Curve, MetricGroup, MetricInfo, MetricNeed, Picture, Reference};

use crate::{
    EvaluateError, Metric, Question,
    metric::Found,
    removal::{Defaults, Removal, RemovalOptions, most_back_first},
    statistics::area,
};

const DEFAULTS: Defaults = &[("steps", "20"), ("infill", "blur"), ("scale", "probability"), ("pictures", "100")];

const REMOVAL: Removal<'_> =
    Removal { defaults: DEFAULTS, without: &["pictures"], fill: None, plan: &at_most_a_hundred };

/// As many steps as there can be pictures.
fn at_most_a_hundred(count: usize, options: &RemovalOptions) -> Vec<Range<usize>> {
    most_back_first(count, &RemovalOptions { steps: options.steps.min(100), ..options.clone() })
}

/// How much there is to see.
fn size(picture: &Picture) -> Result<f64, EvaluateError> {
    Ok(encode_png(picture)?.len() as f64)
}

/// Where a value lies on the way between two others, from 0 to 1.
fn part(value: f64, from: f64, to: f64) -> f64 {
    if to == from { 0.0 } else { ((value - from) / (to - from)).clamp(0.0, 1.0) }
}

/// Softmax information curve (SIC).
pub struct SoftmaxInformationCurve;

impl Metric for SoftmaxInformationCurve {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "softmax-information-curve".to_owned(),
            name: "Softmax information curve (SIC)".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Higher,
            range: [Some(0.0), Some(1.0)],
            meaning: "How soon the answer is there while the pixels that the map shows most come back, for what \
                      there is to see so far."
                .to_owned(),
            caveat: "The size of a compressed picture is a rough measure of what there is to see.".to_owned(),
            reference: Reference {
                authors: "Kapishnikov, Bolukbasi, Viégas, Terry".to_owned(),
                year: 2019,
                title: "XRAI: Better Attributions Through Regions".to_owned(),
                venue: "ICCV".to_owned(),
            },
            needs: vec![MetricNeed::Image],
            parameters: REMOVAL.parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        REMOVAL.cost(question)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let removed = REMOVAL.run(question).await?;
            let input = question.context.input.to_vec().await?;
            let whole = size(&frame(&question.context, &input, None))?;
            let sizes = removed.pictures().iter().map(|(_, picture)| size(picture)).collect::<Result<Vec<f64>, _>>()?;
            let (Some(empty), Some(blurred)) = (sizes.first().copied(), removed.scores.first().copied()) else {
                return Ok(removed.found(None, Vec::new()));
            };
            let seen = sizes.iter().zip(&removed.scores);
            let mut points: Vec<(f64, f64)> =
                seen.map(|(size, score)| (part(*size, empty, whole), part(*score, blurred, removed.whole))).collect();
            points.extend([(0.0, 0.0), (1.0, 1.0)]);
            points.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
            let xs: Vec<f64> = points.iter().map(|(x, _)| *x).collect();
            let rising = |most: &mut f64, (_, y): &(f64, f64)| {
                *most = most.max(*y);
                Some(*most)
            };
            let ys: Vec<f64> = points.iter().scan(0.0, rising).collect();
            let varies = whole != empty && removed.whole != blurred;
            let value = varies.then(|| area(&xs, &ys));
            let (x_label, y_label) = ("part of the information".to_owned(), "part of the target".to_owned());
            let curve = Curve { name: String::new(), x_label, y_label, xs, ys };
            Ok(Found { pictures: Vec::new(), ..removed.found(value, vec![curve]) })
        })
    }
}
