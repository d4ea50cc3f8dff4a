//! Models that give something other than class scores: boxes, planes of classes, plain numbers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use pollster::block_on;
use serde_json::{Value, json};
use vitrine_engine::{ExplainOptions, Explanation, Place, Session, Silent};
use vitrine_image::encode_png;
use vitrine_onnx::{Graph, Model, Node, Tensor, ValueInfo};
use vitrine_protocol::{DetectedBox, ExplainRequest, Picture, Prediction};

/// A model of these nodes from a picture `x` of 2 x 2 pixels, whose brightness is `mean`, to `outputs`; on a white picture.
fn session(nodes: Vec<Node>, initializers: Vec<Tensor>, outputs: &[&str], card: Option<&Value>) -> Session {
    let mut all = vec![
        Node::new("GlobalAveragePool", &["x"], &["means"]),
        Node::new("ReduceMean", &["means"], &["all"]).with("axes", vec![1, 2, 3]),
        Node::new("Reshape", &["all", "one"], &["mean"]),
    ];
    all.extend(nodes);
    let one = Tensor::from_i64("one", &[3], &[-1, 1, 1]);
    let graph = Graph {
        nodes: all,
        initializers: [vec![one], initializers].concat(),
        inputs: vec![ValueInfo::float("x", &[1, 3, 2, 2])],
        outputs: outputs.iter().map(|name| ValueInfo { name: (*name).into(), ..ValueInfo::default() }).collect(),
        ..Graph::default()
    };
    let mut session = Session::on(Place::cpu("This is a test."));
    let card = card.map(Value::to_string);
    block_on(session.load_model("m.onnx", Model::new(13, graph).encode().as_slice().into(), card.as_deref())).unwrap();
    let white = Picture { width: 1, height: 1, rgba: vec![255; 4] };
    block_on(session.load_image("white.png", &encode_png(&white).unwrap())).unwrap();
    session
}

fn explain(session: &Session, target: &str) -> Explanation {
    let request = ExplainRequest {
        method: "integrated-gradients".into(),
        target: target.into(),
        parameters: [("baseline".to_owned(), "black".to_owned())].into(),
        ..ExplainRequest::default()
    };
    block_on(session.explain(&request, &ExplainOptions::default(), &Silent)).unwrap()
}

fn card(rest: Value) -> Value {
    let mut card = json!({"name": "m", "input": {"width": 2, "height": 2}});
    card.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    card
}

/// Two candidates: corners, and scores of two classes.
const TABLE: [f32; 12] = [0.0, 0.0, 1.0, 1.0, 0.5, 0.75, 1.0, 1.0, 2.0, 2.0, 0.875, 0.25];

fn detector(labels: Value) -> Session {
    let card = card(json!({
        "task": "detection",
        "labels": labels,
        "detections": {"boxes": "y", "scores": "y", "scores-at": 4},
    }));
    let times = Node::new("Mul", &["table", "mean"], &["y"]);
    session(vec![times], vec![Tensor::from_f32("table", &[1, 2, 6], &TABLE)], &["y"], Some(&card))
}

#[test]
fn a_detector_lists_its_boxes_and_a_box_is_explained() {
    let session = detector(json!(["cat", "dog"]));
    let place = |candidate, [left, top, right, bottom]: [f32; 4]| DetectedBox { candidate, left, top, right, bottom };
    let expected = [
        Prediction { class: 0, label: "cat".into(), score: 0.875, place: Some(place(1, [1.0, 1.0, 2.0, 2.0])) },
        Prediction { class: 1, label: "dog".into(), score: 0.75, place: Some(place(0, [0.0, 0.0, 1.0, 1.0])) },
    ];
    assert_eq!(session.predictions().unwrap(), expected);
    assert!(session.gives_probabilities().unwrap());
    // The score is the mean of twelve values times a weight, so each of them has a twelfth of it.
    for (target, words, weight) in
        [("auto", "score of box 1 as 0 (cat)", 0.875), ("box:0/cat", "score of box 0 as 0 (cat)", 0.5)]
    {
        let Explanation { attribution, report } = explain(&session, target);
        assert_eq!(report.target, words);
        let close = attribution.values.iter().all(|value| (value - weight / 12.0).abs() < 1e-6);
        assert!(close && attribution.values.len() == 12, "{:?}", attribution.values);
    }
}

#[test]
fn boxes_that_cannot_be_read_as_the_card_says_are_refused_by_field() {
    let mut session = detector(json!([]));
    let wrong = card(json!({
        "task": "detection",
        "detections": {"boxes": "y", "scores": "y", "scores-at": 4, "objectness-at": 6},
    }));
    let error = block_on(session.set_card(&wrong.to_string())).unwrap_err();
    assert_eq!(error.problem().field.as_deref(), Some("detections.objectness-at"), "{error}");
    assert_eq!(session.predictions().unwrap().len(), 2, "as before");
}

