//! LIME: a weighted linear surrogate of the target over random coalitions of regions, those nearer to the whole picture
//! counting more; its coefficients are the map.
//!
//! Marco Tulio Ribeiro, Sameer Singh, Carlos Guestrin: "Why Should I Trust You?": Explaining the Predictions of Any
//! Classifier. KDD 2016. Stratified sampling: Rashid, Amparore, Ferrari, Verda: Using Stratified Sampling to Improve LIME
//! Image Explanations. AAAI 2024.
//!
//! Readings and departures: the weight of a coalition is sqrt(exp(-d^2 / width^2)), as in the authors' program (Captum takes
//! no root); the first sample is the whole picture, as there. With `sampling=stratified` each number of kept regions is drawn
//! equally often and weighted back by how often a random half has it, so that the fit aims at the same surrogate but sees far
//! coalitions too. How well the surrogate fits is always told: a low R2 means that no sum of parts explains the answer.

use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    budget::Budget,
    game::{Estimate, Game, GameOptions, passes},
    options::{choices, integer, number, options},
    random::{Purpose, Random},
    regions::Regions,
    regression::{Fit, Penalty, Sums},
};

choices! {
    /// How far a coalition is from the whole picture.
    pub enum Distance {
        /// One minus the cosine between the coalition and the whole, as in the authors' program.
        Cosine = "cosine",
        /// The root of the number of removed regions, as in Xplique; it wants a larger width.
        Euclidean = "euclidean",
    }
}

choices! {
    /// What keeps the surrogate's coefficients small.
    pub enum Surrogate {
        /// A penalty on their squares, as in the authors' program.
        Ridge = "ridge",
        /// A penalty on their absolute values, which makes many of them zero, as in Captum.
        Lasso = "lasso",
    }
}

choices! {
    /// How coalitions are drawn.
    pub enum Sampling {
        /// Each region is kept with the probability `keep`.
        Plain = "plain",
        /// Each number of kept regions is drawn equally often, and weighted back.
        Stratified = "stratified",
    }
}

options! {
    /// Options of [`Lime`].
    pub struct LimeOptions {
        /// How many coalitions, each one forward pass.
        samples: usize [integer(2, 1_000_000)] = 1000,
        /// How coalitions are drawn.
        sampling: Sampling [Sampling::kind()] = Sampling::Plain,
        /// Probability that a region is kept in a plainly drawn coalition.
        keep: f64 [number(0.01, 0.99)] = 0.5,
        /// How far a coalition is from the whole picture.
        distance: Distance [Distance::kind()] = Distance::Cosine,
        /// Distance at which a coalition counts exp(-1/2): small values look at small changes alone.
        kernel_width: f64 [number(0.001, 1000.0)] = 0.25,
        /// What keeps the coefficients small.
        surrogate: Surrogate [Surrogate::kind()] = Surrogate::Ridge,
        /// How strongly: as alpha of scikit-learn's Ridge and Lasso.
        alpha: f64 [number(0.0, 1_000_000.0)] = 1.0,
        ..game: GameOptions,
        ..budget: Budget,
    }
}

/// Most regions that a fit is made for: its work grows with their third power.
const MOST: usize = 1024;

/// LIME (Ribeiro, Singh, Guestrin 2016).
///
/// `Attribution::values` has the input's shape; every element of a region has the region's coefficient.
pub struct Lime;

impl Explainer for Lime {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "lime".to_owned(),
            name: "LIME".to_owned(),
            family: Family::Sampling,
            summary: "Hides random parts of the image and fits a simple weighted sum of parts to the answers. Look at the R2 it \
                      reports: when it is low, the simple sum does not describe the model."
                .to_owned(),
            reference: Reference {
                authors: "Marco Tulio Ribeiro, Sameer Singh, Carlos Guestrin".to_owned(),
                year: 2016,
                title: "\"Why Should I Trust You?\": Explaining the Predictions of Any Classifier".to_owned(),
                venue: "KDD".to_owned(),
            },
            needs: vec![Need::Forward],
            parameters: LimeOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = LimeOptions::parse(context.parameters)?;
        check(Regions::expected(context, &options.game.regions)?)?;
        Ok(passes(options.samples))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move { explain(context, LimeOptions::parse(context.parameters)?, None).await })
    }
}

