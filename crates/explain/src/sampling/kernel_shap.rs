//! KernelSHAP: a linear surrogate of the target over coalitions of regions, weighted such that its coefficients are the
//! Shapley values.
//!
//! Scott M. Lundberg, Su-In Lee: A Unified Approach to Interpreting Model Predictions. NeurIPS 2017.
//! Pairs: Ian Covert, Su-In Lee: Improving KernelSHAP: Practical Shapley Value Estimation Using Linear Regression. AISTATS
//! 2021. Sizes: Christopher Musco, R. Teal Witter: Provably Accurate Shapley Value Estimation via Leverage Score Sampling.
//! ICLR 2025. Interactions: Fabian Fumagalli, R. Teal Witter, Christopher Musco: PolySHAP: Extending KernelSHAP with
//! Interaction-Informed Polynomial Regression. ICLR 2026.
//!
//! Readings and departures: the kernel's infinite weights of the empty and the whole coalition are kept exactly, by taking one
//! coefficient out of the fit, where Captum gives them a large weight; all sizes are drawn equally often and weighted by the
//! kernel, which follows the samples' leverage on the fit; drawn by the kernel itself, each sample counts the same; each sample
//! is followed by its complement, which halves the noise and more, and a pair then counts as one sample; as many samples as there
//! are coalitions run each of them once, and the values are exact. What two regions do together cancels in a pair, so of
//! interactions those of three are the first that are worth fitting, and of these only regions that meet in a point are taken:
//! a few times as many as there are regions, and in a picture they hold most of it. These alone are held down by a slight
//! ridge; what is fitted of them changes the noise, not what is estimated.

use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use super::shapley_sampling::members;
use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    budget::Budget,
    game::{Estimate, Game, GameOptions, passes},
    options::{choices, integer, options},
    random::{Purpose, Random},
    regions::Regions,
    regression::{Sums, ThroughZero},
};

choices! {
    /// How often coalitions of each size are drawn.
    pub enum Sizes {
        /// Each equally often, weighted by the kernel: the share that fits the values with the least noise.
        Leverage = "leverage",
        /// By the kernel, small and large ones more often, all with the same weight.
        Kernel = "kernel",
    }
}

choices! {
    /// What is fitted beside a share for each region.
    pub enum Interactions {
        /// What each three regions that meet in a point do together, a third of which is each one's: needs pairs, and many fewer
        /// of them.
        Neighbours = "neighbours",
        /// Nothing: all that regions do together is noise.
        None = "none",
    }
}

options! {
    /// How KernelSHAP draws coalitions, and what it fits.
    pub struct Drawing {
        /// Whether every sample is followed by its complement.
        paired: bool [ParameterKind::Boolean] = true,
        /// How often coalitions of each size are drawn.
        sizes: Sizes [Sizes::kind()] = Sizes::Leverage,
        /// What is fitted beside a share for each region, where samples are paired.
        interactions: Interactions [Interactions::kind()] = Interactions::Neighbours,
    }
}

options! {
    /// Options of [`KernelShap`].
    pub struct KernelShapOptions {
        /// How many coalitions, each one forward pass; at least twice as many as regions. With 2 to the number of regions all
        /// are run and the values are exact.
        samples: usize [integer(2, 1_000_000)] = 2000,
        ..game: GameOptions,
        ..drawing: Drawing,
        ..budget: Budget,
    }
}

/// Most numbers that are fitted: the work grows with their third power. With more interactions none is.
const MOST: usize = 1024;

/// How much interactions are held down, in samples: as 3 to 100 do about the same, somewhere between.
const RIDGE: f64 = 10.0;

/// KernelSHAP (Lundberg, Lee 2017).
///
/// `Attribution::values` has the input's shape; every element of a region has the region's value.
pub struct KernelShap;

impl Explainer for KernelShap {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "kernel-shap".to_owned(),
            name: "KernelSHAP".to_owned(),
            family: Family::Sampling,
            summary: "Hides random groups of parts and fits a weighted sum that shares the answer fairly among them. It needs \
                      several times as many samples as there are parts before the shares settle."
                .to_owned(),
            reference: Reference {
                authors: "Scott M. Lundberg, Su-In Lee".to_owned(),
                year: 2017,
                title: "A Unified Approach to Interpreting Model Predictions".to_owned(),
                venue: "NeurIPS".to_owned(),
            },
            needs: vec![Need::Forward],
            parameters: KernelShapOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = KernelShapOptions::parse(context.parameters)?;
        let players = Regions::expected(context, &options.game.regions)?;
        Ok(passes(1 + coalitions(&options, players)?))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = KernelShapOptions::parse(context.parameters)?;
            explain(context, options, None).await
        })
    }
}

