//! Expected Gradients, also called GradientSHAP: integrated gradients averaged over many references instead of one, by
//! one random point on the way from a random reference for each sample. No single colour then counts as "nothing".
//!
//! Gabriel Erion, Joseph D. Janizek, Pascal Sturmfels, Scott M. Lundberg, Su-In Lee: Improving Performance of Deep
//! Learning Models with Axiomatic Attribution Priors and Expected Gradients. Nature Machine Intelligence 2021. The noise
//! is that of GradientSHAP (Scott M. Lundberg, Su-In Lee: A Unified Approach to Interpreting Model Predictions. NIPS
//! 2017, and its program `shap`).
//!
//! Departures: the references are pictures that show nothing (colours, the input's mean and blur, noise), where the
//! papers draw them from training data, which a model's file does not bring along; a file is a reference too. The
//! standard deviation of the noise is a part of the input's range, as for SmoothGrad; Captum takes a number in tensor
//! space.

use std::ops::Range;

use vitrine_graph::Value;
use vitrine_protocol::{Family, Layout, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, Infill, LocalBoxFuture,
    attribution::{check_finite, picture_size},
    completeness::{Found, Steps, gap, ignored},
    integrator::{Scalar, add_up, between, walk},
    noise::Noise,
    observer::Progress,
    options::{choices, integer, number, options},
    random::{Purpose, Random},
};

choices! {
    /// Where the ways begin.
    pub enum References {
        /// At the baseline, white, grey, the input's mean colour, its blur and noise, each equally likely.
        Several = "several",
        /// At the baseline alone.
        Baseline = "baseline",
    }
}

options! {
    /// Options of [`ExpectedGradients`].
    pub struct ExpectedGradientsOptions {
        /// Random points, each one forward and one backward pass. The noise of the map falls with the square root.
        samples: usize [integer(1, 100_000)] = 200,
        /// Where the ways begin. What is not known as an image always begins at the baseline.
        references: References [References::kind()] = References::Several,
        /// One of the beginnings, or the only one: black, white, grey, mean, blur or noise in pixel space, or zero and
        /// value:V in tensor space, or a file.
        baseline: Infill [ParameterKind::Infill] = Infill::Black,
        /// Standard deviation of normal noise added to the input in each sample, as a part of its range from smallest to
        /// largest value.
        noise: f64 [number(0.0, 1.0)] = 0.0,
        /// Largest completeness gap accepted, as a part of the mean difference of the target between input and references:
        /// while it is larger, everything is run again with twice the samples, up to 32 times as many. 0 accepts any.
        max_gap: f64 [number(0.0, 1.0)] = 0.0,
    }
}

impl ExpectedGradientsOptions {
    fn infills(&self, context: &Context<'_>) -> Vec<Infill> {
        match self.references {
            References::Several if context.pixels.is_some() => {
                let others = [Infill::White, Infill::Grey, Infill::Mean, Infill::Blur, Infill::Noise];
                [self.baseline.clone()].into_iter().chain(others).collect()
            }
            _ => vec![self.baseline.clone()],
        }
    }
}

/// Expected Gradients (Erion et al. 2021).
pub struct ExpectedGradients;

impl Explainer for ExpectedGradients {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "expected-gradients".to_owned(),
            name: "Expected Gradients (GradientSHAP)".to_owned(),
            family: Family::Path,
            summary: "Fades the picture in from many different empty pictures, at random moments, and averages how \
                      much each pixel moves the answer. No single empty picture decides then, but it takes many \
                      samples until chance no longer shows."
                .to_owned(),
            reference: Reference {
                authors: "Gabriel Erion, Joseph D. Janizek, Pascal Sturmfels, Scott M. Lundberg, Su-In Lee".to_owned(),
                year: 2021,
                title: "Improving Performance of Deep Learning Models with Axiomatic Attribution Priors and Expected \
                        Gradients"
                    .to_owned(),
                venue: "Nature Machine Intelligence".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient],
            parameters: ExpectedGradientsOptions::parameters(),
            promises: vec![Promise::Seeded, Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = ExpectedGradientsOptions::parse(context.parameters)?;
        let beside = options.infills(context).len() + 1;
        Ok(Cost { forward_passes: (options.samples + beside) as u64, backward_passes: options.samples as u64 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = ExpectedGradientsOptions::parse(context.parameters)?;
            let mut references = Vec::new();
            for infill in options.infills(context) {
                references.push(infill.tensor(context).await?);
            }
            let draw = |sample: usize| {
                let mut random = Random::new(context.seed, Purpose::Paths, sample as u32);
                (random.below(references.len()), random.uniform())
            };
            let samples = options.samples;
            explain(context, options, &references, samples, |samples| (0..samples).map(draw).collect()).await
        })
    }
}

