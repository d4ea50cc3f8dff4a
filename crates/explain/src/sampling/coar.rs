//! Component attribution by regression: random channels of a layer are switched off together, again and again, and a weighted
//! sum of those left on is fitted to the answers; each channel's weight is what it gives to the answer.
//!
//! Harshay Shah, Andrew Ilyas, Aleksander Madry: Decomposing and Editing Predictions by Modeling Model Computation. ICML 2024.
//!
//! Unlike channels switched off one by one, the weights tell the answer where many are off. Readings and departures: components
//! are the channels of the layers looked at, or the heads of a transformer's attention, what each hands to the projection that
//! joins them; one is switched off by making its values zero, where the paper zeroes the weights of each of a model's
//! convolutions, heads and neurons at once; the fit is a ridge regression on all samples, the
//! paper's is by an absolute penalty. The scalar is the caller's target; the paper takes the logit less the logarithm of the sum
//! of the others' exponentials, which is `logodds:auto`. The heat map, which the paper has not, shares each channel's weight out
//! over its places by how active it is there.

use std::ops::Range;

use vitrine_graph::{Probe, Run, Value};
use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Budget, Context, Cost, ExplainError, Explainer, LocalBoxFuture, SpatialLayer,
    channels::{Components, Recorded, record_as, scores},
    heads::heads,
    layers::chosen_layers,
    observer::Progress,
    options::{choices, integer, number, options},
    random::{Purpose, Random},
    regression::{Penalty, Sums},
    tap::Finish,
};

choices! {
    /// Which parts of a model are switched.
    pub enum Switched {
        /// The channels of the layers looked at.
        Channels = "channels",
        /// The heads of all attention of a transformer, whatever layers are named.
        Heads = "heads",
    }
}

options! {
    /// Options of [`Coar`].
    pub struct CoarOptions {
        /// Which parts of the model are switched.
        components: Switched [Switched::kind()] = Switched::Channels,
        /// How many times random ones are switched off, each one forward pass; several times as many as there are.
        samples: usize [integer(2, 1_000_000)] = 1000,
        /// Part of them that is off, on average.
        part: f64 [number(0.001, 0.9)] = 0.1,
        /// Most of each layer that are looked at, those with most energy first; the others stay on.
        channels: usize [integer(1, 1024)] = 512,
        /// How strongly weights are kept small: as alpha of scikit-learn's Ridge.
        alpha: f64 [number(0.000_001, 1_000_000.0)] = 1.0,
        ..budget: Budget,
    }
}

/// Component attribution by regression (Shah, Ilyas, Madry 2024).
///
/// `Attribution::values` has one number per channel, of all layers looked at, in their order, or one per head: what the target
/// loses without it.
pub struct Coar;

