//! Parts of the picture hidden by hand, and label maps that come as files.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use pollster::block_on;
use vitrine_engine::{ExplainOptions, Place, Session, Silent};
use vitrine_explain::HeatMap;
use vitrine_image::{encode_png, write_npy};
use vitrine_onnx::{Graph, Model, Node, Tensor, ValueInfo};
use vitrine_protocol::{ExplainRequest, File, Picture};

/// Two classes: the sum of the red values of 2 x 2 pixels, and its negative; on a white picture.
fn session() -> Session {
    let graph = Graph {
        nodes: vec![Node::new("Flatten", &["x"], &["flat"]), Node::new("MatMul", &["flat", "w"], &["y"])],
        initializers: vec![Tensor::from_f32("w", &[12, 2], &[[1.0, -1.0].repeat(4), vec![0.0; 16]].concat())],
        inputs: vec![ValueInfo::float("x", &[1, 3, 2, 2])],
        outputs: vec![ValueInfo::float("y", &[1, 2])],
        ..Graph::default()
    };
    let mut session = Session::on(Place::cpu("This is a test."));
    let card = r#"{"name": "m", "input": {"width": 2, "height": 2}, "labels": ["red", "not red"]}"#;
    block_on(session.load_model("m.onnx", Model::new(13, graph).encode().as_slice().into(), Some(card))).unwrap();
    let white = Picture { width: 1, height: 1, rgba: vec![255; 4] };
    block_on(session.load_image("white.png", &encode_png(&white).unwrap())).unwrap();
    session
}

fn question(regions: &str) -> ExplainRequest {
    ExplainRequest {
        method: "feature-ablation".into(),
        target: "red".into(),
        parameters: [("regions".to_owned(), regions.to_owned())].into(),
        ..ExplainRequest::default()
    }
}

#[test]
fn the_score_and_the_answers_follow_what_is_hidden() {
    let session = session();
    let kept = HeatMap { height: 2, width: 2, values: vec![0.0, 1.0, 0.0, 0.0] };
    let altered = block_on(session.hide(&question("auto"), &kept)).unwrap();
    assert_eq!((altered.before, altered.after), (4.0, 1.0));
    assert_eq!(altered.picture.rgba[..8], [0, 0, 0, 255, 255, 255, 255, 255]);
    let best = &altered.predictions[0];
    // The logits are 1 and -1.
    assert!(best.label == "red" && (best.score - 1.0 / (1.0 + (-2.0_f32).exp())).abs() < 1e-5, "{best:?}");
}

#[test]
fn regions_that_are_drawn_are_played_with() {
    let session = session();
    let labels = File { name: "Drawn.NPY".into(), bytes: write_npy(&[2, 2], &[-1.0, 5.0, 9.0, 5.0]).unwrap() };
    let drawn = ExplainRequest { infill_files: vec![labels], ..question("Drawn.NPY") };
    assert_eq!(block_on(session.regions(&drawn)).unwrap().values, [2.0, 0.0, 1.0, 0.0]);
    let found = block_on(session.explain(&drawn, &ExplainOptions::default(), &Silent)).unwrap();
    assert_eq!(found.attribution.map.values, [0.0, 2.0, 1.0, 2.0]);
    assert_eq!(session.cost(&drawn, &ExplainOptions::default()).unwrap().forward_passes, 3);
}

#[test]
fn a_file_that_is_no_label_map_is_refused_by_name() {
    let session = session();
    let broken = File { name: "broken.npy".into(), bytes: vec![1, 2, 3] };
    let question = ExplainRequest { infill_files: vec![broken], ..question("broken.npy") };
    let error = block_on(session.regions(&question)).err().unwrap().to_string();
    assert!(error.contains("broken.npy"), "{error}");
}