impl Lime {
    /// LIME with coalitions of the caller's own: one number for each region of each coalition, 1 where it is kept and 0
    /// elsewhere. The parameters that say how they are drawn are not used.
    ///
    /// # Errors
    /// As [`Explainer::explain`].
    pub async fn explain_with_coalitions(
        context: &Context<'_>,
        coalitions: &[f32],
    ) -> Result<Attribution, ExplainError> {
        let options = LimeOptions::parse(context.parameters)?;
        let samples = coalitions.len() / Regions::of(context, &options.game.regions).await?.count;
        let options = LimeOptions { samples, sampling: Sampling::Plain, ..options };
        explain(context, options, Some(coalitions)).await
    }
}

async fn explain(
    context: &Context<'_>,
    options: LimeOptions,
    given: Option<&[f32]>,
) -> Result<Attribution, ExplainError> {
    let start = Game::start(context, &options.game, |players| check(players).map(|()| options.samples));
    let mut game = start.await?;
    let players = game.players();
    let mut fitted = Fitted::new(&options, players, game.whole());
    let draw = |index: usize| match given {
        Some(given) => given[index * players..][..players].to_vec(),
        None => draw(&options, context.seed, players, index),
    };
    game.play(options.samples, &options.budget, &draw, &mut fitted).await?;
    let r2 = match fitted.fit().and_then(|fit| fit.r2) {
        Some(r2) => format!("The surrogate's R2 is {r2:.3}: this part of the answers' variation is a sum of parts."),
        None => "The answers do not vary, so there is nothing to fit.".to_owned(),
    };
    let mut found = game.finish(&fitted)?;
    found.notes.push(r2);
    Ok(Attribution { parameters: options.values(), ..found })
}

fn check(players: usize) -> Result<(), ExplainError> {
    if players > MOST { Err(ExplainError::TooManyToFit { found: players, most: MOST }) } else { Ok(()) }
}

fn draw(options: &LimeOptions, seed: u64, players: usize, index: usize) -> Vec<f32> {
    if index == 0 {
        return vec![1.0; players];
    }
    let mut random = Random::new(seed, Purpose::Masks, index as u32);
    match options.sampling {
        Sampling::Plain => (0..players).map(|_| if random.chance(options.keep) { 1.0 } else { 0.0 }).collect(),
        Sampling::Stratified => {
            let size = (index - 1) % (players + 1);
            let mut members = vec![0.0; players];
            random.permutation(players)[..size].iter().for_each(|player| members[*player] = 1.0);
            members
        }
    }
}

struct Fitted {
    sums: Sums,
    penalty: Penalty,
    distance: Distance,
    width: f64,
    /// For each number of kept regions, how often plain sampling has it in relation to stratified sampling.
    shares: Option<Vec<f64>>,
    players: usize,
}

impl Fitted {
    fn new(options: &LimeOptions, players: usize, whole: f64) -> Fitted {
        let penalty = match options.surrogate {
            Surrogate::Ridge => Penalty::Ridge(options.alpha),
            Surrogate::Lasso => Penalty::Lasso(options.alpha),
        };
        let shares = (options.sampling == Sampling::Stratified).then(|| shares(players, options.keep));
        let sums = Sums::new(players, whole);
        Fitted { sums, penalty, distance: options.distance, width: options.kernel_width, shares, players }
    }

    fn fit(&self) -> Option<Fit> {
        self.sums.fit(self.penalty)
    }
}

/// The binomial distribution, times the number of sizes: 1 on average.
fn shares(players: usize, keep: f64) -> Vec<f64> {
    let odds = (keep / (1.0 - keep)).ln();
    // As logarithms, so that large numbers of regions do not overflow.
    let logarithms: Vec<f64> = (0..=players)
        .scan(0.0, |log, size| {
            if size > 0 {
                *log += ((players + 1 - size) as f64 / size as f64).ln() + odds;
            }
            Some(*log)
        })
        .collect();
    let largest = logarithms.iter().copied().fold(f64::MIN, f64::max);
    let parts: Vec<f64> = logarithms.iter().map(|log| (log - largest).exp()).collect();
    let sum: f64 = parts.iter().sum();
    parts.iter().map(|part| part * (players + 1) as f64 / sum).collect()
}

