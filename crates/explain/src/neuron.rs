//! A neuron: one channel of a layer, everywhere or at one place; or a direction, several channels together.

use std::fmt;

use vitrine_graph::{Run, Value};
use vitrine_protocol::{ParameterError, ParameterKind};

use crate::{
    Context, ExplainError, SpatialLayer,
    attribution::check_finite,
    completeness::no_influence,
    integrator::{Scalar, look},
    layers::{Places, chosen_layer},
};

/// A neuron of the context's layer.
pub(crate) struct Neuron {
    pub(crate) layer: SpatialLayer,
    /// What each of the layer's values counts: one where it belongs to a neuron, zero elsewhere; the layer's shape.
    pub(crate) mask: Value,
    /// What it is, in words.
    words: String,
}

impl Neuron {
    /// The sum of its values, each as it counts.
    pub(crate) fn scalar(&self) -> Scalar<'_> {
        Scalar::Layer(&self.layer.name, &self.mask)
    }

    /// What is explained, in a sentence.
    pub(crate) fn note(&self) -> String {
        format!("What is explained is {} of layer {:?}.", self.words, self.layer.name)
    }
}

/// Forward and backward passes that finding the neuron takes: one each where the channel is to be chosen.
pub(crate) fn passes(channel: i64) -> usize {
    usize::from(channel < 0)
}

/// The neuron at a channel, row and column of the context's layer. Of the numbers below zero, that of the channel stands
/// for the one whose values times the target's gradients sum to most in magnitude, the others for all places.
///
/// # Errors
/// [`ExplainError::Parameter`] for a channel, row or column that the layer does not have; what finding the layer refuses.
pub(crate) async fn neuron(context: &Context<'_>, channel: i64, place: [i64; 2]) -> Result<Neuron, ExplainError> {
    let layer = chosen_layer(context)?;
    let area = Area::of(&layer, place)?;
    let (channel, chosen) = match within("channel", channel, layer.channels())? {
        Some(channel) => (channel, ""),
        None => (strongest(context, &layer).await?, ", the one that matters most for the target"),
    };
    let mut weights = vec![0.0; layer.channels()];
    if let Some(weight) = weights.get_mut(channel) {
        *weight = 1.0;
    }
    let words = format!("channel {channel}{chosen}, {area},");
    Ok(Neuron { mask: area.mask(context, &layer, &weights), layer, words })
}

/// All channels of the context's layer at a row and column as [`neuron`] takes them, each weighted by its mean there for
/// the context's input, which takes one forward pass.
///
/// # Errors
/// As [`neuron`].
pub(crate) async fn direction(context: &Context<'_>, place: [i64; 2]) -> Result<Neuron, ExplainError> {
    let layer = chosen_layer(context)?;
    let area = Area::of(&layer, place)?;
    let run = Run::of([layer.name.as_str()]).feed(context.input_name, context.input.clone());
    let planes = layer.planes(context.graph.run(&run)?.value(&layer.name)?)?.to_vec().await?;
    check_finite(&planes, "The layer at the input", "check the input's values and the model card")?;
    let [height, width] = layer.size();
    let mean = |plane: &[f32]| {
        let places = area.places();
        places.iter().filter_map(|place| plane.get(*place)).sum::<f32>() / places.len().max(1) as f32
    };
    let weights: Vec<f32> = planes.chunks((height * width).max(1)).map(mean).collect();
    let words = format!("the picture's own direction, {area},");
    Ok(Neuron { mask: area.mask(context, &layer, &weights), layer, words })
}

/// Places of a layer: one, a row, a column or all.
struct Area {
    row: Option<usize>,
    column: Option<usize>,
    size: [usize; 2],
}

impl Area {
    fn of(layer: &SpatialLayer, [row, column]: [i64; 2]) -> Result<Area, ExplainError> {
        let [height, width] = layer.size();
        let (row, column) = (within("row", row, height)?, within("column", column, width)?);
        Ok(Area { row, column, size: [height, width] })
    }

    /// The places' numbers, row by row.
    fn places(&self) -> Vec<usize> {
        let [height, width] = self.size;
        let rows = self.row.map_or(0..height, |row| row..row + 1);
        let columns = self.column.map_or(0..width, |column| column..column + 1);
        rows.flat_map(|row| columns.clone().map(move |column| row * width + column)).collect()
    }

    /// A value of the layer's shape with each channel's weight at the places and zero elsewhere.
    fn mask(&self, context: &Context<'_>, layer: &SpatialLayer, weights: &[f32]) -> Value {
        let (mut mask, area) = (vec![0.0; layer.shape.iter().product()], self.size[0] * self.size[1]);
        for place in self.places() {
            for (channel, weight) in weights.iter().enumerate() {
                let index = match layer.places {
                    Places::Planes => channel * area + place,
                    Places::Pixels => place * weights.len() + channel,
                    Places::Sequence(tokens) => (tokens.prefix + place) * weights.len() + channel,
                };
                if let Some(value) = mask.get_mut(index) {
                    *value = *weight;
                }
            }
        }
        Value::from_f32(&mask, &layer.shape, &context.input.device())
    }
}

impl fmt::Display for Area {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.row, self.column) {
            (None, None) => formatter.write_str("summed over all places"),
            (Some(row), None) => write!(formatter, "summed over row {row}"),
            (None, Some(column)) => write!(formatter, "summed over column {column}"),
            (Some(row), Some(column)) => write!(formatter, "at row {row} and column {column}"),
        }
    }
}

/// A number within a length, or nothing for one below zero.
fn within(name: &str, number: i64, length: usize) -> Result<Option<usize>, ExplainError> {
    match usize::try_from(number) {
        Err(_) => Ok(None),
        Ok(number) if number < length => Ok(Some(number)),
        Ok(_) => {
            let expected = ParameterKind::Integer { min: -1, max: length as i64 - 1 }.expectation();
            let source = ParameterError::Value { found: number.to_string(), expected };
            Err(ExplainError::Parameter { name: name.to_owned(), source })
        }
    }
}

/// The channel whose values times gradients sum to most in magnitude; the first of several.
async fn strongest(context: &Context<'_>, layer: &SpatialLayer) -> Result<usize, ExplainError> {
    let seen = look(context, Scalar::Target, [context.input_name, &layer.name], context.input.clone())?;
    let gradient = seen.gradient.ok_or_else(|| no_influence(context, &layer.name))?;
    let sums = layer.planes(&seen.at.mul(&gradient)?)?.sum_axes(&[2, 3])?.to_vec().await?;
    let beats = |best: usize, channel: usize| sums[channel].abs() > sums[best].abs();
    Ok((1..sums.len()).fold(0, |best, channel| if beats(best, channel) { channel } else { best }))
}
