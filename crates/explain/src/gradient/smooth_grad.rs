//! SmoothGrad: the average of many maps, each of a copy of the input with noise, so that what flickers cancels out. It goes
//! around any method; around saliency it is the published one.
//!
//! Daniel Smilkov, Nikhil Thorat, Been Kim, Fernanda Viégas, Martin Wattenberg: SmoothGrad: Removing Noise by Adding
//! Noise. ICML Workshop on Visualization for Deep Learning 2017. The squares (SmoothGrad-squared) are those of Hooker et
//! al., A Benchmark for Interpretability Methods in Deep Neural Networks (NeurIPS 2019), the variance (VarGrad) that of
//! Adebayo et al., Local Explanation Methods for Deep Neural Networks Lack Sensitivity to Parameter Values (2018).
//!
//! Departures from the papers: none. Signed gradients are combined and saliency's own options make the map of the result,
//! as in the paper's pictures; of other methods the maps themselves are combined. The variance is divided by the number
//! of samples, as in Captum. A method with random numbers of its own gets others for each sample.

use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, LocalBoxFuture,
    attribution::check_finite,
    completeness::ignored,
    gradient::SaliencyOptions,
    noise::Noise,
    observer::{Progress, Stage},
    options::{choices, integer, number, options},
    wrapper::{Inner, joined, methods_below, split},
};

choices! {
    /// What becomes of the samples.
    pub enum Combination {
        /// Their mean, SmoothGrad.
        Mean = "mean",
        /// The mean of their squares, SmoothGrad-squared: what is large with either sign.
        Squared = "squared",
        /// Their variance, VarGrad: where the method is least sure.
        Variance = "variance",
    }
}

options! {
    /// Options of [`SmoothGrad`]; those of the method within follow as `method.NAME`.
    pub struct SmoothGradOptions {
        /// The method whose maps are combined. Its own parameters are written with its name before them, as in
        /// method.steps=20.
        method: String [methods_below(SmoothGrad.depth())] = "saliency".to_owned(),
        /// How many copies with noise, each at the cost of the method. The noise of the map falls with the square root.
        samples: usize [integer(1, 10_000)] = 50,
        /// Standard deviation of the noise, as a part of the distance between the input's smallest and largest value.
        noise: f64 [number(0.0, 2.0)] = 0.15,
        /// What becomes of the samples.
        combine: Combination [Combination::kind()] = Combination::Mean,
    }
}

/// SmoothGrad (Smilkov et al. 2017), around any method.
pub struct SmoothGrad;

