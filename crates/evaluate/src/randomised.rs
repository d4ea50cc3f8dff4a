//! The model with the weights of its layers replaced by random ones, stage by stage: what randomisation tests stand on.
//! Weights are drawn from a normal distribution with the mean and deviation of those that they replace; layers are taken in
//! groups, as many as there are stages; biases and normalisations stay.

use std::collections::BTreeMap;

use vitrine_explain::toolkit::{Purpose, Random};
use vitrine_graph::{Graph, Value};

use crate::{EvaluateError, Question};

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

/// The stages of a randomisation.
pub(crate) struct Stages<'a> {
    graph: &'a Graph,
    seed: u64,
    order: Cascade,
    /// The layers' weights, by stages, in the order in which they become random.
    groups: Vec<Vec<String>>,
    /// Those that are random by now.
    weights: BTreeMap<String, Value>,
    /// How many have been drawn.
    drawn: u32,
}

impl<'a> Stages<'a> {
    /// So many stages, but no more than layers.
    pub(crate) fn of(
        question: &Question<'a>,
        metric: &'static str,
        order: Cascade,
        stages: usize,
    ) -> Result<Stages<'a>, EvaluateError> {
        let graph = question.context.graph;
        let mut names: Vec<String> = graph.layer_weights().into_iter().map(str::to_owned).collect();
        if names.is_empty() {
            return Err(EvaluateError::NoWeights(metric));
        }
        if order != Cascade::BottomUp {
            names.reverse();
        }
        let stages = stages.min(names.len());
        let cut = |stage: usize| stage * names.len() / stages;
        let groups = (0..stages).map(|stage| names[cut(stage)..cut(stage + 1)].to_vec()).collect();
        Ok(Stages { graph, seed: question.context.seed, order, groups, weights: BTreeMap::new(), drawn: 0 })
    }

    pub(crate) fn count(&self) -> usize {
        self.groups.len()
    }

    /// The model at a stage; stages come one after the other.
    pub(crate) async fn graph(&mut self, stage: usize) -> Result<Graph, EvaluateError> {
        if self.order == Cascade::Independent {
            self.weights.clear();
        }
        for name in self.groups.get(stage).into_iter().flatten() {
            let weight = random_weight(self.graph, name, self.seed, self.drawn).await?;
            self.weights.insert(name.clone(), weight);
            self.drawn += 1;
        }
        Ok(self.graph.with_weights(&self.weights)?)
    }
}

/// Normal numbers with the mean and deviation of a weight; `number` is the weight's among all of them.
async fn random_weight(graph: &Graph, name: &str, seed: u64, number: u32) -> Result<Value, EvaluateError> {
    let weight = graph.weight(name)?;
    let values = weight.to_vec().await?;
    let count = values.len().max(1) as f64;
    let centre = values.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
    let variance = values.iter().map(|value| (f64::from(*value) - centre).powi(2)).sum::<f64>() / count;
    let (centre, deviation) = (centre as f32, variance.sqrt() as f32);
    let mut random = Random::new(seed, Purpose::Weights, number);
    let drawn: Vec<f32> = values.iter().map(|_| centre + deviation * random.normal()).collect();
    Ok(Value::from_f32(&drawn, weight.shape(), graph.device()))
}
