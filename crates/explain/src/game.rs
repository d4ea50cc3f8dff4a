//! The input as a game of its regions: each takes part or is replaced by the infill, and the target's value is what a
//! coalition of them is worth. What Shapley values, surrogates and sensitivity indices stand on.

use vitrine_protocol::ParameterKind;

use crate::{
    Attribution, Context, ExplainError, Infill,
    budget::{Budget, TimeLimit},
    options::options,
    regions::{Regions, RegionsSpec},
    sampler::{Masked, UNMASKED, size_of_picture},
};

options! {
    /// What every method asks of the game.
    pub struct GameOptions {
        /// The parts that are kept or removed as a whole: grid:HxW, slic:N, felzenszwalb:SCALE, quickshift, watershed:N,
        /// elements (every input value its own), or a .npy file of whole numbers. auto takes 8 x 8 cells.
        regions: RegionsSpec [ParameterKind::Regions] = RegionsSpec::Auto,
        /// What a removed part is replaced by: black, white, grey, mean, blur or noise in pixel space; inpaint, interpolate
        /// or tile, which continue what is kept and take longer; zero and value:V in tensor space; or a file.
        infill: Infill [ParameterKind::Infill] = Infill::Black,
    }
}

options! {
    /// What methods ask of the game that are at their best with parts of the picture that belong together.
    pub struct SegmentOptions {
        /// The parts that are kept or removed as a whole: grid:HxW, slic:N, felzenszwalb:SCALE, quickshift, watershed:N,
        /// elements (every input value its own), or a .npy file of whole numbers. auto takes about 50 segments of like colour
        /// (slic:50), and 8 x 8 cells where it is not known how pixels become the input.
        regions: RegionsSpec [ParameterKind::Regions] = RegionsSpec::Auto,
        /// What a removed part is replaced by: black, white, grey, mean, blur or noise in pixel space; inpaint, interpolate
        /// or tile, which continue what is kept and take longer; zero and value:V in tensor space; or a file.
        infill: Infill [ParameterKind::Infill] = Infill::Black,
    }
}

impl SegmentOptions {
    /// The same with the regions that are meant.
    pub(crate) fn game(&self, context: &Context<'_>) -> GameOptions {
        const SEGMENTS: usize = 50;
        let is_picture = context.pixels.is_some() && size_of_picture(context).is_ok();
        let regions = match &self.regions {
            RegionsSpec::Auto if is_picture => RegionsSpec::Slic(SEGMENTS),
            regions => regions.clone(),
        };
        GameOptions { regions, infill: self.infill.clone() }
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
        Game::with_regions(context, regions, &options.infill, passes).await
    }

