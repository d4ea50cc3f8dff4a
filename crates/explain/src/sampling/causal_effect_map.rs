//! Causal effect map: other content is put in the place of each region, several times, and the mean change of the target is
//! the region's effect, with its sign.
//!
//! Jinfan Hu, Jinjin Gu, Shiyao Yu, Fanghua Yu, Zheyuan Li, Zhiyuan You, Chaochao Lu, Chao Dong: Interpreting Low-level Vision
//! Models with Causal Effect Maps. arXiv 2024.
//!
//! Readings and departures: the paper measures the quality of a restored picture within a part of it, here it is any target,
//! such as one that a region of the output has; the content put in is that of the same picture at another place, by moving
//! the whole picture by a random number of rows and columns, round the edges.

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
    /// Options of [`CausalEffectMap`].
    pub struct CausalEffectMapOptions {
        /// The parts whose content is replaced one at a time: grid:HxW, slic:N, felzenszwalb:SCALE, quickshift, watershed:N,
        /// or a .npy file of whole numbers. auto takes 8 x 8 cells.
        regions: RegionsSpec [ParameterKind::Regions] = RegionsSpec::Auto,
        /// How many contents each part gets, each one forward pass.
        draws: usize [integer(1, 10_000)] = 10,
        ..budget: Budget,
    }
}

/// Causal effect map (Hu et al. 2024).
///
/// `Attribution::values` has the input's shape; every element of a region has the region's effect.
pub struct CausalEffectMap;

impl Explainer for CausalEffectMap {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "causal-effect-map".to_owned(),
            name: "Causal Effect Map".to_owned(),
            family: Family::Sampling,
            summary: "Puts content from elsewhere in the picture in the place of each part and averages how the answer changes. \
                      Unlike black patches it looks natural, but what is put in may speak for the answer itself."
                .to_owned(),
            reference: Reference {
                authors: "Jinfan Hu, Jinjin Gu, Shiyao Yu, Fanghua Yu, Zheyuan Li, Zhiyuan You, Chaochao Lu, Chao Dong"
                    .to_owned(),
                year: 2024,
                title: "Interpreting Low-level Vision Models with Causal Effect Maps".to_owned(),
                venue: "arXiv".to_owned(),
            },
            needs: vec![Need::Forward, Need::ImageInput],
            parameters: CausalEffectMapOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = CausalEffectMapOptions::parse(context.parameters)?;
        Ok(passes(options.draws * Regions::expected(context, &options.regions)?))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = CausalEffectMapOptions::parse(context.parameters)?;
            let size = size_of_picture(context)?;
            let regions = Regions::of(context, &options.regions).await?;
            let content = |draw: usize| {
                let mut random = Random::new(context.seed, Purpose::Infill, draw as u32);
                // Moved by nothing it would be the same picture.
                let by = 1 + random.below((size[0] * size[1]).saturating_sub(1).max(1));
                moved(context, [by / size[1], by % size[1]])
            };
            let found = mean_effects(context, vec![regions], options.draws, &options.budget, &content).await?;
            Ok(Attribution { parameters: options.values(), ..found })
        })
    }
}

/// The input moved down and right by so many pixels, round the edges.
fn moved(context: &Context<'_>, by: [usize; 2]) -> Result<Value, ExplainError> {
    let first = if context.layout() == Layout::Nchw { 2 } else { 1 };
    let mut value = context.input.clone();
    for (axis, by) in (first..).zip(by) {
        let length = value.shape().get(axis).copied().unwrap_or(1);
        let kept = length - by % length;
        if kept < length {
            value = Value::concat(&[value.narrow(axis, kept, length - kept)?, value.narrow(axis, 0, kept)?], axis)?;
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight, read};

    #[test]
    fn a_moved_picture_comes_in_again_at_the_other_edge() {
        let input: Vec<f32> = (0..6).map(|index| index as f32).collect();
        let question = Question::new(linear(&[1, 2, 3]), &input);
        let found = read(&moved(&question.context(), [1, 2]).unwrap());
        assert_eq!(found, [4.0, 5.0, 3.0, 1.0, 2.0, 0.0]);
        assert_eq!(read(&moved(&question.context(), [0, 0]).unwrap()), input);
    }

    /// Any other pixel is as likely as the next: with weight w and value x at a pixel, the effect is w times x minus the mean of
    /// the others.
    #[test]
    fn effects_are_those_of_content_from_elsewhere() {
        let input = [1.0, -2.0, 0.5, 3.0, 2.0, -1.0];
        let question = Question::new(linear(&[1, 2, 3]), &input).target("0").with("regions", "grid:2x3");
        let found =
            pollster::block_on(CausalEffectMap.explain(&question.clone().with("draws", "100").context())).unwrap();
        let sum: f32 = input.iter().sum();
        let error = found.standard_error.unwrap().values;
        for pixel in 0..6 {
            let expected = linear_weight(pixel, 0) * (input[pixel] - (sum - input[pixel]) / 5.0);
            let (value, error) = (found.values[pixel], error[pixel]);
            assert!((value - expected).abs() <= 4.0 * error + 1e-5, "{value}, not {expected} within {error}");
        }
        assert_eq!(found.forward_passes, 1 + 6 * 100);
        // Errors fall with the square root of the draws: one four times as large takes about a sixteenth of them.
        let values = found.values.iter().map(|value| value.abs()).fold(0.0, f32::max);
        let part = error.iter().copied().fold(0.0, f32::max) / values;
        let limited = question.with("draws", "1000").with("max-error", &part.to_string());
        let found = pollster::block_on(CausalEffectMap.explain(&limited.context())).unwrap();
        let draws = (found.forward_passes - 1) / 6;
        assert!((80..125).contains(&draws), "{draws}");
        assert_eq!(found.notes, [format!("It ended after {draws} of 1000 samples, as max-error was reached.")]);
    }

    #[test]
    fn a_picture_of_one_colour_has_no_effects() {
        let question = Question::new(linear(&[1, 2, 3]), &[0.5; 6]).target("0").with("regions", "grid:2x3");
        let found = pollster::block_on(CausalEffectMap.explain(&question.context())).unwrap();
        assert_close(&found.values, &[0.0; 6], 1e-6);
    }
}
