//! MACO: the picture that the target answers most, among pictures that hold as much of each frequency as natural ones do.
//! What may change is where the waves lie, their phases, and never how strong they are; and pixels that never mattered
//! are shown transparent.
//!
//! Thomas Fel, Thibaut Boissin, Victor Boutin, Agustin Picard, Paul Novello, Julien Colin, Drew Linsley, Tom Rousseau,
//! Rémi Cadène, Laurent Gardes, Thomas Serre: Unlocking Feature Visualization for Deeper Networks with MAgnitude
//! Constrained Optimization. NeurIPS 2023.
//!
//! Departures: the magnitudes are one over the frequency, the law of natural pictures' mean, the same for each
//! independent colour, where the paper averages ImageNet's; the phase of a wave and that of its mirror image are one
//! number, so that no magnitude is lost to what a real picture cannot hold; the picture is as large as the model's
//! input. The authors' library takes 256 steps of 32 crops with sides from 50 down to 5 percent of a picture of 512 and
//! more pixels; here fewer and larger ones, since the picture is smaller. Transparency is by the gradient's magnitude
//! summed over the channels, full from that of the upper fifth of all pixels.

use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    ascent::{Ascent, Parametrisation, climb, cost},
    integrator::Scalar,
    optimiser::Optimiser,
    options::{integer, number, options},
    views::Views,
    waves::Waves,
};

options! {
    /// Options of [`Maco`].
    pub struct MacoOptions {
        /// Steps uphill.
        steps: usize [integer(1, 10_000)] = 128,
        /// Random crops that every step looks at, each one forward and one backward pass.
        views: usize [integer(1, 256)] = 8,
        /// Side of the crops in the first step, as a part of the picture's.
        first_side: f64 [number(0.01, 1.0)] = 0.9,
        /// Side of the crops in the last step, evenly between.
        last_side: f64 [number(0.01, 1.0)] = 0.5,
        /// Noise added to the crops: its standard deviation, as a part of the distance between black and white.
        noise: f64 [number(0.0, 1.0)] = 0.08,
        /// How far, in radians, a phase moves in a step.
        learning_rate: f64 [number(1e-6, 100.0)] = 1.0,
    }
}

/// MACO (Fel et al. 2023).
///
/// The prediction of the [`Attribution`] is the target at the picture that is made, that of the baseline at random phases.
pub struct Maco;

impl Explainer for Maco {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "maco".to_owned(),
            name: "MACO".to_owned(),
            family: Family::Visualisation,
            summary: "Makes a picture that the model takes for the answer, out of waves as strong as those of natural \
                      pictures. Parts that did not matter to the model are transparent, and another seed gives \
                      another picture."
                .to_owned(),
            reference: Reference {
                authors: "Thomas Fel, Thibaut Boissin, Victor Boutin, Agustin Picard, Paul Novello, Julien Colin, \
                          Drew Linsley, Tom Rousseau, Rémi Cadène, Laurent Gardes, Thomas Serre"
                    .to_owned(),
                year: 2023,
                title: "Unlocking Feature Visualization for Deeper Networks with MAgnitude Constrained Optimization"
                    .to_owned(),
                venue: "NeurIPS".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::ImageInput],
            parameters: MacoOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Picture],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = MacoOptions::parse(context.parameters)?;
        Ok(cost(options.steps, options.views, Cost::default()))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = MacoOptions::parse(context.parameters)?;
            let sides = [options.first_side, options.last_side];
            let ascent = Ascent {
                scalar: Scalar::Target,
                parametrisation: Parametrisation::Waves(Box::new(Waves::new(context, false).await?)),
                optimiser: Optimiser::nadam(options.learning_rate),
                steps: options.steps,
                views: Some(Views { count: options.views, sides, noise: options.noise }),
                transparent: true,
                before: Cost::default(),
            };
            Ok(Attribution { parameters: options.values(), ..climb(context, ascent).await? })
        })
    }
}

#[cfg(test)]
mod tests {
    use vitrine_onnx::{Node, Tensor};

    use super::*;
    use crate::{
        spectrum::{natural, slowly},
        testing::{Question, graph, linear, linear_weight, unconnected},
    };

    const SIZE: [usize; 2] = [6, 8];

