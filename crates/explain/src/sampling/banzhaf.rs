//! Banzhaf values: what a region adds to the target on average over all coalitions of the others, each as likely as any
//! other.
//!
//! Jiachen T. Wang, Ruoxi Jia: Data Banzhaf: A Robust Data Valuation Framework for Machine Learning. AISTATS 2023, whose
//! estimator by maximum sample reuse it is: the mean over random coalitions with the region minus the mean over those without.
//! The value is John F. Banzhaf's (1965).
//!
//! Departure: each coalition is followed by its complement, so that every region is in exactly half of them.

use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use super::shapley_sampling::{check_few, members};
use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    budget::Budget,
    game::{Estimate, Game, GameOptions, Moments, errors, means, passes},
    options::{integer, options},
    random::{Purpose, Random},
    regions::Regions,
};

options! {
    /// Options of [`Banzhaf`].
    pub struct BanzhafOptions {
        /// How many coalitions, each one forward pass; an odd number is taken one lower.
        samples: usize [integer(2, 1_000_000)] = 2000,
        /// Whether all coalitions are run in place of random ones; for at most 16 regions.
        exact: bool [ParameterKind::Boolean] = false,
        ..game: GameOptions,
        ..budget: Budget,
    }
}

/// Banzhaf values (Wang, Jia 2023).
///
/// `Attribution::values` has the input's shape; every element of a region has the region's value.
pub struct Banzhaf;

impl Explainer for Banzhaf {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "banzhaf".to_owned(),
            name: "Banzhaf Values".to_owned(),
            family: Family::Sampling,
            summary: "Hides a random half of the parts, again and again, and compares the answers with and without each part. \
                      Steadier than Shapley values for the same samples, but the shares do not add up to the answer."
                .to_owned(),
            reference: Reference {
                authors: "Jiachen T. Wang, Ruoxi Jia".to_owned(),
                year: 2023,
                title: "Data Banzhaf: A Robust Data Valuation Framework for Machine Learning".to_owned(),
                venue: "AISTATS".to_owned(),
            },
            needs: vec![Need::Forward],
            parameters: BanzhafOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = BanzhafOptions::parse(context.parameters)?;
        Ok(passes(coalitions(&options, Regions::expected(context, &options.game.regions)?)?))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = BanzhafOptions::parse(context.parameters)?;
            let mut game = Game::start(context, &options.game, |players| coalitions(&options, players)).await?;
            let players = game.players();
            let count = coalitions(&options, players)?;
            let mut estimate =
                Differences { first: Vec::new(), worth: 0.0, moments: vec![Moments::default(); players] };
            if options.exact {
                // Bits and their complements, pair by pair.
                let all = (1 << players) - 1;
                let coalition =
                    |index: usize| members(if index.is_multiple_of(2) { index / 2 } else { all - index / 2 }, players);
                game.play(count, &Budget::default(), &coalition, &mut estimate).await?;
                let found = game.finish(&estimate)?;
                return Ok(Attribution { standard_error: None, parameters: options.values(), ..found });
            }
            let coalition = |index: usize| {
                let mut random = Random::new(context.seed, Purpose::Masks, (index / 2) as u32);
                let odd = index % 2 == 1;
                (0..players).map(|_| if random.chance(0.5) == odd { 1.0 } else { 0.0 }).collect()
            };
            game.play(count, &options.budget, &coalition, &mut estimate).await?;
            Ok(Attribution { parameters: options.values(), ..game.finish(&estimate)? })
        })
    }
}

fn coalitions(options: &BanzhafOptions, players: usize) -> Result<usize, ExplainError> {
    if options.exact {
        check_few(players)?;
        return Ok(1 << players);
    }
    Ok(options.samples / 2 * 2)
}

/// The mean difference between a coalition and its complement, for each region that of the one with it minus the other.
struct Differences {
    first: Vec<f32>,
    worth: f64,
    moments: Vec<Moments>,
}

impl Estimate for Differences {
    fn add(&mut self, index: usize, members: &[f32], worth: f64) {
        if index.is_multiple_of(2) {
            (self.first, self.worth) = (members.to_vec(), worth);
            return;
        }
        let difference = self.worth - worth;
        for (moments, member) in self.moments.iter_mut().zip(&self.first) {
            moments.add(if *member > 0.0 { difference } else { -difference });
        }
    }

    fn values(&self) -> Vec<f64> {
        means(&self.moments)
    }

    fn errors(&self) -> Option<Vec<f64>> {
        errors(&self.moments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, product};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(Banzhaf.explain(&question.context())).unwrap()
    }

    /// 2 x + y z at (1, 2, 3): y adds 6 in the half of the coalitions that has z.
    #[test]
    fn all_coalitions_give_the_mean_over_them() {
        let question = Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "elements");
        let found = explained(&question.with("exact", "true"));
        assert_close(&found.values, &[2.0, 3.0, 3.0], 1e-6);
        assert_eq!(found.forward_passes, 9);
    }

    #[test]
    fn random_coalitions_come_near_and_say_how_near() {
        let question = Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "elements");
        let found = explained(&question.with("samples", "2000"));
        let error = found.standard_error.unwrap().values;
        for (value, (expected, error)) in found.values.iter().zip([2.0, 3.0, 3.0].into_iter().zip(&error)) {
            assert!((value - expected).abs() < 4.0 * error, "{value}, not {expected} within {error}");
        }
        assert!(error.iter().all(|error| (0.01..0.2).contains(error)), "{error:?}");
        assert_eq!(found.forward_passes, 2001);
    }

    #[test]
    fn too_many_regions_to_enumerate_are_refused() {
        let question = Question::new(linear(&[17]), &[1.0; 17]).with("regions", "elements").with("exact", "true");
        assert!(pollster::block_on(Banzhaf.explain(&question.context())).is_err());
    }
}
