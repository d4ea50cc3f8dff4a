//! Integrated gradients in another domain: not how much each pixel adds to the answer, but each frequency or each
//! wavelet of the image. The image is written as a sum of waves or wavelets, and the answer as a function of their
//! sizes.
//!
//! Christodoulos Kechris, Jonathan Dan, David Atienza: Time Series Saliency Maps: Explaining Models Across Multiple
//! Domains. 2025, where the domains are those of time series.
//!
//! A linear change of domain leaves the straight way straight, so the pixels' averaged gradient is found once and
//! carried over: of the discrete Fourier transform the real and imaginary part of a coefficient count together, which is
//! the real part of the transformed difference times the conjugate of the transformed gradient, over the number of
//! pixels; the Haar transform is orthogonal and turns the gradient as it turns the image.
//!
//! Departures: two-dimensional transforms of images, of each channel by itself.

use std::f64::consts::TAU;

use vitrine_protocol::{Family, Layout, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, Infill, LocalBoxFuture, Rule,
    completeness::{Straight, gap, ignored, straight},
    haar::Haar,
    integrator::{ENDS, Scalar},
    options::{choices, integer, number, options},
    sampler::size_of_picture,
};

choices! {
    /// What the image is made of.
    pub enum Domain {
        /// Waves of every frequency and direction (discrete Fourier transform). The map has frequency zero, the mean, in
        /// its middle.
        Fourier = "fourier",
        /// Haar wavelets: steps of several sizes at their places. The map has the coarsest in its upper left corner, and
        /// around it the finer ones: steps from left to right on the right, from top to bottom below.
        Haar = "haar",
    }
}

options! {
    /// Options of [`CrossDomainIg`].
    pub struct CrossDomainIgOptions {
        /// What the image is made of.
        domain: Domain [Domain::kind()] = Domain::Fourier,
        /// Sizes of Haar wavelets, each twice the one before; fewer where a side is odd.
        levels: usize [integer(1, 12)] = 4,
        /// Points on the way from the baseline to the input, each one forward and one backward pass.
        steps: usize [integer(1, 1000)] = 50,
        /// Where the points lie and how much each counts.
        rule: Rule [Rule::kind()] = Rule::GaussLegendre,
        /// Where the way begins: black, white, grey, mean, blur or noise in pixel space, or zero and value:V in tensor
        /// space, or a file.
        baseline: Infill [ParameterKind::Infill] = Infill::Black,
        /// Largest completeness gap accepted, as a part of the target's difference between input and baseline: while it
        /// is larger, everything is run again with twice the steps, up to 32 times as many. 0 accepts any.
        max_gap: f64 [number(0.0, 1.0)] = 0.0,
    }
}

/// Integrated gradients of frequencies or wavelets (Kechris, Dan, Atienza 2025).
///
/// `Attribution::values` has shape `[channels, height, width]`, one number per coefficient.
pub struct CrossDomainIg;

