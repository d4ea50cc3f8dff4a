//! Reading a model card, or inferring one from the shapes of a graph.

use vitrine_graph::InputShapes;
use vitrine_onnx::{Dimension, Model, ValueInfo};
use vitrine_protocol::{Channels, ImageInput, Layout, ModelCard, Task};

use crate::EngineError;

/// Side of the input when a file leaves it open.
const USUAL_SIDE: usize = 224;

/// Parses a card's JSON.
///
/// # Errors
/// [`EngineError::Card`] with the line and what was expected.
pub(crate) fn parse(name: &str, json: &str) -> Result<ModelCard, EngineError> {
    let refused = |reason: String| EngineError::Card { name: name.to_owned(), reason };
    let card: ModelCard = serde_json::from_str(json).map_err(|error| refused(error.to_string()))?;
    let input = &card.input;
    let channels = input.channels.count();
    for (field, list) in [("mean", &input.mean), ("std", &input.std)] {
        if !list.is_empty() && list.len() != channels {
            return Err(refused(format!("{field} has {} numbers for {channels} channels", list.len())));
        }
    }
    if input.std.contains(&0.0) || input.range[0] >= input.range[1] || input.width == 0 || input.height == 0 {
        return Err(refused("std and sizes must not be zero, and range must rise".to_owned()));
    }
    Ok(card)
}

/// The card that a graph's input shape suggests: nothing when it does not look like an image.
pub(crate) fn infer(name: &str, model: &Model) -> Option<ModelCard> {
    let input = model.graph.required_inputs().next()?;
    let shape = input.shape.as_ref()?;
    let [_, a, b, c] = &shape[..] else { return None };
    let side = |dimension: &Dimension| dimension.known().unwrap_or(USUAL_SIDE);
    let channels = |dimension: &Dimension| match dimension.known() {
        Some(1) => Some(Channels::Grey),
        Some(3) => Some(Channels::Rgb),
        _ => None,
    };
    let pixels = match (channels(a), channels(c)) {
        (Some(channels), _) => ImageInput::plain(Layout::Nchw, channels, side(b), side(c)),
        (None, Some(channels)) => ImageInput::plain(Layout::Nhwc, channels, side(a), side(b)),
        (None, None) => return None,
    };
    Some(ModelCard {
        name: name.to_owned(),
        description: String::new(),
        task: Task::Classification,
        input: pixels,
        labels: Vec::new(),
        target_layer: None,
        licence: String::new(),
        training_command: None,
        test_accuracy: None,
    })
}

/// Checks that a card's sizes are the graph's, and gives the full input shape where the graph leaves it open.
///
/// # Errors
/// [`EngineError::Card`] when they contradict each other.
pub(crate) fn input_shapes(name: &str, card: Option<&ModelCard>, model: &Model) -> Result<InputShapes, EngineError> {
    let mut shapes = InputShapes::new();
    let (Some(card), Some(input)) = (card, model.graph.required_inputs().next()) else { return Ok(shapes) };
    let pixels = &card.input;
    let own = match pixels.layout {
        Layout::Nchw => [pixels.channels.count(), pixels.height, pixels.width],
        Layout::Nhwc => [pixels.height, pixels.width, pixels.channels.count()],
    };
    let declared = input.shape.clone().unwrap_or_else(|| vec![Dimension::Unknown; 4]);
    let fits = declared.len() == 4
        && declared[1..].iter().zip(own).all(|(length, own)| length.known().is_none_or(|length| length == own));
    if !fits {
        let reason = format!("it gives input sizes {own:?}, but the graph's input is [{}]", describe(input));
        return Err(EngineError::Card { name: name.to_owned(), reason });
    }
    let batch = declared[0].known().unwrap_or(1);
    shapes.insert(input.name.clone(), [&[batch], &own[..]].concat());
    Ok(shapes)
}

/// A declared shape in words.
pub(crate) fn describe(info: &ValueInfo) -> String {
    let axis = |dimension: &Dimension| match dimension {
        Dimension::Known(length) => length.to_string(),
        Dimension::Symbol(symbol) => symbol.clone(),
        Dimension::Unknown => "?".to_owned(),
    };
    match &info.shape {
        Some(shape) => shape.iter().map(axis).collect::<Vec<_>>().join(", "),
        None => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitrine_onnx::Graph;

    fn model(shape: &[Dimension]) -> Model {
        Model::new(17, Graph { inputs: vec![ValueInfo::float("x", shape)], ..Graph::default() })
    }

    #[test]
    fn a_trailing_three_is_read_as_channels_last() {
        let card = infer("m", &model(&["n".into(), 32.into(), 48.into(), 3.into()])).unwrap();
        assert_eq!(card.input.layout, Layout::Nhwc);
        assert_eq!((card.input.height, card.input.width), (32, 48));
    }

    #[test]
    fn an_open_side_gets_the_usual_size() {
        let card = infer("m", &model(&[1.into(), 3.into(), "h".into(), "w".into()])).unwrap();
        assert_eq!((card.input.height, card.input.width), (USUAL_SIDE, USUAL_SIDE));
    }

    #[test]
    fn a_table_row_is_no_image() {
        assert!(infer("m", &model(&[1.into(), 10.into()])).is_none());
    }

    #[test]
    fn a_card_of_another_size_is_refused_with_both_sizes() {
        let model = model(&[1.into(), 3.into(), 64.into(), 64.into()]);
        let mut card = infer("m", &model).unwrap();
        card.input.width = 32;
        let message = input_shapes("m", Some(&card), &model).unwrap_err().to_string();
        assert!(message.contains("[3, 64, 32]") && message.contains("[1, 3, 64, 64]"), "{message}");
    }
}
