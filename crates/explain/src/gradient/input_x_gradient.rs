//! Input times gradient: the target's gradient at the input, times the input. Of a model without biases whose only
//! activations are ReLUs the values sum to the target.
//!
//! Avanti Shrikumar, Peyton Greenside, Anna Shcherbina, Anshul Kundaje: Not Just a Black Box: Learning Important Features
//! Through Propagating Activation Differences. 2016.
//!
//! Departures from the paper: none. The input is the tensor that the model sees, so what is zero there, such as the
//! average colour where a mean is subtracted, gets zero.

use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture, backward::gradient, options::no_options,
};

/// Input times gradient (Shrikumar et al. 2016).
pub struct InputXGradient;

impl Explainer for InputXGradient {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "input-x-gradient".to_owned(),
            name: "Input × Gradient".to_owned(),
            family: Family::Gradient,
            summary: "Multiplies each pixel by how fast the answer changes with it: its share, if the model were \
                      linear. It is as quick as a gradient and as noisy, and what the model reads as zero never gets \
                      anything."
                .to_owned(),
            reference: Reference {
                authors: "Avanti Shrikumar, Peyton Greenside, Anna Shcherbina, Anshul Kundaje".to_owned(),
                year: 2016,
                title: "Not Just a Black Box: Learning Important Features Through Propagating Activation Differences"
                    .to_owned(),
                venue: "arXiv:1605.01713".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient],
            parameters: Vec::new(),
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
        no_options(context.parameters)?;
        Ok(Cost { forward_passes: 1, backward_passes: 1 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let parameters = no_options(context.parameters)?;
            let found = gradient(context).await?;
            let input = context.input.to_vec().await?;
            let values = found.values.iter().zip(&input).map(|(gradient, value)| gradient * value).collect();
            Ok(found.attribution(context, values, parameters))
        })
    }
}

#[cfg(test)]
mod tests {
    use vitrine_onnx::{Node, Tensor};

    use super::*;
    use crate::testing::{Question, assert_close, graph};

    /// ReLU of x0 - x1 and of x0 + x1, the first times 2: at [3, 1] both are on, so the score is 3 x0 - x1 = 8.
    #[test]
    fn without_biases_the_values_sum_to_the_score() {
        let nodes = vec![
            Node::new("MatMul", &["x", "v"], &["h"]),
            Node::new("Relu", &["h"], &["r"]),
            Node::new("MatMul", &["r", "w"], &["y"]),
        ];
        let weights = vec![
            Tensor::from_f32("v", &[2, 2], &[1.0, 1.0, -1.0, 1.0]),
            Tensor::from_f32("w", &[2, 2], &[0.0, 2.0, 0.0, 1.0]),
        ];
        let question = Question::new(graph(&[2], nodes, weights, 2), &[3.0, 1.0]);
        let found = pollster::block_on(InputXGradient.explain(&question.context())).unwrap();
        assert_close(&found.values, &[9.0, -1.0], 1e-6);
        assert_eq!(found.prediction, 8.0);
        let error = pollster::block_on(InputXGradient.explain(&question.with("steps", "3").context())).unwrap_err();
        assert_eq!(error.to_string(), "This method has no parameter \"steps\"; it has none at all.");
    }
}