impl Explainer for CrossDomainIg {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "cross-domain-ig".to_owned(),
            name: "Cross-Domain Integrated Gradients".to_owned(),
            family: Family::Path,
            summary: "Shows which waves, coarse or fine, or which small patterns of the picture move the answer. Use \
                      it to see whether a model looks at texture or at shape; the map of waves has no places of the \
                      picture in it."
                .to_owned(),
            reference: Reference {
                authors: "Christodoulos Kechris, Jonathan Dan, David Atienza".to_owned(),
                year: 2025,
                title: "Time Series Saliency Maps: Explaining Models Across Multiple Domains".to_owned(),
                venue: "arXiv".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::ImageInput],
            parameters: CrossDomainIgOptions::parameters(),
            promises: vec![Promise::Completeness, Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let steps = CrossDomainIgOptions::parse(context.parameters)?.steps;
        Ok(Cost { forward_passes: (steps + ENDS) as u64, backward_passes: steps as u64 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = CrossDomainIgOptions::parse(context.parameters)?;
    let [height, width] = size_of_picture(context)?;
    let baseline = options.baseline.tensor(context).await?;
    let way = Straight {
        scalar: Scalar::Target,
        layer: None,
        baseline: &baseline,
        rule: options.rule,
        steps: options.steps,
        max_gap: options.max_gap,
        before: 0,
    };
    let (mut found, gradient) = straight(context, &way).await?;
    let mut notes = Vec::from_iter(options.baseline.note(context));
    let mut values = Vec::new();
    if let Some(gradient) = &gradient {
        let planes = |value: &vitrine_graph::Value| match context.layout() {
            Layout::Nchw => Ok(value.clone()),
            Layout::Nhwc => value.permute(&[0, 3, 1, 2]),
        };
        let difference = planes(&found.ends.end.sub(&found.ends.start)?)?.to_vec().await?;
        let gradient = planes(gradient)?.to_vec().await?;
        for planes in difference.chunks(height * width).zip(gradient.chunks(height * width)) {
            values.extend(match options.domain {
                Domain::Fourier => frequencies(planes.0, planes.1, [height, width]),
                Domain::Haar => {
                    let haar = Haar::unpadded([height, width], options.levels);
                    let [difference, gradient] = [planes.0, planes.1].map(|plane| haar.forward(plane));
                    difference.iter().zip(gradient).map(|(difference, gradient)| difference * gradient).collect()
                }
            });
        }
        notes.push(
            match options.domain {
                Domain::Fourier => {
                    "The map shows frequencies, not places: the mean is in the middle, fine detail outside."
                }
                Domain::Haar => "The map shows wavelets: the coarsest in the upper left corner, finer ones around it.",
            }
            .to_owned(),
        );
    } else {
        notes.push(ignored(context));
        values = vec![0.0; context.input.len()];
    }
    let shape = vec![values.len() / (height * width), height, width];
    let map = HeatMap::of_input(&values, &shape, Layout::Nchw);
    found.gap = Some(gap(&values, found.ends.difference()));
    found.values = values;
    Ok(Attribution { map, shape, ..found.attribution(context, None, options.values(), notes) })
}

/// What each frequency adds, frequency zero in the middle.
fn frequencies(difference: &[f32], gradient: &[f32], [height, width]: [usize; 2]) -> Vec<f32> {
    let [difference, gradient] = [difference, gradient].map(|plane| fourier(plane, [height, width]));
    let mut found = vec![0.0; height * width];
    for (index, (difference, gradient)) in difference.iter().zip(&gradient).enumerate() {
        let (row, column) = ((index / width + height / 2) % height, (index % width + width / 2) % width);
        let product = difference[0] * gradient[0] + difference[1] * gradient[1];
        found[row * width + column] = (product / (height * width) as f64) as f32;
    }
    found
}

/// The discrete Fourier transform of a plane: real and imaginary parts, by rows and then by columns.
fn fourier(plane: &[f32], [height, width]: [usize; 2]) -> Vec<[f64; 2]> {
    let rows: Vec<[f64; 2]> = plane.iter().map(|&value| [f64::from(value), 0.0]).collect();
    let turned = transform_rows(&rows, width);
    transform_rows(&turned, height)
}

/// Transforms each row and returns the columns as rows.
fn transform_rows(values: &[[f64; 2]], length: usize) -> Vec<[f64; 2]> {
    let wave: Vec<[f64; 2]> = (0..length)
        .map(|index| {
            let angle = -TAU * index as f64 / length as f64;
            [angle.cos(), angle.sin()]
        })
        .collect();
    let rows = values.len() / length.max(1);
    let mut found = vec![[0.0; 2]; values.len()];
    for (row, values) in values.chunks(length.max(1)).enumerate() {
        for frequency in 0..length {
            let mut sum = [0.0; 2];
            for (index, [real, imaginary]) in values.iter().enumerate() {
                let [cosine, sine] = wave[frequency * index % length];
                sum[0] += real * cosine - imaginary * sine;
                sum[1] += real * sine + imaginary * cosine;
            }
            found[frequency * rows + row] = sum;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight};

    fn explained(input: &[f32], domain: &str) -> Attribution {
        let question = Question::new(linear(&[1, 4, 6]), input).with("domain", domain).with("steps", "2");
        pollster::block_on(CrossDomainIg.explain(&question.context())).unwrap()
    }

    /// Waves of one frequency get all of what the weights see of them: the sum over pixels of weight times wave, half
    /// each for the frequency and its mirror image, and nothing is left for others.
    #[test]
    fn a_wave_is_its_own_frequency_and_its_mirror_image() {
        let wave = |index: usize| {
            let (row, column) = ((index / 6) as f64, (index % 6) as f64);
            (TAU * (row / 4.0 + 2.0 * column / 6.0) + 0.4).cos() as f32
        };
        let input: Vec<f32> = (0..24).map(wave).collect();
        let found = explained(&input, "fourier");
        let seen: f32 = (0..24).map(|index| linear_weight(index, 1) * input[index]).sum();
        // Frequencies 1 and 2, counted from the middle at row 2 and column 3.
        let mut expected = vec![0.0; 24];
        expected[3 * 6 + 5] = seen / 2.0;
        expected[6 + 1] = seen / 2.0;
        assert_close(&found.values, &expected, 1e-5);
        assert!(found.completeness_gap.unwrap().abs() < 1e-4, "{:?}", found.completeness_gap);
    }

    #[test]
    fn the_parts_of_a_picture_sum_to_the_whole_difference_in_either_domain() {
        let input: Vec<f32> = (0..24).map(|index| (index as f32 * 1.9).sin()).collect();
        let whole: f32 = (0..24).map(|index| linear_weight(index, 1) * input[index]).sum();
        for domain in ["fourier", "haar"] {
            let found = explained(&input, domain);
            let sum: f32 = found.values.iter().sum();
            assert!((sum - whole).abs() < 1e-4, "{domain}: {sum}, not {whole}");
            assert_eq!((found.shape, found.map.values.len()), (vec![1, 4, 6], 24));
        }
    }
}