impl Explainer for SmoothGrad {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "smooth-grad".to_owned(),
            name: "SmoothGrad".to_owned(),
            family: Family::Gradient,
            summary: "Averages the maps of many slightly noisy copies of the picture, so that what flickers goes \
                      away. It calms the map of any other method, and costs as much as that method once for every \
                      copy."
                .to_owned(),
            reference: Reference {
                authors: "Daniel Smilkov, Nikhil Thorat, Been Kim, Fernanda Viégas, Martin Wattenberg".to_owned(),
                year: 2017,
                title: "SmoothGrad: Removing Noise by Adding Noise".to_owned(),
                venue: "ICML Workshop on Visualization for Deep Learning".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient],
            parameters: SmoothGradOptions::parameters(),
            promises: vec![
                Promise::ZeroForConstantModel,
                Promise::Linearity,
                Promise::DummyFeature,
                Promise::ImplementationInvariance,
                Promise::Seeded,
                Promise::Partial,
            ],
        }
    }

    fn depth(&self) -> usize {
        1
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let (options, inner) = read(context)?;
        Ok(total(options.samples, inner.cost(context)?))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

fn read(context: &Context<'_>) -> Result<(SmoothGradOptions, Inner), ExplainError> {
    let (own, inner) = split(context.parameters);
    let options = SmoothGradOptions::parse(&own)?;
    let inner = Inner::new(&options.method, inner)?;
    Ok((options, inner))
}

/// The samples, and one forward pass for the target at the input itself.
fn total(samples: usize, each: Cost) -> Cost {
    Cost {
        forward_passes: 1 + samples as u64 * each.forward_passes,
        backward_passes: samples as u64 * each.backward_passes,
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let (options, inner) = read(context)?;
    let each = inner.cost(context)?;
    let cost = total(options.samples, each);
    let mut progress = Progress::start(context.observer, cost.forward_passes);
    let prediction = context.predict(context.input.clone())?.to_vec().await?;
    check_finite(&prediction, "The target at the input", "check the input's values and the model card")?;
    progress.advance(1).await?;
    let noise = Noise::new(context, options.noise).await?;
    let found = if options.method == "saliency" {
        of_gradients(context, &options, &inner, &noise, &mut progress).await?
    } else {
        of_maps(context, &options, &inner, &noise, each).await?
    };
    let mut notes = found.notes;
    if noise.is_none() && options.noise > 0.0 {
        notes.push("The input has the same value everywhere, so its range, and with it the noise, is zero.".to_owned());
    }
    if options.combine == Combination::Variance && options.samples == 1 {
        notes.push("A single sample has no variance, so the map is zero.".to_owned());
    }
    Ok(Attribution {
        prediction: prediction.first().copied().unwrap_or(f32::NAN),
        forward_passes: cost.forward_passes,
        backward_passes: cost.backward_passes,
        parameters: joined(options.values(), found.parameters),
        notes,
        ..found
    })
}

/// The combined gradients of all samples, batch by batch.
async fn of_gradients(
    context: &Context<'_>,
    options: &SmoothGradOptions,
    inner: &Inner,
    noise: &Noise,
    progress: &mut Progress<'_>,
) -> Result<Attribution, ExplainError> {
    let saliency = SaliencyOptions::parse(&inner.parameters)?;
    let (mut moments, mut notes) = (Moments::default(), Vec::new());
    let size = context.batch_for(options.samples);
    let partial_every = options.samples.div_ceil(size).div_ceil(10);
    for (number, start) in (0..options.samples).step_by(size).enumerate() {
        let range = start..(start + size).min(options.samples);
        let (objective, gradient) = context.gradient(noise.copies(context, range.clone()))?;
        check_finite(&objective.to_vec().await?, "The target at a copy with noise", "try less noise")?;
        let gradients = match gradient {
            Some(gradient) => gradient.to_vec().await?,
            None => {
                notes = vec![ignored(context)];
                vec![0.0; range.len() * context.input.len()]
            }
        };
        gradients.chunks(context.input.len().max(1)).for_each(|gradient| moments.add(gradient));
        progress.advance(range.len()).await?;
        if (number + 1).is_multiple_of(partial_every) && moments.count < options.samples {
            context.observer.partial(&saliency.map(context, &moments.combined(options.combine)));
        }
    }
    let values = moments.combined(options.combine);
    check_finite(&values, "A gradient of the target", "the model's numbers overflow; try less noise")?;
    Ok(Attribution {
        map: saliency.map(context, &values),
        values,
        shape: context.shape().to_vec(),
        parameters: saliency.values(),
        notes,
        ..Attribution::default()
    })
}

/// The combined maps of any method, one sample after another.
async fn of_maps(
    context: &Context<'_>,
    options: &SmoothGradOptions,
    inner: &Inner,
    noise: &Noise,
    each: Cost,
) -> Result<Attribution, ExplainError> {
    let (mut values, mut maps, mut last) = (Moments::default(), Moments::default(), Attribution::default());
    let partial_every = options.samples.div_ceil(10);
    let all = total(options.samples, each).forward_passes;
    for sample in 0..options.samples {
        let input = noise.copies(context, sample..sample + 1);
        let observer = Stage { observer: context.observer, before: 1 + sample as u64 * each.forward_passes, all };
        let seed = context.seed.wrapping_add(sample as u64);
        last = inner
            .method
            .explain(&Context { input: &input, seed, observer: &observer, ..inner.context(context) })
            .await?;
        values.add(&last.values);
        maps.add(&last.map.values);
        if (sample + 1).is_multiple_of(partial_every) && sample + 1 < options.samples {
            context.observer.partial(&HeatMap { values: maps.combined(options.combine), ..last.map.clone() });
        }
    }
    let standard_error = (options.combine == Combination::Mean).then(|| maps.standard_error()).flatten();
    Ok(Attribution {
        values: values.combined(options.combine),
        standard_error: standard_error.map(|values| HeatMap { values, ..last.map.clone() }),
        map: HeatMap { values: maps.combined(options.combine), ..last.map },
        baseline_prediction: None,
        completeness_gap: None,
        ..last
    })
}

/// Running mean and sum of squared deviations of lists of numbers (Welford 1962).
#[derive(Default)]
struct Moments {
    count: usize,
    mean: Vec<f64>,
    deviations: Vec<f64>,
}

impl Moments {
    fn add(&mut self, values: &[f32]) {
        self.count += 1;
        self.mean.resize(values.len(), 0.0);
        self.deviations.resize(values.len(), 0.0);
        for ((mean, deviations), value) in self.mean.iter_mut().zip(&mut self.deviations).zip(values) {
            let before = f64::from(*value) - *mean;
            *mean += before / self.count as f64;
            *deviations += before * (f64::from(*value) - *mean);
        }
    }

    fn combined(&self, combination: Combination) -> Vec<f32> {
        let count = self.count.max(1) as f64;
        let combined = |(mean, deviations): (&f64, &f64)| match combination {
            Combination::Mean => *mean as f32,
            Combination::Squared => (mean * mean + deviations / count) as f32,
            Combination::Variance => (deviations / count) as f32,
        };
        self.mean.iter().zip(&self.deviations).map(combined).collect()
    }

    /// The standard error of the mean; nothing for a single sample.
    fn standard_error(&self) -> Option<Vec<f32>> {
        let scale = (self.count * self.count.saturating_sub(1)) as f64;
        (scale > 0.0).then(|| self.deviations.iter().map(|deviations| (deviations / scale).sqrt() as f32).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight, read, squares};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(SmoothGrad.explain(&question.context())).unwrap()
    }

    /// The gradients of a sum of squares are twice the copies themselves.
    #[test]
    fn each_combination_is_the_sum_written_out() {
        let question = Question::new(squares(3), &[1.0, -2.0, 3.0]).target("0").with("samples", "7").seed(2);
        let context = question.context();
        let noise = pollster::block_on(Noise::new(&context, 0.15)).unwrap();
        let copies = read(&noise.copies(&context, 0..7));
        let mean = |power: i32, at: usize| {
            let of = |copy: &[f32]| f64::from(2.0 * copy[at]).powi(power);
            (copies.chunks(3).map(of).sum::<f64>() / 7.0) as f32
        };
        for (combine, expected) in [
            ("mean", [0, 1, 2].map(|at| mean(1, at))),
            ("squared", [0, 1, 2].map(|at| mean(2, at))),
            ("variance", [0, 1, 2].map(|at| mean(2, at) - mean(1, at).powi(2))),
        ] {
            let found = explained(&question.clone().with("combine", combine));
            assert_close(&found.values, &expected, 1e-5);
            assert_close(&found.map.values, &expected.map(f32::abs), 1e-5);
        }
        let found = explained(&question);
        assert_eq!((found.forward_passes, found.backward_passes, found.prediction), (8, 7, 14.0));
        let told: Vec<&str> = found.parameters.keys().map(String::as_str).collect();
        assert_eq!(told, ["combine", "method", "method.channels", "method.sign", "noise", "samples"]);
    }

    #[test]
    fn around_another_method_its_maps_are_combined() {
        let input = [1.0, -2.0, 0.5, 3.0];
        let question = Question::new(linear(&[4]), &input)
            .with("method", "integrated-gradients")
            .with("method.steps", "3")
            .with("method.baseline", "zero")
            .with("samples", "5");
        let found = explained(&question);
        let context = question.context();
        let copies = read(&pollster::block_on(Noise::new(&context, 0.15)).unwrap().copies(&context, 0..5));
        let mean = |at: usize| copies.chunks(4).map(|copy| copy[at]).sum::<f32>() / 5.0;
        let expected: Vec<f32> = (0..4).map(|at| linear_weight(at, 1) * mean(at)).collect();
        assert_close(&found.values, &expected, 1e-5);
        assert_eq!((found.forward_passes, found.backward_passes), (1 + 5 * 5, 5 * 3));
        assert_eq!(found.parameters["method.steps"].to_string(), "3");
        assert!(found.standard_error.is_some());
    }

    #[test]
    fn without_noise_every_method_is_itself() {
        let question = Question::new(squares(2), &[3.0, -1.0]).target("0").with("noise", "0").with("samples", "2");
        for (method, expected) in [("saliency", [6.0, -2.0]), ("input-x-gradient", [18.0, 2.0])] {
            assert_close(&explained(&question.clone().with("method", method)).values, &expected, 1e-6);
        }
    }

    #[test]
    fn parameters_of_the_method_within_are_refused_under_their_full_names() {
        let question = Question::new(squares(2), &[3.0, -1.0]).with("method.sign", "odd");
        let error = SmoothGrad.cost(&question.context()).unwrap_err().to_string();
        assert_eq!(error, "Parameter \"method.sign\": \"odd\" is not one of signed, absolute.");
        let question = Question::new(squares(2), &[3.0, -1.0]).with("method.steps", "3");
        let error = SmoothGrad.cost(&question.context()).unwrap_err().to_string();
        assert!(error.contains("no parameter \"method.steps\"; its parameters are method.sign, "), "{error}");
        let question = Question::new(squares(2), &[3.0, -1.0]).with("method", "smooth-grad");
        assert!(SmoothGrad.cost(&question.context()).is_err(), "no method goes around itself");
    }

    #[test]
    fn what_makes_a_map_blank_is_told() {
        let notes = |question: Question| explained(&question).notes.join(" ");
        let flat = Question::new(squares(2), &[1.0, 1.0]).target("0");
        assert!(notes(flat).contains("same value everywhere"));
        let single =
            Question::new(squares(2), &[1.0, 2.0]).target("0").with("samples", "1").with("combine", "variance");
        assert!(notes(single).contains("no variance"));
    }
}
