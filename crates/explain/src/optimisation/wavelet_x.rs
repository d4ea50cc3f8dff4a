//! WaveletX: which wavelets of the picture, coarse shapes or fine detail at their places, the answer needs.
//!
//! `details` has the search and its source, in which this is what ShearletX is compared with.
//!
//! Departure: Haar's wavelets take the place of smoother ones; no edge at a slant is one of them.

use std::rc::Rc;

use vitrine_protocol::{Family, MethodInfo, Need, Promise};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    details::{self, DetailOptions, Details},
    haar::Haar,
    options::{integer, options},
    sampler::size_of_picture,
};

options! {
    /// Options of [`WaveletX`].
    pub struct WaveletXOptions {
        /// How often the picture is halved; as often as its sides are even, at most.
        levels: usize [integer(1, 12)] = 5,
        ..details: DetailOptions,
    }
}

/// WaveletX (Kolek et al. 2023).
///
/// `Attribution::values` is what the mask leaves of the picture, as the model sees it, in the input's shape.
pub struct WaveletX;

impl Explainer for WaveletX {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "wavelet-x".to_owned(),
            name: "WaveletX".to_owned(),
            family: Family::Optimisation,
            summary: "Draws the picture again with only those strokes, coarse or fine, that the answer needs. What \
                      is left out may still have helped, as a few strokes can be enough."
                .to_owned(),
            reference: details::reference(),
            needs: vec![Need::Forward, Need::Gradient, Need::ImageInput],
            parameters: WaveletXOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = WaveletXOptions::parse(context.parameters)?;
        Ok(details::cost_of(&options.details))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = WaveletXOptions::parse(context.parameters)?;
    let haar = Haar::unpadded(size_of_picture(context)?, options.levels);
    let details = Details::of(context, Rc::new(haar)).await?;
    let found = details::explain(context, details, &options.details, "wavelets").await?;
    Ok(Attribution { parameters: options.values(), ..found })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        haar::Haar,
        testing::{Question, assert_close, graph},
    };
    use vitrine_onnx::{Node, Tensor};

    /// A class that looks at one wavelet of 4 x 4 pixels alone, the first diagonal one, of which the picture has 3. The others
    /// of its size and direction are 0, so that noise is around 0.75 by 1.3, always less; all else is 1 and costs only.
    #[test]
    fn of_a_model_that_looks_at_one_wavelet_only_that_one_is_kept() {
        let mut seen = vec![0.0; 16];
        seen[10] = 1.0;
        let haar = Haar::unpadded([4, 4], 1);
        let seen = haar.inverse(seen);
        let mut picture = vec![1.0; 16];
        [(10, 3.0), (11, 0.0), (14, 0.0), (15, 0.0)].into_iter().for_each(|(place, value)| picture[place] = value);
        let picture = haar.inverse(picture);
        let weights: Vec<f32> = seen.iter().flat_map(|weight| [*weight, 0.0]).collect();
        let nodes = vec![Node::new("Flatten", &["x"], &["flat"]), Node::new("MatMul", &["flat", "w"], &["y"])];
        let model = graph(&[1, 4, 4], nodes, vec![Tensor::from_f32("w", &[16, 2], &weights)], 2);
        let question = Question::new(model, &picture).target("0").with("levels", "1").with("picture-weight", "0");
        let question = question.with("steps", "40");
        let found = pollster::block_on(WaveletX.explain(&question.context())).unwrap();
        assert!((found.prediction - 3.0).abs() < 1e-5, "{}", found.prediction);
        assert_close(&found.values, &seen.iter().map(|value| 3.0 * value).collect::<Vec<_>>(), 1e-5);
        assert!(found.notes.iter().any(|note| note == "It keeps 6.2 % of the wavelets."), "{:?}", found.notes);
        assert_eq!((found.forward_passes, found.backward_passes), (2 + 160, 160));
    }
}
