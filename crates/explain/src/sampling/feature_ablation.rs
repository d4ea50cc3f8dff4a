//! Feature ablation: each region is removed by itself, and gets what the target loses.
//!
//! Matthew D. Zeiler, Rob Fergus: Visualizing and Understanding Convolutional Networks. ECCV 2014 (their occluder, with
//! regions of any form in place of a sliding square).
//!
//! Every element of a region gets the region's whole loss, as in Captum, so that the number does not depend on how large the
//! region is; the attributions do not sum to anything.

use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    budget::Budget,
    game::{Estimate, Game, GameOptions, all_but, passes},
    regions::Regions,
};

/// Feature ablation (Zeiler, Fergus 2014).
///
/// `Attribution::values` has the input's shape.
pub struct FeatureAblation;

impl Explainer for FeatureAblation {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "feature-ablation".to_owned(),
            name: "Feature Ablation".to_owned(),
            family: Family::Sampling,
            summary:
                "Removes one part of the image at a time and notes how much the answer drops. Parts that can stand in \
                      for each other all look unimportant, as each is removed while the others are there."
                    .to_owned(),
            reference: Reference {
                authors: "Matthew D. Zeiler, Rob Fergus".to_owned(),
                year: 2014,
                title: "Visualizing and Understanding Convolutional Networks".to_owned(),
                venue: "ECCV".to_owned(),
            },
            needs: vec![Need::Forward],
            parameters: GameOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel, Promise::Partial],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let options = GameOptions::parse(context.parameters)?;
        Ok(passes(Regions::expected(context, &options.regions)?))
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            let options = GameOptions::parse(context.parameters)?;
            let mut game = Game::start(context, &options, Ok).await?;
            let players = game.players();
            let mut losses = Losses { whole: game.whole(), losses: vec![0.0; players] };
            game.play(players, &Budget::default(), &|player| all_but(player, players), &mut losses).await?;
            Ok(Attribution { parameters: options.values(), ..game.finish(&losses)? })
        })
    }
}

struct Losses {
    whole: f64,
    losses: Vec<f64>,
}

impl Estimate for Losses {
    fn add(&mut self, index: usize, _: &[f32], worth: f64) {
        self.losses[index] = self.whole - worth;
    }

    fn values(&self) -> Vec<f64> {
        self.losses.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight};

    /// In a linear model a region loses the sum of its weights times the differences from the infill.
    #[test]
    fn a_region_gets_what_a_linear_model_loses_with_it() {
        let input: Vec<f32> = (0..8).map(|index| index as f32 - 2.5).collect();
        let question = Question::new(linear(&[2, 2, 2]), &input).target("0").with("infill", "value:0.5");
        let found =
            pollster::block_on(FeatureAblation.explain(&question.clone().with("regions", "grid:1x2").context()));
        let loss = |element: usize| linear_weight(element, 0) * (input[element] - 0.5);
        let column = |column: usize| (0..8).filter(|element| element % 2 == column).map(loss).sum::<f32>();
        let expected: Vec<f32> = (0..8).map(|element| column(element % 2)).collect();
        let found = found.unwrap();
        assert_close(&found.values, &expected, 1e-5);
        assert_close(&found.map.values, &expected[..4], 1e-5);
        assert_eq!(found.forward_passes, 3);

        let of_elements = pollster::block_on(FeatureAblation.explain(&question.with("regions", "elements").context()));
        assert_close(&of_elements.unwrap().values, &(0..8).map(loss).collect::<Vec<_>>(), 1e-5);
    }
}
