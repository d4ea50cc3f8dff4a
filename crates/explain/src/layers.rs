//! Which layers a method can look at, and how their values lie over the picture.
//!
//! Three forms are known. Planes, `[1, channels, height, width]`, are what convolutions make. A sequence
//! `[1, tokens, channels]` is read as a picture where its length is that of the model's tokens, or of a grid of square
//! patches without tokens before it. Pixels, `[1, height, width, channels]`, as Swin transformers have them, share their
//! rank with planes: a value is taken for pixels only where its first two axes have the picture's proportions (to within a
//! rounded pixel) and are not larger, and its last two do not.

use vitrine_graph::{Graph, GraphError, Value, ValueSummary};
use vitrine_protocol::Tokens;

use crate::{
    Context, ExplainError,
    attention::{attention, sequence, token_grid},
    attribution::picture_size,
};

/// How a layer's values lie over the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Places {
    /// A plane for each channel: `[1, channels, height, width]`.
    Planes,
    /// The channels of a place together: `[1, height, width, channels]`.
    Pixels,
    /// A sequence, `[1, tokens, channels]`, row by row after the tokens that stand for no place.
    Sequence(Tokens),
}

/// A layer that lies over the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpatialLayer {
    /// Name of the value in the graph.
    pub name: String,
    /// What makes it, as [`Graph::layers`] names it.
    pub operator: String,
    /// Shape at a batch of one.
    pub shape: Vec<usize>,
    /// Which axes are channels and places.
    pub places: Places,
}

impl SpatialLayer {
    /// Number of channels.
    pub fn channels(&self) -> usize {
        let axis = if self.places == Places::Planes { 1 } else { self.shape.len() - 1 };
        self.shape.get(axis).copied().unwrap_or(1)
    }

    /// Places from top to bottom and from left to right.
    pub fn size(&self) -> [usize; 2] {
        match (self.places, &self.shape[..]) {
            (Places::Sequence(tokens), _) => [tokens.rows, tokens.columns],
            (Places::Planes, &[.., height, width]) | (Places::Pixels, &[_, height, width, ..]) => [height, width],
            _ => [1, 1],
        }
    }

    /// A batch of the layer's values as `[batch, channels, height, width]`; tokens that stand for no place are dropped.
    pub(crate) fn planes(&self, value: &Value) -> Result<Value, GraphError> {
        let [height, width] = self.size();
        match self.places {
            Places::Planes => Ok(value.clone()),
            Places::Pixels => value.permute(&[0, 3, 1, 2]),
            Places::Sequence(tokens) => {
                let batch = value.shape().first().copied().unwrap_or(1);
                let patches = value.narrow(1, tokens.prefix, height * width)?.permute(&[0, 2, 1])?;
                patches.reshape(&[batch, self.channels(), height, width])
            }
        }
    }

    /// The shape of factors that go one to each channel of each sample: it broadcasts to a batch of the layer's values.
    pub(crate) fn per_channel(&self, samples: usize) -> Vec<usize> {
        match self.places {
            Places::Planes => vec![samples, self.channels(), 1, 1],
            Places::Pixels => vec![samples, 1, 1, self.channels()],
            Places::Sequence(_) => vec![samples, 1, self.channels()],
        }
    }
}

/// How a value of this shape lies over a picture of this size, whose tokens lie so; nothing where it does not.
fn places(shape: &[usize], picture: Option<[usize; 2]>, tokens: Option<Tokens>) -> Option<Places> {
    // Within a pixel of the picture's proportions, as strides round sizes up or down.
    let fits = |height: usize, width: usize| {
        picture.is_some_and(|[rows, columns]| {
            height <= rows && width <= columns && (height * columns).abs_diff(width * rows) <= rows.max(columns)
        })
    };
    match *shape {
        [1, length, channels] => {
            let grid = |length| {
                let [height, width] = picture?;
                token_grid(length, height, width).filter(|grid| grid.prefix == 0)
            };
            let own = tokens.filter(|tokens| tokens.count() == length);
            // A length that either axis might be is none.
            let found = own.or_else(|| grid(length).filter(|_| grid(channels).is_none()))?;
            (found.rows > 1 && found.columns > 1).then_some(Places::Sequence(found))
        }
        [1, a, b, c] => {
            // Queries, keys, values, weights and results of attention, by heads.
            let by_heads = tokens.map(|tokens| (tokens.count(), tokens.prefix)).is_some_and(|(count, prefix)| {
                [a, b, c].contains(&count) && (!fits(b, c) || (b == count && c == count && prefix > 0))
            });
            if by_heads {
                None
            } else if a > 1 && b > 1 && fits(a, b) && !fits(b, c) {
                Some(Places::Pixels)
            } else {
                (b > 1 && c > 1).then_some(Places::Planes)
            }
        }
        _ => None,
    }
}