impl Explainer for Coar {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "coar".to_owned(),
            name: "Component Attribution".to_owned(),
            family: Family::Sampling,
            summary: "Switches random groups of a layer's channels off and fits how much each channel gives to the answer. It \
                      explains the model's inner parts, and the picture shows only where these are active."
                .to_owned(),
            reference: Reference {
                authors: "Harshay Shah, Andrew Ilyas, Aleksander Madry".to_owned(),
                year: 2024,
                title: "Decomposing and Editing Predictions by Modeling Model Computation".to_owned(),
                venue: "ICML".to_owned(),
            },
            needs: vec![Need::Forward, Need::SpatialLayer],
            parameters: CoarOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = CoarOptions::parse(context.parameters)?;
        components(context, options.components)?;
        Ok(Cost { forward_passes: options.samples as u64 + 1, backward_passes: 0 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = CoarOptions::parse(context.parameters)?;
    let found = components(context, options.components)?;
    let layers: Vec<SpatialLayer> = found.iter().map(|components| components.layer.clone()).collect();
    let mut progress = Progress::start(context.observer, options.samples as u64 + 1);
    let Some(planes) = found.first().map(|components| components.planes) else {
        return Err(ExplainError::NoSpatialLayer);
    };
    let (prediction, recorded) = record_as(context, &layers, planes).await?;
    progress.advance(1).await?;
    let part = |(components, recorded): (_, _)| Part::new(components, recorded, options.channels);
    let parts: Vec<Part> = found.iter().zip(&recorded).map(part).collect();
    let components = parts.iter().map(|part| part.channels.len()).sum();
    let mut sums = Sums::new(components, f64::from(prediction));
    let mut notes: Vec<String> = parts.iter().filter_map(Part::note).collect();
    let clock = options.budget.clock();
    let size = options.samples.div_ceil(10);
    for start in (0..options.samples).step_by(size) {
        let drawn: Vec<Vec<f32>> = (start..(start + size).min(options.samples))
            .map(|index| {
                let mut random = Random::new(context.seed, Purpose::Masks, index as u32);
                (0..components).map(|_| if random.chance(options.part) { 0.0 } else { 1.0 }).collect()
            })
            .collect();
        let feed = |run: Run, range: Range<usize>| switched(context, &parts, run, &drawn[range]);
        let found = scores(context, drawn.len(), &mut progress, &feed).await?;
        for (on, score) in drawn.iter().zip(found) {
            let on: Vec<f64> = on.iter().copied().map(f64::from).collect();
            sums.add(1.0, &on, f64::from(score));
        }
        let done = start + drawn.len();
        if done < options.samples {
            let (weights, _) = fitted(&sums, options.alpha)?;
            context.observer.partial(&placed(context, &layers, &parts, &weights, Attribution::default())?.map);
            if clock.is_over() || options.budget.is_precise(|| sums.ridge_errors(options.alpha), || weights) {
                notes.push(options.budget.note(done, options.samples));
                break;
            }
        }
    }
    let (weights, r2) = fitted(&sums, options.alpha)?;
    notes.push(match r2 {
        Some(r2) => {
            let of = options.components.id();
            format!("The fit's R2 is {r2:.3}: this part of the answers' variation is a sum of {of}.")
        }
        None => "The answers do not vary, so there is nothing to fit.".to_owned(),
    });
    let made = Attribution {
        prediction,
        forward_passes: progress.done(),
        parameters: options.values(),
        notes,
        ..Attribution::default()
    };
    let values = of_all(&parts, &weights);
    Ok(Attribution { shape: vec![values.len()], values, ..placed(context, &layers, &parts, &weights, made)? })
}

/// What may be switched.
fn components(context: &Context<'_>, switched: Switched) -> Result<Vec<Components>, ExplainError> {
    match switched {
        Switched::Channels => Ok(chosen_layers(context)?.into_iter().map(Components::channels).collect()),
        Switched::Heads => heads(context),
    }
}

/// A layer and those of its channels, or heads, that are switched.
struct Part<'a> {
    layer: &'a SpatialLayer,
    factors: &'a [usize],
    recorded: &'a Recorded,
    channels: Vec<usize>,
}

impl<'a> Part<'a> {
    fn new(components: &'a Components, recorded: &'a Recorded, most: usize) -> Part<'a> {
        let Components { layer, factors, .. } = components;
        Part { layer, factors, recorded, channels: recorded.strongest(layer, most) }
    }

    fn note(&self) -> Option<String> {
        let (switched, all) = (self.channels.len(), self.layer.channels());
        let name = &self.layer.name;
        (switched < all)
            .then(|| format!("Of the {all} channels of layer {name:?} the strongest {switched} were switched."))
    }

    /// For each sample a factor for every channel, from those of the channels that are switched.
    fn factors(&self, on: &[&[f32]], device: &burn::tensor::Device) -> Value {
        let mut factors = vec![1.0; on.len() * self.layer.channels()];
        for (row, on) in factors.chunks_mut(self.layer.channels()).zip(on) {
            self.channels.iter().zip(*on).for_each(|(channel, on)| row[*channel] = *on);
        }
        let mut shape = self.factors.to_vec();
        shape.iter_mut().take(1).for_each(|length| *length *= on.len());
        Value::from_f32(&factors, &shape, device)
    }
}

