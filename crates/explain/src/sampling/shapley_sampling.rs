//! Shapley values: what each region adds to the target when regions come one after the other, averaged over all orders in
//! which they can come; here over random orders, or exactly for few regions.
//!
//! Erik Štrumbelj, Igor Kononenko: An Efficient Explanation of Individual Classifications using Game Theory. JMLR 2010.
//! Antithetic orders: Rory Mitchell, Joshua Cooper, Eibe Frank, Geoffrey Holmes: Sampling Permutations for Shapley Value
//! Estimation. JMLR 2022.
//!
//! Departures from the paper: a whole order gives every region one contribution, as in Captum, where the paper draws an order
//! for each region, so that the attributions sum to the whole difference after any number of orders; by default every second
//! order is the reverse of the one before, which is at least as precise for the same passes. The exact form runs each of the
//! 2^n coalitions once, where Captum runs n! n.

use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    budget::Budget,
    game::{Estimate, Game, GameOptions, passes},
    options::{integer, options},
    orders::{Added, Orders},
    regions::Regions,
};

options! {
    /// Options of [`ShapleySampling`].
    pub struct ShapleySamplingOptions {
        /// How many orders, each one forward pass per region but one.
        permutations: usize [integer(1, 100_000)] = 25,
        /// Whether all coalitions are run in place of random orders; for at most 16 regions.
        exact: bool [ParameterKind::Boolean] = false,
        /// Whether every second order is the reverse of the one before.
        antithetic: bool [ParameterKind::Boolean] = true,
        ..game: GameOptions,
        ..budget: Budget,
    }
}

/// Most regions whose coalitions are all run.
pub(crate) const MOST_EXACT: usize = 16;

/// Shapley values (Štrumbelj, Kononenko 2010).
///
/// `Attribution::values` has the input's shape; every element of a region has the region's value.
pub struct ShapleySampling;

impl Explainer for ShapleySampling {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "shapley-sampling".to_owned(),
            name: "Shapley Value Sampling".to_owned(),
            family: Family::Sampling,
            summary: "Lets the parts of the image appear in many random orders and averages what each adds to the answer when \
                      it comes. The parts share the answer fairly, but the model sees many half-empty pictures."
                .to_owned(),
            reference: Reference {
                authors: "Erik Štrumbelj, Igor Kononenko".to_owned(),
                year: 2010,
                title: "An Efficient Explanation of Individual Classifications using Game Theory".to_owned(),
                venue: "Journal of Machine Learning Research".to_owned(),
            },
            needs: vec![Need::Forward],
            parameters: ShapleySamplingOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = ShapleySamplingOptions::parse(context.parameters)?;
        let players = Regions::expected(context, &options.game.regions)?;
        Ok(passes(1 + coalitions(&options, players)?))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = ShapleySamplingOptions::parse(context.parameters)?;
            let mut game =
                Game::start(context, &options.game, |players| Ok(1 + coalitions(&options, players)?)).await?;
            let (players, whole, empty) = (game.players(), game.whole(), game.empty().await?);
            let count = coalitions(&options, players)?;
            let attribution = if options.exact {
                let mut exact = Exact::new(players, whole, empty);
                game.play(count, &Budget::default(), &|index| members(index + 1, players), &mut exact).await?;
                game.finish_shared(&exact, empty)?
            } else {
                let orders = Orders { seed: context.seed, players, antithetic: options.antithetic, tree: None };
                let mut added = Added::new(&orders, whole, empty);
                game.play(count, &options.budget, &|index| orders.coalition(index), &mut added).await?;
                game.finish_shared(&added, empty)?
            };
            Ok(Attribution { parameters: options.values(), ..attribution })
        })
    }
}

/// Coalitions to run beside that of all regions and that of none.
fn coalitions(options: &ShapleySamplingOptions, players: usize) -> Result<usize, ExplainError> {
    if !options.exact {
        return Ok(options.permutations * (players - 1));
    }
    check_few(players)?;
    Ok((1 << players) - 2)
}

/// Refuses more regions than can be enumerated.
pub(crate) fn check_few(players: usize) -> Result<(), ExplainError> {
    if players > MOST_EXACT { Err(ExplainError::TooManyRegions { found: players, most: MOST_EXACT }) } else { Ok(()) }
}

/// The coalition whose members are the bits of a number.
pub(crate) fn members(bits: usize, players: usize) -> Vec<f32> {
    (0..players).map(|player| (bits >> player & 1) as f32).collect()
}

/// The sum over all coalitions that Shapley values are.
struct Exact {
    whole: f64,
    empty: f64,
    /// Of each region, the weighted sum of coalitions with it minus that of coalitions without.
    values: Vec<f64>,
}

