//! DeepSHAP: DeepLIFT averaged over several references, so that no single one decides what "nothing" looks like. An
//! approximation of Shapley values over inputs that come from those references.
//!
//! Scott M. Lundberg, Su-In Lee: A Unified Approach to Interpreting Model Predictions. NeurIPS 2017.
//!
//! Departures from the paper: its references are samples of the training data, which a page does not have. Here they are
//! black, white, grey, the image's own mean and blur, and then pictures of noise.

use vitrine_protocol::{Family, MethodInfo, Need, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, Infill, LiftRule, LocalBoxFuture,
    attribution::check_finite,
    completeness::gap,
    lift::{Recorded, lift},
    observer::Progress,
    options::{integer, options},
};

options! {
    /// Options of [`DeepShap`].
    pub struct DeepShapOptions {
        /// How many references: black, white, grey, mean, blur, and noise from the sixth on.
        references: usize [integer(1, 200)] = 10,
        /// How an activation's difference is shared out.
        rule: LiftRule [LiftRule::kind()] = LiftRule::Rescale,
    }
}

/// References that are not drawn.
const PLAIN: [Infill; 5] = [Infill::Black, Infill::White, Infill::Grey, Infill::Mean, Infill::Blur];

/// DeepSHAP (Lundberg, Lee 2017).
pub struct DeepShap;

impl Explainer for DeepShap {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "deep-shap".to_owned(),
            name: "DeepSHAP".to_owned(),
            family: Family::Propagation,
            summary: "Compares the picture with several empty or noisy ones by DeepLIFT, and takes the mean. No \
                      single empty picture decides then; it costs one walk through the model for each."
                .to_owned(),
            reference: Reference {
                authors: "Scott M. Lundberg, Su-In Lee".to_owned(),
                year: 2017,
                title: "A Unified Approach to Interpreting Model Predictions".to_owned(),
                venue: "NeurIPS".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::ImageInput],
            parameters: DeepShapOptions::parameters(),
            promises: vec![Promise::Completeness, Promise::ZeroForConstantModel, Promise::Seeded],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let references = DeepShapOptions::parse(context.parameters)?.references;
        // At the input, and at each reference.
        Ok(Cost { forward_passes: 1 + references as u64, backward_passes: references as u64 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = DeepShapOptions::parse(context.parameters)?;
    let cost = DeepShap.cost(context)?;
    let mut progress = Progress::start(context.observer, cost.forward_passes);
    let graph = context.graph.folded()?;
    let share = 1.0 / options.references as f32;
    let mut values = vec![0.0_f32; context.input.len()];
    let mut reference_prediction = 0.0;
    let here = Recorded::of(context, &graph, context.input).await?;
    let prediction = here.prediction;
    progress.advance(1).await?;
    for index in 0..options.references {
        let baseline = match PLAIN.get(index) {
            Some(plain) => plain.tensor(context).await?,
            None => {
                let seed = context.seed.wrapping_add((index - PLAIN.len()) as u64);
                Infill::Noise.tensor(&Context { seed, ..*context }).await?
            }
        };
        let lifted = lift(context, &graph, &here, &baseline, options.rule).await?;
        if let Some(contributions) = &lifted.contributions {
            let found = contributions.to_vec().await?;
            values.iter_mut().zip(found).for_each(|(sum, value)| *sum += share * value);
        }
        reference_prediction += share * lifted.reference_prediction;
        progress.advance(1).await?;
    }
    check_finite(&values, "A contribution", "check the input's values and the model card")?;
    let completeness_gap = gap(&values, prediction - reference_prediction);
    Ok(Attribution {
        map: HeatMap::of_input(&values, context.shape(), context.layout()),
        values,
        shape: context.shape().to_vec(),
        prediction,
        baseline_prediction: Some(reference_prediction),
        completeness_gap: Some(completeness_gap),
        forward_passes: cost.forward_passes,
        backward_passes: cost.backward_passes,
        parameters: options.values(),
        ..Attribution::default()
    })
}

#[cfg(test)]
mod tests {
    use vitrine_protocol::{Channels, ImageInput, Layout};

    use super::*;
    use crate::testing::{Question, assert_close, linear, linear_weight};

    #[test]
    fn a_linear_model_gives_weight_times_difference_from_the_mean_reference() {
        let input = [0.2, 0.8];
        let pixels = ImageInput::plain(Layout::Nchw, Channels::Grey, 1, 2);
        let explained = |references: &str| {
            let question = Question::new(linear(&[1, 1, 2]), &input).pixels(pixels.clone());
            pollster::block_on(DeepShap.explain(&question.with("references", references).context())).unwrap()
        };
        // Black, white and grey: 0, 1, and one half.
        for (references, mean) in [("1", 0.0), ("2", 0.5), ("3", 0.5)] {
            let expected: Vec<f32> = (0..2).map(|i| linear_weight(i, 1) * (input[i] - mean)).collect();
            assert_close(&explained(references).values, &expected, 2e-3);
        }
        let found = explained("12");
        assert!(found.completeness_gap.unwrap().abs() < 1e-5, "{:?}", found.completeness_gap);
        assert_eq!((found.forward_passes, found.backward_passes), (13, 12));
    }
}
