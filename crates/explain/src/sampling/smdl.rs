//! Submodular subset selection: the regions in the order in which they make a small picture that the model is sure of, that
//! holds different things, and that has what the target is made of, while the rest has none of it.
//!
//! Ruoyu Chen, Hua Zhang, Siyuan Liang, Jingzhi Li, Xiaochun Cao: Less is More: Fewer Interpretable Region via Submodular Subset
//! Selection. ICLR 2024.
//!
//! With the features of a picture before the model's last layer of weights, a set of regions is worth the sum of four scores:
//! confidence; effectiveness, the sum over its regions of the smallest cosine distance to the features of another of them;
//! consistency, the cosine between the features of the set alone and the target's direction; and collaboration, one minus that
//! cosine for the picture without the set. Readings and departures: the direction is the gradient of the target at the features,
//! for a logit the class's row of weights; confidence is one minus the entropy of the softmax over its largest value, where the
//! paper trains a network that tells its uncertainty, and zero for models without a softmax; a region alone has no distance.
//! The paper groups patches by another method's map; here regions are what the caller asks for. The order is the attribution:
//! the first region has 1, and each next one less by one over their number.

use std::collections::HashSet;

use vitrine_graph::{GraphError, Probe, Run};
use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use super::visual_precision_search::with_complement;
use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture, TimeLimit,
    game::{Game, SegmentOptions},
    greedy::{SetFunction, Taken, most_sets, take_all},
    options::{number, options},
    regions::Regions,
    sampler::UNMASKED,
};

options! {
    /// Options of [`Smdl`].
    pub struct SmdlOptions {
        /// How much the model's confidence counts.
        confidence: f64 [number(0.0, 100.0)] = 1.0,
        /// How much it counts that regions differ.
        effectiveness: f64 [number(0.0, 100.0)] = 1.0,
        /// How much it counts that what is seen has the target's features.
        consistency: f64 [number(0.0, 100.0)] = 1.0,
        /// How much it counts that what is left has not.
        collaboration: f64 [number(0.0, 100.0)] = 1.0,
        /// Whether a step looks again only at regions whose gain at a former step was no worse than the best. It saves many of
        /// the forward passes, of which the cost then is the most there can be.
        lazy: bool [ParameterKind::Boolean] = true,
        ..game: SegmentOptions,
        ..time: TimeLimit,
    }
}

/// Submodular subset selection (Chen et al. 2024).
///
/// `Attribution::values` has the input's shape; every element of a region has the region's rank, above 0 and up to 1.
pub struct Smdl;

impl Explainer for Smdl {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "smdl".to_owned(),
            name: "Submodular Subset Selection".to_owned(),
            family: Family::Sampling,
            summary: "Ranks parts by how they make, one after the other, a small picture that has all the model looks for. The \
                      ranks tell an order only, not how much more one part matters than the next."
                .to_owned(),
            reference: Reference {
                authors: "Ruoyu Chen, Hua Zhang, Siyuan Liang, Jingzhi Li, Xiaochun Cao".to_owned(),
                year: 2024,
                title: "Less is More: Fewer Interpretable Region via Submodular Subset Selection".to_owned(),
                venue: "ICLR".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient],
            parameters: SmdlOptions::parameters(),
            promises: vec![Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = SmdlOptions::parse(context.parameters)?;
        let passes = passes(Regions::expected(context, &options.game.game(context).regions)?) + UNMASKED;
        Ok(Cost { forward_passes: passes as u64, backward_passes: 1 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = SmdlOptions::parse(context.parameters)?;
            let mut game = Game::start(context, &options.game.game(context), |players| Ok(passes(players))).await?;
            let players = game.players();
            let layer = last_features(context)?;
            let direction = direction(context, &layer).await?;
            game.count(1).await?;
            let alone: Vec<Vec<f32>> = (0..players).map(|region| only(region, players)).collect();
            let names = [layer.as_str()];
            let of_regions = game.read(&alone, &names).await?.into_iter().flatten().collect();
            let (lazy, clock) = (options.lazy, options.time.clock());
            let mut semantics = Semantics { game, context, options, layer, direction, of_regions };
            let taken = take_all(&mut semantics, players, lazy, &clock).await?;
            let Semantics { mut game, options, .. } = semantics;
            game.note_of_search(taken.len(), &options.time);
            let found = game.attribution(&ranks(&taken, players), None)?;
            Ok(Attribution { parameters: options.values(), backward_passes: 1, ..found })
        })
    }
}

