//! Permutation SHAP: Shapley values from random orders of the regions, each walked forwards and backwards; or Owen values,
//! where halves of the picture stay together in every order.
//!
//! Scott M. Lundberg, Su-In Lee: A Unified Approach to Interpreting Model Predictions. NeurIPS 2017; the estimator is that of
//! their library's Permutation explainer. Antithetic orders: Rory Mitchell, Joshua Cooper, Eibe Frank, Geoffrey Holmes:
//! Sampling Permutations for Shapley Value Estimation. JMLR 2022.
//!
//! An order and its reverse decide all interactions of two regions exactly. Departures: what a removed region is replaced by is
//! one infill, where the library averages over a background set; a hierarchy is that of the regions' places, not one that the
//! caller gives.

use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    budget::Budget,
    game::{Game, GameOptions, passes},
    hierarchy::Hierarchy,
    options::{integer, options},
    orders::{Added, Orders},
    regions::Regions,
};

options! {
    /// Options of [`PermutationShap`].
    pub struct PermutationShapOptions {
        /// How many random orders; each is walked forwards and backwards, with two forward passes for every region but one.
        permutations: usize [integer(1, 100_000)] = 10,
        /// Whether the halves of the picture, their halves and so on stay together in every order. The shares are then Owen
        /// values, as those of partition-shap.
        hierarchical: bool [ParameterKind::Boolean] = false,
        ..game: GameOptions,
        ..budget: Budget,
    }
}

impl PermutationShapOptions {
    /// Coalitions to run beside that of all regions and that of none.
    fn coalitions(&self, players: usize) -> usize {
        2 * self.permutations * (players - 1)
    }
}

/// Permutation SHAP (Lundberg, Lee 2017).
///
/// `Attribution::values` has the input's shape; every element of a region has the region's value.
pub struct PermutationShap;

impl Explainer for PermutationShap {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "permutation-shap".to_owned(),
            name: "Permutation SHAP".to_owned(),
            family: Family::Sampling,
            summary: "Adds the parts of the image in a random order and then in its reverse, and averages what each part adds. \
                      A few orders already share the answer well, as long as not too many parts work together."
                .to_owned(),
            reference: Reference {
                authors: "Scott M. Lundberg, Su-In Lee".to_owned(),
                year: 2017,
                title: "A Unified Approach to Interpreting Model Predictions".to_owned(),
                venue: "NeurIPS".to_owned(),
            },
            needs: vec![Need::Forward],
            parameters: PermutationShapOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = PermutationShapOptions::parse(context.parameters)?;
        Ok(passes(1 + options.coalitions(Regions::expected(context, &options.game.regions)?)))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = PermutationShapOptions::parse(context.parameters)?;
            let mut game = Game::start(context, &options.game, |players| Ok(1 + options.coalitions(players))).await?;
            let (players, whole, empty) = (game.players(), game.whole(), game.empty().await?);
            let tree = options.hierarchical.then(|| Hierarchy::of(&game.regions.centres(context)));
            let orders = Orders { seed: context.seed, players, antithetic: true, tree };
            let mut added = Added::new(&orders, whole, empty);
            let coalition = |index| orders.coalition(index);
            game.play(options.coalitions(players), &options.budget, &coalition, &mut added).await?;
            Ok(Attribution { parameters: options.values(), ..game.finish_shared(&added, empty)? })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, four_players, product};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(PermutationShap.explain(&question.context())).unwrap()
    }

    /// 2 x + y z at (1, 2, 3): an order and its reverse give y and z one half of 6 each.
    #[test]
    fn one_order_is_exact_where_at_most_two_regions_work_together() {
        let question = Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "elements");
        let found = explained(&question.with("permutations", "1"));
        assert_close(&found.values, &[2.0, 3.0, 3.0], 1e-6);
        assert_eq!((found.forward_passes, found.completeness_gap), (6, Some(0.0)));
    }

    /// a b c + d, all one: the three that only work together have a third each.
    #[test]
    fn orders_come_near_the_shapley_values() {
        let found = explained(&four_players().with("permutations", "300"));
        let error = found.standard_error.unwrap().values;
        for (found, (expected, error)) in
            found.values.iter().zip([1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 1.0].iter().zip(error))
        {
            assert!((found - expected).abs() <= 4.0 * error + 1e-6, "{found}, not {expected} within {error}");
        }
    }

    /// The same in the tree ((a, b), (c, d)): a and b are last of the three in half of the orders, and then each in half of
    /// them; c is last in the other half.
    #[test]
    fn orders_of_a_hierarchy_come_near_the_owen_values() {
        let found = explained(&four_players().with("permutations", "300").with("hierarchical", "true"));
        let error = found.standard_error.unwrap().values;
        for (found, (expected, error)) in found.values.iter().zip([0.25, 0.25, 0.5, 1.0].iter().zip(error)) {
            assert!((found - expected).abs() <= 4.0 * error + 1e-6, "{found}, not {expected} within {error}");
        }
    }

    #[test]
    fn a_single_region_gets_everything() {
        let question = Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "r.npy");
        let found = explained(&question.infill_files([("r.npy".to_owned(), vec![0.0; 3])]));
        assert_close(&found.values, &[8.0; 3], 1e-6);
    }
}
