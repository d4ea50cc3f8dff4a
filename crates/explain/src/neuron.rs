//! A neuron: one channel of a layer, everywhere or at one place.

use vitrine_graph::Value;
use vitrine_protocol::{ParameterError, ParameterKind};

use crate::{
    Context, ExplainError, SpatialLayer,
    completeness::no_influence,
    integrator::{Scalar, look},
    layers::{Places, chosen_layer},
};

/// A neuron of the context's layer.
pub(crate) struct Neuron {
    pub(crate) layer: SpatialLayer,
    /// One where the layer's values belong to it, zero elsewhere; the layer's shape.
    pub(crate) mask: Value,
    /// What it is, in words.
    words: String,
}

impl Neuron {
    /// The sum of its values.
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
    let ([height, width], channels) = (layer.size(), layer.channels());
    let [row, column] =
        [("row", place[0], height), ("column", place[1], width)].map(|(name, at, length)| within(name, at, length));
    let (row, column) = (row?, column?);
    let (channel, chosen) = match within("channel", channel, channels)? {
        Some(channel) => (channel, ""),
        None => (strongest(context, &layer).await?, ", the one that matters most for the target"),
    };
    let mut mask = vec![0.0; layer.shape.iter().product()];
    for y in row.map_or(0..height, |row| row..row + 1) {
        for x in column.map_or(0..width, |column| column..column + 1) {
            let place = y * width + x;
            let index = match layer.places {
                Places::Planes => channel * height * width + place,
                Places::Pixels => place * channels + channel,
                Places::Sequence(tokens) => (tokens.prefix + place) * channels + channel,
            };
            if let Some(value) = mask.get_mut(index) {
                *value = 1.0;
            }
        }
    }
    let at = match (row, column) {
        (None, None) => "summed over all places".to_owned(),
        (Some(row), None) => format!("summed over row {row}"),
        (None, Some(column)) => format!("summed over column {column}"),
        (Some(row), Some(column)) => format!("at row {row} and column {column}"),
    };
    let mask = Value::from_f32(&mask, &layer.shape, &context.input.device());
    Ok(Neuron { layer, mask, words: format!("channel {channel}{chosen}, {at},") })
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
