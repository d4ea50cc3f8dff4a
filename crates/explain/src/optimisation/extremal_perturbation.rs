//! Extremal perturbations: for each of several areas, the smooth mask of just that area that answers best.
//!
//! Ruth Fong, Mandela Patrick, Andrea Vedaldi: Understanding Deep Networks via Extremal Perturbations and Smooth Masks. ICCV
//! 2019.
//!
//! The area is held by comparing the mask's values in rising order with a row of zeros and then ones, as many as the area
//! says: the mean of the squared differences is the cost, and its weight grows from step to step. Cells become a mask by a
//! convolution with the largest product instead of the sum (a soft one, by a softmax of coldness 20), with a round bump
//! that is flat to half its radius; so masks are smooth but reach 1. All areas are looked for at once, in one batch, and the
//! map is the mean of their masks: what the smallest of them mark counts most.
//!
//! Departures: the target is measured from the picture without anything, 0, to the whole picture, 1, and the weight of the area
//! grows sixteenfold over the run, from 20 (the authors' 300 is for scores of about fifteen). What is removed is mixed
//! with one infill, where the paper fades through blurs of rising strength; the infill black or zero is the authors' other
//! choice, fading. Masks are convolved at the cells' centres and are linear between, and there is no margin around the
//! picture, so that the area is that of the picture. Values that are equal are put in order by the gradient, so that none
//! is favoured by its place. Random crops take the place of mirrored pictures; steps are Adam's with Nesterov's momentum.

use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, Infill, LocalBoxFuture,
    mask_grid::MaskGrid,
    mask_optimiser::{Game, Masks, Parts, Search, cost, search},
    optimiser::Optimiser,
    options::{integer, number, options},
    sampler::size_of_picture,
};

/// How much the largest product counts beyond the others.
const COLDNESS: f32 = 20.0;

/// How much the area's weight grows over the run.
const GROWTH: f32 = 16.0;

options! {
    /// Options of [`ExtremalPerturbation`].
    pub struct ExtremalPerturbationOptions {
        /// What is done with the marked part.
        game: Game [Game::kind()] = Game::Preserve,
        /// How many areas, evenly spread by ratio from the smallest to the largest; each costs as many passes as one.
        areas: usize [integer(1, 32)] = 5,
        /// The smallest area, as a part of the picture; the only one where there is one.
        smallest_area: f64 [number(0.001, 1.0)] = 0.05,
        /// The largest area.
        largest_area: f64 [number(0.001, 1.0)] = 0.8,
        /// Steps, each one forward and one backward pass for each area.
        steps: usize [integer(1, 10_000)] = 200,
        /// Cells of the mask along the picture's shorter side; no more than pixels.
        grid: usize [integer(1, 256)] = 32,
        /// Radius of the bump that each cell becomes, in cells.
        radius: f64 [number(0.0, 16.0)] = 3.0,
        /// Weight of the area in the first step, beside a target that the whole picture raises by 1; at the end it is sixteen
        /// times as large.
        area_weight: f64 [number(0.0, 100_000.0)] = 20.0,
        /// Part of each side that the random crop of a step leaves out; 0 always looks at the whole picture.
        jitter: f64 [number(0.0, 0.5)] = 0.02,
        /// How far a cell moves in a step, about.
        learning_rate: f64 [number(1e-6, 10.0)] = 0.05,
        /// What a removed part is replaced by: black, white, grey, mean, blur or noise in pixel space; inpaint, interpolate or
        /// tile, which continue what is kept and take longer; zero and value:V in tensor space; or a file.
        infill: Infill [ParameterKind::Infill] = Infill::Blur,
    }
}

impl ExtremalPerturbationOptions {
    /// The areas, smallest first.
    fn all_areas(&self) -> Vec<f64> {
        let (from, to) = (self.smallest_area.ln(), self.largest_area.ln());
        let last = self.areas.saturating_sub(1).max(1) as f64;
        (0..self.areas).map(|index| (from + (to - from) * index as f64 / last).exp()).collect()
    }
}

/// Extremal perturbations (Fong, Patrick, Vedaldi 2019).
///
/// `Attribution::values` is the mean of the masks, from 0 to 1, one number per pixel of the input; `shape` is `[height, width]`.
pub struct ExtremalPerturbation;

