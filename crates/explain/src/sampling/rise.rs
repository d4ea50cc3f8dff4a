//! RISE: the average of many random soft masks, each weighted by the target's value on the input seen through it. Where
//! the target is high on average whenever a pixel is kept, the pixel matters.
//!
//! Vitali Petsiuk, Abir Das, Kate Saenko: RISE: Randomized Input Sampling for Explanation of Black-box Models. BMVC
//! 2018.
//!
//! Departures from the paper: a cell has the size of the picture divided by `grid`, rounded up, where the paper
//! stretches `grid` cells over the picture and one more cell; so all pixels are kept equally often here and there. Two changes
//! leave what is estimated as it is and need a fraction of the masks, both by default: masks come in pairs, each with a twin that
//! keeps what the other hides (antithetic variates), and what an even cover of masks would give is not left to chance but
//! taken out of the sum and put back as the mean score (control variate). `estimator=plain` with `antithetic=false` is the
//! paper's sum. With a margin `A-B` as the target it is contrastive RISE. The
//! paper scores probabilities; here the scalar is the caller's target, and a logit, which may be negative, works as
//! well but shifts the whole map by its average. What is masked is black in pixel space or any other infill; the
//! paper's program multiplies the normalised tensor, which is `infill=zero`. The paper's estimate is `unbiased`; TorchRay
//! uses `mean`, Xplique `per-pixel`.

use std::ops::Range;

use vitrine_graph::Value;
use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Budget, Context, Cost, ExplainError, Explainer, HeatMap, Infill, LocalBoxFuture,
    attribution::check_finite,
    masks::{Arrangement, GridMasks},
    options::{choices, integer, number, options},
    sampler::{Estimator, Means, Sampled, UNMASKED, sample, size_of_picture},
};

choices! {
    /// What the sum of masks weighted by their scores is divided by.
    pub enum Normalisation {
        /// The number of masks times the probability to keep: the expected score when a pixel is kept, as in the paper.
        Unbiased = "unbiased",
        /// The sum of the masks at the pixel: the average score when it was kept. Less noise from uneven masks; a pixel
        /// that no mask kept gets zero.
        PerPixel = "per-pixel",
        /// The number of masks alone.
        Mean = "mean",
    }
}

choices! {
    /// How scores and masks become the map.
    pub enum RiseEstimator {
        /// The covariance of score and mask, plus the mean score: the noise of uneven masks is left out.
        Covariance = "covariance",
        /// The mean of score times mask, as in the paper.
        Plain = "plain",
    }
}

options! {
    /// Options of [`Rise`].
    pub struct RiseOptions {
        /// How many masks, each one forward pass. The noise of the map falls with the square root.
        masks: usize [integer(1, 1_000_000)] = 2000,
        /// Cells along each side of the picture. More cells show finer detail and need more masks.
        grid: usize [integer(1, 100)] = 7,
        /// Probability that a cell is kept.
        keep: f64 [number(0.01, 0.99)] = 0.5,
        /// How scores and masks become the map; both estimate the same.
        estimator: RiseEstimator [RiseEstimator::kind()] = RiseEstimator::Covariance,
        /// Whether masks come in pairs of which one keeps what the other hides. An odd number of masks is then taken one
        /// higher.
        antithetic: bool [ParameterKind::Boolean] = true,
        /// Whether the numbers of kept cells are spread evenly over their distribution.
        stratified: bool [ParameterKind::Boolean] = false,
        /// What the weighted sum of masks is divided by.
        normalisation: Normalisation [Normalisation::kind()] = Normalisation::Unbiased,
        /// What shows through where a mask hides the picture: black, white, grey, mean, blur or noise in pixel space;
        /// inpaint, interpolate or tile, which continue what is kept and take longer; zero and value:V in tensor space; or a
        /// file.
        infill: Infill [ParameterKind::Infill] = Infill::Black,
        ..budget: Budget,
    }
}

