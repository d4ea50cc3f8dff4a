//! ShearletX: which shearlets of the picture, strokes of some size and direction at their places, the answer needs.
//!
//! `details` has the search and its source.

use std::rc::Rc;

use vitrine_protocol::{Family, MethodInfo, Need, Promise};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    details::{self, DetailOptions, Details},
    options::{integer, options},
    sampler::size_of_picture,
    shearlets::Shearlets,
};

options! {
    /// Options of [`ShearletX`].
    pub struct ShearletXOptions {
        /// How many sizes of strokes there are, each half of the one before, beside the coarse rest; fewer in small pictures.
        scales: usize [integer(1, 8)] = 4,
        ..details: DetailOptions,
    }
}

/// ShearletX (Kolek et al. 2023).
///
/// `Attribution::values` is what the mask leaves of the picture, as the model sees it, in the input's shape.
pub struct ShearletX;

impl Explainer for ShearletX {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "shearlet-x".to_owned(),
            name: "ShearletX".to_owned(),
            family: Family::Optimisation,
            summary:
                "Draws the picture again with only those strokes, of any size and direction, that the answer needs. \
                      What is left out may still have helped, as a few strokes can be enough."
                    .to_owned(),
            reference: details::reference(),
            needs: vec![Need::Forward, Need::Gradient, Need::ImageInput],
            parameters: ShearletXOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Seeded, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = ShearletXOptions::parse(context.parameters)?;
        Ok(details::cost_of(&options.details))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = ShearletXOptions::parse(context.parameters)?;
    let shearlets = Shearlets::new(size_of_picture(context)?, options.scales);
    let details = Details::of(context, Rc::new(shearlets)).await?;
    let found = details::explain(context, details, &options.details, "shearlets").await?;
    Ok(Attribution { parameters: options.values(), ..found })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, graph};
    use std::f32::consts::PI;
    use vitrine_onnx::{Node, Tensor};

    /// A class that looks at stripes along one diagonal, of a picture that has as strong ones along the other: those are left
    /// out.
    #[test]
    fn strokes_in_a_direction_that_the_model_does_not_see_are_left_out() {
        const SIDE: usize = 16;
        let stripes = |sign: isize| -> Vec<f32> {
            let place = |at: usize| (at / SIDE) as isize + sign * (at % SIDE) as isize;
            (0..SIDE * SIDE).map(|at| (PI * place(at) as f32 / 2.0).cos()).collect()
        };
        let (seen, unseen) = (stripes(1), stripes(-1));
        let picture: Vec<f32> = seen.iter().zip(&unseen).map(|(one, other)| one + other).collect();
        let weights: Vec<f32> = seen.iter().flat_map(|weight| [*weight, 0.0]).collect();
        let nodes = vec![Node::new("Flatten", &["x"], &["flat"]), Node::new("MatMul", &["flat", "w"], &["y"])];
        let model = graph(&[1, SIDE, SIDE], nodes, vec![Tensor::from_f32("w", &[SIDE * SIDE, 2], &weights)], 2);
        let question = Question::new(model, &picture).target("0").with("steps", "40").with("picture-weight", "0");
        let found = pollster::block_on(ShearletX.explain(&question.context())).unwrap();
        let along = |stripes: &[f32]| -> f32 {
            let product: f32 = found.values.iter().zip(stripes).map(|(value, stripe)| value * stripe).sum();
            product / stripes.iter().map(|stripe| stripe * stripe).sum::<f32>()
        };
        let (kept, left_out) = (along(&seen), along(&unseen));
        assert!(kept > 0.5 && left_out.abs() < 0.05, "{kept} and {left_out}");
        assert!(found.notes.iter().any(|note| note.ends_with("% of the shearlets.")), "{:?}", found.notes);
        assert_eq!((found.forward_passes, found.backward_passes), (2 + 160, 160));
    }
}