    fn explained(question: &Question) -> Result<Attribution, ExplainError> {
        pollster::block_on(Maco.explain(&question.context()))
    }

    /// Of all pictures with given magnitudes r the one that a linear model answers most has the phases of its weights w,
    /// and the answer is the sum of r |w| over all frequencies, mirror images too. Nothing is cropped.
    #[test]
    fn of_a_linear_model_the_phases_become_those_of_the_weights() {
        let whole = |steps: &str| {
            let question = Question::new(linear(&[1, 6, 8]), &[0.0; 48]).with("steps", steps).with("views", "1");
            question.with("first-side", "1").with("last-side", "1").with("noise", "0").with("learning-rate", "0.1")
        };
        let weights: Vec<f32> = (0..48).map(|index| linear_weight(index, 1)).collect();
        let of_weights = slowly(&weights, SIZE);
        let magnitudes = natural(SIZE);
        let best: f64 = (0..30)
            .map(|index| {
                let counted = if index % 5 == 0 || index % 5 == 4 { 1.0 } else { 2.0 };
                let own = [0, 4, 15, 19].contains(&index);
                // The mean is left out, and what is its own mirror image cannot turn.
                let [real, imaginary] = of_weights[index];
                let size = if own { real } else { real.hypot(imaginary) };
                if index == 0 { 0.0 } else { counted * f64::from(magnitudes[index]) * size }
            })
            .sum();
        let found = explained(&whole("150")).unwrap();
        let answer = f64::from(found.prediction) - 1.0;
        assert!((answer / best - 1.0).abs() < 0.01, "{answer}, not {best}");
        for steps in ["1", "2", "7", "150"] {
            let picture = explained(&whole(steps)).unwrap().visualisation.unwrap().values;
            for (index, [real, imaginary]) in slowly(&picture, SIZE).into_iter().enumerate().skip(1) {
                let expected = f64::from(magnitudes[index]);
                let size = real.hypot(imaginary);
                assert!((size - expected).abs() < 1e-4, "{index} after {steps} steps: {size}, not {expected}");
            }
        }
    }

    /// The model looks at the left half alone.
    #[test]
    fn what_the_model_never_looks_at_is_transparent() {
        let seen = |at: usize| if at % 8 < 4 { linear_weight(at, 1) } else { 0.0 };
        let weights: Vec<f32> = (0..48).flat_map(|at| [0.0, seen(at)]).collect();
        let nodes = vec![Node::new("Flatten", &["x"], &["flat"]), Node::new("MatMul", &["flat", "w"], &["y"])];
        let graph = graph(&[1, 6, 8], nodes, vec![Tensor::from_f32("w", &[48, 2], &weights)], 2);
        let question = Question::new(graph, &[0.0; 48]).with("steps", "4").with("views", "2");
        let found = explained(&question.with("first-side", "1").with("last-side", "1")).unwrap();
        let picture = found.visualisation.unwrap().picture;
        for (at, pixel) in picture.rgba.as_chunks::<4>().0.iter().enumerate() {
            assert_eq!(pixel[3] == 0, at % 8 >= 4, "pixel {at} has an opacity of {}", pixel[3]);
        }
        assert_eq!((found.forward_passes, found.backward_passes), (10, 8));
    }

    #[test]
    fn what_is_no_picture_is_refused_and_a_constant_model_gets_a_sentence() {
        let error = explained(&Question::new(unconnected(), &[1.0, 2.0]).target("0")).unwrap_err().to_string();
        assert_eq!(error, "This method needs an image, and the model's input has shape [2].");
        let nodes = vec![Node::new("Flatten", &["x"], &["flat"]), Node::new("MatMul", &["flat", "w"], &["y"])];
        let constant = graph(&[1, 6, 8], nodes, vec![Tensor::from_f32("w", &[48, 2], &[0.0; 96])], 2);
        let found = explained(&Question::new(constant, &[0.0; 48]).with("steps", "3")).unwrap();
        assert!(found.values.iter().all(|value| *value == 0.0));
        assert!(found.visualisation.unwrap().values.iter().all(|value| value.is_finite()));
        assert!(found.notes[0].contains("does not depend on the input"), "{:?}", found.notes);
    }
}
