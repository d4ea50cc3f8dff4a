//! Deconvnet: what leads to the answer, sent back through the transposed layers; each ReLU lets only what is positive
//! go on, whether or not it was on itself. As with guided backpropagation, the maps say more about the image than
//! about the class.
//!
//! Matthew D. Zeiler, Rob Fergus: Visualizing and Understanding Convolutional Networks. ECCV 2014.
//!
//! Departures from the paper: it starts at the target, where the paper starts at single units of a layer. Max pools send
//! back to where the maximum was, as the paper does with its switches. ReLU6, which files write as a Clip, counts as a
//! ReLU. With `activations=all` the activations of later models are treated alike; all else has its derivative.

use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    backward::{ActivationRule, Activations, through_activations},
    options::options,
};

options! {
    /// Options of [`Deconvnet`].
    pub struct DeconvnetOptions {
        /// Which activations let only what is positive go on.
        activations: Activations [Activations::kind()] = Activations::Relu,
    }
}

/// Deconvnet (Zeiler, Fergus 2014).
pub struct Deconvnet;

impl Explainer for Deconvnet {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "deconvnet".to_owned(),
            name: "Deconvnet".to_owned(),
            family: Family::Gradient,
            summary: "Sends the answer back through the layers and keeps at each unit only what is positive on the \
                      way. It shows patterns that the model can see, and like guided backpropagation it hardly tells \
                      one class from another."
                .to_owned(),
            reference: Reference {
                authors: "Matthew D. Zeiler, Rob Fergus".to_owned(),
                year: 2014,
                title: "Visualizing and Understanding Convolutional Networks".to_owned(),
                venue: "ECCV".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient],
            parameters: DeconvnetOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        DeconvnetOptions::parse(context.parameters)?;
        Ok(Cost { forward_passes: 1, backward_passes: 1 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = DeconvnetOptions::parse(context.parameters)?;
            let found = through_activations(context, ActivationRule::Deconvnet, options.activations).await?;
            let values = found.values.clone();
            Ok(found.attribution(context, values, options.values()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, two_layers};

    /// See `two_layers`: of 1, -2 and 4 the positive ones go on, by the weights [1, 3] and [-1, -2], although the
    /// third unit is off.
    #[test]
    fn what_is_positive_goes_on_even_where_the_unit_is_off() {
        let question = Question::new(two_layers("Relu"), &[2.0, 1.0]);
        let found = pollster::block_on(Deconvnet.explain(&question.context())).unwrap();
        assert_close(&found.values, &[1.0 - 4.0, 3.0 - 8.0], 1e-6);
        assert!(found.notes.is_empty(), "{:?}", found.notes);
    }
}
