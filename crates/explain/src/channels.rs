//! A layer's channels, tried one by one without gradients: what Score-CAM and Ablation-CAM stand on.

use std::ops::Range;

use vitrine_graph::{GraphError, Probe, Run, Value};

use crate::{
    Context, ExplainError, SpatialLayer, attribution::check_finite, linear::check_influence, observer::Progress,
};

/// What of a layer is switched one by one: its channels, or the heads that are seen as such.
pub(crate) struct Components {
    pub(crate) layer: SpatialLayer,
    /// The shape of one factor for each beside a single sample; for a batch its first axis is as many times as long.
    pub(crate) factors: Vec<usize>,
    /// The planes of a value of the layer.
    pub(crate) planes: fn(&SpatialLayer, &Value) -> Result<Value, GraphError>,
}

impl Components {
    /// Those of the channels.
    pub(crate) fn channels(layer: SpatialLayer) -> Components {
        Components { factors: layer.per_channel(1), layer, planes: SpatialLayer::planes }
    }
}

/// A layer's values at the input.
pub(crate) struct Recorded {
    /// As the graph has them.
    pub(crate) value: Value,
    /// One plane after the other, on the host.
    pub(crate) planes: Vec<f32>,
}

impl Recorded {
    /// The planes.
    pub(crate) fn planes(&self, layer: &SpatialLayer) -> impl Iterator<Item = &[f32]> {
        let [height, width] = layer.size();
        self.planes.chunks(height * width)
    }

    /// The numbers of the `most` channels with the largest sums of squares, all of them for 0, in their order.
    pub(crate) fn strongest(&self, layer: &SpatialLayer, most: usize) -> Vec<usize> {
        let energy: Vec<f32> = self.planes(layer).map(|plane| plane.iter().map(|value| value * value).sum()).collect();
        let mut channels: Vec<usize> = (0..energy.len()).collect();
        channels.sort_by(|a, b| energy[*b].total_cmp(&energy[*a]));
        channels.truncate(tried(layer, most));
        channels.sort_unstable();
        channels
    }

    /// Channels times their weights, summed.
    pub(crate) fn weighted(&self, layer: &SpatialLayer, weights: &[(usize, f32)]) -> Vec<f32> {
        let [height, width] = layer.size();
        let mut sums = vec![0.0; height * width];
        for (channel, weight) in weights {
            let plane = self.planes(layer).nth(*channel).unwrap_or_default();
            sums.iter_mut().zip(plane).for_each(|(sum, value)| *sum += weight * value);
        }
        sums
    }
}

/// How many channels of a layer are tried when at most so many shall be; 0 is no limit.
pub(crate) fn tried(layer: &SpatialLayer, most: usize) -> usize {
    if most == 0 { layer.channels() } else { most.min(layer.channels()) }
}

/// Runs the model on the input and keeps what the layers have; gives the target there too.
///
/// # Errors
/// [`ExplainError::NoInfluence`] for a layer from which no way leads to the class scores.
pub(crate) async fn record(
    context: &Context<'_>,
    layers: &[SpatialLayer],
) -> Result<(f32, Vec<Recorded>), ExplainError> {
    record_as(context, layers, SpatialLayer::planes).await
}

/// The same with other planes than the channels'.
pub(crate) async fn record_as(
    context: &Context<'_>,
    layers: &[SpatialLayer],
    planes: fn(&SpatialLayer, &Value) -> Result<Value, GraphError>,
) -> Result<(f32, Vec<Recorded>), ExplainError> {
    check_influence(context, layers)?;
    let logits = context.target.head().logits();
    let mut run = Run::of([logits]).feed(context.input_name, context.input.clone());
    for layer in layers {
        run = run.probe(&layer.name, Probe::Record);
    }
    let trace = context.graph.run(&run)?;
    let prediction = context.target.objective(trace.value(logits)?)?.to_vec().await?;
    check_finite(&prediction, "The target at the input", "check the input's values and the model card")?;
    let mut recorded = Vec::new();
    for layer in layers {
        let value = trace.value(&layer.name)?.clone();
        let planes = planes(layer, &value)?.to_vec().await?;
        check_finite(&planes, "A value of the layer", "the model's numbers overflow there; choose another layer")?;
        recorded.push(Recorded { value, planes });
    }
    Ok((prediction.first().copied().unwrap_or(f32::NAN), recorded))
}

/// The target in `count` runs, batch by batch; `feed` adds to a run what a range of them differs in.
pub(crate) async fn scores(
    context: &Context<'_>,
    count: usize,
    progress: &mut Progress<'_>,
    feed: &dyn Fn(Run, Range<usize>) -> Result<Run, ExplainError>,
) -> Result<Vec<f32>, ExplainError> {
    let logits = context.target.head().logits();
    let mut scores = Vec::with_capacity(count);
    let size = context.batch_for(count);
    for start in (0..count).step_by(size) {
        let range = start..(start + size).min(count);
        let batch = range.len();
        let trace = context.graph.run(&feed(Run::of([logits]), range)?)?;
        let found = context.target.objective(trace.value(logits)?)?.to_vec().await?;
        check_finite(&found, "The target with a channel changed", "choose another layer")?;
        scores.extend(found);
        progress.advance(batch).await?;
    }
    Ok(scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layers::chosen_layers,
        testing::{Question, two_channels},
    };

    #[test]
    fn the_strongest_channels_are_those_with_most_energy() {
        let question = Question::new(two_channels([1.0, 1.0]), &[1.0, -2.0, 0.0, 4.0]).layer("a");
        let context = question.context();
        let layers = chosen_layers(&context).unwrap();
        let (_, recorded) = pollster::block_on(record(&context, &layers)).unwrap();
        assert_eq!(recorded[0].strongest(&layers[0], 1), [1], "twice the picture");
        assert_eq!(recorded[0].strongest(&layers[0], 0), [0, 1]);
        assert_eq!(recorded[0].weighted(&layers[0], &[(0, 3.0), (1, -1.0)]), [1.0, -2.0, 0.0, 4.0]);
    }

    #[test]
    fn a_layer_that_leads_nowhere_is_refused() {
        let question = Question::new(two_channels([1.0, 1.0]), &[1.0; 4]).layer("beside");
        let context = question.context();
        let layers = chosen_layers(&context).unwrap();
        let error = pollster::block_on(record(&context, &layers)).err().unwrap().to_string();
        assert!(error.contains("\"beside\" does not influence the logit of 1"), "{error}");
    }
}