#[test]
fn the_usual_forms_of_tables_are_recognised() {
    let guessed = |rows: i64, columns: i64| {
        let shape =
            Tensor::from_f32("table", &[1, rows as usize, columns as usize], &vec![0.5; (rows * columns) as usize]);
        let times = Node::new("Mul", &["table", "mean"], &["y"]);
        let session = session(vec![times], vec![shape], &["y"], None);
        let card = session.model().unwrap().card.clone().unwrap();
        serde_json::to_value(card.detections).unwrap()
    };
    let five = guessed(300, 7);
    assert_eq!((&five["objectness-at"], &five["scores-at"], &five["format"]), (&json!(4), &json!(5), &json!("centre")));
    let eight = guessed(6, 300);
    assert_eq!(
        (&eight["candidates"], &eight["scores-at"], &eight["objectness-at"]),
        (&json!("columns"), &json!(4), &Value::Null)
    );
}

#[test]
fn boxes_that_cannot_be_read_leave_single_numbers_to_explain() {
    let times = Node::new("Mul", &["table", "mean"], &["y"]);
    let table = Tensor::from_f32("table", &[1, 2, 6], &TABLE);
    let session = session(vec![times], vec![table], &["y"], Some(&card(json!({"task": "embedding"}))));
    assert!(!session.gives_probabilities().unwrap());
    assert_eq!(session.predictions().unwrap()[0].label, "number 8", "the largest, 2");
    assert!(session.model().unwrap().notes().is_empty(), "an embedding has nothing else");
    assert_eq!(explain(&session, "5").report.target, "number 5");

    let mut session = session;
    block_on(session.set_card(&card(json!({"task": "classification"})).to_string())).unwrap();
    let notes = session.model().unwrap().notes();
    assert!(notes[0].contains("no list of class scores") && notes[0].contains("one of its numbers"), "{notes:?}");
}

#[test]
fn a_segmenter_lists_shares_and_explains_the_region() {
    // The second class wins on one pixel of four.
    let planes = Tensor::from_f32("planes", &[1, 2, 2, 2], &[3.0, 3.0, 3.0, 1.0, 0.0, 0.0, 0.0, 2.0]);
    let nodes =
        vec![Node::new("Reshape", &["mean", "flat"], &["scale"]), Node::new("Mul", &["planes", "scale"], &["y"])];
    let flat = Tensor::from_i64("flat", &[4], &[-1, 1, 1, 1]);
    let card = card(json!({"task": "segmentation", "labels": ["sky", "bird"]}));
    let session = session(nodes, vec![planes, flat], &["y"], Some(&card));
    let found: Vec<(String, f32)> =
        session.predictions().unwrap().into_iter().map(|found| (found.label, found.score)).collect();
    assert_eq!(found, [("sky".to_owned(), 0.75), ("bird".to_owned(), 0.25)]);
    let report = explain(&session, "bird").report;
    assert_eq!(report.target, "logit of 1 (bird), mean over the 1 pixels predicted so");
    assert!((report.prediction - 2.0).abs() < 1e-6, "{}", report.prediction);
}

#[test]
fn what_is_left_out_of_the_graph_is_told() {
    let boxes = Tensor::from_f32("boxes", &[1, 2, 4], &[0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
    let weights = Tensor::from_f32("weights", &[1, 1, 2], &[2.0, 1.0]);
    let nodes = vec![
        Node::new("Mul", &["weights", "mean"], &["scores"]),
        Node::new("NonMaxSuppression", &["boxes", "scores"], &["kept"]).named("nms"),
    ];
    let session = session(nodes, vec![boxes, weights], &["kept"], None);
    let notes = session.model().unwrap().summary().unwrap().notes;
    assert!(
        notes.iter().any(|note| note.contains("\"nms\" (NonMaxSuppression)") && note.contains("left out")),
        "{notes:?}"
    );
}

#[test]
fn a_model_that_mixes_its_batch_says_so_once_it_is_explained() {
    // The mean over all axes mixes the pictures of a batch.
    let mixes = vec![Node::new("ReduceMean", &["x"], &["m"]), Node::new("Mul", &["mean", "m"], &["y"])];
    let session = session(mixes, Vec::new(), &["y"], None);
    let told = |notes: &[String]| notes.iter().any(|note| note.starts_with("It runs one image at a time"));
    assert!(!told(&session.model().unwrap().notes()), "nothing was asked of batches yet");
    let Explanation { report, .. } = explain(&session, "auto");
    assert!(told(&report.notes) && report.batch == 1, "{:?}", report.notes);
    assert!(told(&session.model().unwrap().notes()));
}