/// Adds to a run what switches the channels of each sample.
fn switched(context: &Context<'_>, parts: &[Part<'_>], run: Run, drawn: &[Vec<f32>]) -> Result<Run, ExplainError> {
    let device = context.input.device();
    let mut run = run.feed(context.input_name, context.input.expand(&context.repeated(drawn.len()))?);
    let mut before = 0;
    for part in parts {
        let after = before + part.channels.len();
        let on: Vec<&[f32]> = drawn.iter().map(|on| &on[before..after]).collect();
        let factors = part.factors(&on, &device);
        // A single layer is given, so that what comes before it alone does not run again.
        run = match parts.len() {
            1 if part.factors.first() == Some(&1) => run.feed(&part.layer.name, part.recorded.value.mul(&factors)?),
            _ => run.probe(&part.layer.name, Probe::Scale(factors)),
        };
        before = after;
    }
    Ok(run)
}

/// The weights, and how well they fit.
fn fitted(sums: &Sums, alpha: f64) -> Result<(Vec<f64>, Option<f64>), ExplainError> {
    let fit = sums.fit(Penalty::Ridge(alpha)).filter(|fit| fit.coefficients.iter().all(|weight| weight.is_finite()));
    let advice = "take more samples or a larger alpha";
    let fit = fit.ok_or(ExplainError::NotFinite { what: "A channel's weight", advice })?;
    Ok((fit.coefficients, fit.r2))
}

/// The weights of each part's channels.
fn of_parts<'a>(parts: &'a [Part<'a>], weights: &'a [f64]) -> impl Iterator<Item = (&'a Part<'a>, &'a [f64])> {
    parts.iter().scan(0, |before, part| {
        let range = *before..*before + part.channels.len();
        *before = range.end;
        Some((part, &weights[range]))
    })
}

