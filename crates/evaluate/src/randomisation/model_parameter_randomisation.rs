//! Model parameter randomisation (Adebayo et al. 2018): the weights of the layers are replaced by random ones, layer
//! after layer from the answer down, and the map should change. The number is the mean similarity of the maps of all
//! stages and the original. Departures: weights are drawn from a normal distribution with the mean and deviation of those
//! that they replace; layers are taken in groups, as many as there are stages; biases and normalisations stay.

use std::collections::BTreeMap;

use vitrine_explain::{
    Cost, LocalBoxFuture,
    toolkit::{Purpose, Random, integer},
};
use vitrine_graph::{Graph, Value};
use vitrine_protocol::{Better, Curve, MetricGroup, MetricInfo, MetricNeed, Reference};

use crate::{
    EvaluateError, Metric, Question,
    again::{self, Again, Change},
    metric::Found,
    similarity::Comparison,
    statistics::mean,
};

vitrine_explain::choices! {
    /// Which layers have random weights at a stage.
    pub enum Cascade {
        /// Those nearest to the answer, one group more at each stage.
        TopDown = "top-down",
        /// Those nearest to the picture, one group more at each stage.
        BottomUp = "bottom-up",
        /// One group alone at each stage.
        Independent = "independent",
    }
}

vitrine_explain::options! {
    /// Options of model parameter randomisation.
    pub struct RandomisationOptions {
        /// Which layers have random weights at a stage.
        order: Cascade [Cascade::kind()] = Cascade::TopDown,
        /// Stages, at each of which there is one explanation; no more than layers.
        stages: usize [integer(1, 1000)] = 8,
        ..comparison: Comparison,
    }
}

const ID: &str = "model-parameter-randomisation";

/// The layers' weights, by stages, in the order in which they become random.
fn groups(question: &Question<'_>, options: &RandomisationOptions) -> Result<Vec<Vec<String>>, EvaluateError> {
    let mut names: Vec<String> = question.context.graph.layer_weights().into_iter().map(str::to_owned).collect();
    if names.is_empty() {
        return Err(EvaluateError::NoWeights(ID));
    }
    if options.order != Cascade::BottomUp {
        names.reverse();
    }
    let stages = options.stages.min(names.len());
    let cut = |stage: usize| stage * names.len() / stages;
    Ok((0..stages).map(|stage| names[cut(stage)..cut(stage + 1)].to_vec()).collect())
}

/// Normal numbers with the mean and deviation of a weight; `number` is the weight's among all of them.
async fn random_weight(graph: &Graph, name: &str, seed: u64, number: usize) -> Result<Value, EvaluateError> {
    let weight = graph.weight(name)?;
    let values = weight.to_vec().await?;
    let count = values.len().max(1) as f64;
    let centre = values.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
    let variance = values.iter().map(|value| (f64::from(*value) - centre).powi(2)).sum::<f64>() / count;
    let (centre, deviation) = (centre as f32, variance.sqrt() as f32);
    let mut random = Random::new(seed, Purpose::Weights, number as u32);
    let drawn: Vec<f32> = values.iter().map(|_| centre + deviation * random.normal()).collect();
    Ok(Value::from_f32(&drawn, weight.shape(), graph.device()))
}

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
            caveat: "The picture itself shows through in some maps and keeps them alike, and noisy maps change \
                     for no good reason."
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
        again::cost(question, ID, groups(question, &options)?.len())
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(async move {
            let options = RandomisationOptions::parse(question.context.parameters)?;
            let groups = groups(question, &options)?;
            let (graph, seed) = (question.context.graph, question.context.seed);
            let mut again = Again::start(question, ID, again::cost(question, ID, groups.len())?)?;
            let (mut weights, mut number) = (BTreeMap::new(), 0);
            let (mut xs, mut ys) = (Vec::new(), Vec::new());
            for (stage, group) in groups.iter().enumerate() {
                if options.order == Cascade::Independent {
                    weights.clear();
                }
                for name in group {
                    weights.insert(name.clone(), random_weight(graph, name, seed, number).await?);
                    number += 1;
                }
                let changed = Some(graph.with_weights(&weights)?);
                let found = again.explain(&Change { graph: changed, ..Change::default() }).await?;
                let comparison = &options.comparison;
                if let Some(found) = comparison.compare(&question.map.values, &found.map.values, question.map.width) {
                    xs.push((stage + 1) as f64);
                    ys.push(found);
                }
            }
            let value = (!ys.is_empty()).then(|| mean(&ys));
            let (x_label, y_label) = ("stage".to_owned(), "similarity".to_owned());
            let curves = vec![Curve { name: String::new(), x_label, y_label, xs, ys }];
            Ok(Found { parameters: options.values(), curves, ..again.found(value) })
        })
    }
}
