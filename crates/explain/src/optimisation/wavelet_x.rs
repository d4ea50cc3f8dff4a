//! WaveletX: which wavelets of the picture, coarse shapes or fine detail at their places, the answer needs.
//!
//! Stefan Kolek, Robert Windesheim, Hector Andrade-Loarca, Gitta Kutyniok, Ron Levie: Explaining Image Classifiers with
//! Multiscale Directional Image Representation. CVPR 2023.
//!
//! A mask over the wavelets, one for all channels, is to keep the target while what it removes is noise, even around the mean
//! of the wavelets of the same size and direction, by a standard deviation; while it keeps few wavelets; and while what it
//! keeps of the picture is small, summed over the pixels, so that edges do not appear where the picture has none. The map is
//! what the mask leaves of the picture.
//!
//! Departures: Haar's wavelets take the place of shearlets (ShearletX) and of smoother wavelets: no edge at a slant is one of them.
//! The target is measured from noise alone, 0, to the whole picture, 1, and both costs are parts of the whole picture's. Four
//! draws of noise a step instead of sixteen. Steps are Adam's with Nesterov's momentum.

use vitrine_protocol::{Family, Layout, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, LocalBoxFuture,
    mask_optimiser::{Found, Game, Masks, Parts, Search, cost, search},
    optimiser::Optimiser,
    options::{integer, number, options},
    wavelets::Wavelets,
};

options! {
    /// Options of [`WaveletX`].
    pub struct WaveletXOptions {
        /// Steps, each as many forward and backward passes as there are draws.
        steps: usize [integer(1, 10_000)] = 100,
        /// Draws of noise in each step.
        draws: usize [integer(1, 1000)] = 4,
        /// How often the picture is halved; as often as its sides are even, at most.
        levels: usize [integer(1, 12)] = 5,
        /// What keeping all wavelets costs, as a part of what the picture as a whole does to the target.
        area_weight: f64 [number(0.0, 1000.0)] = 1.0,
        /// What leaving all of the picture costs, in the same measure.
        picture_weight: f64 [number(0.0, 1000.0)] = 2.0,
        /// How far a wavelet's mark moves in a step, about.
        learning_rate: f64 [number(1e-6, 10.0)] = 0.1,
    }
}

/// WaveletX (Kolek et al. 2023).
///
/// `Attribution::values` is what the mask leaves of the picture, as the model sees it, in the input's shape.
pub struct WaveletX;

impl Explainer for WaveletX {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "wavelet-x".to_owned(),
            name: "WaveletX".to_owned(),
            family: Family::Optimisation,
            summary: "Draws the picture again with only those strokes, coarse or fine, that the answer needs. What \
                      is left out may still have helped, as a few strokes can be enough."
                .to_owned(),
            reference: Reference {
                authors: "Stefan Kolek, Robert Windesheim, Hector Andrade-Loarca, Gitta Kutyniok, Ron Levie".to_owned(),
                year: 2023,
                title: "Explaining Image Classifiers with Multiscale Directional Image Representation".to_owned(),
                venue: "CVPR".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::ImageInput],
            parameters: WaveletXOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = WaveletXOptions::parse(context.parameters)?;
        Ok(cost(Game::Preserve, options.steps, options.draws))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = WaveletXOptions::parse(context.parameters)?;
    let wavelets = Wavelets::of(context, options.levels).await?;
    let parts = Parts::Wavelets(wavelets.clone());
    let area = wavelets.area();
    let mut marks = Marks {
        marks: vec![1.0; area],
        wavelets,
        optimiser: Optimiser::nadam(options.learning_rate),
        options: &options,
    };
    let all = Search { parts, game: Game::Preserve, steps: options.steps, count: options.draws, jitter: 0.0 };
    let found = search(context, &all, &mut marks).await?;
    let matters = found.attribution.values.iter().any(|value| *value != 0.0);
    let left = if matters { marks.wavelets.left(&marks.marks) } else { vec![0.0; context.input.len()] };
    let kept = 100.0 * marks.marks.iter().sum::<f32>() / area as f32;
    let notes: Vec<String> =
        found.outcome().into_iter().chain([format!("It keeps {kept:.1} % of the wavelets.")]).collect();
    let channels = left.len() / area;
    let values = match context.layout() {
        Layout::Nchw => left,
        Layout::Nhwc => (0..left.len()).map(|index| left[index % channels * area + index / channels]).collect(),
    };
    let shape = context.shape().to_vec();
    let map = HeatMap::of_input(&values, &shape, context.layout());
    let found = Found { attribution: Attribution { values, shape, map, ..found.attribution }, ..found };
    Ok(Attribution { parameters: options.values(), ..found.noted(notes) })
}

