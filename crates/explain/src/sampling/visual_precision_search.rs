//! Visual precision search: regions in the order in which they raise most what is seen in them and lower most what is left
//! without them.
//!
//! Ruoyu Chen, Siyuan Liang, Jingzhi Li, Shiming Liu, Maosen Li, Zhen Huang, Hua Zhang, Xiaochun Cao: Interpreting Object-level
//! Foundation Models via Visual Precision Search. CVPR 2025.
//!
//! A set S of regions is worth the target where S alone is seen, the clue, minus the target where S is removed, the
//! collaboration. The first region of the order has the sum of all gains, and each next one has less by its own gain's
//! magnitude. Readings and departures: the paper's score is a detector's, the best overlap with a box times its probability; here
//! it is any target, and a box is one (a probability such as `prob:auto` lies between 0 and 1 as the paper's score does);
//! constants that gains do not depend on are left out, and so is scaling. A lazy search saves passes; the function need not be
//! submodular, and then its order may differ a little.

use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture, TimeLimit,
    game::{Game, SegmentOptions, passes},
    greedy::{SetFunction, Taken, most_sets, take_all},
    options::options,
    regions::Regions,
};

options! {
    /// Options of [`VisualPrecisionSearch`].
    pub struct VisualPrecisionSearchOptions {
        /// Whether a step looks again only at regions whose gain at a former step was no worse than the best. It saves many of
        /// the forward passes, of which the cost then is the most there can be.
        lazy: bool [ParameterKind::Boolean] = true,
        ..game: SegmentOptions,
        ..time: TimeLimit,
    }
}

/// Visual precision search (Chen et al. 2025).
///
/// `Attribution::values` has the input's shape; every element of a region has the region's value, 0 or more.
pub struct VisualPrecisionSearch;

impl Explainer for VisualPrecisionSearch {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "visual-precision-search".to_owned(),
            name: "Visual Precision Search".to_owned(),
            family: Family::Sampling,
            summary: "Collects parts of the image one by one, always the one that helps the answer most where it is seen and \
                      harms it most where it is hidden. It finds small sets of parts that suffice, with many passes."
                .to_owned(),
            reference: Reference {
                authors: "Ruoyu Chen, Siyuan Liang, Jingzhi Li, Shiming Liu, Maosen Li, Zhen Huang, Hua Zhang, Xiaochun Cao"
                    .to_owned(),
                year: 2025,
                title: "Interpreting Object-level Foundation Models via Visual Precision Search".to_owned(),
                venue: "CVPR".to_owned(),
            },
            needs: vec![Need::Forward],
            parameters: VisualPrecisionSearchOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = VisualPrecisionSearchOptions::parse(context.parameters)?;
        Ok(passes(2 * most_sets(Regions::expected(context, &options.game.game(context).regions)?)))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = VisualPrecisionSearchOptions::parse(context.parameters)?;
            let game = Game::start(context, &options.game.game(context), |players| Ok(2 * most_sets(players))).await?;
            let players = game.players();
            let mut precision = Precision { game };
            let taken = take_all(&mut precision, players, options.lazy, &options.time.clock()).await?;
            precision.game.note_of_search(taken.len(), &options.time);
            let values = falling(&taken, players);
            Ok(Attribution { parameters: options.values(), ..precision.game.attribution(&values, None)? })
        })
    }
}

struct Precision<'a> {
    game: Game<'a>,
}

impl SetFunction for Precision<'_> {
    fn values<'a>(&'a mut self, sets: Vec<Vec<f32>>) -> LocalBoxFuture<'a, Result<Vec<f64>, ExplainError>> {
        Box::pin(async move {
            let both: Vec<Vec<f32>> = sets.into_iter().flat_map(with_complement).collect();
            let worths = self.game.worths(&both).await?;
            let difference = |pair: &[f64]| pair.iter().copied().reduce(|seen, rest| seen - rest).unwrap_or(f64::NAN);
            Ok(worths.chunks(2).map(difference).collect())
        })
    }

    fn show(&self, taken: &[Taken]) {
        self.game.show(&falling(taken, self.game.players()));
    }
}

/// A set, and all regions outside it.
pub(super) fn with_complement(set: Vec<f32>) -> [Vec<f32>; 2] {
    let rest = set.iter().map(|member| 1.0 - member).collect();
    [set, rest]
}

/// The sum of all gains' magnitudes for the first region that was taken, and less by its own gain for each next one; zero for
/// those not taken yet.
fn falling(taken: &[Taken], players: usize) -> Vec<f64> {
    let mut values = vec![0.0; players];
    let mut level: f64 = taken.iter().map(|taken| taken.gain.abs()).sum();
    for (step, taken) in taken.iter().enumerate() {
        if step > 0 {
            level -= taken.gain.abs();
        }
        values[taken.region] = level;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, four_players, product};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(VisualPrecisionSearch.explain(&question.context())).unwrap()
    }

    /// 2 x + y z at (1, 2, 3): F(x) = 2 - 6 and F(y) = F(z) = 0 - 2, where F of nothing is -8: y gains 6 and comes first, before
    /// z by its number. Then F(y, z) = 6 - 2 and F(x, y) = 2 - 0: z gains 6, and x at last 4. So y has 16, z 10 and x 6.
    #[test]
    fn regions_come_in_the_order_of_what_they_add() {
        let question = Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "elements").with("lazy", "false");
        let found = explained(&question);
        assert_close(&found.values, &[6.0, 16.0, 10.0], 1e-5);
        assert_eq!(found.forward_passes, 1 + 2 * 7);
    }

    /// The first step's 4 sets and that of none: the region that is taken has its own gain, the others nothing.
    #[test]
    fn a_search_that_runs_out_of_time_keeps_what_it_has_taken() {
        let question = Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "elements");
        let found = explained(&question.with("max-seconds", "0.000000001"));
        assert_close(&found.values, &[0.0, 6.0, 0.0], 1e-5);
        assert_eq!(found.forward_passes, 1 + 2 * 4);
        let note = "It ended after 1 of 3 regions, as max-seconds was reached. Regions that were not taken have 0.";
        assert_eq!(found.notes.last().unwrap(), note);
    }

    #[test]
    fn a_lazy_search_runs_no_more_than_the_whole_one() {
        let lazy = explained(&four_players().with("lazy", "true"));
        let whole = explained(&four_players().with("lazy", "false"));
        assert!(lazy.forward_passes <= whole.forward_passes);
        assert_close(&lazy.values, &whole.values, 1e-6);
    }
}
