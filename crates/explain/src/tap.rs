//! Layers' values and the target's gradients there, and maps made of them: what CAMs stand on.
//!
//! A CAM by gradients is what it makes of a [`Tap`]: channel weights, or a combination place by place. What is common
//! is here: finding the layers, one forward and one backward pass, ReLU, several layers in one map, enlarging, and notes.

use std::collections::BTreeMap;

use vitrine_graph::{GraphError, Probe, Run, Value};
use vitrine_image::upsample_bilinear;
use vitrine_protocol::ParameterValue;

use crate::{
    Attribution, Context, ExplainError, HeatMap, SpatialLayer,
    attribution::{check_finite, picture_size},
    layers::chosen_layers,
    observer::Progress,
    options::choices,
};

/// A layer, seen from the target, for one input or a batch of them.
pub(crate) struct Tap {
    /// The layer's values, `[batch, channels, height, width]` whatever the layer's own form.
    pub(crate) activations: Value,
    /// The target's gradients with respect to them, of the same shape.
    pub(crate) gradients: Value,
}

impl Tap {
    /// The channels, each times its weight, summed: `[batch, 1, height, width]` from weights `[batch, channels, 1, 1]`.
    pub(crate) fn weighted(&self, weights: &Value) -> Result<Value, ExplainError> {
        Ok(self.activations.mul(weights)?.sum_axes(&[1])?)
    }
}

/// A quotient that is zero where the divisor is, so that what weighs nothing has no weight.
pub(crate) fn quotient(numerator: &Value, divisor: &Value) -> Result<Value, ExplainError> {
    let zero = divisor.map(|divisor| divisor.equal_elem(0.0).float())?;
    let quotient = numerator.div(&divisor.add(&zero)?)?;
    Ok(quotient.mul(&zero.map(|zero| -zero + 1.0)?)?)
}

/// Taps layers at a batch of inputs, and gives the objective `[batch]` with them.
///
/// # Errors
/// [`ExplainError::NoInfluence`] when the objective does not depend on a layer.
pub(crate) fn tap(
    context: &Context<'_>,
    layers: &[SpatialLayer],
    inputs: Value,
    objective: &dyn Fn(&Value) -> Result<Value, ExplainError>,
) -> Result<(Value, Vec<Tap>), ExplainError> {
    let logits = context.target.head().logits();
    let mut run = Run::of([logits]).feed(context.input_name, inputs);
    for layer in layers {
        run = run.probe(&layer.name, Probe::Record).probe(&layer.name, Probe::Gradient);
    }
    let no_influence =
        |name: &str| ExplainError::NoInfluence { layer: name.to_owned(), target: context.target.to_string() };
    let refused = |error| match error {
        GraphError::NoGradient(name) | GraphError::NotRecorded(name) => no_influence(&name),
        error => error.into(),
    };
    let trace = context.graph.run(&run).map_err(refused)?;
    let objective = objective(trace.value(logits)?)?;
    let gradients = trace.gradients(&objective).map_err(refused)?;
    let mut taps = Vec::new();
    for layer in layers {
        let gradients = gradients.get(&layer.name).ok_or_else(|| no_influence(&layer.name))?;
        let activations = trace.value(&layer.name)?.detached();
        taps.push(Tap { activations: layer.planes(&activations)?, gradients: layer.planes(gradients)? });
    }
    Ok((objective, taps))
}

/// [`tap`] at the context's input, with the target's value there.
pub(crate) async fn tap_input(context: &Context<'_>, layers: &[SpatialLayer]) -> Result<(f32, Vec<Tap>), ExplainError> {
    let target = |logits: &Value| context.target.objective(logits);
    let (objective, taps) = tap(context, layers, context.input.clone(), &target)?;
    let prediction = objective.to_vec().await?.first().copied().unwrap_or(f32::NAN);
    check_finite(&[prediction], "The target at the input", "check the input's values and the model card")?;
    Ok((prediction, taps))
}

/// What a CAM makes of a layer: `[1, 1, height, width]`.
pub(crate) type Combination = fn(&Tap) -> Result<Value, ExplainError>;

/// The whole of a CAM that takes one forward and one backward pass.
pub(crate) async fn explain_by(
    context: &Context<'_>,
    combination: Combination,
    finish: Finish,
    parameters: BTreeMap<String, ParameterValue>,
) -> Result<Attribution, ExplainError> {
    let layers = chosen_layers(context)?;
    let mut progress = Progress::start(context.observer, 1);
    let (prediction, taps) = tap_input(context, &layers).await?;
    let mut maps = Vec::new();
    for tap in &taps {
        maps.push(combination(tap)?.to_vec().await?);
    }
    progress.advance(1).await?;
    let made = Attribution { prediction, forward_passes: 1, backward_passes: 1, parameters, ..Attribution::default() };
    finish.attribution(context, &layers, maps, made)
}