/// How much each wavelet is kept.
struct Marks<'a> {
    marks: Vec<f32>,
    wavelets: Wavelets,
    optimiser: Optimiser,
    options: &'a WaveletXOptions,
}

impl Masks for Marks<'_> {
    fn draw(&mut self, _: usize) -> Vec<f32> {
        self.marks.repeat(self.options.draws)
    }

    fn climb(&mut self, _: usize, gradient: &[f32]) {
        let (count, draws) = (self.marks.len(), self.options.draws as f32);
        let (_, picture) = self.wavelets.brightness(&self.marks);
        let (area, weight) = (self.options.area_weight as f32 / count as f32, self.options.picture_weight as f32);
        let mut all: Vec<f32> = picture.iter().map(|slope| -area - weight * slope).collect();
        for gradient in gradient.chunks(count) {
            all.iter_mut().zip(gradient).for_each(|(all, gradient)| *all += gradient / draws);
        }
        self.optimiser.climb(&mut self.marks, &all);
        self.marks.iter_mut().for_each(|mark| *mark = mark.clamp(0.0, 1.0));
    }

    /// What is left of the picture, the sum over its channels.
    fn map(&self) -> Vec<f32> {
        let left = self.wavelets.left(&self.marks);
        (0..self.marks.len()).map(|pixel| left.iter().skip(pixel).step_by(self.marks.len()).sum()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        haar::Haar,
        testing::{Question, assert_close, graph},
    };
    use vitrine_onnx::{Node, Tensor};

    /// A class that looks at one wavelet of 4 x 4 pixels alone, the first diagonal one, of which the picture has 3. The others
    /// of its size and direction are 0, so that noise is around 0.75 by 1.3, always less; all else is 1 and costs only.
    #[test]
    fn of_a_model_that_looks_at_one_wavelet_only_that_one_is_kept() {
        let mut seen = vec![0.0; 16];
        seen[10] = 1.0;
        let haar = Haar::unpadded([4, 4], 1);
        let seen = haar.inverse(seen);
        let mut picture = vec![1.0; 16];
        [(10, 3.0), (11, 0.0), (14, 0.0), (15, 0.0)].into_iter().for_each(|(place, value)| picture[place] = value);
        let picture = haar.inverse(picture);
        let weights: Vec<f32> = seen.iter().flat_map(|weight| [*weight, 0.0]).collect();
        let nodes = vec![Node::new("Flatten", &["x"], &["flat"]), Node::new("MatMul", &["flat", "w"], &["y"])];
        let model = graph(&[1, 4, 4], nodes, vec![Tensor::from_f32("w", &[16, 2], &weights)], 2);
        let question = Question::new(model, &picture).target("0").with("levels", "1").with("picture-weight", "0");
        let question = question.with("steps", "40");
        let found = pollster::block_on(WaveletX.explain(&question.context())).unwrap();
        assert!((found.prediction - 3.0).abs() < 1e-5, "{}", found.prediction);
        assert_close(&found.values, &seen.iter().map(|value| 3.0 * value).collect::<Vec<_>>(), 1e-5);
        assert!(found.notes.iter().any(|note| note == "It keeps 6.2 % of the wavelets."), "{:?}", found.notes);
        assert_eq!((found.forward_passes, found.backward_passes), (2 + 160, 160));
    }
}
