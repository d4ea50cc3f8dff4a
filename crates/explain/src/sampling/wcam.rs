//! WCAM: Sobol indices of a picture's wavelet coefficients, and so of places at several scales: which details does the answer
//! need, and how fine are they?
//!
//! Gabriel Kasmi, Laurent Dubus, Yves-Marie Saint Drenan, Philippe Blanc: Assessment of the Reliablity of a Model's Decision by
//! Generalizing Attribution to the Wavelet Domain. XAI in Action, NeurIPS workshop 2023.
//!
//! The coefficients of all channels lie in one mosaic; a grid of cells over it, each kept by a number from 0 to 1, is what the
//! indices are of, estimated as sobol does. The map sums at each pixel the indices of the cells whose coefficients shape it.
//! Readings: Haar's wavelets, three levels; cells over the mosaic as a whole, so that with a grid of a multiple of two to the
//! number of levels no cell belongs to two scales; where one does, scales share it by its coefficients. Coefficients are those
//! of the input tensor, and one that is not kept is zero.

use vitrine_graph::Value;
use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use super::sobol::{Estimator, Indices, Order, mask};
use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, LocalBoxFuture,
    attribution::check_finite,
    budget::Budget,
    design::{Design, Sequence},
    game::{Estimate, passes},
    haar::{Haar, Scale},
    observer::Progress,
    options::{integer, options},
    sampler::{UNMASKED, size_of_picture},
    views::{from_planes, to_planes},
};

options! {
    /// Options of [`Wcam`].
    pub struct WcamOptions {
        /// How many masks each design has: this many passes times the number of cells plus two. Powers of 2 fill the space
        /// best.
        designs: usize [integer(2, 65_536)] = 8,
        /// Cells along each side of the coefficients' mosaic.
        grid: usize [integer(1, 100)] = 16,
        /// How many scales of detail, each twice as coarse as the one before.
        levels: usize [integer(1, 8)] = 3,
        /// Which part of the variance a cell gets.
        order: Order [Order::kind()] = Order::Total,
        /// How the total is estimated. The first order is always estimated by Saltelli's formula of 2010.
        estimator: Estimator [Estimator::kind()] = Estimator::Ratio,
        /// How masks are spread.
        sequence: Sequence [Sequence::kind()] = Sequence::Sobol,
        ..budget: Budget,
    }
}

/// WCAM (Kasmi et al. 2023).
///
/// `Attribution::values` is the map itself, one number per pixel of the input, and `shape` is `[height, width]`.
pub struct Wcam;

