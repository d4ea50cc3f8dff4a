//! Model parameter randomisation (Adebayo et al. 2018): the weights of the layers are replaced by random ones, layer
//! after layer from the answer down, and the map should change. The number is the mean similarity of the maps of all
//! stages and the original. Departures are those of `randomised`.

use vitrine_explain::{Cost, LocalBoxFuture, toolkit::integer};
use vitrine_protocol::{Better, Curve, MadeAgain, Map, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question,
    again::{self, Again, Change},
    metric::Found,
    randomised::{Cascade, Stages},
    similarity::Comparison,
    statistics::mean,
};

vitrine_explain::options! {
    /// Options of model parameter randomisation.
    pub struct RandomisationOptions {
        /// Which layers have random weights at a stage.
        order: Cascade [Cascade::kind()] = Cascade::TopDown,
        /// Stages, at each of which there is one explanation; no more than layers.
        stages: usize [integer(1, 1000)] = 8,
        /// Of how many stages the maps are kept to look at.
        pictures: usize [integer(0, 100)] = 0,
        ..comparison: Comparison,
    }
}

const ID: &str = "model-parameter-randomisation";

/// Model parameter randomisation.
pub struct ModelParameterRandomisation;

impl Metric for ModelParameterRandomisation {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "model-parameter-randomisation".to_owned(),
            name: "Model parameter randomisation".to_owned(),
            group: MetricGroup::Randomisation,
            better: Better::Lower,
            range: [Some(-1.0), Some(1.0)],
            meaning: "How much of the map is left when what the model has learnt is replaced by random numbers: \
                      one if all of it."
                .to_owned(),
            caveat:
                "Mere noise does best here, and from the answer down the strong channels of untouched layers and the \
                     picture itself show through in right maps too, so look at faithfulness as well."
                    .to_owned(),
            reference: Reference {
                authors: "Adebayo, Gilmer, Muelly, Goodfellow, Hardt, Kim".to_owned(),
                year: 2018,
                title: "Sanity Checks for Saliency Maps".to_owned(),
                venue: "NeurIPS".to_owned(),
            },
            needs: vec![MetricNeed::Method],
            parameters: RandomisationOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        let options = RandomisationOptions::parse(question.context.parameters)?;
        again::cost(question, ID, Stages::of(question, ID, options.order, options.stages)?.count())
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let options = RandomisationOptions::parse(question.context.parameters)?;
            let mut stages = Stages::of(question, ID, options.order, options.stages)?;
            let mut again = Again::start(question, ID, again::cost(question, ID, stages.count())?)?;
            let (mut found, mut maps) = (Vec::with_capacity(stages.count()), Vec::new());
            for stage in 0..stages.count() {
                let graph = Some(stages.graph(stage).await?);
                let map = again.explain(&Change { graph, ..Change::default() }).await?.map;
                found.push(options.comparison.compare(&question.map.values, &map.values, map.width));
                if maps.len() < options.pictures {
                    maps.push(MadeAgain { x: (stage + 1) as f64, map: Map::new(map.height, map.width, &map.values) });
                }
            }
            let (value, curve) = by_stages(&found);
            Ok(Found { parameters: options.values(), curves: vec![curve], maps, ..again.found(value) })
        })
    }
}

/// The mean similarity of the maps of all stages and the original, and that of every stage where there is one.
pub(crate) fn by_stages(found: &[Option<f64>]) -> (Option<f64>, Curve) {
    let stages = found.iter().zip(1_u32..).filter_map(|(found, stage)| Some((f64::from(stage), (*found)?)));
    let (xs, ys): (Vec<f64>, Vec<f64>) = stages.unzip();
    let (x_label, y_label) = ("stage".to_owned(), "similarity".to_owned());
    ((!ys.is_empty()).then(|| mean(&ys)), Curve { name: String::new(), x_label, y_label, xs, ys })
}
