//! Class model visualisation: the input that the model takes most for the class, among inputs that are not too strong.
//!
//! Karen Simonyan, Andrea Vedaldi, Andrew Zisserman: Deep Inside Convolutional Networks: Visualising Image
//! Classification Models and Saliency Maps. ICLR Workshop 2014.
//!
//! From the zero input on, gradient ascent on the target less `penalty` times the sum of the squared input values. Zero is
//! what the model sees of its training pictures' mean colour.
//!
//! Departures: the paper tells neither the penalty nor the rate; those here suit models whose input is normalised. The map
//! is the gradient's magnitude averaged over the steps, which the paper does not have.

use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    ascent::{Ascent, Parametrisation, climb, cost},
    integrator::Scalar,
    optimiser::Optimiser,
    options::{integer, number, options},
};

options! {
    /// Options of [`ClassModelVisualisation`].
    pub struct ClassModelVisualisationOptions {
        /// Steps uphill, each one forward and one backward pass.
        steps: usize [integer(1, 10_000)] = 256,
        /// What the gradient is multiplied by in every step. Too much, and the picture jumps about.
        learning_rate: f64 [number(1e-6, 1e6)] = 10.0,
        /// How much the sum of the squared input values counts against the target. More gives a fainter picture.
        penalty: f64 [number(0.0, 1e6)] = 0.001,
    }
}

/// Class model visualisation (Simonyan, Vedaldi, Zisserman 2014).
///
/// The prediction of the [`Attribution`] is the target at the picture that is made, that of the baseline at the zero input.
pub struct ClassModelVisualisation;

impl Explainer for ClassModelVisualisation {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "class-model-visualisation".to_owned(),
            name: "Class Model Visualisation".to_owned(),
            family: Family::Visualisation,
            summary: "Makes the picture that the model takes most for the answer, from nothing and pixel by pixel. It \
                      shows the model's taste rather than your picture, and often looks like noise to people."
                .to_owned(),
            reference: Reference {
                authors: "Karen Simonyan, Andrea Vedaldi, Andrew Zisserman".to_owned(),
                year: 2014,
                title: "Deep Inside Convolutional Networks: Visualising Image Classification Models and Saliency Maps"
                    .to_owned(),
                venue: "ICLR Workshop".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient],
            parameters: ClassModelVisualisationOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Picture],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = ClassModelVisualisationOptions::parse(context.parameters)?;
        Ok(cost(options.steps, 1, Cost::default()))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = ClassModelVisualisationOptions::parse(context.parameters)?;
            let ascent = Ascent {
                scalar: Scalar::Target,
                parametrisation: Parametrisation::Values,
                optimiser: Optimiser::Plain { rate: options.learning_rate as f32, penalty: options.penalty as f32 },
                steps: options.steps,
                views: None,
                transparent: false,
                before: Cost::default(),
            };
            Ok(Attribution { parameters: options.values(), ..climb(context, ascent).await? })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use vitrine_protocol::Picture;

    use super::*;
    use crate::{
        Observer,
        testing::{Question, assert_close, linear, linear_weight, squares, unconnected},
    };

    fn explained(question: &Question) -> Result<Attribution, ExplainError> {
        pollster::block_on(ClassModelVisualisation.explain(&question.context()))
    }

    /// w x + b - penalty |x|^2 is largest at w / (2 penalty).
    #[test]
    fn of_a_linear_model_it_is_the_weights_over_twice_the_penalty() {
        let question = Question::new(linear(&[1, 2, 3]), &[9.0; 6]).with("penalty", "0.4");
        let found = explained(&question.with("learning-rate", "0.5").with("steps", "40")).unwrap();
        let weights: Vec<f32> = (0..6).map(|index| linear_weight(index, 1)).collect();
        let expected: Vec<f32> = weights.iter().map(|weight| weight / 0.8).collect();
        assert_close(&found.visualisation.unwrap().values, &expected, 1e-5);
        let magnitudes: Vec<f32> = weights.iter().map(|weight| weight.abs()).collect();
        assert_close(&found.values, &magnitudes, 1e-5);
        let value: f32 = weights.iter().zip(&expected).map(|(a, b)| a * b).sum::<f32>() + 1.0;
        assert!((found.prediction - value).abs() < 1e-4, "{}, not {value}", found.prediction);
        assert_eq!((found.baseline_prediction, found.forward_passes, found.backward_passes), (Some(1.0), 42, 40));
    }

    #[test]
    fn a_model_that_ignores_its_input_gives_the_zero_picture_and_a_sentence() {
        let found = explained(&Question::new(unconnected(), &[1.0, 2.0]).target("0")).unwrap();
        assert_eq!((found.values, found.map.values), (vec![0.0; 2], vec![0.0; 2]));
        assert_eq!(found.visualisation.unwrap().values, [0.0; 2]);
        assert!(found.notes.iter().any(|note| note.contains("does not depend on the input")), "{:?}", found.notes);
    }

    #[test]
    fn numbers_that_grow_without_bounds_are_refused_with_what_to_do() {
        // The wrong way round: a penalty's pull of 2 rate penalty = 4 throws each number to the other side, thrice as far.
        let question = Question::new(linear(&[1, 2, 3]), &[0.0; 6]).with("penalty", "2").with("learning-rate", "1");
        let error = explained(&question).unwrap_err().to_string();
        assert!(error.contains("not a finite number") && error.contains("lower the learning rate"), "{error}");
        // Squares have no slope at zero.
        let flat = explained(&Question::new(squares(2), &[1.0, 1.0])).unwrap();
        assert!(flat.notes[0].contains("does not depend"), "{:?}", flat.notes);
    }

    #[derive(Default)]
    struct Frames(RefCell<Vec<Picture>>);

    impl Observer for Frames {
        fn frame(&self, picture: &Picture) {
            self.0.borrow_mut().push(picture.clone());
        }
    }

    #[test]
    fn frames_come_on_the_way() {
        let frames = Frames::default();
        let question = Question::new(linear(&[1, 2, 3]), &[0.0; 6]).with("steps", "200");
        pollster::block_on(ClassModelVisualisation.explain(&Context { observer: &frames, ..question.context() }))
            .unwrap();
        let frames = frames.0.borrow();
        assert_eq!(frames.len(), 49);
        assert!(frames.iter().all(|frame| (frame.width, frame.height, frame.rgba.len()) == (3, 2, 24)));
    }
}
