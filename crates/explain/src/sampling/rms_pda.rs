//! Regional multi-scale prediction difference: each segment of the picture, at several scales, is filled with random pixels as
//! the picture's border has them, and gets what the target loses; the scales are averaged.
//!
//! Dasom Seo, Kanghan Oh, Il-Seok Oh: Regional Multi-scale Approach for Visually Pleasing Explanations of Deep Neural Networks.
//! IEEE Access 2020. The weight of evidence is that of Luisa M. Zintgraf, Taco S. Cohen, Tameem Adel, Max Welling: Visualizing
//! Deep Neural Network Decisions: Prediction Difference Analysis. ICLR 2017.
//!
//! Readings and departures: the paper's weight of evidence, a difference of log odds, is that of a target such as
//! `logodds:auto`, in natural logarithms and averaged over the draws, where the paper averages the probabilities first; with
//! any other target it is the difference of that one. The border is one pixel wide; all its pixels together give one normal
//! distribution over colours, from which every pixel is drawn by itself. Scales are a fourfold number of segments each.

use vitrine_graph::Value;
use vitrine_protocol::{Family, Layout, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Budget, Context, Cost, ExplainError, Explainer, LocalBoxFuture, RegionsSpec,
    effects::mean_effects,
    game::passes,
    options::{integer, options},
    random::{Purpose, Random},
    regions::Regions,
    sampler::size_of_picture,
};

options! {
    /// Options of [`RmsPda`].
    pub struct RmsPdaOptions {
        /// The parts at the coarsest scale: grid:HxW, slic:N, felzenszwalb:SCALE, quickshift, watershed:N, or a .npy file of
        /// whole numbers. auto takes 8 x 8 cells.
        regions: RegionsSpec [ParameterKind::Regions] = RegionsSpec::Slic(20),
        /// How many scales; each next one has parts of half the width and height. Those of quickshift, elements and files are
        /// the same at all.
        scales: usize [integer(1, 5)] = 3,
        /// How often each part is filled, each one forward pass.
        draws: usize [integer(1, 10_000)] = 5,
        ..budget: Budget,
    }
}

impl RmsPdaOptions {
    /// The regions of each scale.
    fn specs(&self, context: &Context<'_>) -> Result<Vec<RegionsSpec>, ExplainError> {
        let size = size_of_picture(context)?;
        Ok((0..self.scales).map(|steps| self.regions.finer(steps, size)).collect())
    }
}

/// Regional multi-scale prediction difference (Seo, Oh, Oh 2020).
///
/// `Attribution::values` has the input's shape; every element has the mean over the scales of its regions' values.
pub struct RmsPda;

impl Explainer for RmsPda {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "rms-pda".to_owned(),
            name: "Regional Multi-scale Prediction Difference".to_owned(),
            family: Family::Sampling,
            summary: "Fills segments of several sizes with random colours of the picture's border and averages what the answer \
                      loses. Large segments find objects and small ones details, but the border must be background."
                .to_owned(),
            reference: Reference {
                authors: "Dasom Seo, Kanghan Oh, Il-Seok Oh".to_owned(),
                year: 2020,
                title: "Regional Multi-scale Approach for Visually Pleasing Explanations of Deep Neural Networks"
                    .to_owned(),
                venue: "IEEE Access".to_owned(),
            },
            needs: vec![Need::Forward, Need::ImageInput],
            parameters: RmsPdaOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = RmsPdaOptions::parse(context.parameters)?;
        let mut all = 0;
        for spec in options.specs(context)? {
            all += Regions::expected(context, &spec)?;
        }
        Ok(passes(options.draws * all))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = RmsPdaOptions::parse(context.parameters)?;
            let mut scales = Vec::new();
            for spec in options.specs(context)? {
                scales.push(Regions::of(context, &spec).await?);
            }
            let border = Border::of(context).await?;
            let found =
                mean_effects(context, scales, options.draws, &options.budget, &|draw| border.draw(context, draw))
                    .await?;
            Ok(Attribution { parameters: options.values(), ..found })
        })
    }
}

/// The normal distribution of the colours at the border.
struct Border {
    mean: Vec<f64>,
    /// Lower triangle whose product with its transpose is the covariance.
    factor: Vec<Vec<f64>>,
}

impl Border {
    async fn of(context: &Context<'_>) -> Result<Border, ExplainError> {
        let [height, width] = size_of_picture(context)?;
        let (values, area) = (context.input.to_vec().await?, height * width);
        let channels = values.len() / area;
        let at = |pixel: usize, channel: usize| f64::from(values[place(context, channels, area, pixel, channel)]);
        let is_border = |pixel: &usize| {
            let (row, column) = (pixel / width, pixel % width);
            row == 0 || column == 0 || row + 1 == height || column + 1 == width
        };
        let border: Vec<usize> = (0..area).filter(is_border).collect();
        let over = |number: &dyn Fn(usize) -> f64| {
            border.iter().map(|pixel| number(*pixel)).sum::<f64>() / border.len() as f64
        };
        let mean: Vec<f64> = (0..channels).map(|channel| over(&|pixel| at(pixel, channel))).collect();
        let covariance = |a: usize, b: usize| over(&|pixel| (at(pixel, a) - mean[a]) * (at(pixel, b) - mean[b]));
        let factor = root(channels, &covariance);
        Ok(Border { mean, factor })
    }

