//! The parts of the program's own pictures are known: to methods that take regions, and to metrics that ask where a map should
//! lie.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking")]

use pollster::block_on;
use vitrine_engine::{ExplainOptions, Place, Session, Silent};
use vitrine_protocol::{EvaluateRequest, ExplainRequest, Map};

fn session() -> Session {
    let mut session = Session::on(Place::cpu(""));
    block_on(session.load_builtin("critters")).unwrap();
    session
}

fn question() -> ExplainRequest {
    ExplainRequest {
        method: "feature-ablation".to_owned(),
        target: "auto".to_owned(),
        parameters: [("regions".to_owned(), "parts".to_owned())].into(),
        ..ExplainRequest::default()
    }
}

#[test]
fn the_parts_of_a_sample_are_played_with() {
    let mut session = session();
    block_on(session.load_sample(2)).unwrap();
    let cut = block_on(session.regions(&question())).unwrap();
    let known = Session::samples().unwrap().remove(2).parts.unwrap();
    assert_eq!(known.names.len(), 7);
    // The surroundings are in no region, which has the number after the last.
    let expected: Vec<f32> =
        known.labels.values().iter().map(|label| if *label < 0.0 { 7.0 } else { *label }).collect();
    assert!(cut.values == expected);
    let found = block_on(session.explain(&question(), &ExplainOptions::default(), &Silent)).unwrap();
    assert_eq!(found.report.forward_passes, 1 + 7, "one pass for each part");
    assert!(found.report.notes.iter().any(|note| note.contains("are in no region")), "{:?}", found.report.notes);
}

#[test]
fn the_parts_of_other_pictures_are_not_known() {
    let mut session = session();
    let sample = &vitrine_zoo::samples()[2];
    block_on(session.load_image(sample.label, sample.png)).unwrap();
    let error = block_on(session.explain(&question(), &ExplainOptions::default(), &Silent)).map(|_| ()).unwrap_err();
    assert!(error.to_string().starts_with("The parts of this picture are not known"), "{error}");
}

#[test]
fn a_map_of_a_sample_is_held_against_the_place_of_the_creature() {
    let mut session = session();
    block_on(session.load_sample(0)).unwrap();
    let parts = Session::samples().unwrap().remove(0).parts.unwrap();
    let share = |inside: bool| {
        let map: Vec<f32> =
            parts.labels.values().iter().map(|label| f32::from(u8::from((*label >= 0.0) == inside))).collect();
        let request = EvaluateRequest {
            metric: "energy-pointing".to_owned(),
            explained: ExplainRequest { method: String::new(), ..question() },
            map: Map::new(64, 64, &map),
            ..EvaluateRequest::default()
        };
        block_on(session.evaluate(&request, None, &ExplainOptions::default(), &Silent)).unwrap().value.unwrap()
    };
    assert_eq!((share(true), share(false)), (1.0, 0.0));
}