/// How the tokens of a graph's attention lie over a picture of this size, if all of it is over one sequence.
fn own_tokens(graph: &Graph, picture: Option<[usize; 2]>) -> Result<Option<Tokens>, GraphError> {
    let Some([height, width]) = picture else { return Ok(None) };
    Ok(sequence(graph)?.and_then(|sequence| token_grid(sequence, height, width)))
}

/// The layers of a graph ([`Graph::layers`]) that lie over a picture of this height and width, in graph order. `tokens`
/// says how the sequence of a vision transformer does; without it, as [`token_grid`] finds.
///
/// # Errors
/// None on a graph that was planned.
pub fn spatial_layers(
    graph: &Graph,
    picture: Option<[usize; 2]>,
    tokens: Option<Tokens>,
) -> Result<Vec<SpatialLayer>, GraphError> {
    let tokens = if tokens.is_some() { tokens } else { own_tokens(graph, picture)? };
    Ok(spatial(graph.layers()?, picture, tokens))
}

fn spatial(values: Vec<ValueSummary>, picture: Option<[usize; 2]>, tokens: Option<Tokens>) -> Vec<SpatialLayer> {
    let layer = |value: ValueSummary| {
        let places = places(&value.shape, picture, tokens)?;
        Some(SpatialLayer { name: value.name, operator: value.operator, shape: value.shape, places })
    };
    values.into_iter().filter_map(layer).collect()
}

/// The layer that a person would look at first: of [`spatial_layers`] the last; in a vision transformer the last layer
/// normalisation before the last attention, behind which single places are mixed, or else the last sum or value there.
///
/// # Errors
/// None on a graph that was planned.
pub fn default_layer(
    graph: &Graph,
    picture: Option<[usize; 2]>,
    tokens: Option<Tokens>,
) -> Result<Option<SpatialLayer>, GraphError> {
    let mut layers = spatial_layers(graph, picture, tokens)?;
    let values = graph.values()?;
    let position = |name: &str| values.iter().position(|value| value.name == name);
    let last = attention(graph)?.into_iter().rfind(|attention| attention.sequence().is_some());
    let Some(at) = last.and_then(|attention| position(&attention.weights)) else { return Ok(layers.pop()) };
    let is_sequence = |layer: &SpatialLayer| matches!(layer.places, Places::Sequence(_));
    if layers.iter().any(|layer| !is_sequence(layer) && position(&layer.name) > Some(at)) {
        return Ok(layers.pop());
    }
    layers.retain(|layer| is_sequence(layer) && position(&layer.name) < Some(at));
    let made_by = |names: &[&str]| layers.iter().rposition(|layer| names.contains(&layer.operator.as_str()));
    let chosen = made_by(&["LayerNormalization", "RMSNormalization"]).or_else(|| made_by(&["Add"]));
    match chosen {
        Some(chosen) => Ok(Some(layers.swap_remove(chosen))),
        None if layers.is_empty() => Ok(spatial_layers(graph, picture, tokens)?.pop()),
        None => Ok(layers.pop()),
    }
}

/// The context's layers, or without any the one of [`default_layer`].
///
/// # Errors
/// [`ExplainError::NotSpatial`] with the nearest layers that would do, [`ExplainError::NoSpatialLayer`].
pub(crate) fn chosen_layers(context: &Context<'_>) -> Result<Vec<SpatialLayer>, ExplainError> {
    let (graph, picture) = (context.graph, picture_size(context.shape(), context.layout()));
    if context.layers.is_empty() {
        let layer = default_layer(graph, picture, context.tokens)?;
        return Ok(vec![layer.ok_or(ExplainError::NoSpatialLayer)?]);
    }
    let tokens = if context.tokens.is_some() { context.tokens } else { own_tokens(graph, picture)? };
    let values = graph.values()?;
    let spatial = spatial(values.clone(), picture, tokens);
    let find = |name: &&str| {
        if let Some(layer) = spatial.iter().find(|layer| layer.name == *name) {
            return Ok(layer.clone());
        }
        let position = |name: &str| values.iter().position(|value| value.name == name);
        let Some(at) = position(name) else {
            graph.check_value(name)?;
            // The value exists but is no layer: a graph input, a weight or a constant.
            return Err(ExplainError::NotSpatial { layer: (*name).to_owned(), shape: Vec::new(), nearest: Vec::new() });
        };
        let mut nearest: Vec<&str> = spatial.iter().map(|layer| layer.name.as_str()).collect();
        nearest.sort_by_key(|name| position(name).map(|position| position.abs_diff(at)));
        let nearest = nearest.into_iter().take(3).map(str::to_owned).collect();
        Err(ExplainError::NotSpatial { layer: (*name).to_owned(), shape: values[at].shape.clone(), nearest })
    };
    context.layers.iter().map(find).collect()
}

