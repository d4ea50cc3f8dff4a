//! A model's card can be corrected after the model is loaded.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use pollster::block_on;
use serde_json::{Value, json};
use vitrine_engine::{EngineError, Place, Session};
use vitrine_image::encode_png;
use vitrine_onnx::{Dimension, Graph, Model, Node, ValueInfo};
use vitrine_protocol::Picture;

/// A model whose three scores are the means of its three channels, then a softmax, with a picture of one colour.
fn session(height: impl Into<Dimension>, width: impl Into<Dimension>) -> Session {
    let graph = Graph {
        nodes: vec![
            Node::new("GlobalAveragePool", &["x"], &["p"]),
            Node::new("Flatten", &["p"], &["f"]),
            Node::new("Softmax", &["f"], &["y"]),
        ],
        inputs: vec![ValueInfo::float("x", &[1.into(), 3.into(), height.into(), width.into()])],
        outputs: vec![ValueInfo::float("y", &[1, 3])],
        ..Graph::default()
    };
    let picture = Picture { width: 1, height: 1, rgba: vec![255, 51, 0, 255] };
    let mut session = Session::on(Place::cpu("This is a test."));
    block_on(session.load_model("m.onnx", Model::new(13, graph).encode().as_slice().into(), None)).unwrap();
    block_on(session.load_image("orange.png", &encode_png(&picture).unwrap())).unwrap();
    session
}

fn set(session: &mut Session, input: Value, rest: Value) -> Result<(), EngineError> {
    let mut card = json!({"name": "m", "input": input});
    card.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    block_on(session.set_card(&card.to_string()))
}

/// The probabilities of the three classes.
fn probabilities(session: &Session) -> [f32; 3] {
    let mut found = [f32::NAN; 3];
    for prediction in session.predictions().unwrap() {
        found[prediction.class] = prediction.score;
    }
    found
}

fn softmax(logits: [f32; 3]) -> [f32; 3] {
    let powers = logits.map(f32::exp);
    powers.map(|power| power / powers.iter().sum::<f32>())
}

#[track_caller]
fn assert_close(found: [f32; 3], expected: [f32; 3]) {
    let close = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-5);
    assert!(close, "{found:?}, not {expected:?}");
}

#[test]
fn the_picture_is_prepared_again_as_the_new_card_says() {
    let mut session = session(2, 2);
    assert_close(probabilities(&session), softmax([1.0, 0.2, 0.0]));
    assert!(session.model().unwrap().inferred);

    set(&mut session, json!({"width": 2, "height": 2, "channels": "bgr"}), json!({})).unwrap();
    assert_close(probabilities(&session), softmax([0.0, 0.2, 1.0]));

    // (1 - 0.5) / 0.25, (0.2 - 0.5) / 0.25, (0 - 0.5) / 0.25.
    let numbers = json!({"width": 2, "height": 2, "mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]});
    set(&mut session, numbers, json!({"labels": ["red", "green", "blue"]})).unwrap();
    assert_close(probabilities(&session), softmax([2.0, -1.2, -2.0]));
    let summary = session.model().unwrap().summary().unwrap();
    assert!(!summary.inferred && summary.card.labels[0] == "red", "{summary:?}");
    assert_eq!(session.predictions().unwrap()[0].label, "red");
    assert_eq!(summary.split_off.as_deref(), Some("softmax"));
}

#[test]
fn a_card_that_contradicts_the_model_is_refused_by_field_and_the_former_stays() {
    let mut session = session(2, 2);
    let good = json!({"width": 2, "height": 2, "range": [0, 2]});
    set(&mut session, good.clone(), json!({})).unwrap();
    let before = (session.model().unwrap().card.clone(), probabilities(&session));
    for (input, rest, field) in [
        (json!({"width": 2, "height": 2, "std": [1, 0, 1]}), json!({}), "input"),
        (json!({"width": 2, "height": 2, "layout": "NHWC"}), json!({}), "input"),
        (json!({"width": 3, "height": 2}), json!({}), "input"),
        (good.clone(), json!({"fold-batch-norm": true}), "fold-batch-norm"),
        (good.clone(), json!({"labels": ["red"]}), "labels"),
        (good.clone(), json!({"target-layer": "nowhere"}), "target-layer"),
        (good.clone(), json!({"tokens": {"rows": 0, "columns": 1}}), "tokens"),
    ] {
        let error = set(&mut session, input, rest).unwrap_err();
        assert_eq!(error.problem().field.as_deref(), Some(field), "{error}");
        assert_eq!((session.model().unwrap().card.clone(), probabilities(&session)), before, "{error}");
    }
    let unreadable = block_on(session.set_card("{")).unwrap_err();
    assert_eq!(unreadable.problem().field, None);
    assert!(unreadable.to_string().contains("cannot be read"), "{unreadable}");
}

#[test]
fn only_a_file_with_an_open_size_says_so_and_it_is_loaded_again_for_another() {
    assert!(!session(2, 2).model().unwrap().summary().unwrap().open_size);
    let mut session = session("h", "w");
    assert!(session.model().unwrap().summary().unwrap().open_size);
    let message = set(&mut session, json!({"width": 3, "height": 2}), json!({})).unwrap_err().to_string();
    assert!(message.contains("[3, 2, 3]") && message.contains("loaded for [1, 3, 224, 224]"), "{message}");
}