impl Exact {
    fn new(players: usize, whole: f64, empty: f64) -> Exact {
        Exact { whole, empty, values: vec![0.0; players] }
    }
}

/// How many coalitions of `chosen` out of `all` there are.
fn binomial(all: usize, chosen: usize) -> f64 {
    (0..chosen).fold(1.0, |product, i| product * (all - i) as f64 / (i + 1) as f64)
}

impl Estimate for Exact {
    fn add(&mut self, _: usize, members: &[f32], worth: f64) {
        let players = members.len();
        let size = members.iter().filter(|member| **member > 0.0).count();
        // Weights of v(S) as one that a region joins, and as one that it has joined: 1 / (n C(n - 1, |others|)).
        let joined = worth / (players as f64 * binomial(players - 1, size - 1));
        let joins = worth / (players as f64 * binomial(players - 1, size));
        for (value, member) in self.values.iter_mut().zip(members) {
            *value += if *member > 0.0 { joined } else { -joins };
        }
    }

    fn values(&self) -> Vec<f64> {
        let ends = (self.whole - self.empty) / self.values.len() as f64;
        self.values.iter().map(|value| value + ends).collect()
    }

    fn is_whole(&self, _: usize) -> bool {
        // A part of the sum is no estimate.
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, product};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(ShapleySampling.explain(&question.context())).unwrap()
    }

    /// From zero to (1, 2, 3): x adds 2 whenever it comes; y and z add 6 when they come second of the two, so 3 on average.
    #[test]
    fn an_interaction_is_shared_equally() {
        let question = Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "elements");
        let exact = explained(&question.clone().with("exact", "true"));
        assert_close(&exact.values, &[2.0, 3.0, 3.0], 1e-6);
        assert_eq!((exact.forward_passes, exact.baseline_prediction), (8, Some(0.0)));
        // An order and its reverse already give each of the two its half.
        let pair = explained(&question.clone().with("permutations", "2"));
        assert_close(&pair.values, &[2.0, 3.0, 3.0], 1e-6);
        assert_eq!(pair.forward_passes, 6);
        assert_eq!(pair.completeness_gap, Some(0.0));
    }

    /// Whatever the orders, the attributions sum to the difference; without reverses the two share 6 by chance.
    #[test]
    fn random_orders_come_near_and_say_how_near() {
        let question =
            Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "elements").with("antithetic", "false");
        let found = explained(&question.with("permutations", "400"));
        assert_close(&[found.values.iter().sum()], &[8.0], 1e-6);
        let error = found.standard_error.unwrap().values;
        // Each order gives 0 or 6 to y: a deviation of 3, over the root of 400.
        assert!(error[0] < 1e-6 && (error[1] - 0.15).abs() < 0.005, "{error:?}");
        // Four standard errors: one seed in 16,000 would fail, and the seed is fixed.
        assert!((found.values[1] - 3.0).abs() < 0.6, "{:?}", found.values);
    }

    #[test]
    fn an_odd_number_of_orders_counts_each_order_once() {
        let question = Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "elements");
        let found = explained(&question.with("permutations", "3"));
        // Three orders of which one has no reverse: 6 times one or two thirds.
        assert!((found.values[1] - 2.0).abs() < 1e-5 || (found.values[1] - 4.0).abs() < 1e-5, "{:?}", found.values);
        assert_close(&[found.values.iter().sum()], &[8.0], 1e-6);
    }

    #[test]
    fn a_single_region_gets_everything() {
        let question = Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "r.npy");
        let question = question.infill_files([("r.npy".to_owned(), vec![0.0; 3])]);
        for exact in ["true", "false"] {
            let found = explained(&question.clone().with("exact", exact));
            assert_close(&found.values, &[8.0; 3], 1e-6);
            assert_eq!(found.forward_passes, 2);
        }
    }

    #[test]
    fn too_many_regions_to_enumerate_are_refused() {
        let question = Question::new(linear(&[17]), &[1.0; 17]).with("regions", "elements");
        let refused = pollster::block_on(ShapleySampling.explain(&question.with("exact", "true").context()));
        let error = refused.unwrap_err().to_string();
        assert!(error.contains("17 regions") && error.contains("at most 16"), "{error}");
    }

    #[test]
    fn a_run_ends_when_it_is_as_precise_as_asked() {
        let question =
            Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "elements").with("antithetic", "false");
        let found = explained(&question.with("permutations", "1000").with("max-error", "0.1"));
        // The largest attribution is about 3, the error 3 / sqrt(orders): about 100 orders of 2 passes.
        assert!((120..320).contains(&found.forward_passes), "{}", found.forward_passes);
        assert!(found.notes[1].starts_with("It ended after"), "{:?}", found.notes);
    }
}
