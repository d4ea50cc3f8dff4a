//! Partition SHAP: the picture is halved again and again, and each half gets what it adds to the answer, averaged over whether
//! the other halves are there: Owen's values, which are Shapley's of two players at every cut.
//!
//! Guillermo Owen: Values of Games with a Priori Unions. Mathematical Economics and Game Theory, 1977; after Scott M. Lundberg,
//! Su-In Lee: A Unified Approach to Interpreting Model Predictions. NeurIPS 2017, whose library's Partition explainer cuts
//! pictures in this way.
//!
//! With all cuts made the values are exact; with fewer, those parts are cut first that carry most, and a part that was not cut
//! shares out its value evenly, as in the library. Departures: parts end at regions, not at single pixels; a region belongs to
//! the half in which its centre lies; cuts are made in rounds that grow with the samples, so that a round fills batches.

use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    budget::{TimeLimit, largest},
    game::{Game, GameOptions, passes},
    hierarchy::Hierarchy,
    options::{integer, number, options},
    regions::Regions,
};

options! {
    /// Options of [`PartitionShap`].
    pub struct PartitionShapOptions {
        /// How many coalitions at most, each one forward pass and every two of them one cut. Fewer leave larger parts whole.
        samples: usize [integer(2, 1_000_000)] = 500,
        /// The run ends once no part that could still be cut carries more than this part of the largest attribution. 0 uses
        /// all samples.
        max_error: f64 [number(0.0, 1.0)] = 0.0,
        ..game: GameOptions,
        ..time: TimeLimit,
    }
}

/// Partition SHAP (Owen 1977; Lundberg, Lee 2017).
///
/// `Attribution::values` has the input's shape; every element of a region has the region's value.
pub struct PartitionShap;

impl Explainer for PartitionShap {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "partition-shap".to_owned(),
            name: "Partition SHAP".to_owned(),
            family: Family::Sampling,
            summary: "Halves the picture again and again and shares the answer between the halves of each part, those that \
                      matter most first. It spends its samples where the answer comes from, but the cuts ignore what is shown."
                .to_owned(),
            reference: Reference {
                authors: "Guillermo Owen".to_owned(),
                year: 1977,
                title: "Values of Games with a Priori Unions".to_owned(),
                venue: "Mathematical Economics and Game Theory".to_owned(),
            },
            needs: vec![Need::Forward],
            parameters: PartitionShapOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = PartitionShapOptions::parse(context.parameters)?;
        let cuts = Regions::expected_tree(context, &options.game.regions)?.cuts(options.samples / 2);
        Ok(passes(1 + 2 * cuts))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = PartitionShapOptions::parse(context.parameters)?;
            let regions = Regions::of(context, &options.game.regions).await?;
            let tree = Hierarchy::of(&regions.centres(context));
            let cuts = tree.cuts(options.samples / 2);
            let mut game = Game::with_regions(context, regions, &options.game.infill, 1 + 2 * cuts).await?;
            let (values, whole) = share(&mut game, &tree, cuts, &options).await?;
            let samples = 2 * whole.cuts;
            if whole.cuts < cuts {
                let limit = if whole.in_time { "max-error" } else { "max-seconds" };
                game.note(format!("It ended after {samples} of {} samples, as {limit} was reached.", 2 * cuts));
            }
            if let Some(left) = whole.left {
                game.note(format!(
                    "After {samples} samples parts of up to {left} regions are left whole, and each shares out its value evenly."
                ));
            }
            Ok(Attribution { parameters: options.values(), ..game.shared(&values, None, whole.empty)? })
        })
    }
}

/// What is known beside the shares.
struct Ends {
    /// What no region is worth.
    empty: f64,
    /// Cuts that were made.
    cuts: usize,
    /// Whether the time was not over.
    in_time: bool,
    /// Regions of the largest part that could have been cut further.
    left: Option<usize>,
}

/// A node beside some of the regions outside it.
struct Part {
    node: usize,
    /// The regions that are there outside.
    beside: Vec<f32>,
    /// The worth of these, without and with the node's own.
    without: f64,
    with: f64,
    /// The share of such orders.
    weight: f64,
}

impl Part {
    fn carried(&self) -> f64 {
        (self.with - self.without) * self.weight
    }
}

/// Makes so many cuts, or fewer where the options end it before, and gives each region its share.
async fn share(
    game: &mut Game<'_>,
    tree: &Hierarchy,
    cuts: usize,
    options: &PartitionShapOptions,
) -> Result<(Vec<f64>, Ends), ExplainError> {
    const ROUNDS: usize = 20;
    let players = game.players();
    let empty = game.empty().await?;
    let mut values = vec![0.0; players];
    let mut parts = vec![Part { node: 0, beside: vec![0.0; players], without: empty, with: game.whole(), weight: 1.0 }];
    let (clock, mut made, mut shown) = (options.time.clock(), 0, 0);
    // Single regions are settled; what carries most is cut first.
    let settled = |part: &Part| tree.halves(part.node).is_none();
    while made < cuts {
        parts.iter().filter(|part| settled(part)).for_each(|part| credit(&mut values, tree, part));
        parts.retain(|part| !settled(part));
        parts.sort_by(|a, b| b.carried().abs().total_cmp(&a.carried().abs()));
        let later = parts.split_off(cuts.div_ceil(ROUNDS).min(cuts - made).min(parts.len()));
        let now = std::mem::replace(&mut parts, later);
        let halves: Vec<[usize; 2]> = now.iter().filter_map(|part| tree.halves(part.node)).collect();
        let coalition = |(part, half): (&Part, usize)| joined(tree, &part.beside, half);
        let both = now.iter().zip(&halves).flat_map(|(part, halves)| halves.map(|half| coalition((part, half))));
        let both: Vec<Vec<f32>> = both.collect();
        let worths = game.worths(&both).await?;
        made += now.len();
        for (((part, halves), beside), worths) in now.into_iter().zip(&halves).zip(both.chunks(2)).zip(worths.chunks(2))
        {
            for (half, other) in [(0, 1), (1, 0)] {
                let (node, weight) = (halves[half], part.weight / 2.0);
                let first =
                    Part { node, beside: part.beside.clone(), without: part.without, with: worths[half], weight };
                let second =
                    Part { node, beside: beside[other].clone(), without: worths[other], with: part.with, weight };
                parts.extend([first, second]);
            }
        }
        if made < cuts && made * 10 / cuts > shown {
            shown = made * 10 / cuts;
            game.show(&with_rest(&values, tree, &parts));
        }
        let uncut: Vec<f64> = parts.iter().filter(|part| !settled(part)).map(Part::carried).collect();
        let is_precise = || largest(&uncut) <= options.max_error * largest(&with_rest(&values, tree, &parts));
        if clock.is_over() || (options.max_error > 0.0 && is_precise()) {
            break;
        }
    }
    let left = parts.iter().map(|part| tree.players(part.node).len()).filter(|count| *count > 1).max();
    Ok((with_rest(&values, tree, &parts), Ends { empty, cuts: made, in_time: !clock.is_over(), left }))
}

