//! Iterated Integrated Attributions: the image is faded in, and at every stage what a late layer then holds is faded in
//! once more, with the rest of the model run from there; values times gradients are collected where they speak for the
//! target. With three levels an earlier layer is faded in between.
//!
//! Oren Barkan, Yehonatan Elisha, Yuval Asher, Amit Eshel, Noam Koenigstein: Visual Explanations via Iterated Integrated
//! Attributions. ICCV 2023.
//!
//! Departures: the paper's integrand for vision transformers is attention weighted by its gradient; here the values of
//! any layer are taken as they are. The earlier layer is the nearest before the late one where the shape changes. What
//! leads around a layer is what the faded image gives. The ReLU inside the integral ends the completeness of integrated
//! gradients, so there is no gap to tell.

use vitrine_graph::{Probe, Run, Value};
use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, Infill, LocalBoxFuture,
    attribution::check_finite,
    completeness::{no_influence, positive_products},
    integrator::{Scalar, between, walk},
    layers::with_earlier,
    observer::Progress,
    options::{integer, options},
    tap::Finish,
};

options! {
    /// Options of [`Iia`].
    pub struct IiaOptions {
        /// Integrals inside one another: 2 over the image and the layer, 3 over an earlier layer too.
        levels: usize [integer(2, 3)] = 2,
        /// Points of each integral. With n points two levels take n squared forward and backward passes and n more
        /// forward, three levels n times as many.
        steps: usize [integer(1, 50)] = 10,
        /// Where the way of the image begins: black, white, grey, mean, blur or noise in pixel space, or zero and value:V
        /// in tensor space, or a file. Layers fade in from zero.
        baseline: Infill [ParameterKind::Infill] = Infill::Black,
    }
}

impl IiaOptions {
    /// Forward passes, and of them those with a backward pass; the prediction is one more.
    fn passes(&self) -> [usize; 2] {
        let n = self.steps;
        if self.levels == 2 { [n + n * n, n * n] } else { [n + n * n + n * n * n, n * n * n] }
    }
}

/// Iterated Integrated Attributions (Barkan et al. 2023).
pub struct Iia;

impl Explainer for Iia {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "iia".to_owned(),
            name: "Iterated Integrated Attributions".to_owned(),
            family: Family::Path,
            summary: "Fades the picture in, and at each moment what a late layer sees of it, and shows where that \
                      speaks for the answer. The map is calm and bound to the class, and the many repetitions make \
                      it slow."
                .to_owned(),
            reference: Reference {
                authors: "Oren Barkan, Yehonatan Elisha, Yuval Asher, Amit Eshel, Noam Koenigstein".to_owned(),
                year: 2023,
                title: "Visual Explanations via Iterated Integrated Attributions".to_owned(),
                venue: "ICCV".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::SpatialLayer],
            parameters: IiaOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let [forward, backward] = IiaOptions::parse(context.parameters)?.passes();
        Ok(Cost { forward_passes: forward as u64 + 1, backward_passes: backward as u64 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = IiaOptions::parse(context.parameters)?;
    // The last level first.
    let mut layers = with_earlier(context, options.levels - 1)?;
    if layers.len() + 1 < options.levels {
        return Err(ExplainError::NoSpatialLayer);
    }
    let baseline = options.baseline.tensor(context).await?;
    let [forward, backward] = options.passes();
    let mut progress = Progress::start(context.observer, forward as u64 + 1);
    let found = context.predict(context.input.clone())?.to_vec().await?;
    check_finite(&found, "The target at the input", "check the input's values and the model card")?;
    progress.advance(1).await?;
    let (last, share) = (layers.remove(0), 1.0 / backward as f32);
    let parts: Vec<f32> = (1..=options.steps).map(|index| index as f32 / options.steps as f32).collect();
    let mut sum = None;
    for &part in &parts {
        let input = between(&baseline, context.input, &[part])?;
        let stage = Context { input: &input, ..*context };
        let mut inner = Vec::new();
        match layers.first() {
            None => inner.push(record(&stage, context.input_name, &last.name, input.clone(), &mut progress).await?),
            Some(earlier) => {
                let whole = record(&stage, context.input_name, &earlier.name, input.clone(), &mut progress).await?;
                for part in &parts {
                    let faded = whole.map(|whole| whole.mul_scalar(*part))?;
                    inner.push(record(&stage, &earlier.name, &last.name, faded, &mut progress).await?);
                }
            }
        }
        for values in inner {
            let nothing = values.map(|values| values.zeros_like())?;
            walk(
                &stage,
                Scalar::Target,
                [&last.name; 2],
                parts.len(),
                &|range| between(&nothing, &values, &parts[range]),
                &mut |_, seen| positive_products(&mut sum, &last, &seen, share),
                &mut progress,
            )
            .await?;
        }
    }
    let map = sum.ok_or_else(|| no_influence(context, &last.name))?.to_vec().await?;
    let made = Attribution {
        prediction: found.first().copied().unwrap_or(f32::NAN),
        forward_passes: progress.done(),
        backward_passes: backward as u64,
        parameters: options.values(),
        notes: Vec::from_iter(options.baseline.note(context)),
        ..Attribution::default()
    };
    Finish::new(false).attribution(context, &[last], vec![map], made)
}

/// What a layer holds when a value, the input's or a layer's, is fed.
async fn record(
    context: &Context<'_>,
    fed: &str,
    layer: &str,
    value: Value,
    progress: &mut Progress<'_>,
) -> Result<Value, ExplainError> {
    let mut run = Run::of([layer]).probe(layer, Probe::Record);
    if fed != context.input_name {
        run = run.feed(context.input_name, context.input.clone());
    }
    let trace = context.graph.run(&run.feed(fed, value))?;
    progress.advance(1).await?;
    Ok(trace.value(layer)?.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, squared_layer};

    fn explained(levels: &str, steps: &str) -> Attribution {
        let question = Question::new(squared_layer(), &[1.0, -2.0, 0.5, 4.0]).target("0").layer("squared");
        let question = question.with("levels", levels).with("steps", steps).with("baseline", "zero");
        pollster::block_on(Iia.explain(&question.context())).unwrap()
    }

    /// `squared` holds 9 x squared and has gradient 1: with the image at a part a and the layer at a part b the product is
    /// 9 x squared times a squared times b. The mean of a squared over 1/2 and 1 is 5/8, of b 3/4.
    #[test]
    fn two_levels_fade_in_the_image_and_the_layer() {
        let found = explained("2", "2");
        assert_close(&found.values, &[1.0, 4.0, 0.25, 16.0].map(|x: f32| 9.0 * x * 0.625 * 0.75), 1e-5);
        assert_eq!((found.forward_passes, found.backward_passes), (7, 4));
    }

    /// Between them `h`, of which `squared` is the square, is faded in: one more mean of squares.
    #[test]
    fn three_levels_fade_in_the_layer_before_too() {
        let found = explained("3", "2");
        assert_close(&found.values, &[1.0, 4.0, 0.25, 16.0].map(|x: f32| 9.0 * x * 0.625 * 0.625 * 0.75), 1e-5);
        assert_eq!((found.forward_passes, found.backward_passes), (15, 8));
    }
}
