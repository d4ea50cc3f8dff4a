//! The model card's schema: documented field by field, and older cards stay valid.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use serde_json::{Value, json};
use vitrine_protocol::{
    BoxFormat, BoxUnit, CandidateAxis, Channels, Detections, ImageInput, Layout, ModelCard, Task, Tokens,
};

/// A card with every field set.
fn full() -> ModelCard {
    let mut card = ModelCard::plain("m", ImageInput::plain(Layout::Nhwc, Channels::Bgr, 2, 3));
    card.task = Task::Detection;
    card.target_layer = Some("layer".into());
    card.fold_batch_norm = true;
    card.tokens = Some(Tokens { rows: 14, columns: 14, prefix: 1 });
    card.detections = Some(Detections {
        boxes: "output".into(),
        scores: "output".into(),
        format: BoxFormat::Centre,
        unit: BoxUnit::Fractions,
        candidates: CandidateAxis::Columns,
        box_at: 0,
        objectness_at: Some(4),
        scores_at: 5,
        grid_strides: vec![8, 16],
    });
    card.training_command = Some("train".into());
    card.test_accuracy = Some(0.5);
    card
}

/// The names of all fields, those of nested objects too.
fn fields(value: &Value) -> Vec<String> {
    let Value::Object(object) = value else { return Vec::new() };
    object.iter().flat_map(|(name, value)| [vec![name.clone()], fields(value)].concat()).collect()
}

#[test]
fn every_field_has_a_row_in_the_documentation() {
    let documentation = include_str!("../CARD.md");
    let fields = fields(&serde_json::to_value(full()).unwrap());
    assert!(fields.len() > 20, "{fields:?}");
    for field in &fields {
        assert!(documentation.contains(&format!("\n| `{field}` |")), "CARD.md has no row for {field}");
    }
    let rows = documentation.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, fields.len(), "CARD.md has rows for fields that do not exist");
}

#[test]
fn every_choice_is_in_the_documentation() {
    let choices = [
        serde_json::to_value([
            Task::Classification,
            Task::MultiLabel,
            Task::Detection,
            Task::Segmentation,
            Task::Embedding,
        ]),
        serde_json::to_value([BoxFormat::Corners, BoxFormat::CornersYx, BoxFormat::Centre, BoxFormat::Size]),
        serde_json::to_value([BoxUnit::Pixels, BoxUnit::Fractions]),
        serde_json::to_value([CandidateAxis::Rows, CandidateAxis::Columns]),
        serde_json::to_value([Layout::Nchw, Layout::Nhwc]),
        serde_json::to_value([Channels::Rgb, Channels::Bgr, Channels::Grey]),
    ];
    for choice in choices.iter().flat_map(|list| list.as_ref().unwrap().as_array().unwrap()) {
        let choice = choice.as_str().unwrap();
        assert!(include_str!("../CARD.md").contains(&format!("`{choice}`")), "CARD.md does not mention {choice}");
    }
}

#[test]
fn the_examples_of_the_documentation_are_cards() {
    let example = include_str!("../CARD.md").split("```").nth(1).unwrap().trim_start_matches("json");
    let card: ModelCard = serde_json::from_str(example).unwrap();
    assert_eq!((card.input.width, card.labels.len()), (224, 2));
    let detector = include_str!("../CARD.md").split("```").nth(3).unwrap().trim_start_matches("json");
    let card: ModelCard = serde_json::from_str(detector).unwrap();
    assert_eq!(card.detections.unwrap().grid_strides, [8, 16, 32]);
}

#[test]
fn a_card_with_the_required_fields_alone_is_a_plain_one() {
    let card: ModelCard = serde_json::from_value(json!({"name": "m", "input": {"width": 3, "height": 2}})).unwrap();
    assert_eq!(card, ModelCard::plain("m", ImageInput::plain(Layout::Nchw, Channels::Rgb, 2, 3)));
}

#[test]
fn cards_survive_the_round_trip() {
    let card: ModelCard = serde_json::from_str(&serde_json::to_string(&full()).unwrap()).unwrap();
    assert_eq!(card, full());
    assert_eq!(card.tokens.unwrap().count(), 197);
}

#[test]
fn a_misspelt_field_is_refused() {
    let card = json!({"name": "m", "input": {"width": 3, "height": 2}, "tokens": {"rows": 1, "cols": 1}});
    let message = serde_json::from_value::<ModelCard>(card).unwrap_err().to_string();
    assert!(message.contains("cols"), "{message}");
}