impl RiseOptions {
    /// Forward passes for masks.
    fn passes(&self) -> usize {
        if self.antithetic { self.masks.next_multiple_of(2) } else { self.masks }
    }
}

/// RISE (Petsiuk, Das, Saenko 2018).
///
/// `Attribution::values` is the map itself, one number per pixel of the input, and `shape` is `[height, width]`.
pub struct Rise;

impl Explainer for Rise {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "rise".to_owned(),
            name: "RISE".to_owned(),
            family: Family::Sampling,
            summary: "Covers random parts of the picture, again and again, and sees which parts the answer needs. It \
                      works with every model, as it only asks for answers, but a smooth map takes many hundreds of \
                      them."
                .to_owned(),
            reference: Reference {
                authors: "Vitali Petsiuk, Abir Das, Kate Saenko".to_owned(),
                year: 2018,
                title: "RISE: Randomized Input Sampling for Explanation of Black-box Models".to_owned(),
                venue: "BMVC".to_owned(),
            },
            needs: vec![Need::Forward, Need::ImageInput],
            parameters: RiseOptions::parameters(),
            promises: vec![Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let masks = RiseOptions::parse(context.parameters)?.passes();
        Ok(Cost { forward_passes: (masks + UNMASKED) as u64, backward_passes: 0 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = RiseOptions::parse(context.parameters)?;
            let arrangement = Arrangement { in_pairs: options.antithetic, is_stratified: options.stratified };
            let mut masks = GridMasks::new(context.seed, options.grid, options.keep, size_of_picture(context)?);
            masks.arrangement = arrangement;
            let device = context.input.device();
            explain(context, options, &|range| masks.batch(range, &device)).await
        })
    }
}

impl Rise {
    /// RISE with masks of the caller's own: `masks` holds `[masks, height, width]` values from 0 (hidden) to 1 (kept),
    /// of which a part of `keep` is kept on average, by the paper's sum. The parameters that say how masks are drawn are not
    /// used.
    ///
    /// # Errors
    /// As [`Explainer::explain`].
    pub async fn explain_with_masks(context: &Context<'_>, masks: &[f32]) -> Result<Attribution, ExplainError> {
        let [height, width] = size_of_picture(context)?;
        let area = height * width;
        let options = RiseOptions {
            masks: masks.len().checked_div(area).unwrap_or(0),
            estimator: RiseEstimator::Plain,
            antithetic: false,
            ..RiseOptions::parse(context.parameters)?
        };
        let upload = |range: Range<usize>| {
            let part = &masks[range.start * area..range.end * area];
            Ok(Value::from_f32(part, &[range.len(), height, width], &context.input.device()))
        };
        explain(context, options, &upload).await
    }
}

async fn explain(
    context: &Context<'_>,
    options: RiseOptions,
    masks: &dyn Fn(Range<usize>) -> Result<Value, ExplainError>,
) -> Result<Attribution, ExplainError> {
    let [height, width] = size_of_picture(context)?;
    let filler = options.infill.filler(context).await?;
    let Sampled { prediction, means, passes, note } =
        sample(context, filler, options.passes(), masks, &options, &options.budget).await?;
    let values = options.map(&means, prediction)?.to_vec().await?;
    check_finite(&values, "A value of the map", "the model's numbers overflow; try another infill")?;
    let standard_error = match options.standard_error(&means)? {
        Some(error) => Some(HeatMap { height, width, values: error.to_vec().await? }),
        None => None,
    };
    Ok(Attribution {
        map: HeatMap { height, width, values: values.clone() },
        values,
        shape: vec![height, width],
        standard_error,
        prediction,
        forward_passes: passes,
        parameters: options.values(),
        notes: options.infill.note(context).into_iter().chain(note).collect(),
        ..Attribution::default()
    })
}

impl RiseOptions {
    /// Whether the control variate is used; `per-pixel` has one of its own in the mean of the masks.
    fn is_controlled(&self) -> bool {
        self.estimator == RiseEstimator::Covariance && self.normalisation != Normalisation::PerPixel
    }