impl ExpectedGradients {
    /// Expected gradients with draws of the caller's own: which of the references, each of the input's length, and which
    /// position from 0 (the reference) to 1 (the input). The parameters `samples`, `references` and `baseline` are not
    /// used.
    ///
    /// # Errors
    /// As [`Explainer::explain`].
    pub async fn explain_with_draws(
        context: &Context<'_>,
        references: &[&[f32]],
        draws: &[(usize, f32)],
    ) -> Result<Attribution, ExplainError> {
        let options = ExpectedGradientsOptions::parse(context.parameters)?;
        let upload = |values: &&[f32]| Value::from_f32(values, context.input.shape(), &context.input.device());
        let references: Vec<Value> = references.iter().map(upload).collect();
        explain(context, ExpectedGradientsOptions { max_gap: 0.0, ..options }, &references, draws.len(), |_| {
            draws.to_vec()
        })
        .await
    }
}

/// What a round of samples found.
struct Round {
    values: Vec<f32>,
    /// Sum of the squared maps of the samples, where the input is a picture.
    squares: Option<Value>,
    /// Mean of the target at the references drawn.
    at_references: f32,
    /// Whether the target depends on the input at all.
    reached: bool,
}

/// Runs rounds of draws, made by a function of their number, until the completeness gap is accepted.
async fn explain(
    context: &Context<'_>,
    options: ExpectedGradientsOptions,
    references: &[Value],
    samples: usize,
    draws: impl Fn(usize) -> Vec<(usize, f32)>,
) -> Result<Attribution, ExplainError> {
    let beside = references.len() + 1;
    let mut steps = Steps::start(context, samples, 1, beside, options.max_gap);
    let mut predictions = Vec::new();
    for input in [context.input].into_iter().chain(references) {
        predictions.extend(context.predict(input.clone())?.to_vec().await?);
        check_finite(&predictions, "The target at the input or a reference", "check the model card")?;
        steps.progress.advance(1).await?;
    }
    let noise = Noise::new(context, options.noise).await?;
    let (round, gap) = loop {
        let draws = draws(steps.count);
        let round = sample(context, &noise, references, &predictions, &draws, &mut steps.progress).await?;
        let difference = predictions[0] - round.at_references;
        let gap = gap(&round.values, difference);
        if !steps.refine(gap, difference) {
            break (round, gap);
        }
    };
    let ends = [predictions[0], round.at_references];
    let mut notes = Vec::new();
    match options.infills(context).as_slice() {
        [infill] => notes.extend(infill.note(context)),
        _ => notes.push("The prediction at the baseline is the mean over the references drawn.".to_owned()),
    }
    if !round.reached {
        notes.push(ignored(context));
    }
    if options.max_gap > 0.0 && f64::from(gap.abs()) > options.max_gap * f64::from((ends[0] - ends[1]).abs()) {
        notes.push(format!("The completeness gap is still larger than asked for with {} samples.", steps.count));
    }
    let backward_passes = steps.progress.done() - beside as u64;
    let parameters = options.values();
    let found = Found { layer: None, values: round.values, ends, gap: Some(gap), backward_passes, parameters, notes };
    let mut attribution = found.attribution(context, &steps.progress);
    if let (Some(squares), true) = (round.squares, steps.count > 1) {
        attribution.standard_error = standard_error(context, &attribution.map, &squares, steps.count).await?;
    }
    Ok(attribution)
}

/// Averages the draws: which reference, and the position on the way from it.
async fn sample(
    context: &Context<'_>,
    noise: &Noise,
    references: &[Value],
    predictions: &[f32],
    draws: &[(usize, f32)],
    progress: &mut Progress<'_>,
) -> Result<Round, ExplainError> {
    // The ends of the ways: the input, or a noisy copy of it for each sample.
    let input =
        |range: Range<usize>| if noise.is_none() { context.input.clone() } else { noise.copies(context, range) };
    let starts = |range: Range<usize>| {
        Value::concat(&draws[range].iter().map(|&(reference, _)| references[reference].clone()).collect::<Vec<_>>(), 0)
    };
    let share = 1.0 / draws.len().max(1) as f32;
    let channels = match context.layout() {
        Layout::Nchw => 1,
        Layout::Nhwc => 3,
    };
    let is_picture = context.shape().len() == 3;
    let (mut sum, mut squares) = (None, None);
    walk(
        context,
        Scalar::Target,
        [context.input_name; 2],
        draws.len(),
        &|range| {
            let positions: Vec<f32> = draws[range.clone()].iter().map(|&(_, position)| position).collect();
            between(&starts(range.clone())?, &input(range), &positions)
        },
        &mut |range, seen| {
            let Some(gradient) = seen.gradient else { return Ok(()) };
            let difference = input(range.clone()).sub(&starts(range)?)?;
            let found = gradient.mul(&difference)?;
            if is_picture {
                add_up(&mut squares, &found.sum_axes(&[channels])?.map(|map| map.square())?)?;
            }
            add_up(&mut sum, &found.map(|found| found.mul_scalar(share))?)
        },
        progress,
    )
    .await?;
    let values = match &sum {
        Some(sum) => sum.to_vec().await?,
        None => vec![0.0; context.input.len()],
    };
    check_finite(&values, "A gradient of the target", "the model's numbers overflow on the way; try another baseline")?;
    let at_references: f64 = draws.iter().map(|&(reference, _)| f64::from(predictions[reference + 1])).sum();
    let at_references = (at_references * f64::from(share)) as f32;
    Ok(Round { values, squares, at_references, reached: sum.is_some() })
}