impl KernelShap {
    /// KernelSHAP with coalitions of the caller's own, drawn by the kernel and neither empty nor whole: one number for each
    /// region of each coalition, 1 where it takes part and 0 elsewhere. The parameters that say how they are drawn are not used.
    ///
    /// # Errors
    /// As [`Explainer::explain`].
    pub async fn explain_with_coalitions(
        context: &Context<'_>,
        coalitions: &[f32],
    ) -> Result<Attribution, ExplainError> {
        let options = KernelShapOptions::parse(context.parameters)?;
        let samples = coalitions.len() / Regions::of(context, &options.game.regions).await?.count;
        explain(context, KernelShapOptions { samples, ..options }, Some(coalitions)).await
    }
}

async fn explain(
    context: &Context<'_>,
    options: KernelShapOptions,
    given: Option<&[f32]>,
) -> Result<Attribution, ExplainError> {
    let coalitions = |players: usize| match given {
        Some(_) => Ok(options.samples),
        None => coalitions(&options, players),
    };
    let mut game = Game::start(context, &options.game, |players| Ok(1 + coalitions(players)?)).await?;
    let (players, whole, empty) = (game.players(), game.whole(), game.empty().await?);
    let count = coalitions(players)?;
    let exact = given.is_none() && is_exact(&options, players);
    let drawn = Drawn::new(context.seed, players, &options.drawing);
    let weight: &dyn Fn(usize) -> f64 = match given {
        None if exact => &|size| kernel(players, size),
        Some(_) => &|_| 1.0,
        None => &|size| drawn.weight(size),
    };
    let mut surrogate = Surrogate::new(players, whole, empty, weight);
    surrogate.exact = exact;
    surrogate.paired = given.is_none() && !exact && options.drawing.paired;
    if surrogate.paired && options.drawing.interactions == Interactions::Neighbours {
        let threes = game.regions.threes();
        let numbers = players - 1 + threes.len();
        if numbers <= MOST {
            surrogate = surrogate.with_interactions(threes);
        } else {
            game.note(format!(
                "What neighbouring regions do together is not fitted: with {players} regions that is {numbers} numbers, and at \
                 most {MOST} are; larger regions need fewer samples."
            ));
        }
    }
    let coalition = |index: usize| match given {
        Some(given) => given[index * players..][..players].to_vec(),
        None if exact => members(index + 1, players),
        None => drawn.coalition(index),
    };
    let budget = if exact { Budget::default() } else { options.budget.clone() };
    game.play(count, &budget, &coalition, &mut surrogate).await?;
    Ok(Attribution { parameters: options.values(), ..game.finish_shared(&surrogate, empty)? })
}

/// Whether all coalitions are run.
fn is_exact(options: &KernelShapOptions, players: usize) -> bool {
    players < 21 && options.samples >= 1 << players
}

/// Coalitions to run beside that of all regions and that of none.
fn coalitions(options: &KernelShapOptions, players: usize) -> Result<usize, ExplainError> {
    if players > MOST {
        return Err(ExplainError::TooManyToFit { found: players, most: MOST });
    }
    if is_exact(options, players) {
        return Ok((1 << players) - 2);
    }
    if options.samples < 2 * players {
        return Err(ExplainError::TooFewSamples { found: options.samples, regions: players, least: 2 * players });
    }
    // Of pairs there is no half.
    Ok(options.samples - usize::from(options.drawing.paired && options.samples % 2 == 1))
}

/// The Shapley kernel's share of all coalitions of `size` out of `players`, but for a common factor.
fn share(players: usize, size: usize) -> f64 {
    1.0 / (size * (players - size)) as f64
}

/// Coalitions of random sizes, each followed by its complement where they are paired.
struct Drawn {
    seed: u64,
    players: usize,
    paired: bool,
    sizes: Sizes,
    /// For each size from 1 the probability of a size up to it.
    up_to: Vec<f64>,
}

impl Drawn {
    fn new(seed: u64, players: usize, &Drawing { paired, sizes, .. }: &Drawing) -> Drawn {
        let often = |size: usize| match sizes {
            Sizes::Leverage => 1.0,
            Sizes::Kernel => share(players, size),
        };
        let mut up_to: Vec<f64> = (1..players)
            .scan(0.0, |sum, size| {
                *sum += often(size);
                Some(*sum)
            })
            .collect();
        let all = up_to.last().copied().unwrap_or(1.0);
        up_to.iter_mut().for_each(|sum| *sum /= all);
        Drawn { seed, players, paired, sizes, up_to }
    }