impl Explainer for Wcam {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "wcam".to_owned(),
            name: "WCAM".to_owned(),
            family: Family::Sampling,
            summary: "Fades fine and coarse details of the picture in and out and asks how much of the answer's ups and downs \
                      each causes. An answer that rests on the finest details is easily lost to blur or noise."
                .to_owned(),
            reference: Reference {
                authors: "Gabriel Kasmi, Laurent Dubus, Yves-Marie Saint Drenan, Philippe Blanc".to_owned(),
                year: 2023,
                title: "Assessment of the Reliablity of a Model's Decision by Generalizing Attribution to the Wavelet Domain"
                    .to_owned(),
                venue: "NeurIPS Workshop XAI in Action".to_owned(),
            },
            needs: vec![Need::Forward, Need::ImageInput],
            parameters: WcamOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = WcamOptions::parse(context.parameters)?;
        let mosaic = Mosaic::new(size_of_picture(context)?, &options);
        Ok(passes(options.designs * (mosaic.cells() + 2)))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = WcamOptions::parse(context.parameters)?;
    let [height, width] = size_of_picture(context)?;
    let mosaic = Mosaic::new([height, width], &options);
    let cells = mosaic.cells();
    let count = options.designs * (cells + 2);
    let mut progress = Progress::start(context.observer, (count + UNMASKED) as u64);
    let prediction = context.predict(context.input.clone())?.to_vec().await?;
    check_finite(&prediction, "The target at the input", "check the input's values and the model card")?;
    progress.advance(UNMASKED).await?;
    let prediction = prediction.first().copied().unwrap_or(f32::NAN);
    let planes = to_planes(context.input, context.layout())?.to_vec().await?;
    let coefficients: Vec<Vec<f32>> = planes.chunks(height * width).map(|plane| mosaic.haar.forward(plane)).collect();
    let design = Design::new(options.sequence, context.seed, options.designs, 2 * cells);
    let mut indices = Indices::new(cells, f64::from(prediction), options.order, options.estimator);
    let (clock, mut notes) = (options.budget.clock(), Vec::new());
    let size = context.batch_for(count);
    let show_every = count.div_ceil(size).div_ceil(10);
    for (number, start) in (0..count).step_by(size).enumerate() {
        let range = start..(start + size).min(count);
        let mut pictures = Vec::with_capacity(range.len() * planes.len());
        let masks: Vec<Vec<f32>> = range.clone().map(|index| mask(&design, index, cells)).collect();
        for mask in &masks {
            let kept = mosaic.spread(mask);
            for plane in &coefficients {
                let masked = plane.iter().zip(&kept).map(|(value, kept)| value * kept).collect();
                pictures.extend(mosaic.haar.inverse(masked));
            }
        }
        let shape = [range.len(), coefficients.len(), height, width];
        let pictures = Value::from_f32(&pictures, &shape, &context.input.device());
        let scores = context.predict(from_planes(&pictures, context.layout())?)?.to_vec().await?;
        check_finite(&scores, "The target at a masked input", "check the model's numbers")?;
        progress.advance(scores.len()).await?;
        for ((index, mask), score) in range.clone().zip(&masks).zip(scores) {
            indices.add(index, mask, f64::from(score));
        }
        if range.end == count || !indices.is_whole(range.end) {
            continue;
        }
        if (number + 1).is_multiple_of(show_every) {
            context.observer.partial(&mosaic.map(&indices.values()));
        }
        if clock.is_over() || options.budget.is_precise(|| indices.errors(), || indices.values()) {
            notes.push(options.budget.note(range.end, count));
            break;
        }
    }
    let values = indices.values();
    notes.push(match indices.variance() > 0.0 {
        true => mosaic.shares(&values),
        false => "The target is the same behind every mask, so there is no variance to share.".to_owned(),
    });
    let map = mosaic.map(&values);
    check_finite(&map.values, "A value of the map", "take more designs")?;
    Ok(Attribution {
        values: map.values.clone(),
        shape: vec![height, width],
        map,
        prediction,
        forward_passes: progress.done(),
        parameters: options.values(),
        notes,
        ..Attribution::default()
    })
}

/// Cells over the coefficients.
struct Mosaic {
    haar: Haar,
    size: [usize; 2],
    /// Rows and columns of cells.
    grid: [usize; 2],
}

impl Mosaic {
    fn new(size: [usize; 2], options: &WcamOptions) -> Mosaic {
        let haar = Haar::new(size, options.levels);
        let grid = haar.padded.map(|length| options.grid.min(length));
        Mosaic { haar, size, grid }
    }

    fn cells(&self) -> usize {
        self.grid[0] * self.grid[1]
    }

    /// The cell of every coefficient.
    fn cell(&self, place: usize) -> usize {
        let [rows, columns] = self.haar.padded;
        let (row, column) = (place / columns, place % columns);
        row * self.grid[0] / rows * self.grid[1] + column * self.grid[1] / columns
    }

    fn places(&self) -> usize {
        self.haar.padded[0] * self.haar.padded[1]
    }

    /// One number per cell as one per coefficient.
    fn spread(&self, cells: &[f32]) -> Vec<f32> {
        (0..self.places()).map(|place| cells[self.cell(place)]).collect()
    }

