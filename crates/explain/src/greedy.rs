//! Regions put in order: at each step the one that raises a function of sets most.

use crate::{ExplainError, LocalBoxFuture, budget::Clock};

/// A function of sets of regions.
pub(crate) trait SetFunction {
    /// Its value for each of some sets, given by one number per region: 1 for a member, 0 for any other.
    fn values<'a>(&'a mut self, sets: Vec<Vec<f32>>) -> LocalBoxFuture<'a, Result<Vec<f64>, ExplainError>>;

    /// Shows the regions that have been taken, of all of them.
    fn show(&self, taken: &[Taken]);
}

/// A region that was taken.
pub(crate) struct Taken {
    pub(crate) region: usize,
    /// By how much it raised the function.
    pub(crate) gain: f64,
}

/// How many sets are evaluated at most.
pub(crate) fn most_sets(regions: usize) -> usize {
    1 + regions * (regions + 1) / 2
}

/// Takes all regions one after the other, or as many as the time allows; of equals the one of the smaller number. A lazy search keeps the gains of former
/// steps as bounds, and looks again only at regions whose bound is not below the best gain (Minoux 1978): if the function is
/// submodular, so that gains never grow, the order is the same.
pub(crate) async fn take_all(
    function: &mut dyn SetFunction,
    regions: usize,
    lazy: bool,
    clock: &Clock,
) -> Result<Vec<Taken>, ExplainError> {
    /// Regions that a lazy search looks at together, however large batches are.
    const TOGETHER: usize = 4;
    let mut set = vec![0.0; regions];
    let mut value = function.values(vec![set.clone()]).await?.first().copied().unwrap_or(f64::NAN);
    let mut left: Vec<Taken> = (0..regions).map(|region| Taken { region, gain: f64::INFINITY }).collect();
    let mut taken: Vec<Taken> = Vec::with_capacity(regions);
    while !left.is_empty() {
        // The first `known` have been looked at in this step; the others come by their bounds.
        let (mut known, mut best) = (0, 0);
        while known < left.len() {
            left[known..].sort_by(|a, b| b.gain.total_cmp(&a.gain).then(a.region.cmp(&b.region)));
            if lazy && known > 0 && left[known].gain < left[best].gain {
                break;
            }
            let is_first_step = taken.is_empty() || !lazy;
            let end = if is_first_step { left.len() } else { (known + TOGETHER).min(left.len()) };
            let sets = left[known..end].iter().map(|candidate| with(&set, candidate.region)).collect();
            let values = function.values(sets).await?;
            left[known..end].iter_mut().zip(values).for_each(|(candidate, with)| candidate.gain = with - value);
            let better = |a: usize, b: usize| {
                left[a].gain.total_cmp(&left[b].gain).then(left[b].region.cmp(&left[a].region)).is_gt()
            };
            best = (known..end).fold(best, |best, next| if better(next, best) { next } else { best });
            known = end;
        }
        let chosen = left.remove(best);
        set = with(&set, chosen.region);
        value += chosen.gain;
        taken.push(chosen);
        let tenth = |count: usize| count * 10 / regions;
        if !left.is_empty() && tenth(taken.len()) > tenth(taken.len() - 1) {
            function.show(&taken);
        }
        if clock.is_over() {
            break;
        }
    }
    Ok(taken)
}

fn with(set: &[f32], region: usize) -> Vec<f32> {
    let mut set = set.to_vec();
    set[region] = 1.0;
    set
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::TimeLimit;

    /// How many places some regions cover together: gains never grow.
    struct Cover {
        of_regions: Vec<Vec<usize>>,
        looked: usize,
        shown: std::cell::Cell<usize>,
    }

    impl SetFunction for Cover {
        fn values<'a>(&'a mut self, sets: Vec<Vec<f32>>) -> LocalBoxFuture<'a, Result<Vec<f64>, ExplainError>> {
            self.looked += sets.len();
            let covered = |set: &Vec<f32>| {
                let members = set.iter().zip(&self.of_regions).filter(|(member, _)| **member > 0.0);
                members.flat_map(|(_, places)| places).collect::<BTreeSet<_>>().len() as f64
            };
            Box::pin(std::future::ready(Ok(sets.iter().map(covered).collect())))
        }

        fn show(&self, _: &[Taken]) {
            self.shown.set(self.shown.get() + 1);
        }
    }

    fn ordered(of_regions: Vec<Vec<usize>>, lazy: bool) -> (Vec<usize>, Vec<f64>, Cover) {
        let count = of_regions.len();
        let mut cover = Cover { of_regions, looked: 0, shown: Default::default() };
        let clock = TimeLimit::default().clock();
        let taken = pollster::block_on(take_all(&mut cover, count, lazy, &clock)).unwrap();
        let gains = taken.iter().map(|taken| taken.gain).collect();
        (taken.iter().map(|taken| taken.region).collect(), gains, cover)
    }

    #[test]
    fn each_step_takes_what_covers_most_of_the_rest() {
        // The largest, then 5 and 6, of which the second has but one left, then nothing new by number.
        let regions = vec![vec![1, 2], vec![5, 6], vec![1, 2, 3, 4], vec![6, 7]];
        let (order, gains, cover) = ordered(regions, false);
        assert_eq!((order, gains), (vec![2, 1, 3, 0], vec![4.0, 2.0, 1.0, 0.0]));
        assert_eq!((cover.looked, cover.shown.get()), (most_sets(4), 3));
    }

    #[test]
    fn a_lazy_search_finds_the_same_order_with_fewer_looks() {
        let regions: Vec<Vec<usize>> = (0..40)
            .map(|region| (0..3 + region * 7 % 11).map(|place| (region * 13 + place * 5) % 101).collect())
            .collect();
        let (slow, slow_gains, all) = ordered(regions.clone(), false);
        let (order, gains, few) = ordered(regions, true);
        assert_eq!((order, gains), (slow, slow_gains));
        assert!(few.looked < all.looked * 3 / 4, "{} of {}", few.looked, all.looked);
        assert_eq!(all.looked, most_sets(40));
    }
}