impl Explainer for ExtremalPerturbation {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "extremal-perturbation".to_owned(),
            name: "Extremal Perturbations".to_owned(),
            family: Family::Optimisation,
            summary: "Looks for the smooth patch of a given size that keeps the answer best, for several sizes at \
                      once. Places marked at every size matter most, but a patch has its size even where less would do."
                .to_owned(),
            reference: Reference {
                authors: "Ruth Fong, Mandela Patrick, Andrea Vedaldi".to_owned(),
                year: 2019,
                title: "Understanding Deep Networks via Extremal Perturbations and Smooth Masks".to_owned(),
                venue: "ICCV".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::ImageInput],
            parameters: ExtremalPerturbationOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = ExtremalPerturbationOptions::parse(context.parameters)?;
        Ok(cost(options.game, options.steps, options.areas))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = ExtremalPerturbationOptions::parse(context.parameters)?;
            let grid = MaskGrid::new(size_of_picture(context)?, options.grid, 0.0);
            let mut patches = Patches::new(&options, grid);
            let (game, steps, count, jitter) = (options.game, options.steps, options.areas, options.jitter);
            let parts = Parts::Pixels(options.infill.filler(context).await?);
            let found = search(context, &Search { parts, game, steps, count, jitter }, &mut patches).await?;
            let mut notes = Vec::from_iter(options.infill.note(context));
            notes.extend(patches.outcome(&found.shown, "with it alone"));
            notes.extend(patches.outcome(&found.removed, "without it"));
            Ok(Attribution { parameters: options.values(), ..found.noted(notes) })
        })
    }
}

/// One mask for each area.
struct Patches<'a> {
    options: &'a ExtremalPerturbationOptions,
    areas: Vec<f64>,
    grid: MaskGrid,
    bump: Bump,
    /// The cells of all masks.
    cells: Vec<f32>,
    /// What they became when they were drawn last.
    drawn: Vec<f32>,
    optimiser: Optimiser,
}

impl<'a> Patches<'a> {
    fn new(options: &'a ExtremalPerturbationOptions, grid: MaskGrid) -> Patches<'a> {
        let areas = options.all_areas();
        let cells = vec![1.0; areas.len() * grid.len()];
        let bump = Bump::new(grid.cells, options.radius as f32);
        let drawn = cells.clone();
        Patches { options, areas, grid, bump, cells, drawn, optimiser: Optimiser::nadam(options.learning_rate) }
    }

    fn masks(&self) -> impl Iterator<Item = Vec<f32>> {
        self.cells.chunks(self.grid.len()).map(|cells| self.grid.enlarged(&self.bump.spread(cells)))
    }

    /// The target for each area.
    fn outcome(&self, scores: &[f32], how: &str) -> Option<String> {
        let said = |(area, score): (&f64, &f32)| format!("{:.0} %: {score:.3}", 100.0 * area);
        let said: Vec<String> = self.areas.iter().zip(scores).map(said).collect();
        (!said.is_empty()).then(|| format!("The target by the marked area, {how}: {}.", said.join(", ")))
    }
}

impl Masks for Patches<'_> {
    fn draw(&mut self, _: usize) -> Vec<f32> {
        self.drawn = self.cells.chunks(self.grid.len()).flat_map(|cells| self.bump.spread(cells)).collect();
        self.drawn.chunks(self.grid.len()).flat_map(|drawn| self.grid.enlarged(drawn)).collect()
    }

    fn climb(&mut self, step: usize, gradient: &[f32]) {
        let (count, pixels) = (self.grid.len(), gradient.len() / self.areas.len().max(1));
        let part = step as f32 / self.options.steps as f32;
        let weight = self.options.area_weight as f32 * GROWTH.powf(part);
        let mut all = Vec::with_capacity(self.cells.len());
        let masks = self.cells.chunks(count).zip(self.drawn.chunks(count)).zip(gradient.chunks(pixels.max(1)));
        for (area, ((cells, drawn), gradient)) in self.areas.iter().zip(masks) {
            let mut gradient = self.grid.pull_back(gradient);
            let (_, slope) = away_from_area(drawn, &gradient, *area);
            gradient.iter_mut().zip(slope).for_each(|(gradient, slope)| *gradient -= weight * slope);
            all.extend(self.bump.pull_back(cells, drawn, &gradient));
        }
        self.optimiser.climb(&mut self.cells, &all);
        self.cells.iter_mut().for_each(|cell| *cell = cell.clamp(0.0, 1.0));
    }

    fn map(&self) -> Vec<f32> {
        let mut sum = Vec::new();
        for mask in self.masks() {
            sum.resize(mask.len(), 0.0);
            sum.iter_mut().zip(mask).for_each(|(sum, value): (&mut f32, _)| *sum += value / self.areas.len() as f32);
        }
        sum
    }
}

