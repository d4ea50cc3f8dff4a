//! Guided backpropagation: the gradient at the input, but on the way back through each ReLU only what is positive goes
//! on. The maps are sharp and follow edges; they say little about the class (Nie, Zhang, Patel: A Theoretical Explanation
//! for Perplexing Behaviors of Backpropagation-based Visualizations, ICML 2018).
//!
//! Jost Tobias Springenberg, Alexey Dosovitskiy, Thomas Brox, Martin Riedmiller: Striving for Simplicity: The All
//! Convolutional Net. ICLR Workshop 2015.
//!
//! Departures from the paper: ReLU6, which files write as a Clip, counts as a ReLU; Captum leaves it its derivative. With
//! `activations=all` the activations of later models are treated alike: the positive part of what arrives, times their
//! derivative. All else keeps its derivative; a note says which activations did.

use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    backward::{ActivationRule, Activations, through_activations},
    options::options,
};

options! {
    /// Options of [`GuidedBackprop`].
    pub struct GuidedBackpropOptions {
        /// Which activations let only what is positive go on.
        activations: Activations [Activations::kind()] = Activations::Relu,
    }
}

/// Guided Backpropagation (Springenberg et al. 2015).
pub struct GuidedBackprop;

impl Explainer for GuidedBackprop {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "guided-backprop".to_owned(),
            name: "Guided Backpropagation".to_owned(),
            family: Family::Gradient,
            summary: "Follows the answer back to the pixels and drops at each unit whatever speaks against it. The \
                      lines are sharp, but they hardly change from class to class, so it tells what is seen rather \
                      than why one class won."
                .to_owned(),
            reference: Reference {
                authors: "Jost Tobias Springenberg, Alexey Dosovitskiy, Thomas Brox, Martin Riedmiller".to_owned(),
                year: 2015,
                title: "Striving for Simplicity: The All Convolutional Net".to_owned(),
                venue: "ICLR Workshop".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient],
            parameters: GuidedBackpropOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        GuidedBackpropOptions::parse(context.parameters)?;
        Ok(Cost { forward_passes: 1, backward_passes: 1 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = GuidedBackpropOptions::parse(context.parameters)?;
            let found = through_activations(context, ActivationRule::Guided, options.activations).await?;
            let values = found.values.clone();
            Ok(found.attribution(context, values, options.values()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, two_layers};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(GuidedBackprop.explain(&question.context())).unwrap()
    }

    /// See `two_layers`: of 1, -2 and 4, which arrive at units that are on, on and off, 1 alone goes on, by its weights.
    #[test]
    fn what_is_negative_or_comes_to_a_unit_that_is_off_stays() {
        let found = explained(&Question::new(two_layers("Relu"), &[2.0, 1.0]));
        assert_close(&found.values, &[1.0, 3.0], 1e-6);
        assert!((found.prediction - (5.0 - 2.0 * 4.0)).abs() < 1e-6, "{}", found.prediction);
        assert!(found.notes.is_empty(), "{:?}", found.notes);
    }

    /// A slope of 1/2 below zero: the third unit lets half of 4 through as well.
    #[test]
    fn other_activations_keep_their_derivative_unless_asked() {
        let question = Question::new(two_layers("LeakyRelu"), &[2.0, 1.0]);
        let plain = explained(&question);
        assert_close(&plain.values, &[1.0 - 2.0 - 2.0, 3.0 - 4.0 - 4.0], 1e-6);
        assert!(plain.notes[0].contains("has no ReLU") && plain.notes[0].contains("LeakyRelu"), "{:?}", plain.notes);
        let all = explained(&question.with("activations", "all"));
        assert_close(&all.values, &[1.0 - 2.0, 3.0 - 4.0], 1e-6);
        assert!(all.notes.is_empty(), "{:?}", all.notes);
    }

    #[test]
    fn a_relu6_counts_as_a_relu() {
        let found = explained(&Question::new(two_layers("Clip"), &[2.0, 1.0]));
        assert_close(&found.values, &[1.0, 3.0], 1e-6);
    }
}