choices! {
    /// How the maps of several layers become one. Each is first divided by its largest magnitude and enlarged to the
    /// picture.
    pub enum Fusion {
        /// Their mean.
        Mean = "mean",
        /// At each pixel the one that is farthest from zero.
        Maximum = "maximum",
        /// Their product, which shows what all layers agree on.
        Product = "product",
    }
}

/// What is done with the layers' maps.
#[derive(Clone, Copy)]
pub(crate) struct Finish {
    /// Whether negative values are set to zero, in each map before anything else.
    pub(crate) relu: bool,
    /// How several maps become one.
    pub(crate) fusion: Fusion,
}

impl Finish {
    /// Without or with ReLU; several maps by their mean.
    pub(crate) fn new(relu: bool) -> Finish {
        Finish { relu, fusion: Fusion::Mean }
    }

    /// Fills in `made` from the map of each layer, `height * width` values: of one layer the attribution's values are
    /// the map itself and its heat map is enlarged bilinearly; of several both are the fused map at the picture's size.
    ///
    /// # Errors
    /// [`ExplainError::NotFinite`].
    pub(crate) fn attribution(
        self,
        context: &Context<'_>,
        layers: &[SpatialLayer],
        mut maps: Vec<Vec<f32>>,
        mut made: Attribution,
    ) -> Result<Attribution, ExplainError> {
        let advice = "the model's numbers overflow at this layer; choose another";
        for (layer, map) in layers.iter().zip(&mut maps) {
            check_finite(map, "A value of the map", advice)?;
            let (name, target, was_zero) = (&layer.name, context.target, is_zero(map));
            if self.relu {
                map.iter_mut().for_each(|value| *value = value.max(0.0));
            }
            if was_zero {
                made.notes.push(format!("The map is zero everywhere: layer {name:?} does not move the {target}."));
            } else if is_zero(map) {
                made.notes.push(format!(
                    "The map is zero everywhere after the ReLU: at layer {name:?} all its values are negative, as where the \
                     evidence speaks against the {target}. Without the ReLU the map shows them."
                ));
            }
        }
        let first = layers.first().map_or([1, 1], SpatialLayer::size);
        let [height, width] = picture_size(context.shape(), context.layout()).unwrap_or(first);
        let enlarge = |(layer, map): (&SpatialLayer, &Vec<f32>)| {
            let map = if layers.len() > 1 { scaled(map) } else { map.clone() };
            upsample_bilinear(&map, layer.size(), [height, width])
        };
        let enlarged: Vec<Vec<f32>> = layers.iter().zip(&maps).map(enlarge).collect();
        let values = self.fuse(enlarged);
        made.layer = Some(layers.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>().join(","));
        (made.values, made.shape) = match maps.pop() {
            Some(map) if maps.is_empty() => (map, first.to_vec()),
            _ => (values.clone(), vec![height, width]),
        };
        made.map = HeatMap { height, width, values };
        Ok(made)
    }

    /// One map of several of the same size; a single one as it is.
    fn fuse(self, maps: Vec<Vec<f32>>) -> Vec<f32> {
        let count = maps.len() as f32;
        let join = |left: f32, right: f32| match self.fusion {
            Fusion::Mean => left + right,
            Fusion::Maximum => {
                if right.abs() > left.abs() {
                    right
                } else {
                    left
                }
            }
            Fusion::Product => left * right,
        };
        let joined = maps.into_iter().reduce(|mut left, right| {
            left.iter_mut().zip(right).for_each(|(left, right)| *left = join(*left, right));
            left
        });
        let mut joined = joined.unwrap_or_default();
        if self.fusion == Fusion::Mean {
            joined.iter_mut().for_each(|value| *value /= count);
        }
        joined
    }
}

/// A map over its largest magnitude; a blank one stays blank.
fn scaled(map: &[f32]) -> Vec<f32> {
    let largest = map.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    map.iter().map(|value| value / largest).collect()
}

fn is_zero(map: &[f32]) -> bool {
    map.iter().all(|&value| value == 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_maps_are_joined_after_division_by_their_largest_magnitudes() {
        let maps = [vec![2.0, -4.0, 1.0], vec![0.0, 0.1, -0.2]].map(|map| scaled(&map));
        let fused = |fusion| Finish { relu: false, fusion }.fuse(maps.to_vec());
        assert_eq!(fused(Fusion::Mean), [0.25, -0.25, -0.375]);
        assert_eq!(fused(Fusion::Maximum), [0.5, -1.0, -1.0]);
        assert_eq!(fused(Fusion::Product), [0.0, -0.5, -0.25]);
        assert_eq!(scaled(&[0.0; 2]), [0.0; 2], "a blank map stays blank");
    }

    #[test]
    fn a_quotient_by_zero_is_zero() {
        let value = |values: &[f32]| Value::from_f32(values, &[values.len()], &crate::testing::device());
        let found = quotient(&value(&[1.0, 3.0, 0.0]), &value(&[2.0, 0.0, 0.0])).unwrap();
        assert_eq!(crate::testing::read(&found), [0.5, 0.0, 0.0]);
    }
}