/// Passes beside that of the input as it is: the gradient's, each region alone, and every set with its complement.
fn passes(players: usize) -> usize {
    1 + players + 2 * most_sets(players)
}

/// What the last layer of weights before the scores reads; the scores themselves where there is none.
fn last_features(context: &Context<'_>) -> Result<String, GraphError> {
    let (graph, scores) = (context.graph, context.target.head().logits());
    let computed: HashSet<String> = graph.values()?.into_iter().map(|value| value.name).collect();
    let mut value = scores.to_owned();
    while let Some(node) = graph.producer(&value) {
        let Some(input) = node.inputs.iter().find(|input| computed.contains(*input)) else { break };
        if ["Gemm", "MatMul", "Conv"].contains(&node.operator.as_str()) {
            return Ok(input.clone());
        }
        value = input.clone();
    }
    Ok(scores.to_owned())
}

/// The gradient of the target at the features of the input; all zero where they do not move it.
async fn direction(context: &Context<'_>, layer: &str) -> Result<Vec<f32>, ExplainError> {
    let scores = context.target.head().logits();
    let run = Run::of([scores]).feed(context.input_name, context.input.clone()).probe(layer, Probe::Gradient);
    let trace = context.graph.run(&run)?;
    match trace.gradients(&context.target.objective(trace.value(scores)?)?) {
        Ok(mut gradients) => match gradients.remove(layer) {
            Some(gradient) => Ok(gradient.to_vec().await?),
            None => Ok(Vec::new()),
        },
        Err(GraphError::NoGradient(_)) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

struct Semantics<'a> {
    game: Game<'a>,
    context: &'a Context<'a>,
    options: SmdlOptions,
    /// Where features are.
    layer: String,
    direction: Vec<f32>,
    /// The features of each region alone.
    of_regions: Vec<Vec<f32>>,
}

impl SetFunction for Semantics<'_> {
    fn values<'a>(&'a mut self, sets: Vec<Vec<f32>>) -> LocalBoxFuture<'a, Result<Vec<f64>, ExplainError>> {
        Box::pin(async move {
            let differ: Vec<f64> = sets.iter().map(|set| self.effectiveness(set)).collect();
            let both: Vec<Vec<f32>> = sets.into_iter().flat_map(with_complement).collect();
            let names = [self.layer.as_str(), self.context.target.head().logits()];
            let read = self.game.read(&both, &names).await?;
            let of_set = |(pair, differ): (&[Vec<Vec<f32>>], f64)| {
                let [seen, rest] = pair else { return f64::NAN };
                let near = |read: &Vec<Vec<f32>>| read.first().map_or(0.0, |found| cosine(found, &self.direction));
                self.options.confidence * seen.last().map_or(0.0, |scores| self.confidence(scores))
                    + self.options.effectiveness * differ
                    + self.options.consistency * near(seen)
                    + self.options.collaboration * (1.0 - near(rest))
            };
            Ok(read.chunks(2).zip(differ).map(of_set).collect())
        })
    }

    fn show(&self, taken: &[Taken]) {
        self.game.show(&ranks(taken, self.game.players()));
    }
}

impl Semantics<'_> {
    /// One minus the entropy of the softmax over that of equal probabilities.
    fn confidence(&self, scores: &[f32]) -> f64 {
        if !self.context.target.head().is_exclusive() || scores.len() < 2 {
            return 0.0;
        }
        let largest = scores.iter().copied().fold(f32::MIN, f32::max);
        let parts: Vec<f64> = scores.iter().map(|score| f64::from(score - largest).exp()).collect();
        let sum: f64 = parts.iter().sum();
        // x ln x has the limit 0 at 0.
        let entropy: f64 = parts.iter().map(|part| part / sum).filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum();
        1.0 - entropy / (scores.len() as f64).ln()
    }

    /// The sum over a set's regions of the distance to the nearest other one.
    fn effectiveness(&self, set: &[f32]) -> f64 {
        let members: Vec<&Vec<f32>> = set
            .iter()
            .zip(&self.of_regions)
            .filter(|(member, _)| **member > 0.0)
            .map(|(_, features)| features)
            .collect();
        let nearest = |(at, features): (usize, &&Vec<f32>)| {
            let others = members.iter().enumerate().filter(|(other, _)| *other != at);
            let nearest = others.map(|(_, other)| 1.0 - cosine(features, other)).fold(f64::INFINITY, f64::min);
            if nearest.is_finite() { nearest } else { 0.0 }
        };
        members.iter().enumerate().map(nearest).sum()
    }
}