    /// What the mean of score times mask is divided by.
    fn divisor(&self) -> f64 {
        if self.normalisation == Normalisation::Unbiased { self.keep } else { 1.0 }
    }
}

impl Estimator for RiseOptions {
    fn observe(&self, masks: &Value, scores: &Value, prediction: f32) -> Result<Value, ExplainError> {
        if !self.is_controlled() {
            return Ok(masks.mul(scores)?);
        }
        // Any constant in place of the prediction would do for the mean; a near one makes the errors small.
        let uneven = masks.map(|masks| masks.sub_scalar(self.keep))?;
        Ok(uneven.mul(&scores.map(|scores| scores.sub_scalar(prediction))?)?)
    }

    fn in_pairs(&self) -> bool {
        self.antithetic
    }

    fn map(&self, means: &Means, prediction: f32) -> Result<Value, ExplainError> {
        if self.normalisation == Normalisation::PerPixel {
            // Where no mask kept a pixel both means are zero, and so shall be their quotient.
            return Ok(means.observed.div(&means.mask.map(|mean| mean.clamp_min(1e-20))?)?);
        }
        if !self.is_controlled() {
            return Ok(means.observed.map(|mean| mean.div_scalar(self.divisor()))?);
        }
        let uneven =
            means.mask.map(|mask| mask.sub_scalar(self.keep).mul_scalar(means.score - f64::from(prediction)))?;
        let covariance = means.observed.sub(&uneven)?;
        Ok(covariance.map(|covariance| covariance.add_scalar(self.keep * means.score).div_scalar(self.divisor()))?)
    }

