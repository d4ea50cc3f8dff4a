//! Pointing game (Zhang et al. 2018): whether the largest value of the map lies on the place, or at most a tolerance
//! beside it. Departure: of one picture, where the authors count hits over many; their tolerance is 15 pixels.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::integer};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question,
    localisation::inside,
    metric::{FREE, Found, of_map},
    statistics::{largest, wide},
};

vitrine_explain::options! {
    /// Options of the pointing game.
    pub struct PointingGameOptions {
        /// How many pixels beside the place still count as a hit.
        tolerance: usize [integer(0, 1000)] = 0,
    }
}

const ID: &str = "pointing-game";

/// Pointing game.
pub struct PointingGame;

impl Metric for PointingGame {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "pointing-game".to_owned(),
            name: "Pointing game".to_owned(),
            group: MetricGroup::Localisation,
            better: Better::Higher,
            range: [Some(0.0), Some(1.0)],
            meaning: "One if the brightest pixel of the map lies on the place, zero if not.".to_owned(),
            caveat: "A single pixel decides, and the model may rightly look elsewhere.".to_owned(),
            reference: Reference {
                authors: "Zhang, Bargal, Lin, Brandt, Shen, Sclaroff".to_owned(),
                year: 2018,
                title: "Top-Down Neural Attention by Excitation Backprop".to_owned(),
                venue: "IJCV 126".to_owned(),
            },
            needs: vec![MetricNeed::Mask],
            parameters: PointingGameOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        PointingGameOptions::parse(question.context.parameters)?;
        Ok(FREE)
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let options = PointingGameOptions::parse(question.context.parameters)?;
            let (inside, width) = (inside(question, ID)?, question.map.width.max(1));
            let place = largest(&wide(&question.map.values), 1).first().copied().unwrap_or_default();
            let (row, column) = (place / width, place % width);
            let near = |pixel: usize| {
                let (down, right) = ((pixel / width).abs_diff(row), (pixel % width).abs_diff(column));
                down * down + right * right <= options.tolerance * options.tolerance
            };
            let hit = inside.iter().enumerate().any(|(pixel, inside)| *inside && near(pixel));
            Ok(of_map(Some(f64::from(u8::from(hit))), options.values()))
        })
    }
}
