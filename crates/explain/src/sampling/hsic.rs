//! HSIC attribution: how strongly the target depends on whether a region is kept, measured by the Hilbert-Schmidt
//! independence criterion over random masks.
//!
//! Paul Novello, Thomas Fel, David Vigouroux: Making Sense of Dependence: Efficient Black-box Explanations Using Dependence
//! Measure. NeurIPS 2022.
//!
//! Readings: masks are Latin hypercube points, kept where above a half, so each region is kept in half of the masks; the kernel
//! of a region is 1/2 - (a - b)^2, as in the authors' program, and that of the target's values a Gaussian whose width is the median of
//! their distances. The estimator is the biased one with the factor 1 / (n - 1)^2. The indices are divided by the criterion of the
//! target with itself and with the region with itself, square root of the product, so that 1 means that the region alone decides; `normalised=false` leaves them as
//! they are. All pairs of masks are compared, so the work on the host grows with the square of their number.

use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    budget::{Budget, TimeLimit},
    design::{Design, Sequence},
    game::{Estimate, Game, GameOptions, passes},
    options::{integer, options},
    regions::Regions,
};

options! {
    /// Options of [`Hsic`].
    pub struct HsicOptions {
        /// How many masks, each one forward pass.
        masks: usize [integer(4, 5000)] = 500,
        /// How masks are spread.
        sequence: Sequence [Sequence::kind()] = Sequence::LatinHypercube,
        /// Whether the dependence is given as a part of the largest possible one, 0 to 1.
        normalised: bool [ParameterKind::Boolean] = true,
        ..game: GameOptions,
        ..time: TimeLimit,
    }
}

/// HSIC attribution (Novello, Fel, Vigouroux 2022).
///
/// `Attribution::values` has the input's shape; every element of a region has the region's index.
pub struct Hsic;

impl Explainer for Hsic {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "hsic".to_owned(),
            name: "HSIC Attribution".to_owned(),
            family: Family::Sampling,
            summary: "Hides random halves of the image and measures how much the answer depends on each part being there. It needs \
                      fewer samples than Sobol indices and, like them, does not tell the direction."
                .to_owned(),
            reference: Reference {
                authors: "Paul Novello, Thomas Fel, David Vigouroux".to_owned(),
                year: 2022,
                title: "Making Sense of Dependence: Efficient Black-box Explanations Using Dependence Measure".to_owned(),
                venue: "NeurIPS".to_owned(),
            },
            needs: vec![Need::Forward],
            parameters: HsicOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = HsicOptions::parse(context.parameters)?;
        Regions::expected(context, &options.game.regions)?;
        Ok(passes(options.masks))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move { explain(context, HsicOptions::parse(context.parameters)?, None).await })
    }
}

impl Hsic {
    /// The indices with masks of the caller's own: one number for each region of each mask, 1 where it is kept and 0 elsewhere.
    /// The parameters that say how they are drawn are not used.
    ///
    /// # Errors
    /// As [`Explainer::explain`].
    pub async fn explain_with_masks(context: &Context<'_>, masks: &[f32]) -> Result<Attribution, ExplainError> {
        let options = HsicOptions::parse(context.parameters)?;
        let count = masks.len() / Regions::of(context, &options.game.regions).await?.count;
        explain(context, HsicOptions { masks: count, ..options }, Some(masks)).await
    }
}

async fn explain(
    context: &Context<'_>,
    options: HsicOptions,
    given: Option<&[f32]>,
) -> Result<Attribution, ExplainError> {
    let mut game = Game::start(context, &options.game, |_| Ok(options.masks)).await?;
    let players = game.players();
    let design = match given {
        Some(masks) => Design::given(masks, players),
        None => Design::new(options.sequence, context.seed, options.masks, players),
    };
    let mask = |index: usize| {
        let keep = |at: f32| if at >= 0.5 { 1.0 } else { 0.0 };
        design.point(index).into_iter().map(keep).collect()
    };
    let mut seen = Seen { players, normalised: options.normalised, masks: Vec::new(), worth: Vec::new() };
    game.play(options.masks, &Budget::from(&options.time), &mask, &mut seen).await?;
    Ok(Attribution { parameters: options.values(), ..game.finish(&seen)? })
}

/// Masks and what the target was behind them.
struct Seen {
    players: usize,
    normalised: bool,
    masks: Vec<bool>,
    worth: Vec<f64>,
}

impl Estimate for Seen {
    fn add(&mut self, _: usize, members: &[f32], worth: f64) {
        self.masks.extend(members.iter().map(|member| *member > 0.0));
        self.worth.push(worth);
    }