    /// Not known for `per-pixel`, a quotient of two means.
    fn standard_error(&self, means: &Means) -> Result<Option<Value>, ExplainError> {
        let known = self.normalisation != Normalisation::PerPixel;
        let Some(error) = means.standard_error()?.filter(|_| known) else { return Ok(None) };
        Ok(Some(error.map(|error| error.div_scalar(self.divisor()))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight, read};

    const SIZE: [usize; 2] = [4, 6];

    fn question() -> Question {
        let input: Vec<f32> = (0..24).map(|index| (index as f32 * 0.9).cos()).collect();
        let question = Question::new(linear(&[1, 4, 6]), &input).target("0");
        question
            .with("masks", "40")
            .with("grid", "3")
            .with("keep", "0.4")
            .with("estimator", "plain")
            .with("antithetic", "false")
    }

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(Rise.explain(&question.context())).unwrap()
    }

    /// The paper's sum, mask by mask in double precision, for the linear model and an infill of 0.5.
    #[test]
    fn each_normalisation_is_the_sum_written_out() {
        let question = question().with("infill", "value:0.5");
        let input = read(question.context().input);
        let masks = GridMasks::new(0, 3, 0.4, SIZE);
        let masks = read(&masks.batch(0..40, &question.context().input.device()).unwrap());
        let (mut weighted, mut kept, mut all) = (vec![0.0; 24], vec![0.0; 24], Vec::new());
        for mask in masks.chunks(24) {
            let seen = |pixel: usize| f64::from(input[pixel] * mask[pixel] + 0.5 * (1.0 - mask[pixel]));
            let score: f64 = (0..24).map(|pixel| f64::from(linear_weight(pixel, 0)) * seen(pixel)).sum();
            for pixel in 0..24 {
                weighted[pixel] += score * f64::from(mask[pixel]);
                kept[pixel] += f64::from(mask[pixel]);
            }
            all.push(score * f64::from(mask[5]));
        }
        let divided = |by: &dyn Fn(usize) -> f64| -> Vec<f32> {
            (0..24).map(|pixel| (weighted[pixel] / by(pixel)) as f32).collect()
        };
        let of = |normalisation: &str| explained(&question.clone().with("normalisation", normalisation));
        assert_close(&of("unbiased").values, &divided(&|_| 40.0 * 0.4), 1e-5);
        assert_close(&of("per-pixel").values, &divided(&|pixel| kept[pixel]), 1e-5);
        assert_close(&of("mean").values, &divided(&|_| 40.0), 1e-5);

        let mean = all.iter().sum::<f64>() / 40.0;
        let error = (all.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (40.0 * 39.0)).sqrt() / 0.4;
        let found = of("unbiased").standard_error.unwrap().values[5];
        assert!((f64::from(found) / error - 1.0).abs() < 1e-4, "standard error {found}, not {error}");
    }

    /// Cells of single pixels, kept by a chance of 0.4: the score of a linear model, given that a pixel is kept, is its own part
    /// plus the mean of the others'.
    #[test]
    fn every_estimator_aims_at_the_expected_score_where_a_pixel_is_kept() {
        let input: Vec<f32> = (0..4).map(|index| 1.0 + index as f32).collect();
        let whole: f32 = (0..4).map(|index| linear_weight(index, 0) * input[index]).sum();
        let question = Question::new(linear(&[1, 2, 2]), &input).target("0").with("infill", "zero");
        let question = question.with("grid", "2").with("keep", "0.4").with("masks", "4000");
        let mut errors = Vec::new();
        for (estimator, antithetic, stratified) in [
            ("plain", "false", "false"),
            ("covariance", "false", "true"),
            ("plain", "true", "true"),
            ("covariance", "true", "false"),
        ] {
            let question = question.clone().with("estimator", estimator).with("antithetic", antithetic);
            let found = explained(&question.with("stratified", stratified));
            let error = found.standard_error.unwrap().values;
            for pixel in 0..4 {
                let own = linear_weight(pixel, 0) * input[pixel];
                let (expected, value) = (own + 0.4 * (whole - own), found.values[pixel]);
                assert!(
                    (value - expected).abs() < 4.0 * error[pixel],
                    "{estimator}: {value}, not {expected} +- {error:?}"
                );
            }
            errors.push(error.iter().sum::<f32>());
        }
        assert!(errors[3] < 0.85 * errors[0], "pairs and a control variate help little: {errors:?}");
    }

    /// Contrastive RISE is the map of one class minus that of another by the same masks.
    #[test]
    fn a_margin_contrasts_two_classes() {
        let of = |target: &str| explained(&question().target_text(target)).values;
        let expected: Vec<f32> = of("0").iter().zip(of("1")).map(|(first, second)| first - second).collect();
        assert_close(&of("0-1"), &expected, 1e-4);
    }

    #[test]
    fn an_odd_number_of_paired_masks_is_taken_one_higher() {
        let found = explained(&question().with("antithetic", "true").with("masks", "41"));
        assert_eq!(found.forward_passes, 43);
    }

    #[test]
    fn given_masks_give_the_same_map_as_drawn_ones() {
        let question = question().seed(3);
        let masks = GridMasks::new(3, 3, 0.4, SIZE);
        let masks = read(&masks.batch(0..40, &question.context().input.device()).unwrap());
        let given = pollster::block_on(Rise::explain_with_masks(&question.context(), &masks)).unwrap();
        assert_close(&given.values, &explained(&question).values, 1e-6);
        assert_eq!(given.forward_passes, 41);
    }

    #[test]
    fn a_pixel_that_no_mask_keeps_is_zero_per_pixel() {
        let question = question().with("normalisation", "per-pixel").with("infill", "zero");
        let mask: Vec<f32> = (0..24).map(|pixel| if pixel == 0 { 0.0 } else { 1.0 }).collect();
        let found = pollster::block_on(Rise::explain_with_masks(&question.context(), &mask)).unwrap();
        assert_eq!(found.values[0], 0.0);
        assert!(found.values[1] != 0.0 && found.standard_error.is_none(), "{found:?}");
    }

    #[test]
    fn an_input_without_height_and_width_is_refused() {
        let question = Question::new(linear(&[3]), &[1.0; 3]);
        let error = pollster::block_on(Rise.explain(&question.context())).unwrap_err().to_string();
        assert_eq!(error, "This method needs an image, and the model's input has shape [3].");
    }
}