    /// What a coalition counts, so that all of a size together count by the kernel.
    fn weight(&self, size: usize) -> f64 {
        match self.sizes {
            Sizes::Leverage => share(self.players, size),
            Sizes::Kernel => 1.0,
        }
    }

    fn coalition(&self, index: usize) -> Vec<f32> {
        let (drawn, is_complement) = if self.paired { (index / 2, index % 2 == 1) } else { (index, false) };
        let mut random = Random::new(self.seed, Purpose::Masks, drawn as u32);
        let point = f64::from(random.uniform());
        let size = 1 + self.up_to.partition_point(|sum| *sum <= point).min(self.players.saturating_sub(2));
        let (present, absent) = if is_complement { (0.0, 1.0) } else { (1.0, 0.0) };
        let mut members = vec![absent; self.players];
        random.permutation(self.players)[..size].iter().for_each(|player| members[*player] = present);
        members
    }
}

/// The fit, with the last region's coefficient being what is left of the difference.
struct Surrogate<'a> {
    sums: Sums,
    players: usize,
    difference: f64,
    empty: f64,
    /// What a coalition of some size counts.
    weight: &'a dyn Fn(usize) -> f64,
    exact: bool,
    /// Whether every second coalition is the complement of that before: the two say half their difference of the same
    /// regions, and what of the target is even about the middle cancels.
    paired: bool,
    /// Of a pair, what the first one says.
    first: Option<f64>,
    /// Regions whose product about the middle is fitted, too; of pairs only.
    interactions: Vec<[usize; 3]>,
}

impl<'a> Surrogate<'a> {
    fn new(players: usize, whole: f64, empty: f64, weight: &'a dyn Fn(usize) -> f64) -> Surrogate<'a> {
        let (sums, difference) = (Sums::new(players - 1, 0.0), whole - empty);
        Surrogate {
            sums,
            players,
            difference,
            empty,
            weight,
            exact: false,
            paired: false,
            first: None,
            interactions: Vec::new(),
        }
    }

    fn with_interactions(self, interactions: Vec<[usize; 3]>) -> Self {
        let sums = Sums::new(self.players - 1 + interactions.len(), 0.0);
        Surrogate { sums, interactions, ..self }
    }

    fn fit(&self) -> Option<ThroughZero> {
        self.sums.through_zero(self.players - 1, RIDGE)
    }

    /// For each region the sum of the fit's coefficients that its value is, the last one's beside the difference.
    fn sums_of_coefficients(&self) -> Vec<Vec<f64>> {
        let (free, features) = (self.players - 1, self.players - 1 + self.interactions.len());
        let mut sums = vec![vec![0.0; features]; self.players];
        sums.iter_mut().take(free).enumerate().for_each(|(region, sum)| sum[region] = 1.0);
        if let Some(last) = sums.last_mut() {
            last.fill(-1.0);
        }
        for (regions, feature) in self.interactions.iter().zip(free..) {
            regions.iter().for_each(|region| sums[*region][feature] += 1.0 / regions.len() as f64);
        }
        sums
    }
}

impl Estimate for Surrogate<'_> {
    fn add(&mut self, _: usize, members: &[f32], worth: f64) {
        let Some((last, others)) = members.split_last() else { return };
        let last = f64::from(*last);
        let mut y = worth - self.empty - last * self.difference;
        if self.paired {
            let Some(first) = self.first.take() else {
                self.first = Some(y);
                return;
            };
            y = (y - first) / 2.0;
        }
        let mut x: Vec<f64> = others.iter().map(|member| f64::from(*member) - last).collect();
        // From -1/2 to 1/2, as a single region about the middle.
        let together =
            |regions: &[usize; 3]| 4.0 * regions.map(|region| f64::from(members[region]) - 0.5).iter().product::<f64>();
        x.extend(self.interactions.iter().map(|regions| together(regions) - (last - 0.5)));
        let size = members.iter().filter(|member| **member > 0.0).count();
        self.sums.add((self.weight)(size), &x, y);
    }

