//! Saliency: how fast the target changes with each input value, the gradient at the input itself.
//!
//! Karen Simonyan, Andrea Vedaldi, Andrew Zisserman: Deep Inside Convolutional Networks: Visualising Image
//! Classification Models and Saliency Maps. ICLR Workshop 2014.
//!
//! Departures from the paper: none with the default options, whose map is the largest absolute derivative over the
//! channels. `Attribution::values` is the signed gradient with any options, where Captum gives absolute values.

use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, LocalBoxFuture,
    backward::gradient,
    options::{choices, options},
};

choices! {
    /// What becomes of a derivative's sign in the map.
    pub enum Sign {
        /// It stays: a pixel that would raise the answer by becoming brighter is positive.
        Signed = "signed",
        /// It goes: how much a pixel moves the answer, whichever way.
        Absolute = "absolute",
    }
}

choices! {
    /// How a pixel's channels become one number in the map.
    pub enum Channels {
        /// The one that is largest, whatever its sign.
        Max = "max",
        /// Their sum.
        Sum = "sum",
    }
}

options! {
    /// Options of [`Saliency`].
    pub struct SaliencyOptions {
        /// Whether the map keeps the signs of the derivatives.
        sign: Sign [Sign::kind()] = Sign::Absolute,
        /// How a pixel's channels become one number in the map.
        channels: Channels [Channels::kind()] = Channels::Max,
    }
}

impl SaliencyOptions {
    /// The map of a gradient of the input's shape.
    pub(crate) fn map(&self, context: &Context<'_>, gradient: &[f32]) -> HeatMap {
        let derivative = |&value: &f32| if self.sign == Sign::Absolute { value.abs() } else { value };
        let values: Vec<f32> = gradient.iter().map(derivative).collect();
        match self.channels {
            Channels::Sum => HeatMap::of_input(&values, context.shape(), context.layout()),
            Channels::Max => {
                let larger = |a: f32, b: f32| if b.abs() > a.abs() { b } else { a };
                HeatMap::of_channels(&values, context.shape(), context.layout(), larger)
            }
        }
    }
}

/// Saliency (Simonyan, Vedaldi, Zisserman 2014).
pub struct Saliency;

impl Explainer for Saliency {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "saliency".to_owned(),
            name: "Saliency".to_owned(),
            family: Family::Gradient,
            summary: "Shows which pixels would move the answer most if they changed a little. It is the quickest \
                      look into a model, but it is noisy, and where the model is already certain it may show next to \
                      nothing."
                .to_owned(),
            reference: Reference {
                authors: "Karen Simonyan, Andrea Vedaldi, Andrew Zisserman".to_owned(),
                year: 2014,
                title: "Deep Inside Convolutional Networks: Visualising Image Classification Models and Saliency Maps"
                    .to_owned(),
                venue: "ICLR Workshop".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient],
            parameters: SaliencyOptions::parameters(),
            promises: vec![
                Promise::ZeroForConstantModel,
                Promise::Linearity,
                Promise::Symmetry,
                Promise::DummyFeature,
                Promise::ImplementationInvariance,
            ],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        SaliencyOptions::parse(context.parameters)?;
        Ok(Cost { forward_passes: 1, backward_passes: 1 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = SaliencyOptions::parse(context.parameters)?;
            let found = gradient(context).await?;
            let values = found.values.clone();
            let map = options.map(context, &values);
            Ok(Attribution { map, ..found.attribution(context, values, options.values()) })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight, squares, unconnected};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(Saliency.explain(&question.context())).unwrap()
    }

    #[test]
    fn the_gradient_of_squares_is_twice_the_input() {
        let found = explained(&Question::new(squares(3), &[1.0, -2.0, 3.0]).target("0"));
        assert_close(&found.values, &[2.0, -4.0, 6.0], 1e-6);
        assert_close(&found.map.values, &[2.0, 4.0, 6.0], 1e-6);
        assert_eq!((found.prediction, found.forward_passes, found.backward_passes), (14.0, 1, 1));
    }

    #[test]
    fn the_map_reduces_channels_as_the_options_say() {
        // Two channels of one row and three columns: weights 0 to 2 are the first channel's, 3 to 5 the second's.
        let question = Question::new(linear(&[2, 1, 3]), &[1.0; 6]);
        for (sign, channels) in [("signed", "sum"), ("signed", "max"), ("absolute", "sum"), ("absolute", "max")] {
            let found = explained(&question.clone().with("sign", sign).with("channels", channels));
            let expected: Vec<f32> = (0..3)
                .map(|pixel| {
                    let derivative = |i: usize| {
                        let weight = linear_weight(i, 1);
                        if sign == "signed" { weight } else { weight.abs() }
                    };
                    let (a, b) = (derivative(pixel), derivative(pixel + 3));
                    match channels {
                        "sum" => a + b,
                        _ if a.abs() > b.abs() => a,
                        _ => b,
                    }
                })
                .collect();
            assert_close(&found.map.values, &expected, 1e-6);
            let gradient: Vec<f32> = (0..6).map(|i| linear_weight(i, 1)).collect();
            assert_close(&found.values, &gradient, 1e-6);
        }
    }

    #[test]
    fn a_target_that_ignores_the_input_gets_zeros_and_a_note() {
        let found = explained(&Question::new(unconnected(), &[1.0, 2.0]).target("0"));
        assert_eq!(found.values, [0.0, 0.0]);
        assert!(found.notes.iter().any(|note| note.contains("does not depend on the input")), "{:?}", found.notes);
    }

    #[test]
    fn an_overflow_is_refused_with_its_place() {
        let question = Question::new(squares(2), &[1e30, 1.0]).target("0");
        let error = pollster::block_on(Saliency.explain(&question.context())).unwrap_err().to_string();
        assert!(error.starts_with("The target at the input is not a finite number"), "{error}");
    }
}