/// Some regions and those of a node.
fn joined(tree: &Hierarchy, beside: &[f32], node: usize) -> Vec<f32> {
    let mut members = beside.to_vec();
    tree.players(node).iter().for_each(|player| members[*player] = 1.0);
    members
}

/// Gives what a part carries to its regions, evenly.
fn credit(values: &mut [f64], tree: &Hierarchy, part: &Part) {
    let players = tree.players(part.node);
    players.iter().for_each(|player| values[*player] += part.carried() / players.len() as f64);
}

fn with_rest(values: &[f64], tree: &Hierarchy, parts: &[Part]) -> Vec<f64> {
    let mut values = values.to_vec();
    parts.iter().for_each(|part| credit(&mut values, tree, part));
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, four_players, linear, linear_weight, product};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(PartitionShap.explain(&question.context())).unwrap()
    }

    /// a b c + d in the tree ((a, b), (c, d)), all one. The last of a, b and c to come has the product: (a, b) comes after
    /// (c, d) in half of the orders, where a and b have a quarter each, and c in the other half.
    #[test]
    fn four_regions_have_their_owen_values() {
        let found = explained(&four_players());
        assert_close(&found.values, &[0.25, 0.25, 0.5, 1.0], 1e-6);
        // Five cuts of two, nothing and all.
        assert_eq!((found.forward_passes, found.completeness_gap), (12, Some(0.0)));
        assert!(!found.notes.iter().any(|note| note.contains("left whole")), "{:?}", found.notes);
    }

    /// Two samples cut the four once: a, b work with c alone, so each half has half of the product, and d adds one.
    #[test]
    fn parts_that_are_not_cut_share_evenly() {
        let found = explained(&four_players().with("samples", "3"));
        assert_close(&found.values, &[0.25, 0.25, 0.75, 0.75], 1e-6);
        assert_eq!(found.forward_passes, 4);
        assert!(found.notes.last().unwrap().contains("parts of up to 2 regions"), "{:?}", found.notes);
        // What carries nothing, (a, b) without the others, is cut last: four cuts are enough.
        let found = explained(&four_players().with("samples", "8"));
        assert_close(&found.values, &[0.25, 0.25, 0.5, 1.0], 1e-6);
        assert_eq!(found.forward_passes, 10);
    }

    /// After the first cut the second half after the first carries 1 and each region has at most 3/4; after the next one no part
    /// carries more than 1/2.
    #[test]
    fn time_or_precision_end_it_between_cuts() {
        let found = explained(&four_players().with("max-error", "0.9"));
        assert_close(&found.values, &[0.25, 0.25, 0.75, 0.75], 1e-6);
        assert_eq!((found.forward_passes, found.completeness_gap), (6, Some(0.0)));
        assert!(found.notes.iter().any(|note| note.starts_with("It ended after 4 of 10 samples, as max-error")));
        let found = explained(&four_players().with("max-seconds", "0.000000001"));
        assert_close(&found.values, &[0.25, 0.25, 0.75, 0.75], 1e-6);
        assert_eq!(found.forward_passes, 4);
        assert!(found.notes.iter().any(|note| note.starts_with("It ended after 2 of 10 samples, as max-seconds")));
    }

    /// 2 x + y z: x and (y, z) do not work together, and y and z are a part of their own, so that the values are Shapley's.
    #[test]
    fn where_parts_do_not_work_together_the_values_are_shapleys() {
        let question = Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "elements");
        assert_close(&explained(&question).values, &[2.0, 3.0, 3.0], 1e-6);
    }

    #[test]
    fn a_linear_model_gives_each_region_its_own_part() {
        let input: Vec<f32> = (0..12).map(|index| 1.0 + index as f32 * 0.3).collect();
        let question = Question::new(linear(&[1, 3, 4]), &input).with("regions", "grid:3x4").target("0");
        let found = explained(&question.with("infill", "zero"));
        let expected: Vec<f32> = (0..12).map(|index| linear_weight(index, 0) * input[index]).collect();
        assert_close(&found.values, &expected, 1e-4);
    }

    #[test]
    fn a_single_region_gets_everything() {
        let question = Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "r.npy");
        let found = explained(&question.infill_files([("r.npy".to_owned(), vec![0.0; 3])]));
        assert_close(&found.values, &[8.0; 3], 1e-6);
        assert_eq!(found.forward_passes, 2);
    }
}
