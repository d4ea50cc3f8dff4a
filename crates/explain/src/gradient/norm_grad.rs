//! NormGrad: at each place of a layer, how much the loss would move a layer that changes nothing were it put there and
//! trained: for a 1 x 1 convolution the length of the gradient times the length of the activation.
//!
//! Sylvestre-Alvise Rebuffi, Ruth Fong, Xu Ji, Andrea Vedaldi: There and Back Again: Revisiting Backpropagation Saliency
//! Methods. CVPR 2020.
//!
//! Departures from the paper: the target is the caller's scalar, where the paper takes the cross-entropy loss of the class;
//! the two gradients differ by a common factor for a margin of two classes, and in general by the other classes' parts.
//! Maps of several layers are divided by their largest value and multiplied; the paper also weights them, which is left out.

use burn::tensor::{module::avg_pool2d, ops::AvgPoolOptions};
use vitrine_graph::Value;
use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    options::{choices, options},
    tap::{Combination, Finish, Fusion, Tap, explain_by},
};

choices! {
    /// The layer that changes nothing.
    pub enum Identity {
        /// A 1 x 1 convolution: length of the gradient times length of the activation.
        Convolution = "convolution",
        /// A 3 x 3 convolution: length of the gradient times length of the nine activations around.
        ThreeByThree = "3x3",
        /// A factor for each channel: length of gradient times activation, channel by channel.
        Scaling = "scaling",
        /// A bias for each channel: length of the gradient.
        Bias = "bias",
    }
}

options! {
    /// Options of [`NormGrad`].
    pub struct NormGradOptions {
        /// The layer that changes nothing, whose training is looked at.
        identity: Identity [Identity::kind()] = Identity::Convolution,
        /// How the maps of several layers become one, after each was divided by its largest value.
        fusion: Fusion [Fusion::kind()] = Fusion::Product,
    }
}

/// NormGrad (Rebuffi et al. 2020).
///
/// `Attribution::values` is the layer's map `[height, width]`, of several layers their product at the input's size.
pub struct NormGrad;

impl Explainer for NormGrad {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "norm-grad".to_owned(),
            name: "NormGrad".to_owned(),
            family: Family::Gradient,
            summary: "Shows at which places of a layer there is both much activity and much to gain by changing it. \
                      It works at any layer and takes one pass each way, but it does not tell whether a place helps \
                      or hurts."
                .to_owned(),
            reference: Reference {
                authors: "Sylvestre-Alvise Rebuffi, Ruth Fong, Xu Ji, Andrea Vedaldi".to_owned(),
                year: 2020,
                title: "There and Back Again: Revisiting Backpropagation Saliency Methods".to_owned(),
                venue: "CVPR".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::SpatialLayer],
            parameters: NormGradOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        NormGradOptions::parse(context.parameters)?;
        Ok(Cost { forward_passes: 1, backward_passes: 1 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = NormGradOptions::parse(context.parameters)?;
            let combination: Combination = match options.identity {
                Identity::Convolution => |tap| product(&squared_length(&tap.activations)?, tap),
                Identity::ThreeByThree => |tap| product(&around(&squared_length(&tap.activations)?)?, tap),
                Identity::Scaling => |tap| root(&squared_length(&tap.gradients.mul(&tap.activations)?)?),
                Identity::Bias => |tap| root(&squared_length(&tap.gradients)?),
            };
            explain_by(context, combination, Finish { relu: false, fusion: options.fusion }, options.values()).await
        })
    }
}

/// The length of the gradient times the root of a number at each place.
fn product(squared: &Value, tap: &Tap) -> Result<Value, ExplainError> {
    Ok(root(squared)?.mul(&root(&squared_length(&tap.gradients)?)?)?)
}

fn root(value: &Value) -> Result<Value, ExplainError> {
    Ok(value.map(|value| value.sqrt())?)
}

/// Sum of the squares of all channels at each place.
fn squared_length(value: &Value) -> Result<Value, ExplainError> {
    Ok(value.map(|value| value.square())?.sum_axes(&[1])?)
}

/// Sum over each place and its eight neighbours, as far as they lie in the map.
fn around(value: &Value) -> Result<Value, ExplainError> {
    let window = AvgPoolOptions {
        kernel_size: [3, 3],
        stride: [1, 1],
        padding: [(1, 1), (1, 1)],
        count_include_pad: true,
        ceil_mode: false,
    };
    Ok(Value::new(avg_pool2d(value.tensor::<4>()?, window) * 9.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, two_channels};

    #[test]
    fn several_layers_are_multiplied() {
        let question =
            Question::new(two_channels([3.0, -4.0]), &[1.0, -2.0, 0.0, 4.0]).target("0").layer("a").layer("r");
        let found = pollster::block_on(NormGrad.explain(&question.context())).unwrap();
        // Both layers hold the same, and their largest value becomes 1.
        assert_close(&found.values, &[1.0 / 16.0, 0.25, 0.0, 1.0], 1e-6);
    }

    /// Layer `a` holds the picture x and its double, so activations have length sqrt(5) |x|; class 0 has the gradients 3/4
    /// and -4/4 everywhere, of length 5/4.
    #[test]
    fn each_identity_has_its_formula() {
        let input = [1.0_f32, -2.0, 0.0, 4.0];
        let question = Question::new(two_channels([3.0, -4.0]), &input).target("0").layer("a");
        let length = |x: f32| 5.0_f32.sqrt() * x.abs();
        // All four places neighbour one another.
        let around = (5.0 * input.iter().map(|x| x * x).sum::<f32>()).sqrt();
        for (identity, expected) in [
            ("convolution", input.map(|x| 1.25 * length(x))),
            ("3x3", [1.25 * around; 4]),
            ("scaling", input.map(|x| (0.75_f32.powi(2) + 2.0_f32.powi(2)).sqrt() * x.abs())),
            ("bias", [1.25; 4]),
        ] {
            let question = question.clone().with("identity", identity);
            let found = pollster::block_on(NormGrad.explain(&question.context())).unwrap();
            assert_close(&found.values, &expected, 1e-6);
        }
    }
}
