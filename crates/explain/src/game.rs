//! The input as a game of its regions: each takes part or is replaced by the infill, and the target's value is what a
//! coalition of them is worth. What Shapley values, surrogates and sensitivity indices stand on.

use vitrine_protocol::ParameterKind;

use crate::{
    Attribution, Context, ExplainError, Infill,
    budget::Budget,
    options::options,
    regions::{Regions, RegionsSpec},
    sampler::{Masked, UNMASKED},
};

options! {
    /// What every method asks of the game.
    pub struct GameOptions {
        /// The parts that are kept or removed as a whole: grid:HxW, slic:N, felzenszwalb:SCALE, quickshift, watershed:N,
        /// elements (every input value its own), or a .npy file of whole numbers. auto takes 8 x 8 cells.
        regions: RegionsSpec [ParameterKind::Regions] = RegionsSpec::Auto,
        /// What a removed part is replaced by: black, white, grey, mean, blur or noise in pixel space, or zero and value:V
        /// in tensor space, or a file.
        infill: Infill [ParameterKind::Infill] = Infill::Black,
    }
}

/// What is learnt from coalitions and their worth, one after the other.
pub(crate) trait Estimate {
    /// Takes coalition number `index`, one number from 0 to 1 per region, and the target's value for it.
    fn add(&mut self, index: usize, members: &[f32], worth: f64);

    /// One number per region from what there is so far.
    fn values(&self) -> Vec<f64>;

    /// Standard error of each, where it can be told.
    fn errors(&self) -> Option<Vec<f64>> {
        None
    }

    /// Whether `values` makes sense after this many coalitions.
    fn is_whole(&self, count: usize) -> bool {
        count > 1
    }
}

/// The regions of an input at play.
pub(crate) struct Game<'a> {
    context: &'a Context<'a>,
    pub(crate) regions: Regions,
    masked: Masked<'a>,
    notes: Vec<String>,
}

impl<'a> Game<'a> {
    /// Begins with the whole input; `coalitions` says how many are to come, given the number of regions.
    pub(crate) async fn start(
        context: &'a Context<'a>,
        options: &GameOptions,
        coalitions: impl FnOnce(usize) -> Result<usize, ExplainError>,
    ) -> Result<Game<'a>, ExplainError> {
        let regions = Regions::of(context, &options.regions).await?;
        let passes = coalitions(regions.count)?;
        let infill = options.infill.tensor(context).await?;
        let notes = options.infill.note(context).into_iter().chain(regions.note()).collect();
        let masked = Masked::start(context, infill, passes).await?;
        Ok(Game { context, regions, masked, notes })
    }

    /// How many regions there are.
    pub(crate) fn players(&self) -> usize {
        self.regions.count
    }

    /// The worth of all regions together: the target at the input.
    pub(crate) fn whole(&self) -> f64 {
        f64::from(self.masked.prediction)
    }

    /// The worth of no region: the target where all of them are replaced.
    pub(crate) async fn empty(&mut self) -> Result<f64, ExplainError> {
        let none = vec![0.0; self.players()];
        let kept = self.regions.kept(&none, &self.context.input.device())?;
        let (_, worth) = self.masked.score(&kept).await?;
        Ok(worth.first().copied().map_or(f64::NAN, f64::from))
    }

    /// Lets `estimate` learn from `count` coalitions in batches, in their order, unless the budget ends it before. About
    /// ten times on the way the observer gets the map so far.
    pub(crate) async fn play(
        &mut self,
        count: usize,
        budget: &Budget,
        coalition: &dyn Fn(usize) -> Vec<f32>,
        estimate: &mut dyn Estimate,
    ) -> Result<(), ExplainError> {
        let (size, device) = (self.context.batch_for(count), self.context.input.device());
        let show_every = count.div_ceil(size).div_ceil(10);
        let clock = budget.clock();
        for (number, start) in (0..count).step_by(size).enumerate() {
            let range = start..(start + size).min(count);
            let members: Vec<f32> = range.clone().flat_map(coalition).collect();
            let (_, worth) = self.masked.score(&self.regions.kept(&members, &device)?).await?;
            let done = range.end;
            for (index, (members, worth)) in range.zip(members.chunks(self.players()).zip(worth)) {
                estimate.add(index, members, f64::from(worth));
            }
            if done == count || !estimate.is_whole(done) {
                continue;
            }
            if (number + 1).is_multiple_of(show_every) {
                self.show(&estimate.values());
            }
            if clock.is_over() || budget.is_precise(estimate.errors(), || estimate.values()) {
                self.notes.push(budget.note(done, count));
                break;
            }
        }
        Ok(())
    }

    fn show(&self, values: &[f64]) {
        // What the coalitions so far do not decide is not shown.
        if values.iter().any(|value| !value.is_finite()) {
            return;
        }
        let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
        self.context.observer.partial(&self.regions.map(&values, self.context));
    }

    /// The same for a method that shares out what all regions are worth beyond `empty`, what none of them is. The gap is that
    /// of the sum over the regions.
    pub(crate) fn finish_shared(self, estimate: &dyn Estimate, empty: f64) -> Result<Attribution, ExplainError> {
        let gap = estimate.values().iter().sum::<f64>() - (self.whole() - empty);
        let attribution = self.finish(estimate)?;
        Ok(Attribution { baseline_prediction: Some(empty as f32), completeness_gap: Some(gap as f32), ..attribution })
    }

    /// The attribution that an estimate amounts to.
    pub(crate) fn finish(self, estimate: &dyn Estimate) -> Result<Attribution, ExplainError> {
        let values = estimate.values();
        if values.iter().any(|value| !value.is_finite()) {
            return Err(ExplainError::NotFinite {
                what: "An attribution",
                advice: "take more samples or other regions",
            });
        }
        let error = |errors: Vec<f64>| {
            let errors: Vec<f32> = errors.into_iter().map(|error| error as f32).collect();
            self.regions.map(&errors, self.context)
        };
        Ok(Attribution {
            standard_error: estimate.errors().map(error),
            prediction: self.masked.prediction,
            forward_passes: self.masked.passes(),
            notes: self.notes,
            ..self.regions.attribution(&values, self.context)
        })
    }
}

/// Passes of a game of so many coalitions, for [`Cost`](crate::Cost).
pub(crate) fn passes(coalitions: usize) -> crate::Cost {
    crate::Cost { forward_passes: (coalitions + UNMASKED) as u64, backward_passes: 0 }
}

/// Mean and standard error of numbers that come one after the other, by Welford's update (1962).
#[derive(Clone, Debug, Default)]
pub(crate) struct Moments {
    pub(crate) count: usize,
    pub(crate) mean: f64,
    squares: f64,
}

impl Moments {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }

    /// Standard error of the mean; not known of a few, which may agree by chance.
    pub(crate) fn error(&self) -> f64 {
        const FEW: usize = 10;
        let variance = self.squares / self.count.saturating_sub(1) as f64;
        if self.count < FEW { f64::NAN } else { (variance / self.count as f64).sqrt() }
    }
}

/// Means of every region.
pub(crate) fn means(moments: &[Moments]) -> Vec<f64> {
    moments.iter().map(|moments| moments.mean).collect()
}

/// Standard errors of every region; nothing while one of them is not known.
pub(crate) fn errors(moments: &[Moments]) -> Option<Vec<f64>> {
    let errors: Vec<f64> = moments.iter().map(Moments::error).collect();
    errors.iter().all(|error| error.is_finite()).then_some(errors)
}