/// The mean squared difference between a mask in rising order and zeros followed by ones, of which there are `area` as a part of
/// all, and its gradient. Of equal values those whose `gradient` is larger come later.
fn away_from_area(mask: &[f32], gradient: &[f32], area: f64) -> (f32, Vec<f32>) {
    let count = mask.len().max(1);
    let mut order: Vec<usize> = (0..mask.len()).collect();
    order.sort_by(|&one, &other| mask[one].total_cmp(&mask[other]).then(gradient[one].total_cmp(&gradient[other])));
    let ones_from = (count as f64 * (1.0 - area)).round() as usize;
    let (mut sum, mut slope) = (0.0, vec![0.0; mask.len()]);
    for (rank, place) in order.into_iter().enumerate() {
        let difference = mask[place] - if rank < ones_from { 0.0 } else { 1.0 };
        sum += difference * difference / count as f32;
        slope[place] = 2.0 * difference / count as f32;
    }
    (sum, slope)
}

/// A round bump around every cell, of which the largest counts.
struct Bump {
    cells: [usize; 2],
    /// Rows and columns away, and how high the bump is there.
    heights: Vec<([isize; 2], f32)>,
}

impl Bump {
    fn new(cells: [usize; 2], radius: f32) -> Bump {
        let reach = 1 + radius.ceil() as isize;
        let height = |[down, across]: [isize; 2]| {
            let away = ((down * down + across * across) as f32).sqrt();
            let beyond = if away == 0.0 { 0.0 } else { (away / radius.max(f32::MIN_POSITIVE) - 0.5).max(0.0) };
            (-2.0 * beyond * beyond).exp()
        };
        let places = (-reach..=reach).flat_map(|down| (-reach..=reach).map(move |across| [down, across]));
        Bump {
            cells,
            heights: places.map(|place| (place, height(place))).filter(|(_, height)| *height > 1e-6).collect(),
        }
    }

    /// What lies at the places around a cell, with the height of the bump there; nothing beyond the edges.
    fn around(&self, cell: usize) -> impl Iterator<Item = (Option<usize>, f32)> {
        let [rows, columns] = self.cells;
        self.heights.iter().map(move |([down, across], height)| {
            let row = (cell / columns).checked_add_signed(*down).filter(|row| *row < rows);
            let column = (cell % columns).checked_add_signed(*across).filter(|column| *column < columns);
            (row.zip(column).map(|(row, column)| row * columns + column), *height)
        })
    }

    /// At every cell the products of the cells around and the bump, weighted by the softmax of themselves.
    fn spread(&self, cells: &[f32]) -> Vec<f32> {
        let at = |cell: usize| {
            let (mut sum, mut all) = (0.0, 0.0);
            for (place, height) in self.around(cell) {
                let product = place.map_or(0.0, |place| height * cells[place]);
                let weight = (COLDNESS * product).exp();
                sum += weight * product;
                all += weight;
            }
            sum / all
        };
        (0..cells.len()).map(at).collect()
    }

