//! Sobol indices: how much of the target's variance over random soft masks is due to each region, alone or together with
//! others.
//!
//! Thomas Fel, Remi Cadene, Mathieu Chalvidal, Matthieu Cord, David Vigouroux, Thomas Serre: Look at the Variance! Efficient
//! Black-box Explanations with Sobol-based Sensitivity Analysis. NeurIPS 2021. Estimators: Andrea Saltelli, Paola Annoni,
//! Ivano Azzini, Francesca Campolongo, Marco Ratto, Stefano Tarantola: Variance based sensitivity analysis of model output.
//! Computer Physics Communications 2010.
//!
//! Ratio estimators: William G. Cochran: Sampling Techniques. Wiley 1977, chapter 6.
//!
//! Two designs A and B of masks with values from 0 to 1 are drawn; for each region there is a third that is A with the region's
//! column from B. Readings: a region is one cell of a grid, enlarged without smoothing; what is masked fades into the infill,
//! black in pixel space by default, where the authors multiply the normalised tensor (`infill=zero`). Indices tell how much, not
//! in which direction: they have no sign.

use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    budget::Budget,
    design::{Design, Sequence},
    game::{Estimate, FEW, Game, GameOptions, Moments, passes},
    options::{choices, integer, options},
    regions::Regions,
};

choices! {
    /// Which part of the variance a region gets.
    pub enum Order {
        /// All in which it has a hand, alone or with others.
        Total = "total",
        /// What it causes alone.
        First = "first",
        /// The total minus the first: what it causes together with others.
        Interactions = "interactions",
    }
}

choices! {
    /// How the total is estimated.
    pub enum Estimator {
        /// Jansen's, relative to the mean squared step by which the region was changed, whose expectation is known: less
        /// noise where a larger step makes a larger difference.
        Ratio = "ratio",
        /// Half the mean squared difference that a change of the region makes (Jansen 1999).
        Jansen = "jansen",
        /// The variance that is not shared by runs that differ in the region alone (Homma, Saltelli 1996).
        HommaSaltelli = "homma-saltelli",
        /// The same with mean and variance of both runs pooled (Janon, Klein, Lagnoux, Nodet, Prieur 2014).
        Janon = "janon",
        /// One minus the correlation of both runs (Glen, Isaacs 2012).
        Glen = "glen",
    }
}

options! {
    /// Options of [`Sobol`].
    pub struct SobolOptions {
        /// How many masks each design has: this many passes times the number of regions plus two. Powers of 2 fill the space
        /// best.
        designs: usize [integer(2, 65_536)] = 32,
        /// Which part of the variance a region gets.
        order: Order [Order::kind()] = Order::Total,
        /// How the total is estimated. The first order is always estimated by Saltelli's formula of 2010.
        estimator: Estimator [Estimator::kind()] = Estimator::Ratio,
        /// How masks are spread.
        sequence: Sequence [Sequence::kind()] = Sequence::Sobol,
        ..game: GameOptions,
        ..budget: Budget,
    }
}

/// Sobol attribution (Fel et al. 2021).
///
/// `Attribution::values` has the input's shape; every element of a region has the region's index, from 0 to about 1.
pub struct Sobol;

impl Explainer for Sobol {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "sobol".to_owned(),
            name: "Sobol Indices".to_owned(),
            family: Family::Sampling,
            summary: "Fades parts of the image in and out at random and asks how much of the answer's ups and downs each part \
                      causes. It finds parts that matter in either direction and does not tell which."
                .to_owned(),
            reference: Reference {
                authors: "Thomas Fel, Remi Cadene, Mathieu Chalvidal, Matthieu Cord, David Vigouroux, Thomas Serre"
                    .to_owned(),
                year: 2021,
                title: "Look at the Variance! Efficient Black-box Explanations with Sobol-based Sensitivity Analysis"
                    .to_owned(),
                venue: "NeurIPS".to_owned(),
            },
            needs: vec![Need::Forward],
            parameters: SobolOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = SobolOptions::parse(context.parameters)?;
        let regions = Regions::expected(context, &options.game.regions)?;
        Ok(passes(options.designs * (regions + 2)))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move { explain(context, SobolOptions::parse(context.parameters)?, None).await })
    }
}

impl Sobol {
    /// Sobol indices with masks of the caller's own: of each design point a number from 0 to 1 for every region in A, then one
    /// for every region in B. The parameters that say how they are drawn are not used.
    ///
    /// # Errors
    /// As [`Explainer::explain`].
    pub async fn explain_with_designs(context: &Context<'_>, points: &[f32]) -> Result<Attribution, ExplainError> {
        let options = SobolOptions::parse(context.parameters)?;
        let designs = points.len() / (2 * Regions::of(context, &options.game.regions).await?.count);
        explain(context, SobolOptions { designs, ..options }, Some(points)).await
    }
}

