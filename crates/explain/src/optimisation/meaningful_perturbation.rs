//! Meaningful perturbation: one smooth mask, as small as can be, whose removal takes the answer away, or which alone keeps it.
//!
//! Ruth C. Fong, Andrea Vedaldi: Interpretable Explanations of Black Boxes by Meaningful Perturbation. ICCV 2017.
//!
//! What is minimised is, for the deletion game, the target with the marked part removed, plus the marked area and the
//! mask's variation, the sum over neighbouring cells of differences to the third power; for the preservation game minus the
//! target with the marked part alone. The picture is looked at a little off its place in every step, so that the mask does
//! not fit to single pixels.
//!
//! Departures: the target is measured from the picture without anything, 0, to the whole picture, 1, and area and variation
//! are means over the cells, so that their weights hold for every target, model and size; the paper's 0.0001 and 0.01
//! for sums over 28 x 28 cells and a probability are 0.08 and 8 here. A random crop, enlarged, takes the place of moving by
//! up to four pixels. The mask begins where all of the picture is shown, not at the smallest disc that takes the answer
//! away. Steps are Adam's with Nesterov's momentum.

use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, Infill, LocalBoxFuture,
    mask_grid::MaskGrid,
    mask_optimiser::{Game, Masks, Parts, Search, cost, search},
    optimiser::Optimiser,
    options::{integer, number, options},
    sampler::size_of_picture,
};

options! {
    /// Options of [`MeaningfulPerturbation`].
    pub struct MeaningfulPerturbationOptions {
        /// What is done with the marked part.
        game: Game [Game::kind()] = Game::Delete,
        /// Steps, each one forward and one backward pass.
        steps: usize [integer(1, 10_000)] = 200,
        /// Cells of the mask along the picture's shorter side; no more than pixels.
        grid: usize [integer(1, 256)] = 28,
        /// How far the mask is out of focus, in cells: a Gaussian's standard deviation.
        blur: f64 [number(0.0, 8.0)] = 0.625,
        /// What marking all of the picture costs, as a part of what the picture as a whole does to the target.
        area_weight: f64 [number(0.0, 1000.0)] = 0.1,
        /// What an uneven mask costs: the weight of the mean of its cells' differences to the third power.
        variation_weight: f64 [number(0.0, 10_000.0)] = 8.0,
        /// Part of each side that the random crop of a step leaves out; 0 always looks at the whole picture.
        jitter: f64 [number(0.0, 0.5)] = 0.02,
        /// How far a cell moves in a step, about.
        learning_rate: f64 [number(1e-6, 10.0)] = 0.1,
        /// What a removed part is replaced by: black, white, grey, mean, blur or noise in pixel space; inpaint, interpolate or
        /// tile, which continue what is kept and take longer; zero and value:V in tensor space; or a file.
        infill: Infill [ParameterKind::Infill] = Infill::Blur,
    }
}

/// Meaningful perturbation (Fong, Vedaldi 2017).
///
/// `Attribution::values` is the mask itself, from 0 to 1, one number per pixel of the input, and `shape` is `[height, width]`.
pub struct MeaningfulPerturbation;

impl Explainer for MeaningfulPerturbation {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "meaningful-perturbation".to_owned(),
            name: "Meaningful Perturbation".to_owned(),
            family: Family::Optimisation,
            summary: "Looks for the smallest smooth patch that has to be blurred for the answer to go. Another patch \
                      may do as well, so a blank place is not proof that the model ignores it."
                .to_owned(),
            reference: Reference {
                authors: "Ruth C. Fong, Andrea Vedaldi".to_owned(),
                year: 2017,
                title: "Interpretable Explanations of Black Boxes by Meaningful Perturbation".to_owned(),
                venue: "ICCV".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::ImageInput],
            parameters: MeaningfulPerturbationOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = MeaningfulPerturbationOptions::parse(context.parameters)?;
        Ok(cost(options.game, options.steps, 1))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = MeaningfulPerturbationOptions::parse(context.parameters)?;
            let grid = MaskGrid::new(size_of_picture(context)?, options.grid, options.blur);
            let start = if options.game == Game::Preserve { 1.0 } else { 0.0 };
            let optimiser = Optimiser::nadam(options.learning_rate);
            let mut marks = Marks { cells: vec![start; grid.len()], grid, optimiser, options: &options };
            let (game, steps, jitter) = (options.game, options.steps, options.jitter);
            let parts = Parts::Pixels(options.infill.filler(context).await?);
            let found = search(context, &Search { parts, game, steps, count: 1, jitter }, &mut marks).await?;
            let notes: Vec<String> = found.outcome().into_iter().chain(options.infill.note(context)).collect();
            Ok(Attribution { parameters: options.values(), ..found.noted(notes) })
        })
    }
}