impl Estimate for Fitted {
    fn add(&mut self, _: usize, members: &[f32], worth: f64) {
        let kept = members.iter().filter(|member| **member > 0.0).count();
        let distance = match self.distance {
            Distance::Cosine => 1.0 - (kept as f64 / self.players as f64).sqrt(),
            Distance::Euclidean => ((self.players - kept) as f64).sqrt(),
        };
        let near = (-0.5 * (distance / self.width).powi(2)).exp();
        let share = self.shares.as_ref().and_then(|shares| shares.get(kept)).copied().unwrap_or(1.0);
        let x: Vec<f64> = members.iter().copied().map(f64::from).collect();
        self.sums.add(near * share, &x, worth);
    }

    fn values(&self) -> Vec<f64> {
        // Without any penalty, few samples may decide nothing: said when it is the result.
        self.fit().map_or_else(|| vec![f64::NAN; self.players], |fit| fit.coefficients)
    }

    fn errors(&self) -> Option<Vec<f64>> {
        match self.penalty {
            Penalty::Ridge(alpha) => self.sums.ridge_errors(alpha),
            Penalty::Lasso(_) => None,
        }
    }

    fn is_whole(&self, count: usize) -> bool {
        count > self.players
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight, product};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(Lime.explain(&question.context())).unwrap()
    }

    #[test]
    fn a_linear_model_is_its_own_surrogate() {
        let input: Vec<f32> = (0..6).map(|index| 1.0 + index as f32 * 0.3).collect();
        let question = Question::new(linear(&[6]), &input).target("0").with("alpha", "0").with("samples", "100");
        let expected: Vec<f32> = (0..6).map(|index| linear_weight(index, 0) * input[index]).collect();
        for sampling in ["plain", "stratified"] {
            let found = explained(&question.clone().with("regions", "elements").with("sampling", sampling));
            assert_close(&found.values, &expected, 1e-4);
            assert!(
                found.notes.iter().any(|note| note.starts_with("The surrogate's R2 is 1.000")),
                "{:?}",
                found.notes
            );
        }
    }

    /// 2 x + y z at (1, 2, 3) with all coalitions equally near and likely: the best plane has slopes 2, 3, 3 (the mean effect
    /// of each), which leave 6 (1/2 - a)(1/2 - b) - and so 36 / 16 of a variance of 1 + 36 * 3 / 16.
    #[test]
    fn an_interaction_lowers_the_r2() {
        let question = Question::new(product(), &[1.0, 2.0, 3.0]).with("regions", "elements").with("alpha", "0");
        let question = question.with("samples", "20000").with("kernel-width", "1000");
        let found = explained(&question);
        assert_close(&found.values, &[2.0, 3.0, 3.0], 0.03);
        let expected = 1.0 - (36.0 / 16.0) / (1.0 + 36.0 * 3.0 / 16.0);
        let note = found.notes.iter().find(|note| note.contains("R2")).unwrap();
        let r2: f64 = note.split_whitespace().find_map(|word| word.trim_end_matches(':').parse().ok()).unwrap();
        assert!((r2 - expected).abs() < 0.02, "{r2}, not {expected}");
    }

    #[test]
    fn stratified_samples_are_weighted_back_to_what_plain_ones_would_be() {
        // Of three regions kept by chances of a half: 1, 3, 3, 1 of 8, and four sizes equally often.
        let found = shares(3, 0.5);
        let expected = [0.5, 1.5, 1.5, 0.5];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        assert!(shares(1000, 0.3).iter().all(|share| share.is_finite()));
    }

    #[test]
    fn a_strong_lasso_leaves_the_important_region_alone() {
        let question = Question::new(product(), &[9.0, 1.0, 1.0]).with("regions", "elements").with("alpha", "1");
        let found = explained(&question.with("surrogate", "lasso").with("kernel-width", "1000"));
        assert!(found.values[0] > 10.0 && found.values[1..] == [0.0, 0.0], "{:?}", found.values);
    }

    #[test]
    fn a_model_that_never_changes_its_answer_gets_zeros() {
        let question = Question::new(crate::testing::unconnected(), &[0.25, 0.5]).with("regions", "elements");
        let found = explained(&question);
        assert_eq!(found.values, [0.0, 0.0]);
        assert!(found.notes.iter().any(|note| note.contains("nothing to fit")), "{:?}", found.notes);
    }
}