async fn explain(
    context: &Context<'_>,
    options: SobolOptions,
    given: Option<&[f32]>,
) -> Result<Attribution, ExplainError> {
    let start = Game::start(context, &options.game, |players| Ok(options.designs * (players + 2)));
    let mut game = start.await?;
    let players = game.players();
    let design = match given {
        Some(points) => Design::given(points, 2 * players),
        None => Design::new(options.sequence, context.seed, options.designs, 2 * players),
    };
    let mut indices = Indices::new(players, game.whole(), options.order, options.estimator);
    let mask = |index: usize| mask(&design, index, players);
    game.play(options.designs * (players + 2), &options.budget, &mask, &mut indices).await?;
    let unvaried = indices.variance() == 0.0;
    let mut found = game.finish(&indices)?;
    if unvaried {
        found.notes.push("The target is the same behind every mask, so there is no variance to share.".to_owned());
    }
    Ok(Attribution { parameters: options.values(), ..found })
}

/// The masks, design point by design point: that of A, that of B, then A with one region from B each.
pub(super) fn mask(design: &Design, index: usize, players: usize) -> Vec<f32> {
    let mut a = design.point(index / (players + 2));
    let b = a.split_off(players);
    match index % (players + 2) {
        0 => a,
        1 => b,
        kind => {
            a[kind - 2] = b[kind - 2];
            a
        }
    }
}

/// Running sums that every estimator is made of.
pub(super) struct Indices {
    order: Order,
    estimator: Estimator,
    /// Subtracted from everything, so that a large common part does not eat the digits.
    origin: f64,
    /// Of the design point at hand: the target behind A, B and each A with a region from B.
    point: Vec<f64>,
    /// A, and after its second run the squared step from A to B, of each region.
    steps: Vec<f64>,
    points: f64,
    a: f64,
    b: f64,
    aa: f64,
    bb: f64,
    ab: f64,
    regions: Vec<OfRegion>,
}

/// Sums over the runs C of A with the region from B.
#[derive(Clone, Default)]
struct OfRegion {
    c: f64,
    cc: f64,
    ac: f64,
    bc: f64,
    /// Squares of A - C.
    changes: Moments,
    /// Sums over the squared steps of the region's mask that made them.
    steps: Steps,
}

/// Sums over pairs of a squared step and the squared change that it makes.
#[derive(Clone, Copy, Default)]
struct Steps {
    step: f64,
    step_step: f64,
    step_change: f64,
    change: f64,
    change_change: f64,
}

impl Steps {
    /// What a squared step is on average, between two uniform numbers from 0 to 1.
    const EXPECTED: f64 = 1.0 / 6.0;

    fn add(&mut self, step: f64, change: f64) {
        self.step += step;
        self.step_step += step * step;
        self.step_change += step * change;
        self.change += change;
        self.change_change += change * change;
    }

    /// The change to expect: as much per step as was found.
    fn mean(&self) -> f64 {
        if self.step > 0.0 { Self::EXPECTED * self.change / self.step } else { 0.0 }
    }

    /// Standard error of that after `count` pairs, by what the proportion leaves of each change (Cochran 1977, 6.3).
    fn error(&self, count: f64) -> f64 {
        let slope = self.change / self.step;
        let left = self.change_change - slope * (2.0 * self.step_change - slope * self.step_step);
        Self::EXPECTED * (left.max(0.0) * count / (count - 1.0)).sqrt() / self.step
    }
}

impl Indices {
    pub(super) fn new(players: usize, origin: f64, order: Order, estimator: Estimator) -> Indices {
        let (regions, point, steps) = (vec![OfRegion::default(); players], Vec::new(), Vec::new());
        let [points, a, b, aa, bb, ab] = [0.0; 6];
        Indices { order, estimator, origin, point, steps, points, a, b, aa, bb, ab, regions }
    }

    /// Variance of the target over both designs.
    pub(super) fn variance(&self) -> f64 {
        let mean = (self.a + self.b) / (2.0 * self.points);
        ((self.aa + self.bb) / (2.0 * self.points) - mean * mean).max(0.0)
    }

    fn index(&self, region: &OfRegion) -> f64 {
        match self.order {
            Order::Total => self.total(region),
            Order::First => self.first(region),
            Order::Interactions => self.total(region) - self.first(region),
        }
    }

