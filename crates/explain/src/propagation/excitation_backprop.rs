//! Excitation backpropagation: the chance that a random walk from the class down the network comes by each unit, where a
//! unit is left along its positive weights, the likelier the larger they and the activations below are.
//!
//! Jianming Zhang, Zhe Lin, Jonathan Brandt, Xiaohui Shen, Stan Sclaroff: Top-Down Neural Attention by Excitation Backprop.
//! ECCV 2016; International Journal of Computer Vision 2018.
//!
//! Departures from the paper: nodes that it does not speak of do as in relevance propagation (`lrp`); batch normalisations
//! are folded. The map is not scaled to 0..1. The paper's networks have activations that are not negative; where they are,
//! they count as zero.

use std::cell::Cell;

use vitrine_graph::{Run, Unit, Value};
use vitrine_image::upsample_bilinear;
use vitrine_protocol::{Family, MethodInfo, Need, ParameterKind, Promise, Reference};

use crate::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, LocalBoxFuture,
    attribution::{check_finite, picture_size},
    layers::chosen_layer,
    observer::Progress,
    options::options,
    relevance::{LayerRule, Sharing, Start},
};

options! {
    /// Options of [`ExcitationBackprop`].
    pub struct ExcitationBackpropOptions {
        /// Whether the walk of everything that speaks against the class is subtracted. It makes maps of different classes
        /// differ; without it they often look alike.
        contrastive: bool [ParameterKind::Boolean] = true,
    }
}

/// Keeps zero over zero from being no number; far below any share.
const EPSILON: f32 = 1e-12;

/// Excitation Backprop (Zhang et al. 2016).
///
/// `Attribution::values` is the layer's map `[height, width]`: chances, summed over the channels.
pub struct ExcitationBackprop;

impl Explainer for ExcitationBackprop {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: "excitation-backprop".to_owned(),
            name: "Excitation Backprop".to_owned(),
            family: Family::Propagation,
            summary: "Walks from the class down through whatever excited it, and counts where the walk comes by. The \
                      map tells where to look and never what speaks against the answer, and near the pixels it gets \
                      noisy."
                .to_owned(),
            reference: Reference {
                authors: "Jianming Zhang, Zhe Lin, Jonathan Brandt, Xiaohui Shen, Stan Sclaroff".to_owned(),
                year: 2016,
                title: "Top-Down Neural Attention by Excitation Backprop".to_owned(),
                venue: "ECCV".to_owned(),
            },
            needs: vec![Need::Forward, Need::Gradient, Need::SpatialLayer],
            parameters: ExcitationBackpropOptions::parameters(),
            promises: vec![Promise::ZeroForConstantModel],
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        let contrastive = ExcitationBackpropOptions::parse(context.parameters)?.contrastive;
        Ok(Cost { forward_passes: 1, backward_passes: if contrastive { 2 } else { 1 } })
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(explain(context))
    }
}

async fn explain(context: &Context<'_>) -> Result<Attribution, ExplainError> {
    let options = ExcitationBackpropOptions::parse(context.parameters)?;
    let layer = chosen_layer(context)?;
    let mut progress = Progress::start(context.observer, 1);
    let graph = context.graph.folded()?;
    if graph.check_value(&layer.name).is_err() || graph.producer(&layer.name).is_none() {
        return Err(ExplainError::FoldedLayer { layer: layer.name });
    }
    let logits = context.target.head().logits();
    let run = Run::of([logits, &layer.name]).feed(context.input_name, context.input.clone());
    let recording = graph.record(&run)?;
    let (slope, prediction) = Start::slope(context, recording.value(&graph, logits)?).await?;
    let no_influence = || ExplainError::NoInfluence { layer: layer.name.clone(), target: context.target.to_string() };
    let start = slope.ok_or_else(no_influence)?;
    let walk = |top: LayerRule| -> Result<Value, ExplainError> {
        let at_top = Cell::new(true);
        let layer_rule = |_: &Unit<'_>| Ok(if at_top.replace(false) { top.clone() } else { LayerRule::Excitation });
        let sharing = Sharing { graph: &graph, epsilon: EPSILON, layer_rule: &layer_rule };
        let mut arrived = sharing.send(&recording, (logits, start.clone()), &[&layer.name])?;
        arrived.remove(&layer.name).ok_or_else(no_influence)
    };
    let mut chances = walk(LayerRule::Excitation)?;
    if options.contrastive {
        chances = chances.sub(&walk(LayerRule::Inhibition)?)?;
    }
    let (height, width) = (layer.shape[2], layer.shape[3]);
    let values = chances.sum_axes(&[1])?.to_vec().await?;
    check_finite(&values, "A chance", "choose another layer")?;
    progress.advance(1).await?;
    let [to_height, to_width] = picture_size(context.shape(), context.layout()).unwrap_or([height, width]);
    let enlarged = upsample_bilinear(&values, [height, width], [to_height, to_width]);
    let mut notes = Vec::new();
    if values.iter().all(|value| *value == 0.0) {
        notes.push(format!("Nothing in layer {:?} excites the {}, so the map is zero.", layer.name, context.target));
    }
    Ok(Attribution {
        values,
        shape: vec![height, width],
        map: HeatMap { height: to_height, width: to_width, values: enlarged },
        prediction,
        forward_passes: 1,
        backward_passes: if options.contrastive { 2 } else { 1 },
        parameters: options.values(),
        layer: Some(layer.name),
        notes,
        ..Attribution::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Question, assert_close, two_channels};

    fn explained(question: &Question) -> Attribution {
        pollster::block_on(ExcitationBackprop.explain(&question.context())).unwrap()
    }

    #[test]
    fn the_chances_follow_positive_weights_and_activations() {
        // Channel means 2.5 and 5 meet the weights 2 and -1: all chance goes to the first channel, there in proportion to
        // the pixels 1 to 4.
        let question = Question::new(two_channels([2.0, -1.0]), &[1.0, 2.0, 3.0, 4.0]).target("0").layer("a");
        let found = explained(&question.clone().with("contrastive", "false"));
        assert_close(&found.values, &[0.1, 0.2, 0.3, 0.4], 1e-5);
        // Against the class speaks the second channel alone, in the same proportion.
        assert!(explained(&question).values.iter().all(|value| value.abs() < 1e-6));
    }

    #[test]
    fn a_layer_that_leads_nowhere_is_refused() {
        let question = Question::new(two_channels([1.0, 1.0]), &[1.0; 4]).target("0").layer("beside");
        let error = pollster::block_on(ExcitationBackprop.explain(&question.context())).unwrap_err().to_string();
        assert!(error.contains("\"beside\" does not influence the logit of 0"), "{error}");
    }
}