/// The context's layer, for methods that look at one: the one named, or that of [`default_layer`].
///
/// # Errors
/// As [`chosen_layers`]; [`ExplainError::OneLayer`] when several are named.
pub(crate) fn chosen_layer(context: &Context<'_>) -> Result<SpatialLayer, ExplainError> {
    let mut layers = chosen_layers(context)?;
    match (layers.len(), layers.pop()) {
        (1, Some(layer)) => Ok(layer),
        _ => Err(ExplainError::OneLayer { layers: context.layers.iter().map(|name| (*name).to_owned()).collect() }),
    }
}

/// The context's layer and up to `count` - 1 before it, the last first: each the nearest one of another shape, or else the
/// one just before.
///
/// # Errors
/// As [`chosen_layer`].
pub(crate) fn with_earlier(context: &Context<'_>, count: usize) -> Result<Vec<SpatialLayer>, ExplainError> {
    let (graph, picture) = (context.graph, picture_size(context.shape(), context.layout()));
    let values = graph.values()?;
    let position = |layer: &SpatialLayer| values.iter().position(|value| value.name == layer.name);
    let mut found = vec![chosen_layer(context)?];
    let mut earlier = spatial_layers(graph, picture, context.tokens)?;
    earlier.retain(|layer| position(layer) < position(&found[0]));
    while found.len() < count {
        let of_other_shape = |layer: &SpatialLayer| found.last().is_some_and(|last| last.shape != layer.shape);
        if let Some(at) = earlier.iter().rposition(of_other_shape) {
            earlier.truncate(at + 1);
        }
        let Some(layer) = earlier.pop() else { break };
        found.push(layer);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKENS: Tokens = Tokens { rows: 14, columns: 14, prefix: 1 };

    #[test]
    fn shapes_tell_planes_pixels_and_sequences_apart() {
        let square = |shape: &[usize]| places(shape, Some([224, 224]), None);
        assert_eq!(square(&[1, 512, 7, 7]), Some(Places::Planes));
        assert_eq!(square(&[1, 7, 7, 768]), Some(Places::Pixels), "Swin");
        assert_eq!(square(&[1, 56, 56, 56]), Some(Places::Planes), "either, so the usual one");
        assert_eq!(square(&[1, 3136, 96]), Some(Places::Sequence(Tokens { rows: 56, columns: 56, prefix: 0 })));
        assert_eq!(square(&[1, 256, 49]), None, "a sequence of 49 or of 256");
        assert_eq!(square(&[1, 512, 1, 1]), None);
        assert_eq!(square(&[64, 49, 96]), None, "windows");
        let wide = |shape: &[usize]| places(shape, Some([20, 30]), None);
        assert_eq!(wide(&[1, 5, 8, 16]), Some(Places::Pixels), "30 / 4 rounded up");
        assert_eq!(wide(&[1, 16, 5, 8]), Some(Places::Planes));
        assert_eq!(places(&[1, 4, 5, 9], None, None), Some(Places::Planes), "nobody knows the picture");
    }

    #[test]
    fn the_models_tokens_count_and_the_insides_of_attention_do_not() {
        let found = |shape: &[usize]| places(shape, Some([224, 224]), Some(TOKENS));
        assert_eq!(found(&[1, 197, 768]), Some(Places::Sequence(TOKENS)));
        assert_eq!(
            found(&[1, 196, 768]),
            Some(Places::Sequence(Tokens { prefix: 0, ..TOKENS })),
            "before the class token"
        );
        assert_eq!(found(&[1, 768, 14, 14]), Some(Places::Planes), "patches before they are a sequence");
        assert_eq!(found(&[1, 12, 197, 64]), None, "queries");
        assert_eq!(found(&[1, 12, 64, 197]), None, "keys");
        assert_eq!(found(&[1, 12, 197, 197]), None, "weights");
        assert_eq!(found(&[1, 197, 12, 64]), None, "results");
    }

    /// Four places of two channels, and a token before them.
    #[test]
    fn every_form_becomes_planes() {
        let device = crate::testing::device();
        let layer = |shape: &[usize], places| SpatialLayer {
            name: "a".into(),
            operator: String::new(),
            shape: shape.to_vec(),
            places,
        };
        let expected = [1.0, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0];
        let pixels = [1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0];
        let tokens = [&[-1.0, -2.0][..], &pixels].concat();
        let sequence = Places::Sequence(Tokens { rows: 2, columns: 2, prefix: 1 });
        for (layer, values) in [
            (layer(&[1, 2, 2, 2], Places::Planes), &expected[..]),
            (layer(&[1, 2, 2, 2], Places::Pixels), &pixels),
            (layer(&[1, 5, 2], sequence), &tokens),
        ] {
            let planes = layer.planes(&Value::from_f32(values, &layer.shape, &device)).unwrap();
            assert_eq!(planes.shape(), [1, 2, 2, 2]);
            assert_eq!(crate::testing::read(&planes), expected, "{:?}", layer.places);
            assert_eq!((layer.channels(), layer.size()), (2, [2, 2]));
        }
    }
}