/// One number per channel of every layer, 0 for those that were not switched.
fn of_all(parts: &[Part<'_>], weights: &[f64]) -> Vec<f32> {
    let of_part = |(part, weights): (&Part<'_>, &[f64])| {
        let mut all = vec![0.0; part.layer.channels()];
        part.channels.iter().zip(weights).for_each(|(channel, weight)| all[*channel] = *weight as f32);
        all
    };
    of_parts(parts, weights).flat_map(of_part).collect()
}

/// The map: each channel's weight over its places, by their magnitudes.
fn placed(
    context: &Context<'_>,
    layers: &[SpatialLayer],
    parts: &[Part<'_>],
    weights: &[f64],
    made: Attribution,
) -> Result<Attribution, ExplainError> {
    let of_part = |(part, weights): (&Part<'_>, &[f64])| {
        let [height, width] = part.layer.size();
        let planes: Vec<&[f32]> = part.recorded.planes(part.layer).collect();
        let mut map = vec![0.0; height * width];
        for (channel, weight) in part.channels.iter().zip(weights) {
            let active: f32 = planes[*channel].iter().map(|value| value.abs()).sum();
            let share = if active > 0.0 { *weight as f32 / active } else { 0.0 };
            map.iter_mut().zip(planes[*channel]).for_each(|(sum, value)| *sum += share * value.abs());
        }
        map
    };
    Finish::new(false).attribution(context, layers, of_parts(parts, weights).map(of_part).collect(), made)
}

#[cfg(test)]
mod tests {
    use vitrine_onnx::{Node, Tensor};

    use super::*;
    use crate::testing::{Question, assert_close, graph, linear, squared_layer, tokens, two_channels};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(Coar.explain(&question.context())).unwrap()
    }

    /// The mean is 3/4: channels give 9/4 and -6 of the answer, whatever else is off.
    #[test]
    fn a_sum_of_channels_has_its_terms_as_weights() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(two_channels([3.0, -4.0]), &input).target("0").layer("a");
        let found = explained(&question.with("alpha", "0.000001").with("samples", "60").with("part", "0.5"));
        assert_close(&found.values, &[2.25, -6.0], 1e-4);
        assert_eq!((found.shape, found.forward_passes), (vec![2], 61));
        // Both are active as the picture is: its magnitudes over 7 get the sum.
        assert_close(&found.map.values, &input.map(|x| (2.25 - 6.0) * x.abs() / 7.0), 1e-4);
        assert!(found.notes.iter().any(|note| note.contains("R2 is 1.000")), "{:?}", found.notes);
    }

    /// A sum of channels leaves nothing that a sum does not explain: the first tenth is precise.
    #[test]
    fn precise_weights_end_it() {
        let question = Question::new(two_channels([3.0, -4.0]), &[1.0, -2.0, 0.0, 4.0]).target("0").layer("a");
        let question = question.with("alpha", "0.000001").with("samples", "200").with("part", "0.5");
        let found = explained(&question.with("max-error", "0.01"));
        assert_close(&found.values, &[2.25, -6.0], 1e-4);
        assert_eq!(found.forward_passes, 21);
        assert_eq!(found.notes[0], "It ended after 20 of 200 samples, as max-error was reached.");
    }

    /// The tokens' first channels sum to 9.5 and their second to 2.5, which counts -2.
    #[test]
    fn of_tokens_a_channel_is_switched_in_all() {
        let (graph, input) = tokens();
        let question = Question::new(graph, &input).target("0").tokens(2, 2, 1).with("alpha", "0.000001");
        let found = explained(&question.with("samples", "60").with("part", "0.5"));
        assert_close(&found.values, &[9.5, -5.0], 1e-4);
    }

    /// The layer is the only way: without its one channel nothing is left of nine times the squares.
    #[test]
    fn several_layers_are_switched_in_one_run() {
        let question = Question::new(squared_layer(), &[1.0, 0.0, -1.0, 0.5]).target("0").with("part", "0.5");
        let found = explained(&question.layer("h").layer("squared").with("samples", "100"));
        // Either switch alone makes it zero: the sum of both weights is that of both on, about half for each.
        assert_eq!(found.shape, [2]);
        assert!(found.values.iter().all(|value| (5.0..15.0).contains(value)), "{:?}", found.values);
    }

    /// Two heads mix the four pixels, and twice the pixels, evenly: each token has the mean m, and 2 m. Class 0 weighs the tokens
    /// of the first head by 1 and those of the second by -3: 4 m, and -24 m.
    #[test]
    fn heads_are_switched_as_channels_are() {
        let nodes = vec![
            Node::new("Reshape", &["x", "sequence"], &["pixels"]),
            Node::new("Mul", &["pixels", "factors"], &["v"]),
            Node::new("Transpose", &["v"], &["k"]).with("perm", vec![0, 1, 3, 2]),
            Node::new("MatMul", &["v", "k"], &["scores"]),
            Node::new("Mul", &["scores", "nothing"], &["even"]),
            Node::new("Softmax", &["even"], &["weights"]).with("axis", -1),
            Node::new("MatMul", &["weights", "v"], &["mixed"]),
            Node::new("Flatten", &["mixed"], &["flat"]),
            Node::new("MatMul", &["flat", "w"], &["y"]),
        ];
        let weights: Vec<f32> = [1.0, 1.0, 1.0, 1.0, -3.0, -3.0, -3.0, -3.0].iter().flat_map(|w| [*w, 0.0]).collect();
        let initializers = vec![
            Tensor::from_i64("sequence", &[4], &[-1, 1, 4, 1]),
            Tensor::from_f32("factors", &[1, 2, 1, 1], &[1.0, 2.0]),
            Tensor::from_f32("nothing", &[], &[0.0]),
            Tensor::from_f32("w", &[8, 2], &weights),
        ];
        let model = graph(&[1, 2, 2], nodes, initializers, 2);
        let question = Question::new(model, &[1.0, 2.0, 3.0, 6.0]).target("0").tokens(2, 2, 0);
        let question = question.with("components", "heads").with("alpha", "0.000001").with("part", "0.5");
        let found = explained(&question.with("samples", "60"));
        assert_close(&found.values, &[12.0, -72.0], 1e-3);
        assert_eq!((found.shape, found.layer.as_deref()), (vec![2], Some("mixed")));
        // All tokens have the same, and share both.
        assert_close(&found.map.values, &[-15.0; 4], 1e-3);
        assert!(found.notes.iter().any(|note| note.ends_with("is a sum of heads.")), "{:?}", found.notes);
        let question = Question::new(two_channels([3.0, -4.0]), &[1.0; 4]).with("components", "heads");
        assert!(matches!(pollster::block_on(Coar.explain(&question.context())), Err(ExplainError::NoHeads)));
    }

    #[test]
    fn an_input_without_layers_is_refused() {
        let question = Question::new(linear(&[3]), &[1.0; 3]);
        assert!(matches!(pollster::block_on(Coar.explain(&question.context())), Err(ExplainError::NoSpatialLayer)));
    }
}
