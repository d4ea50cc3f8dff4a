//! Deep Integrated Explanations: at each of the last layers, the layer's values are faded in from zero, the rest of the
//! model runs from there, and values times gradients are collected where they speak for the target. The layers' maps are
//! multiplied, so that only what all of them find is left.
//!
//! Oren Barkan, Yehonatan Elisha, Jonathan Weill, Yuval Asher, Amit Eshel, Noam Koenigstein: Deep Integrated
//! Explanations. CIKM 2023.
//!
//! Departures: the paper's integrand for vision transformers is attention weighted by its gradient; here the values of
//! any layer are taken as they are. Maps are divided by their largest value before they are multiplied. The layers are
//! those named, or the default one and those before it where the shape changes. The ReLU inside the integral ends the
//! completeness of integrated gradients, so there is no gap to tell.

use vitrine_graph::{Probe, Run};
use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture, SpatialLayer,
    attribution::check_finite,
    completeness::{no_influence, positive_products},
    integrator::{Scalar, between, walk},
    layers::{chosen_layers, with_earlier},
    observer::Progress,
    options::{integer, options},
    tap::{Finish, Fusion},
};

options! {
    /// Options of [`Dix`].
    pub struct DixOptions {
        /// How many layers are combined, where at most one is named: that one and earlier ones.
        depth: usize [integer(1, 4)] = 2,
        /// Points on the way from zero to each layer's values, each one forward and one backward pass from there on.
        steps: usize [integer(1, 1000)] = 10,
        /// How the layers' maps become one.
        fusion: Fusion [Fusion::kind()] = Fusion::Product,
    }
}

/// Deep Integrated Explanations (Barkan et al. 2023).
pub struct Dix;

fn layers(context: &Context<'_>, options: &DixOptions) -> Result<Vec<SpatialLayer>, ExplainError> {
    if context.layers.len() > 1 { chosen_layers(context) } else { with_earlier(context, options.depth) }
}

impl Explainer for Dix {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "dix".to_owned(),
            name: "Deep Integrated Explanations".to_owned(),
            family: Family::Path,
            summary: "Fades in what each of the last layers sees and keeps what they all agree on. The map is calm \
                      and small, and a layer that sees nothing at a place blots that place out for all."
                .to_owned(),
            reference: Reference {
                authors: "Oren Barkan, Yehonatan Elisha, Jonathan Weill, Yuval Asher, Amit Eshel, Noam Koenigstein"
                    .to_owned(),
                year: 2023,
                title: "Deep Integrated Explanations".to_owned(),
                venue: "CIKM".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::SpatialLayer],
            parameters: DixOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = DixOptions::parse(context.parameters)?;
        let passes = (layers(context, &options)?.len() * options.steps) as u64;
        Ok(Cost { forward_passes: passes + 1, backward_passes: passes })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = DixOptions::parse(context.parameters)?;
    let layers = layers(context, &options)?;
    let mut progress = Progress::start(context.observer, (layers.len() * options.steps + 1) as u64);
    let logits = context.target.head().logits();
    let mut run = Run::of([logits]).feed(context.input_name, context.input.clone());
    for layer in &layers {
        run = run.probe(&layer.name, Probe::Record);
    }
    let trace = context.graph.run(&run)?;
    let found = context.target.objective(trace.value(logits)?)?.to_vec().await?;
    check_finite(&found, "The target at the input", "check the input's values and the model card")?;
    progress.advance(1).await?;
    let mut maps = Vec::new();
    for layer in &layers {
        let values = trace.value(&layer.name)?.clone();
        let nothing = values.map(|values| values.zeros_like())?;
        let mut sum = None;
        walk(
            context,
            Scalar::Target,
            [&layer.name; 2],
            options.steps,
            &|range| {
                let positions: Vec<f32> = range.map(|index| (index + 1) as f32 / options.steps as f32).collect();
                between(&nothing, &values, &positions)
            },
            &mut |_, seen| positive_products(&mut sum, layer, &seen, 1.0 / options.steps as f32),
            &mut progress,
        )
        .await?;
        let sum = sum.ok_or_else(|| no_influence(context, &layer.name))?;
        maps.push(sum.to_vec().await?);
    }
    let made = Attribution {
        prediction: found.first().copied().unwrap_or(f32::NAN),
        forward_passes: progress.done(),
        backward_passes: progress.done() - 1,
        parameters: options.values(),
        ..Attribution::default()
    };
    Finish { relu: false, fusion: options.fusion }.attribution(context, &layers, maps, made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, squared_layer, two_channels};

    fn explained(question: &Question) -> Result<Attribution, ExplainError> {
        pollster::block_on(Dix.explain(&question.context()))
    }

    /// The score is the sum of h squared: with h faded in to a part a, values times gradients are 2 (a h) squared; over
    /// a = 1/2 and 1 the mean is 5/4 h squared, and h is 3 x.
    #[test]
    fn values_times_gradients_are_averaged_while_the_layer_fades_in() {
        let input = [1.0, -2.0, 0.5, 4.0];
        let question = Question::new(squared_layer(), &input).target("0").layer("h").with("steps", "2");
        let found = explained(&question.with("depth", "1")).unwrap();
        assert_close(&found.values, &input.map(|x| 1.25 * 9.0 * x * x), 1e-5);
        assert_eq!((found.forward_passes, found.backward_passes), (3, 2));
    }

    /// At `h` and `squared` the maps are in proportion to x squared; of largest value 1 they are x squared over 16, and
    /// multiplied its square.
    #[test]
    fn the_maps_of_two_layers_are_multiplied() {
        let input = [1.0, -2.0, 0.5, 4.0];
        let question = Question::new(squared_layer(), &input).target("0").layer("h").layer("squared");
        let found = explained(&question).unwrap();
        assert_close(&found.map.values, &input.map(|x| (x * x / 16.0).powi(2)), 1e-5);
        assert_eq!(found.layer.as_deref(), Some("h,squared"));
    }

    /// Class 0 scores 3 times the mean of x minus 4 times the mean of 2 x: only where a channel's value has the sign of
    /// its gradient does it count, x / 1 * 3/4 where x is positive and -2 x where it is negative; the ways' mean of a is
    /// 3/4.
    #[test]
    fn only_what_speaks_for_the_target_counts() {
        let question = Question::new(two_channels([3.0, -4.0]), &[1.0, -2.0, 0.0, 4.0]).target("0").layer("a");
        let found = explained(&question.clone().with("depth", "1").with("steps", "2")).unwrap();
        assert_close(&found.values, &[0.5625, 3.0, 0.0, 2.25], 1e-6);
        let beside = explained(&question.layer("beside")).unwrap_err().to_string();
        assert!(beside.contains("\"beside\" does not influence"), "{beside}");
    }
}