    /// An input of random colours.
    fn draw(&self, context: &Context<'_>, index: usize) -> Result<Value, ExplainError> {
        let [height, width] = size_of_picture(context)?;
        let (area, channels) = (height * width, self.mean.len());
        let mut random = Random::new(context.seed, Purpose::Infill, index as u32);
        let mut values = vec![0.0; area * channels];
        for pixel in 0..area {
            let noise: Vec<f64> = (0..channels).map(|_| f64::from(random.normal())).collect();
            for (channel, (mean, row)) in self.mean.iter().zip(&self.factor).enumerate() {
                let deviation: f64 = row.iter().zip(&noise).map(|(weight, noise)| weight * noise).sum();
                values[place(context, channels, area, pixel, channel)] = (mean + deviation) as f32;
            }
        }
        Ok(Value::from_f32(&values, context.input.shape(), &context.input.device()))
    }
}

/// Where a pixel's channel is in the input.
fn place(context: &Context<'_>, channels: usize, area: usize, pixel: usize, channel: usize) -> usize {
    match context.layout() {
        Layout::Nchw => channel * area + pixel,
        Layout::Nhwc => pixel * channels + channel,
    }
}

/// Cholesky's root of a covariance, which may be that of fewer independent numbers than there are.
fn root(size: usize, covariance: &dyn Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(size);
    for i in 0..size {
        let mut row: Vec<f64> = Vec::with_capacity(i + 1);
        for j in 0..=i {
            let above = if j < i { &rows[j][..j] } else { &row[..] };
            let left = covariance(i, j) - row.iter().zip(above).map(|(a, b)| a * b).sum::<f64>();
            let next = match rows.get(j).and_then(|row| row.get(j)) {
                None => left.max(0.0).sqrt(),
                Some(pivot) if *pivot > 1e-9 => left / pivot,
                Some(_) => 0.0,
            };
            row.push(next);
        }
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight};

    #[test]
    fn a_root_times_its_transpose_is_the_covariance() {
        // The third number is the sum of the first two: a covariance without an inverse.
        let covariance = [[4.0, 2.0, 6.0], [2.0, 5.0, 7.0], [6.0, 7.0, 13.0]];
        let rows = root(3, &|i, j| covariance[i][j]);
        for i in 0..3 {
            for j in 0..3 {
                let product: f64 = rows[i].iter().zip(&rows[j]).map(|(a, b)| a * b).sum();
                assert!((product - covariance[i][j]).abs() < 1e-9, "{rows:?}");
            }
        }
        assert_eq!(root(2, &|_, _| 0.0), [vec![0.0], vec![0.0, 0.0]]);
    }

    /// The border is 2 in one channel and 3 in the other everywhere, so every fill is; in a linear model a region loses its
    /// weights times the differences, and the map is the mean of the whole picture's loss and each pixel's.
    #[test]
    fn scales_are_averaged() {
        let mut input = vec![2.0; 32];
        input[16..].fill(3.0);
        input[5] = 7.0;
        input[26] = -1.0;
        let loss = |index: usize| linear_weight(index, 0) * (input[index] - if index < 16 { 2.0 } else { 3.0 });
        let whole: f32 = (0..32).map(loss).sum();
        let question = Question::new(linear(&[2, 4, 4]), &input).target("0").with("regions", "grid:1x1");
        let found = pollster::block_on(RmsPda.explain(&question.with("scales", "3").with("draws", "2").context()));
        let found = found.unwrap();
        let pixel = |pixel: usize| loss(pixel) + loss(pixel + 16);
        let quarter = |at: usize| {
            let corner = at / 8 * 8 + at % 4 / 2 * 2;
            [0, 1, 4, 5].map(|step| pixel(corner + step)).iter().sum::<f32>()
        };
        let expected: Vec<f32> = (0..16).map(|at| (whole + quarter(at) + pixel(at)) / 3.0).collect();
        assert_close(&found.map.values, &expected, 1e-5);
        assert_eq!(found.forward_passes, 1 + 2 * (1 + 4 + 16));
    }

    /// Scales share their draws, so that two that are the same, as single pixels cannot be cut further, are as uncertain as one.
    #[test]
    fn errors_of_several_scales_are_those_of_their_mean() {
        let input: Vec<f32> = (0..16).map(|index| (index as f32 * 1.7).sin()).collect();
        let question = Question::new(linear(&[1, 4, 4]), &input).target("0").with("regions", "grid:4x4");
        let explained = |question: &Question| pollster::block_on(RmsPda.explain(&question.context())).unwrap();
        let one = explained(&question.clone().with("scales", "1").with("draws", "40"));
        let two = explained(&question.clone().with("scales", "2").with("draws", "40"));
        assert_close(&two.values, &one.values, 1e-5);
        assert_close(&two.standard_error.unwrap().values, &one.standard_error.unwrap().values, 1e-5);
        let ended = explained(&question.with("max-seconds", "0.000000001"));
        assert_eq!(ended.notes, ["It ended after 1 of 5 samples, as max-seconds was reached."]);
    }

    #[test]
    fn an_input_without_height_and_width_is_refused() {
        let question = Question::new(linear(&[3]), &[1.0; 3]);
        let error = pollster::block_on(RmsPda.explain(&question.context())).unwrap_err().to_string();
        assert_eq!(error, "This method needs an image, and the model's input has shape [3].");
    }
}