    /// The sum at each pixel of the numbers of the coefficients that shape it.
    fn map(&self, cells: &[f64]) -> HeatMap {
        let [height, width] = self.size;
        let at = |pixel: usize| {
            let over = self.haar.over_pixel(pixel / width, pixel % width);
            over.into_iter().map(|place| cells[self.cell(place)]).sum::<f64>() as f32
        };
        HeatMap { height, width, values: (0..height * width).map(at).collect() }
    }

    /// What part of the sum of the numbers belongs to each scale, in words.
    fn shares(&self, cells: &[f64]) -> String {
        let (levels, columns) = (self.haar.levels, self.haar.padded[1]);
        let mut places = vec![0.0; cells.len()];
        (0..self.places()).for_each(|place| places[self.cell(place)] += 1.0);
        // Of every level of detail, and at last of the rest.
        let mut shares = vec![0.0; levels + 1];
        for place in 0..self.places() {
            let at = match self.haar.scale(place / columns, place % columns) {
                Scale::Detail(level) => level - 1,
                Scale::Rest => levels,
            };
            shares[at] += cells[self.cell(place)] / places[self.cell(place)];
        }
        let all: f64 = shares.iter().sum();
        let percent = |share: f64| format!("{:.0} %", 100.0 * share / all);
        let details = shares.iter().take(levels).enumerate();
        let details: Vec<String> = details
            .map(|(level, share)| format!("details of {} pixels have {}", 2 << level, percent(*share)))
            .collect();
        let rest = percent(shares.last().copied().unwrap_or_default());
        format!("Of the sum of all indices {}, and what is coarser has {rest}.", details.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight};

    /// In a linear model each coefficient is a term of its own, so the indices are the squares of the terms over their sum: of
    /// the four coefficients of four pixels, each weight's and the picture's transform multiplied.
    #[test]
    fn a_linear_model_gives_each_coefficient_the_square_of_its_term() {
        let input = [1.0, 2.0, -1.0, 3.0];
        let weights: Vec<f32> = (0..4).map(|at| linear_weight(at, 0)).collect();
        let haar = Haar::new([2, 2], 1);
        // The transform is orthogonal: products of coefficients sum to that of the pixels.
        let terms: Vec<f32> =
            haar.forward(&weights).iter().zip(haar.forward(&input)).map(|(a, b)| (a * b).powi(2)).collect();
        let sum: f32 = terms.iter().sum();
        let question = Question::new(linear(&[1, 2, 2]), &input).target("0").with("grid", "2").with("levels", "1");
        let question = question.with("designs", "256");
        let found = pollster::block_on(explain(&question.context())).unwrap();
        // Every coefficient shapes each of the four pixels.
        assert_close(&found.values, &[1.0; 4], 0.02);
        assert_eq!(found.forward_passes, 1 + 256 * 6);
        let rest = format!(", and what is coarser has {:.0} %.", 100.0 * terms[0] / sum);
        assert!(found.notes[0].ends_with(&rest), "{:?}, not {rest}", found.notes);
    }

    #[test]
    fn cells_of_a_grid_belong_to_one_scale() {
        let options = WcamOptions { grid: 8, ..WcamOptions::default() };
        let mosaic = Mosaic::new([64, 48], &options);
        assert_eq!(mosaic.cells(), 64);
        for place in 0..mosaic.places() {
            let scale = |place: usize| mosaic.haar.scale(place / 48, place % 48);
            let corner = (0..=place).find(|other| mosaic.cell(*other) == mosaic.cell(place)).unwrap();
            assert_eq!(scale(place), scale(corner));
        }
        let cells: Vec<f64> = (0..64).map(|cell| if cell == 0 { 1.0 } else { 0.0 }).collect();
        assert!(mosaic.shares(&cells).starts_with("Of the sum of all indices details of 2 pixels have 0 %, "));
        assert_close(&mosaic.map(&cells).values, &[1.0; 64 * 48], 1e-6);
    }
}