/// The cosine between two vectors, 0 where one is zero.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 { dot(a, b) / lengths } else { 0.0 }
}

fn only(region: usize, players: usize) -> Vec<f32> {
    (0..players).map(|other| if other == region { 1.0 } else { 0.0 }).collect()
}

/// 1 for the first region taken, and less by one over their number for each next one; zero for those not taken yet.
fn ranks(taken: &[Taken], players: usize) -> Vec<f64> {
    let mut values = vec![0.0; players];
    for (step, taken) in taken.iter().enumerate() {
        values[taken.region] = (players - step) as f64 / players as f64;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, tokens, two_channels, two_layers};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(Smdl.explain(&question.context())).unwrap()
    }

    #[test]
    fn features_are_what_the_last_weights_read() {
        let of = |question: Question| last_features(&question.context()).unwrap();
        assert_eq!(of(Question::new(two_layers("Relu"), &[2.0, 1.0])), "a");
        assert_eq!(of(Question::new(two_channels([1.0, 1.0]), &[1.0; 4])), "flat");
        let (graph, input) = tokens();
        assert_eq!(of(Question::new(graph, &input)), "flat");
    }

    /// Features are the pixels, which are all of one size; class 0 weighs them by w, so that consistency alone takes that of the
    /// largest weight first, then the set whose weights are long for its number.
    #[test]
    fn consistency_follows_the_targets_weights() {
        let weights: Vec<f64> = (0..4).map(|at| f64::from(crate::testing::linear_weight(at, 0))).collect();
        let question = Question::new(linear(&[1, 2, 2]), &[1.0; 4]).target("0").with("regions", "grid:2x2");
        let question = question.with("confidence", "0").with("effectiveness", "0").with("collaboration", "0");
        let found = explained(&question.with("lazy", "false"));
        let mut left: Vec<usize> = (0..4).collect();
        let (mut set, mut expected) = (Vec::<usize>::new(), vec![0.0_f32; 4]);
        while !left.is_empty() {
            let value = |next: usize| {
                let sum: f64 = set.iter().chain([&next]).map(|at| weights[*at]).sum();
                sum / ((set.len() + 1) as f64).sqrt()
            };
            let best = (0..left.len()).max_by(|a, b| value(left[*a]).total_cmp(&value(left[*b]))).unwrap();
            expected[left[best]] = left.len() as f32 / 4.0;
            set.push(left.remove(best));
        }
        assert_close(&found.values, &expected, 1e-6);
        // The input, the gradient, four regions, and eleven sets with their complements.
        assert_eq!((found.forward_passes, found.backward_passes), (1 + 1 + 4 + 22, 1));
    }

    /// Of features (1, 0), (1, 0) and (0, 1) the third differs from the others by one, and these not from each other.
    #[test]
    fn scores_are_those_written_out() {
        let question = Question::new(linear(&[3]), &[1.0; 3]).with("regions", "elements");
        let context = question.context();
        let game =
            pollster::block_on(Game::start(&context, &SegmentOptions::default().game(&context), |_| Ok(1))).unwrap();
        let of_regions = vec![vec![1.0, 0.0], vec![1.0, 0.0], vec![0.0, 1.0]];
        let semantics = Semantics {
            game,
            context: &context,
            options: SmdlOptions::default(),
            layer: String::new(),
            direction: Vec::new(),
            of_regions,
        };
        assert_eq!(semantics.effectiveness(&[1.0, 1.0, 1.0]), 1.0);
        assert_eq!(semantics.effectiveness(&[1.0, 0.0, 1.0]), 2.0);
        assert_eq!(semantics.effectiveness(&[1.0, 0.0, 0.0]), 0.0);
        assert!(semantics.confidence(&[3.0, 3.0]).abs() < 1e-12);
        assert_eq!(semantics.confidence(&[1000.0, -1000.0]), 1.0);
        // Probabilities 3/4 and 1/4.
        let expected = 1.0 - (0.75 * (4.0_f64 / 3.0).ln() + 0.25 * 4.0_f64.ln()) / 2.0_f64.ln();
        assert!((semantics.confidence(&[3.0_f32.ln(), 0.0]) - expected).abs() < 1e-6);
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 2.0]), 0.0);
    }
}