    /// The same with regions that are known, for so many coalitions.
    pub(crate) async fn with_regions(
        context: &'a Context<'a>,
        regions: Regions,
        infill: &Infill,
        passes: usize,
    ) -> Result<Game<'a>, ExplainError> {
        let notes = infill.note(context).into_iter().chain(regions.note()).collect();
        let masked = Masked::start(context, infill.filler(context).await?, passes).await?;
        Ok(Game { context, regions, masked, notes })
    }

    /// Tells the reader something.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Tells the reader of a search that took so many of the regions in the time it had.
    pub(crate) fn note_of_search(&mut self, taken: usize, time: &TimeLimit) {
        if taken < self.players() {
            let ended = time.note(taken, self.players(), "regions");
            self.notes.push(format!("{ended} Regions that were not taken have 0."));
        }
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
        Ok(self.worths(&[none]).await?.first().copied().unwrap_or(f64::NAN))
    }

    /// What coalitions are worth, in their order.
    pub(crate) async fn worths(&mut self, coalitions: &[Vec<f32>]) -> Result<Vec<f64>, ExplainError> {
        let coalition = |index: usize| coalitions[index].clone();
        worths(self.context, &mut self.masked, &self.regions, coalitions.len(), &coalition).await
    }

    /// Values of the graph for coalitions: for each, in their order, those of every name.
    pub(crate) async fn read(
        &mut self,
        coalitions: &[Vec<f32>],
        names: &[&str],
    ) -> Result<Vec<Vec<Vec<f32>>>, ExplainError> {
        let device = self.context.input.device();
        let mut found = vec![Vec::with_capacity(names.len()); coalitions.len()];
        let size = self.context.batch_for(coalitions.len());
        for (coalitions, found) in coalitions.chunks(size).zip(found.chunks_mut(size)) {
            let kept = self.regions.kept(&coalitions.concat(), &device)?;
            for values in self.masked.read(&kept, names).await? {
                let length = (values.len() / found.len()).max(1);
                found.iter_mut().zip(values.chunks(length)).for_each(|(found, values)| found.push(values.to_vec()));
            }
        }
        Ok(found)
    }

    /// Counts passes that were made elsewhere.
    pub(crate) async fn count(&mut self, passes: usize) -> Result<(), ExplainError> {
        self.masked.count(passes).await
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
            if clock.is_over() || budget.is_precise(|| estimate.errors(), || estimate.values()) {
                self.notes.push(budget.note(done, count));
                break;
            }
        }
        Ok(())
    }

    /// Shows the map so far.
    pub(crate) fn show(&self, values: &[f64]) {
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
        self.shared(&estimate.values(), estimate.errors(), empty)
    }

    /// The same of one number per region.
    pub(crate) fn shared(
        self,
        values: &[f64],
        errors: Option<Vec<f64>>,
        empty: f64,
    ) -> Result<Attribution, ExplainError> {
        let gap = values.iter().sum::<f64>() - (self.whole() - empty);
        let attribution = self.attribution(values, errors)?;
        Ok(Attribution { baseline_prediction: Some(empty as f32), completeness_gap: Some(gap as f32), ..attribution })
    }

    /// The attribution that an estimate amounts to.
    pub(crate) fn finish(self, estimate: &dyn Estimate) -> Result<Attribution, ExplainError> {
        self.attribution(&estimate.values(), estimate.errors())
    }

    /// The attribution that one number per region amounts to, with its standard errors.
    pub(crate) fn attribution(self, values: &[f64], errors: Option<Vec<f64>>) -> Result<Attribution, ExplainError> {
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
            standard_error: errors.map(error),
            prediction: self.masked.prediction,
            forward_passes: self.masked.passes(),
            notes: self.notes,
            ..self.regions.attribution(values, self.context)
        })
    }
}

/// What so many coalitions of regions are worth, in their order.
pub(crate) async fn worths(
    context: &Context<'_>,
    masked: &mut Masked<'_>,
    regions: &Regions,
    count: usize,
    coalition: &dyn Fn(usize) -> Vec<f32>,
) -> Result<Vec<f64>, ExplainError> {
    let (size, device) = (context.batch_for(count), context.input.device());
    let mut worths = Vec::with_capacity(count);
    for start in (0..count).step_by(size) {
        let members: Vec<f32> = (start..(start + size).min(count)).flat_map(coalition).collect();
        let (_, worth) = masked.score(&regions.kept(&members, &device)?).await?;
        worths.extend(worth.into_iter().map(f64::from));
    }
    Ok(worths)
}

/// The coalition of all players but one.
pub(crate) fn all_but(player: usize, players: usize) -> Vec<f32> {
    (0..players).map(|other| if other == player { 0.0 } else { 1.0 }).collect()
}

/// Passes of a game of so many coalitions, for [`Cost`](crate::Cost).
pub(crate) fn passes(coalitions: usize) -> crate::Cost {
    crate::Cost { forward_passes: (coalitions + UNMASKED) as u64, backward_passes: 0 }
}

/// Samples below which a standard error says nothing: a few may agree by chance.
pub(crate) const FEW: usize = 10;

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

    /// Standard error of the mean; not known of a few.
    pub(crate) fn error(&self) -> f64 {
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