    fn values(&self) -> Vec<f64> {
        match self.fit() {
            Some(ThroughZero { coefficients, .. }) => {
                let sum = |weights: &Vec<f64>| weights.iter().zip(&coefficients).map(|(a, b)| a * b).sum();
                let mut values: Vec<f64> = self.sums_of_coefficients().iter().map(sum).collect();
                values.iter_mut().rev().take(1).for_each(|last| *last += self.difference);
                values
            }
            // Said when it is the result: the numbers are not finite.
            None if self.players > 1 => vec![f64::NAN; self.players],
            None => vec![self.difference],
        }
    }

    fn errors(&self) -> Option<Vec<f64>> {
        if self.exact {
            return None;
        }
        self.fit()?.errors(&self.sums_of_coefficients())
    }

    fn is_whole(&self, count: usize) -> bool {
        !self.exact && count >= 2 * self.players
    }
}

/// The Shapley kernel for coalitions of `size` out of `players`, 1 / (C(n, s) s (n - s)), but for a common factor.
fn kernel(players: usize, size: usize) -> f64 {
    let coalitions = (0..size).fold(1.0, |product, i| product * (players - i) as f64 / (i + 1) as f64);
    share(players, size) / coalitions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::game::Moments;
    use crate::regions::RegionsSpec;
    use crate::testing::{Question, assert_close, linear, linear_weight, product};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(KernelShap.explain(&question.context())).unwrap()
    }

    /// 2 x + y z at (1, 2, 3): x has 2, and y and z share 6.
    #[test]
    fn all_coalitions_give_the_shapley_values() {
        let question = Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "elements");
        let found = explained(&question.with("samples", "8"));
        assert_close(&found.values, &[2.0, 3.0, 3.0], 1e-5);
        assert_eq!((found.forward_passes, found.baseline_prediction), (8, Some(0.0)));
        assert!(found.standard_error.is_none() && found.completeness_gap.unwrap().abs() < 1e-5);
    }

    /// A linear model leaves no noise: any samples that decide the fit give its parts.
    #[test]
    fn few_samples_of_a_linear_model_are_enough() {
        let input: Vec<f32> = (0..12).map(|index| 1.0 + index as f32 * 0.3).collect();
        let question =
            Question::new(linear(&[12]), &input).with("regions", "elements").with("samples", "60").target("0");
        let found = explained(&question);
        let expected: Vec<f32> = (0..12).map(|index| linear_weight(index, 0) * input[index]).collect();
        assert_close(&found.values, &expected, 1e-4);
        assert_eq!(found.forward_passes, 62);
    }

    #[test]
    fn sizes_are_drawn_by_the_kernel_and_every_second_is_a_complement() {
        // Of four, sizes 1, 2, 3 have weights 1/3, 1/4, 1/3.
        let drawn = Drawn::new(3, 4, &Drawing { sizes: Sizes::Kernel, ..Drawing::default() });
        let size = |index: usize| drawn.coalition(index).iter().sum::<f32>() as usize;
        let counts = (0..11_000).fold([0_usize; 5], |mut counts, index| {
            counts[size(2 * index)] += 1;
            counts
        });
        assert!(counts[0] == 0 && counts[4] == 0, "{counts:?}");
        // The standard deviation of each is at most 52.
        assert!(counts[1].abs_diff(4000) < 220 && counts[2].abs_diff(3000) < 220, "{counts:?}");
        let sum: Vec<f32> = drawn.coalition(6).iter().zip(drawn.coalition(7)).map(|(a, b)| a + b).collect();
        assert_eq!(sum, [1.0; 4]);
    }

    /// x1 x2 x3 + 2 x4 x5 x6 - x1 x4 + x7, over 60 coalitions drawn again and again, with interactions of which one is there:
    /// on average the exact values, within four standard errors of 400 runs, and the errors told are those seen, within a fifth.
    #[test]
    fn drawn_coalitions_are_unbiased_and_their_errors_are_those_seen() {
        const PLAYERS: usize = 8;
        const RUNS: usize = 400;
        let worth = |x: &[f32]| f64::from(x[0] * x[1] * x[2] + 2.0 * x[3] * x[4] * x[5] - x[0] * x[3] + x[6]);
        // Of a product of regions each has an equal part.
        let third = |times: f64| times / 3.0;
        let exact = [third(1.0) - 0.5, third(1.0), third(1.0), third(2.0) - 0.5, third(2.0), third(2.0), 1.0, 0.0];
        let interactions = [[0, 1, 2], [1, 2, 3], [5, 6, 7]];
        let ways = [(Sizes::Leverage, true, 0), (Sizes::Kernel, true, 0), (Sizes::Leverage, false, 0)];
        let with_interactions = [(Sizes::Leverage, true, 3), (Sizes::Kernel, true, 3)];
        for (sizes, paired, count) in ways.into_iter().chain(with_interactions) {
            let drawing = Drawing { paired, sizes, ..Drawing::default() };
            let mut found = vec![Moments::default(); PLAYERS];
            let mut told = 0.0;
            for seed in 0..RUNS as u64 {
                let drawn = Drawn::new(seed, PLAYERS, &drawing);
                let weight = |size| drawn.weight(size);
                let surrogate = Surrogate::new(PLAYERS, 3.0 - 1.0 + 1.0, 0.0, &weight);
                let mut surrogate = Surrogate { paired, ..surrogate.with_interactions(interactions[..count].to_vec()) };
                for index in 0..60 {
                    let members = drawn.coalition(index);
                    surrogate.add(index, &members, worth(&members));
                }
                found.iter_mut().zip(surrogate.values()).for_each(|(moments, value)| moments.add(value));
                told += surrogate.errors().unwrap().iter().sum::<f64>() / (PLAYERS * RUNS) as f64;
            }
            for (moments, exact) in found.iter().zip(exact) {
                assert!(
                    (moments.mean - exact).abs() < 4.0 * moments.error(),
                    "{sizes:?} {count}: {moments:?}, not {exact}"
                );
            }
            let seen = found.iter().map(|moments| moments.error()).sum::<f64>() / PLAYERS as f64 * (RUNS as f64).sqrt();
            assert!((told / seen - 1.0).abs() < 0.2, "{sizes:?} {paired} {count}: told {told}, seen {seen}");
        }
    }

    /// A product of three cells that meet is in the fit, and one of three that lie apart is noise to it.
    #[test]
    fn interactions_of_neighbours_take_little_to_find() {
        let error = |together: [usize; 3], interactions: &str| {
            const CELLS: usize = 24;
            let worth = |cells: &[f32]| 6.0 * together.iter().map(|cell| f64::from(cells[*cell])).product::<f64>();
            let drawn = Drawn::new(5, CELLS, &Drawing::default());
            let weight = |size| drawn.weight(size);
            let mut surrogate = Surrogate::new(CELLS, 6.0, 0.0, &weight);
            surrogate.paired = true;
            if interactions == "neighbours" {
                let question = Question::new(linear(&[1, 4, 6]), &[1.0; CELLS]);
                let grid = RegionsSpec::parse("grid:4x6").unwrap();
                let regions = pollster::block_on(Regions::of(&question.context(), &grid)).unwrap();
                surrogate = surrogate.with_interactions(regions.threes());
            }
            for index in 0..400 {
                let members = drawn.coalition(index);
                surrogate.add(index, &members, worth(&members));
            }
            let exact = |cell: usize| if together.contains(&cell) { 2.0 } else { 0.0 };
            let errors = surrogate.values().into_iter().enumerate().map(|(cell, value)| (value - exact(cell)).abs());
            errors.fold(0.0_f64, f64::max)
        };
        let errors = |together| ["neighbours", "none"].map(|interactions| error(together, interactions));
        let [with, without] = errors([7, 8, 13]);
        assert!(with < 0.4 * without, "{with} of {without}");
        let [with, without] = errors([0, 8, 23]);
        assert!(with < 2.0 * without, "{with} of {without}");
    }

    #[test]
    fn samples_that_cannot_decide_the_fit_are_refused() {
        let question = Question::new(linear(&[12]), &[1.0; 12]).with("regions", "elements").with("samples", "20");
        let error = pollster::block_on(KernelShap.explain(&question.context())).unwrap_err().to_string();
        assert!(error.contains("20 samples") && error.contains("at least 24"), "{error}");
    }

    /// 16 x 16 cells meet at 15 x 15 corners, four times three at each.
    #[test]
    fn too_many_interactions_to_fit_are_left_out_and_it_is_said() {
        let of = |grid: &str| {
            let question = Question::new(linear(&[1, 16, 16]), &[1.0; 256]).with("regions", grid);
            explained(&question.with("samples", "600")).notes.join(" ")
        };
        assert!(of("grid:16x16").contains("with 256 regions that is 1155 numbers"), "{}", of("grid:16x16"));
        assert!(!of("grid:8x8").contains("together"), "{}", of("grid:8x8"));
    }

    #[test]
    fn a_single_region_gets_everything() {
        let question = Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "r.npy");
        let found = explained(&question.infill_files([("r.npy".to_owned(), vec![0.0; 3])]));
        assert_close(&found.values, &[8.0; 3], 1e-6);
    }
}