    fn values(&self) -> Vec<f64> {
        let count = self.worth.len();
        let Some(outputs) = gaussian(&self.worth) else { return vec![0.0; self.players] };
        let outputs = centred(outputs, count);
        let own: f64 = outputs.iter().map(|value| value * value).sum();
        let scale = ((count - 1) * (count - 1)) as f64;
        let kept = |mask: usize, player: usize| self.masks[mask * self.players + player];
        let index = |player: usize| {
            // Of a kernel that is 1/2 for equal and -1/2 for different members, centred, only products of signs remain.
            let share = (0..count).filter(|mask| kept(*mask, player)).count() as f64 / count as f64;
            let sign: Vec<f64> = (0..count).map(|mask| f64::from(u8::from(kept(mask, player))) - share).collect();
            let row = |i: usize| {
                sign[i] * outputs[i * count..(i + 1) * count].iter().zip(&sign).map(|(a, b)| a * b).sum::<f64>()
            };
            let dependence = 2.0 * (0..count).map(row).sum::<f64>();
            let itself = 2.0 * sign.iter().map(|sign| sign * sign).sum::<f64>();
            match self.normalised {
                true if itself > 0.0 => dependence / (itself * own.sqrt()),
                true => 0.0,
                false => dependence / scale,
            }
        };
        (0..self.players).map(index).collect()
    }

    fn is_whole(&self, count: usize) -> bool {
        count >= 20
    }
}

/// A Gaussian kernel between all pairs of values, as wide as the median of their distances; nothing for values that are all
/// the same.
fn gaussian(values: &[f64]) -> Option<Vec<f64>> {
    let mut distances: Vec<f64> =
        values.iter().enumerate().flat_map(|(i, a)| values[..i].iter().map(move |b| (a - b).abs())).collect();
    // A median of zero, of values that are mostly the same, would leave nothing to compare.
    distances.retain(|distance| *distance > 0.0);
    if distances.is_empty() {
        return None;
    }
    let middle = distances.len() / 2;
    let (_, width, _) = distances.select_nth_unstable_by(middle, f64::total_cmp);
    let narrow = 0.5 / (*width * *width);
    Some(values.iter().flat_map(|a| values.iter().map(move |b| (-narrow * (a - b) * (a - b)).exp())).collect())
}

/// A symmetric table with the means of its rows and columns taken out.
fn centred(mut table: Vec<f64>, count: usize) -> Vec<f64> {
    let means: Vec<f64> = table.chunks(count).map(|row| row.iter().sum::<f64>() / count as f64).collect();
    let mean = means.iter().sum::<f64>() / count as f64;
    for (row, row_mean) in table.chunks_mut(count).zip(&means) {
        row.iter_mut().zip(&means).for_each(|(value, column_mean)| *value += mean - row_mean - column_mean);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, linear, product};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(Hsic.explain(&question.context())).unwrap()
    }

    /// The definition written out, trace(K H L H) / (n - 1)^2, for four masks of one region and a target of 0 and 1.
    #[test]
    fn the_index_is_the_trace_written_out() {
        let (masks, worth) = ([true, true, false, false], [1.0, 1.0, 0.0, 1.0]);
        let mut seen = Seen { players: 1, normalised: false, masks: Vec::new(), worth: Vec::new() };
        masks.iter().zip(worth).for_each(|(mask, worth)| seen.add(0, &[f32::from(u8::from(*mask))], worth));
        let kernel = |a: bool, b: bool| if a == b { 0.5 } else { -0.5 };
        let inputs: Vec<f64> = masks.iter().flat_map(|a| masks.iter().map(move |b| kernel(*a, *b))).collect();
        // All distances that are not zero are 1.
        let outputs = gaussian(&worth).unwrap();
        assert!((outputs[2] - (-0.5_f64).exp()).abs() < 1e-12 && outputs[1] == 1.0);
        let (inputs, outputs) = (centred(inputs, 4), centred(outputs, 4));
        let trace: f64 = inputs.iter().zip(&outputs).map(|(a, b)| a * b).sum();
        assert!((seen.values()[0] - trace / 9.0).abs() < 1e-12, "{:?}, not {}", seen.values(), trace / 9.0);
    }

    #[test]
    fn a_region_that_alone_decides_has_all_the_dependence() {
        // Only the first of the inputs counts.
        let question = Question::new(product(), &[2.0, 1.0, 0.0]).with("regions", "elements");
        let found = explained(&question);
        assert!((found.values[0] - 1.0).abs() < 1e-3, "{:?}", found.values);
        assert!(found.values[1..].iter().all(|value| value.abs() < 0.02), "{:?}", found.values);
    }

    #[test]
    fn a_model_that_never_changes_its_answer_gets_zeros() {
        let question = Question::new(linear(&[3]), &[0.0; 3]).with("regions", "elements").with("infill", "zero");
        assert_eq!(explained(&question).values, [0.0; 3]);
    }
}