/// The standard error of every pixel's mean, from the sum of the samples' squares.
async fn standard_error(
    context: &Context<'_>,
    mean: &HeatMap,
    squares: &Value,
    count: usize,
) -> Result<Option<HeatMap>, ExplainError> {
    let Some([height, width]) = picture_size(context.shape(), context.layout()) else { return Ok(None) };
    let (count, squares) = (count as f32, squares.to_vec().await?);
    let error = |(square, mean): (&f32, &f32)| ((square / count - mean * mean).max(0.0) / (count - 1.0)).sqrt();
    let values = squares.iter().zip(&mean.values).map(error).collect();
    Ok(Some(HeatMap { height, width, values }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight, squares};

    /// At a point b + t (x - b) the gradient of the squares is twice the point.
    #[test]
    fn given_draws_are_averaged_as_the_definition_says() {
        let input = [1.0, -2.0];
        let references: [&[f32]; 2] = [&[0.0, 0.0], &[1.0, 2.0]];
        let draws = [(0, 0.5), (1, 0.25), (1, 1.0)];
        let question = Question::new(squares(2), &input).target("0");
        let found = pollster::block_on(ExpectedGradients::explain_with_draws(&question.context(), &references, &draws))
            .unwrap();
        let expected: Vec<f32> = (0..2)
            .map(|i| {
                let of = |(reference, t): (usize, f32)| {
                    let start = references[reference][i];
                    2.0 * (start + t * (input[i] - start)) * (input[i] - start)
                };
                draws.map(of).iter().sum::<f32>() / 3.0
            })
            .collect();
        assert_close(&found.values, &expected, 1e-5);
        // The squares sum to 0 and twice 5 at the references.
        assert!((found.baseline_prediction.unwrap() - 10.0 / 3.0).abs() < 1e-5, "{found:?}");
        assert_eq!((found.forward_passes, found.backward_passes), (6, 3));
    }

    #[test]
    fn one_reference_of_a_linear_model_needs_one_sample() {
        let input = [1.0, -2.0, 0.5, 3.0];
        let found = pollster::block_on(
            ExpectedGradients.explain(&Question::new(linear(&[4]), &input).with("samples", "1").context()),
        );
        let expected: Vec<f32> = (0..4).map(|i| linear_weight(i, 1) * input[i]).collect();
        assert_close(&found.unwrap().values, &expected, 1e-5);
    }

    /// The mean over t of 2 t x squared is x squared; its standard deviation is x squared over the square root of 3.
    #[test]
    fn the_standard_error_is_that_of_the_mean() {
        let question = Question::new(crate::testing::squared_layer(), &[1.0, -2.0, 0.5, 4.0]).target("0");
        let found = pollster::block_on(ExpectedGradients.explain(&question.with("samples", "4000").context())).unwrap();
        assert_close(&found.values, &[9.0, 36.0, 2.25, 144.0], 0.03);
        let error = found.standard_error.unwrap();
        let expected = [9.0, 36.0, 2.25, 144.0].map(|mean: f32| mean / 3.0_f32.sqrt() / 4000.0_f32.sqrt());
        assert_close(&error.values, &expected, 0.05);
    }

    #[test]
    fn samples_are_doubled_until_the_gap_is_accepted() {
        let question = Question::new(crate::testing::squared_layer(), &[1.0, -2.0, 0.5, 4.0]).target("0");
        let question = question.with("samples", "8").seed(1);
        let found = |max_gap: &str| {
            pollster::block_on(ExpectedGradients.explain(&question.clone().with("max-gap", max_gap).context())).unwrap()
        };
        let relative = |found: &Attribution| {
            let difference = found.prediction - found.baseline_prediction.unwrap();
            (found.completeness_gap.unwrap() / difference).abs()
        };
        let coarse = found("0");
        assert!(relative(&coarse) > 0.02, "{coarse:?}");
        let finer = found("0.02");
        assert!(relative(&finer) <= 0.02 && finer.backward_passes > 8, "{finer:?}");
        let too_strict = found("0.000001");
        assert!(too_strict.notes.iter().any(|note| note.contains("256 samples")), "{:?}", too_strict.notes);
    }

    #[test]
    fn noise_averages_out_on_a_linear_model_but_is_there() {
        let input = [1.0, -2.0, 0.5, 3.0];
        let question = Question::new(linear(&[4]), &input).with("noise", "0.1");
        let found = |samples: &str| {
            let question = question.clone().with("samples", samples);
            pollster::block_on(ExpectedGradients.explain(&question.context())).unwrap().values
        };
        let expected: Vec<f32> = (0..4).map(|i| linear_weight(i, 1) * input[i]).collect();
        assert_close(&found("2000"), &expected, 0.03);
        let once = found("1");
        assert!(once.iter().zip(&expected).any(|(a, b)| (a - b).abs() > 0.01), "{once:?}");
    }
}