    fn total(&self, region: &OfRegion) -> f64 {
        let n = self.points;
        let (a, c) = (self.a / n, region.c / n);
        let part = |shared: f64, variance: f64| if variance > 0.0 { 1.0 - shared / variance } else { 0.0 };
        match self.estimator {
            Estimator::Ratio => region.steps.mean() / 2.0 / self.variance(),
            Estimator::Jansen => region.changes.mean / 2.0 / self.variance(),
            Estimator::HommaSaltelli => part(region.ac / n - a * a, self.aa / n - a * a),
            Estimator::Janon => {
                let mean = (a + c) / 2.0;
                part(region.ac / n - mean * mean, (self.aa + region.cc) / (2.0 * n) - mean * mean)
            }
            Estimator::Glen => {
                let variances = (self.aa / n - a * a) * (region.cc / n - c * c);
                part(region.ac / n - a * c, variances.max(0.0).sqrt())
            }
        }
    }

    fn first(&self, region: &OfRegion) -> f64 {
        (region.bc - self.ab) / self.points / self.variance()
    }
}

impl Estimate for Indices {
    fn add(&mut self, _: usize, members: &[f32], worth: f64) {
        match self.point.len() {
            0 => self.steps = members.iter().copied().map(f64::from).collect(),
            1 => self.steps.iter_mut().zip(members).for_each(|(a, b)| *a = (*a - f64::from(*b)).powi(2)),
            _ => {}
        }
        self.point.push(worth - self.origin);
        if self.point.len() < self.regions.len() + 2 {
            return;
        }
        let point = std::mem::take(&mut self.point);
        let [a, b, runs @ ..] = &point[..] else { return };
        self.points += 1.0;
        self.a += a;
        self.b += b;
        self.aa += a * a;
        self.bb += b * b;
        self.ab += a * b;
        for ((region, c), step) in self.regions.iter_mut().zip(runs).zip(&self.steps) {
            region.c += c;
            region.cc += c * c;
            region.ac += a * c;
            region.bc += b * c;
            region.changes.add((a - c) * (a - c));
            region.steps.add(*step, (a - c) * (a - c));
        }
    }

    fn values(&self) -> Vec<f64> {
        let is_constant = self.variance() == 0.0;
        self.regions.iter().map(|region| if is_constant { 0.0 } else { self.index(region) }).collect()
    }

    /// That of the mean change; how the variance scatters is left out.
    fn errors(&self) -> Option<Vec<f64>> {
        let error = |region: &OfRegion| match self.estimator {
            Estimator::Ratio if self.points >= FEW as f64 => region.steps.error(self.points),
            Estimator::Jansen => region.changes.error(),
            _ => f64::NAN,
        };
        let known = self.order == Order::Total && self.variance() > 0.0;
        let errors: Vec<f64> = self.regions.iter().map(|region| error(region) / 2.0 / self.variance()).collect();
        (known && errors.iter().all(|error| error.is_finite())).then_some(errors)
    }