    /// The gradient at the cells from that at what they are [`spread`](Bump::spread) to.
    fn pull_back(&self, cells: &[f32], spread: &[f32], gradient: &[f32]) -> Vec<f32> {
        let mut found = vec![0.0; cells.len()];
        for (cell, (value, arrived)) in spread.iter().zip(gradient).enumerate() {
            let product = |place: Option<usize>, height: f32| place.map_or(0.0, |place| height * cells[place]);
            let all: f32 = self.around(cell).map(|(place, height)| (COLDNESS * product(place, height)).exp()).sum();
            for (place, height) in self.around(cell) {
                let Some(place) = place else { continue };
                let product = height * cells[place];
                let weight = (COLDNESS * product).exp() / all;
                found[place] += arrived * height * weight * (1.0 + COLDNESS * (product - value));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear};

    fn numbers(count: usize) -> Vec<f32> {
        (0..count).map(|index| 0.5 + 0.5 * (index as f32 * 1.3).sin()).collect()
    }

    /// 0.3, 0.1, 0.9 in rising order are 0.1, 0.3, 0.9; a third is one place: against 0, 0, 1 they are 0.1, 0.3 and -0.1 off.
    #[test]
    fn the_area_is_compared_in_rising_order() {
        let (cost, slope) = away_from_area(&[0.3, 0.1, 0.9], &[0.0; 3], 1.0 / 3.0);
        assert_close(&[cost], &[(0.09 + 0.01 + 0.01) / 3.0], 1e-5);
        assert_close(&slope, &[0.2, 0.2 / 3.0, -0.2 / 3.0], 1e-5);
        // Of equal values the one that helps most is the one that is wanted.
        let (_, slope) = away_from_area(&[0.5; 3], &[0.0, 2.0, 1.0], 1.0 / 3.0);
        assert_close(&slope, &[1.0 / 3.0, -1.0 / 3.0, 1.0 / 3.0], 1e-5);
    }

    /// One cell of 1 among zeros: its bump, all of it where it is flat, against as many ones as there are other places.
    #[test]
    fn a_cell_becomes_a_bump() {
        let bump = Bump::new([9, 9], 2.0);
        let mut cells = vec![0.0; 81];
        cells[40] = 1.0;
        let places = bump.heights.len() as f32;
        let expected = |height: f32| {
            let weight = (20.0 * height).exp();
            height * weight / (weight + places - 1.0)
        };
        let spread = bump.spread(&cells);
        // In the middle, one away (half the radius: still flat), and two away: exp(-2 / 4).
        assert_close(
            &[spread[40], spread[41], spread[42]],
            &[expected(1.0), expected(1.0), expected((-0.5_f32).exp())],
            1e-5,
        );
    }

    #[test]
    fn the_way_back_is_the_slope() {
        let bump = Bump::new([4, 5], 1.5);
        let (cells, weights) = (numbers(20), numbers(40)[20..].to_vec());
        let answer = |cells: &[f32]| bump.spread(cells).iter().zip(&weights).map(|(a, b)| a * b).sum::<f32>();
        let found = bump.pull_back(&cells, &bump.spread(&cells), &weights);
        for place in 0..20 {
            let moved = |by: f32| {
                let mut moved = cells.clone();
                moved[place] += by;
                answer(&moved)
            };
            let slope = (moved(0.002) - moved(-0.002)) / 0.004;
            assert!((slope - found[place]).abs() < 5e-3, "{place}: {slope} and {}", found[place]);
        }
    }

    /// A linear model that looks at a block of 6 x 6 of 12 x 18 pixels: a mask of its area, a sixth, lies on it. The bump is one
    /// cell, so that the mask can be the block.
    #[test]
    fn in_a_linear_model_the_mask_of_the_parts_area_lies_on_the_part() {
        use vitrine_onnx::{Node, Tensor};
        let inside = |place: usize| (3..9).contains(&(place / 18)) && (8..14).contains(&(place % 18));
        let weights: Vec<f32> = (0..216).flat_map(|place| [if inside(place) { 1.0 } else { 0.0 }, 0.0]).collect();
        let nodes = vec![Node::new("Flatten", &["x"], &["flat"]), Node::new("MatMul", &["flat", "w"], &["y"])];
        let model = || {
            let weights = Tensor::from_f32("w", &[216, 2], &weights);
            crate::testing::graph(&[1, 12, 18], nodes.clone(), vec![weights], 2)
        };
        for game in ["preserve", "delete", "dual"] {
            let question = Question::new(model(), &[1.0; 216]).target("0").with("infill", "zero").with("game", game);
            let question = question.with("areas", "1").with("smallest-area", "0.16666667").with("radius", "0");
            let question = question.with("steps", "60");
            let found = pollster::block_on(ExtremalPerturbation.explain(&question.context())).unwrap();
            for (place, mark) in found.values.iter().enumerate() {
                let expected = if inside(place) { 1.0 } else { 0.0 };
                assert!((mark - expected).abs() < 0.1, "{game}: {mark} at place {place}, not {expected}");
            }
        }
    }

    #[test]
    fn each_mask_has_its_area_at_the_end() {
        let input: Vec<f32> = numbers(216);
        let question = Question::new(linear(&[1, 12, 18]), &input).target("0").with("infill", "zero");
        let context = question.context();
        let options =
            ExtremalPerturbationOptions { areas: 3, smallest_area: 0.1, largest_area: 0.4, ..Default::default() };
        assert_eq!(
            options.all_areas().iter().map(|area| (area * 100.0).round()).collect::<Vec<_>>(),
            [10.0, 20.0, 40.0]
        );
        let mut patches = Patches::new(&options, MaskGrid::new([12, 18], 12, 0.0));
        pollster::block_on(async {
            let parts = Parts::Pixels(Infill::Zero.filler(&context).await?);
            let all = Search { parts, game: Game::Preserve, steps: 200, count: 3, jitter: 0.02 };
            search(&context, &all, &mut patches).await
        })
        .unwrap();
        for (mask, area) in patches.masks().zip(options.all_areas()) {
            let marked = mask.iter().sum::<f32>() / 216.0;
            assert!((f64::from(marked) - area).abs() < 0.04, "{marked}, not {area}");
        }
    }
}