/// The mask as it is by now.
struct Marks<'a> {
    grid: MaskGrid,
    cells: Vec<f32>,
    optimiser: Optimiser,
    options: &'a MeaningfulPerturbationOptions,
}

impl Masks for Marks<'_> {
    fn draw(&mut self, _: usize) -> Vec<f32> {
        self.map()
    }

    fn climb(&mut self, _: usize, gradient: &[f32]) {
        let mut gradient = self.grid.pull_back(gradient);
        let area = self.options.area_weight as f32 / self.cells.len() as f32;
        let (_, variation) = self.grid.variation(&self.cells, 3.0);
        for (gradient, variation) in gradient.iter_mut().zip(variation) {
            *gradient -= area + self.options.variation_weight as f32 * variation;
        }
        self.optimiser.climb(&mut self.cells, &gradient);
        self.cells.iter_mut().for_each(|cell| *cell = cell.clamp(0.0, 1.0));
    }

    fn map(&self) -> Vec<f32> {
        self.grid.enlarged(&self.cells)
    }
}

#[cfg(test)]
mod tests {
    use vitrine_onnx::{Node, Tensor};

    use super::*;
    use crate::testing::{Question, graph};

    /// A picture of 4 x 6 pixels of 1; a class that sums the four in columns 2 and 3 of rows 1 and 2, and another that is 0.
    fn question() -> Question {
        let inside = |place: usize| (1..3).contains(&(place / 6)) && (2..4).contains(&(place % 6));
        let weights: Vec<f32> = (0..24).flat_map(|place| [if inside(place) { 1.0 } else { 0.0 }, 0.0]).collect();
        let nodes = vec![Node::new("Flatten", &["x"], &["flat"]), Node::new("MatMul", &["flat", "w"], &["y"])];
        let graph = graph(&[1, 4, 6], nodes, vec![Tensor::from_f32("w", &[24, 2], &weights)], 2);
        Question::new(graph, &[1.0; 24]).target("0").with("infill", "zero").with("jitter", "0")
    }

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(MeaningfulPerturbation.explain(&question.context())).unwrap()
    }

    /// Cells are pixels. Each of the four counts a quarter of the target, far above its cost of a tenth of 1/24, and no
    /// other counts anything: without smoothing the best mask is the four, in every game.
    #[test]
    fn in_a_linear_model_the_best_mask_is_the_part_that_it_looks_at() {
        let question = question().with("blur", "0").with("variation-weight", "0").with("steps", "40");
        for game in ["delete", "preserve", "dual"] {
            let found = explained(&question.clone().with("game", game));
            for (place, mark) in found.values.iter().enumerate() {
                let inside = (1..3).contains(&(place / 6)) && (2..4).contains(&(place % 6));
                assert_eq!(*mark, if inside { 1.0 } else { 0.0 }, "{game}: place {place}");
            }
            let twice = if game == "dual" { 2 } else { 1 };
            assert_eq!((found.forward_passes, found.backward_passes), (2 + 40 * twice, 40 * twice));
            assert!(found.notes[0].contains("4.000 with everything and 0.000 with nothing"), "{:?}", found.notes);
        }
    }

    /// What is minimised, written out: the target with the marked part removed, as a part of 4, and both costs.
    #[test]
    fn the_end_is_better_than_the_start_and_costs_hold_the_mask_back() {
        let objective = |found: &Attribution, [area, variation]: [f32; 2]| {
            let grid = MaskGrid::new([4, 6], 4, 0.0);
            let inside = [8, 9, 14, 15].map(|place| 1.0 - found.values[place]);
            let marked = found.values.iter().sum::<f32>() / 24.0;
            inside.iter().sum::<f32>() / 4.0 + area * marked + variation * grid.variation(&found.values, 3.0).0
        };
        let smooth = explained(&question().with("blur", "0").with("learning-rate", "0.02").with("steps", "100"));
        // It begins with nothing marked, which leaves the whole target.
        assert!(objective(&smooth, [0.1, 8.0]) < 0.8, "{}", objective(&smooth, [0.1, 8.0]));
        let sharp = explained(&question().with("blur", "0").with("variation-weight", "0").with("steps", "40"));
        assert!(objective(&smooth, [0.1, 8.0]) < objective(&sharp, [0.1, 8.0]));
        let dear = explained(&question().with("area-weight", "1000").with("steps", "10"));
        assert!(dear.values.iter().all(|mark| *mark == 0.0), "{:?}", dear.values);
    }

    #[test]
    fn a_class_that_is_always_the_same_gets_zeros_and_a_sentence() {
        let found = explained(&question().target("1").with("steps", "5"));
        assert_eq!(found.values, [0.0; 24]);
        assert!(found.notes[0].contains("does not depend on the input"), "{:?}", found.notes);
    }
}