    fn is_whole(&self, _: usize) -> bool {
        self.points > 1.0
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::testing::{Question, assert_close, product};

    /// The indices of a function of the unit cube, from `designs` points.
    fn indices(function: &dyn Fn(&[f64]) -> f64, players: usize, order: Order, estimator: Estimator) -> Vec<f64> {
        const POINTS: usize = 8192;
        let design = Design::new(Sequence::Sobol, 1, POINTS, 2 * players);
        let mut indices = Indices::new(players, 0.5, order, estimator);
        for index in 0..POINTS * (players + 2) {
            let members = mask(&design, index, players);
            indices.add(index, &members, function(&members.iter().copied().map(f64::from).collect::<Vec<_>>()));
        }
        indices.values()
    }

    fn near(found: &[f64], expected: &[f64]) {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.02), "{found:?}, not {expected:?}");
    }

    /// Ishigami and Homma (1990): sin x + 7 sin^2 y + 0.1 z^4 sin x on [-pi, pi]^3, whose variance is known in parts: x alone
    /// 1/2 (1 + 0.1 pi^4 / 5)^2, y alone 49 / 8, x with z 0.01 pi^8 (1/18 - 1/50).
    /// Of 2 x + y (y is the second region), a ratio has no noise from the steps, and the errors told of x y, of which slopes
    /// vary, are those seen over 300 runs, within a fifth.
    #[test]
    fn a_ratio_is_less_noisy_and_its_errors_are_those_seen() {
        const POINTS: usize = 32;
        const RUNS: u64 = 300;
        let runs = |function: &dyn Fn(&[f32]) -> f32, estimator: Estimator| {
            let (mut totals, mut told) = (Moments::default(), 0.0);
            for seed in 0..RUNS {
                let design = Design::new(Sequence::Random, seed, POINTS, 4);
                let mut indices = Indices::new(2, 0.0, Order::Total, estimator);
                for index in 0..4 * POINTS {
                    let members = mask(&design, index, 2);
                    indices.add(index, &members, f64::from(function(&members)));
                }
                // Without the scatter of the variance that both share.
                totals.add(indices.values()[0] * indices.variance());
                told += indices.errors().unwrap()[0] * indices.variance() / RUNS as f64;
            }
            (totals.mean, totals.error() * (RUNS as f64).sqrt(), told)
        };
        let sum: &dyn Fn(&[f32]) -> f32 = &|x| 2.0 * x[0] + x[1];
        let (mean, seen, _) = runs(sum, Estimator::Ratio);
        assert!((mean - 4.0 / 12.0).abs() < 1e-6 && seen < 1e-6, "{mean}, {seen}");
        assert!(runs(sum, Estimator::Jansen).1 > 0.05);
        for estimator in [Estimator::Ratio, Estimator::Jansen] {
            // Of x y the total of x is the variance of x times the mean of y squared.
            let (mean, seen, told) = runs(&|x| x[0] * x[1], estimator);
            assert!((mean - 1.0 / 36.0).abs() < 0.002, "{estimator:?}: {mean}");
            assert!((told / seen - 1.0).abs() < 0.2, "{estimator:?}: told {told}, seen {seen}");
        }
    }

    #[test]
    fn ishigamis_function_has_the_indices_known_for_it() {
        let function = |point: &[f64]| {
            let [x, y, z] = [0, 1, 2].map(|axis: usize| (2.0 * point[axis] - 1.0) * PI);
            x.sin() + 7.0 * y.sin().powi(2) + 0.1 * z.powi(4) * x.sin()
        };
        let (x, y) = (0.5 * (1.0 + 0.1 * PI.powi(4) / 5.0).powi(2), 49.0 / 8.0);
        let both = 0.01 * PI.powi(8) * (1.0 / 18.0 - 1.0 / 50.0);
        let parts = |parts: [f64; 3]| parts.map(|part| part / (x + y + both));
        for estimator in Estimator::ALL {
            near(&indices(&function, 3, Order::Total, *estimator), &parts([x + both, y, both]));
        }
        near(&indices(&function, 3, Order::First, Estimator::Jansen), &parts([x, y, 0.0]));
        near(&indices(&function, 3, Order::Interactions, Estimator::Jansen), &parts([both, 0.0, both]));
    }

    /// Sobol's g-function: the product of (|4 x - 2| + a) / (1 + a) for a = 0, 1, 4.5, 9; V_i = 1 / (3 (1 + a)^2), and the whole
    /// variance is the product of 1 + V_i, less 1.
    #[test]
    fn the_g_function_has_the_indices_known_for_it() {
        const A: [f64; 4] = [0.0, 1.0, 4.5, 9.0];
        let function =
            |point: &[f64]| point.iter().zip(A).map(|(x, a)| ((4.0 * x - 2.0).abs() + a) / (1.0 + a)).product::<f64>();
        let alone = A.map(|a| 1.0 / (3.0 * (1.0 + a) * (1.0 + a)));
        let whole = alone.iter().map(|part| 1.0 + part).product::<f64>() - 1.0;
        near(&indices(&function, 4, Order::First, Estimator::Jansen), &alone.map(|part| part / whole));
        let total = alone.map(|part| part * (whole + 1.0) / (1.0 + part) / whole);
        for estimator in Estimator::ALL {
            near(&indices(&function, 4, Order::Total, *estimator), &total);
        }
    }

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(Sobol.explain(&question.context())).unwrap()
    }

    /// 2 x + y z at (a, b, c), masked by u, v, w: 2 a u + b c v w with variances a^2 / 3 and (b c)^2 (1/9 - 1/16), of which v alone
    /// has a part of (b c)^2 / 48.
    #[test]
    fn a_model_gets_the_indices_of_its_masks() {
        let question = Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "elements").with("designs", "4096");
        let (alone, together, one) = (1.0 / 3.0, 36.0 * (1.0 / 9.0 - 1.0 / 16.0), 36.0 / 48.0);
        let total = (together - one) / (alone + together);
        let found = explained(&question);
        assert_close(&found.values, &[alone / (alone + together), total, total].map(|part| part as f32), 0.02);
        assert_eq!(found.forward_passes, 4096 * 5 + 1);
        let error = found.standard_error.unwrap().values;
        // x changes the target in proportion to its step, which leaves a ratio nothing to scatter.
        assert!(error[0] < 1e-6 && error[1..].iter().all(|error| (1e-4..0.02).contains(error)), "{error:?}");
    }

    #[test]
    fn a_model_that_never_changes_its_answer_gets_zeros() {
        let question = Question::new(crate::testing::unconnected(), &[0.25, 0.5]).with("regions", "elements");
        let found = explained(&question);
        assert_eq!(found.values, [0.0, 0.0]);
        assert!(found.notes.iter().any(|note| note.contains("no variance")), "{:?}", found.notes);
    }
}
