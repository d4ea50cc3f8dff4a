//! Finer-CAM: Grad-CAM of the margin by which a class is ahead of those most like it, so that what they have in common drops
//! out and what tells them apart is left.
//!
//! Ziheng Zhang, Jianyang Gu, Arpita Chowdhury, Zheda Mai, David Carlyn, Tanya Berger-Wolf, Yu Su, Wei-Lun Chao: Finer-CAM:
//! Spotting the Difference Reveals Finer Details for Visual Explanation. CVPR 2025.
//!
//! Departures from the paper: none that it settles. Classes are alike whose logits on this picture are near that of the
//! class explained. Their margins count evenly, or with `comparison=probability` by the classes' probabilities, through which
//! gradients flow too, as in pytorch-grad-cam. The target must be the logit of a class, since it is compared with logits.

use burn::tensor::activation::softmax;
use vitrine_graph::Value;
use vitrine_protocol::{MethodInfo, ParameterKind};

use super::{Paper, grad_cam::grad_cam, info};
use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, LocalBoxFuture,
    layers::chosen_layers,
    observer::Progress,
    options::{choices, integer, number, options},
    tap::{Finish, tap},
};

choices! {
    /// How much each of the similar classes counts.
    pub enum Comparison {
        /// All alike.
        Even = "even",
        /// By the probability that the model gives it.
        Probability = "probability",
    }
}

options! {
    /// Options of [`FinerCam`].
    pub struct FinerCamOptions {
        /// How many classes are compared with.
        classes: usize [integer(1, 100)] = 3,
        /// How much of the other classes' logits is taken away. 0 makes it Grad-CAM.
        strength: f64 [number(0.0, 2.0)] = 1.0,
        /// How much each of the similar classes counts.
        comparison: Comparison [Comparison::kind()] = Comparison::Even,
        /// Whether negative values of the map, which speak for the other classes, are set to zero.
        relu: bool [ParameterKind::Boolean] = true,
    }
}

/// Finer-CAM (Zhang et al. 2025).
pub struct FinerCam;

impl Explainer for FinerCam {
    fn info(&self) -> MethodInfo {
        let paper = Paper(
            "Ziheng Zhang, Jianyang Gu, Arpita Chowdhury, Zheda Mai, David Carlyn, Tanya Berger-Wolf, Yu Su, Wei-Lun Chao",
            2025,
            "Finer-CAM: Spotting the Difference Reveals Finer Details for Visual Explanation",
            "CVPR",
        );
        let summary = "Shows what tells the answer apart from the classes most like it. Use it among look-alikes, \
                       such as kinds of birds; what they have in common drops out of the map.";
        info("finer-cam", "Finer-CAM", summary, paper, FinerCamOptions::parameters())
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        FinerCamOptions::parse(context.parameters)?;
        Ok(Cost { forward_passes: 2, backward_passes: 1 })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = FinerCamOptions::parse(context.parameters)?;
    if !context.target.is_logit() {
        return Err(ExplainError::NotALogit { target: context.target.to_string() });
    }
    let layers = chosen_layers(context)?;
    let mut progress = Progress::start(context.observer, 2);
    let (head, class) = (context.target.head(), context.target.class());
    let logits = head.scores(context.graph, context.input_name, context.input).await?.logits;
    progress.advance(1).await?;
    let others = nearest(&logits, class, options.classes);
    let margin = |logits: &Value| margin(logits, head.classes(), class, &others, &options);
    let (_, taps) = tap(context, &layers, context.input.clone(), &margin)?;
    let mut maps = Vec::new();
    for tap in &taps {
        maps.push(grad_cam(tap)?.to_vec().await?);
    }
    progress.advance(1).await?;
    let numbers: Vec<String> = others.iter().map(ToString::to_string).collect();
    let made = Attribution {
        prediction: logits.get(class).copied().unwrap_or(f32::NAN),
        forward_passes: 2,
        backward_passes: 1,
        parameters: options.values(),
        notes: vec![match others.is_empty() {
            true => "There is no other class to compare with, so this is Grad-CAM.".to_owned(),
            false => format!("The class is compared with those of the nearest logits: {}.", numbers.join(", ")),
        }],
        ..Attribution::default()
    };
    Finish::new(options.relu).attribution(context, &layers, maps, made)
}

/// The classes whose logits are nearest to that of a class, nearest first.
fn nearest(logits: &[f32], class: usize, count: usize) -> Vec<usize> {
    let away = |other: &usize| (logits[*other] - logits[class]).abs();
    let mut others: Vec<usize> = (0..logits.len()).filter(|other| *other != class).collect();
    others.sort_by(|a, b| away(a).total_cmp(&away(b)));
    others.truncate(count);
    others
}

/// The weighted mean of a class's logit less so much of the others', `[batch]`.
fn margin(
    logits: &Value,
    classes: usize,
    class: usize,
    others: &[usize],
    options: &FinerCamOptions,
) -> Result<Value, ExplainError> {
    let logits = logits.reshape(&[logits.len() / classes, classes])?;
    let own = logits.narrow(1, class, 1)?;
    let mut columns = Vec::new();
    for other in others {
        columns.push(logits.narrow(1, *other, 1)?);
    }
    if columns.is_empty() {
        return Ok(own.sum_per_sample()?);
    }
    let strength = options.strength as f32;
    let margins = own.sub(&Value::concat(&columns, 1)?.map(|others| others * strength)?)?;
    if options.comparison == Comparison::Even {
        return Ok(margins.map(|margins| margins / others.len() as f32)?.sum_per_sample()?);
    }
    // Probabilities over their sum are a softmax among these classes alone.
    let weights = Value::new(softmax(Value::concat(&columns, 1)?.tensor::<2>()?, 1));
    Ok(margins.mul(&weights)?.sum_per_sample()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, two_channels};

    fn explained(question: &Question) -> Result<Attribution, ExplainError> {
        pollster::block_on(FinerCam.explain(&question.context()))
    }

    /// Grad-CAM's map is -5/4 x, and that of the other class its negative.
    #[test]
    fn what_speaks_for_the_similar_class_is_taken_away() {
        let input = [1.0, -2.0, 0.0, 4.0];
        let question = Question::new(two_channels([3.0, -4.0]), &input).target("0").layer("a").with("relu", "false");
        for comparison in ["even", "probability"] {
            let found = explained(&question.clone().with("comparison", comparison)).unwrap();
            assert_close(&found.values, &input.map(|x| -2.5 * x), 1e-6);
            assert!(found.notes[0].ends_with("nearest logits: 1."), "{:?}", found.notes);
        }
        let plain = explained(&question.clone().with("strength", "0")).unwrap();
        assert_close(&plain.values, &input.map(|x| -1.25 * x), 1e-6);
        let error = explained(&question.target_text("prob:0")).unwrap_err().to_string();
        assert!(error.contains("probability of 0"), "{error}");
    }

    #[test]
    fn classes_are_alike_by_their_logits() {
        assert_eq!(nearest(&[1.0, 5.0, 4.5, -2.0, 6.0], 1, 3), [2, 4, 0]);
        assert!(nearest(&[1.0], 0, 3).is_empty());
    }
}
