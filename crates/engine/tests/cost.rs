//! What a run costs, told before it.

#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]

use pollster::block_on;
use vitrine_engine::{ExplainOptions, Place, Session, Silent};
use vitrine_protocol::ExplainRequest;

fn session() -> Session {
    let mut session = Session::on(Place::cpu("This is a test."));
    block_on(session.load_sample(0)).unwrap();
    block_on(session.load_builtin("critters")).unwrap();
    session
}

fn request(method: &str, parameters: &[(&str, &str)]) -> ExplainRequest {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    ExplainRequest {
        method: method.into(),
        target: "auto".into(),
        parameters: parameters.collect(),
        ..ExplainRequest::default()
    }
}

#[test]
fn the_cost_that_is_told_is_what_the_run_then_reports() {
    let session = session();
    let smooth: &[_] = &[("method", "integrated-gradients"), ("method.steps", "2"), ("samples", "3")];
    for (method, parameters) in [
        ("saliency", [].as_slice()),
        ("integrated-gradients", &[("steps", "3")]),
        ("rise", &[("masks", "20")]),
        ("ablation-cam", &[]),
        ("smooth-grad", smooth),
    ] {
        let request = request(method, parameters);
        let cost = session.cost(&request, &ExplainOptions::default()).unwrap();
        let report = block_on(session.explain(&request, &ExplainOptions::default(), &Silent)).unwrap().report;
        let (told, run) =
            ((cost.forward_passes, cost.backward_passes), (report.forward_passes, report.backward_passes));
        assert_eq!(told, run, "{method}");
        assert!(told.0 > 0, "{method}: {told:?}");
    }
    assert!(session.pass_seconds().unwrap().is_some_and(|seconds| seconds > 0.0), "measured on the CPU");
}

/// An image that stands for what is removed changes no number of passes, so it need not travel.
#[test]
fn the_cost_is_known_without_the_images_that_parameters_name() {
    let request = request("integrated-gradients", &[("steps", "3"), ("baseline", "sky.png")]);
    let cost = session().cost(&request, &ExplainOptions::default()).unwrap();
    assert!(cost.backward_passes == 3 && request.infill_files.is_empty(), "{cost:?}");
}

#[test]
fn what_is_refused_names_the_parameter_at_fault() {
    let session = session();
    for (method, name, value) in [
        ("integrated-gradients", "steps", "0"),
        ("integrated-gradients", "speed", "3"),
        ("smooth-grad", "method.sign", "odd"),
        ("low-pass", "method", "low-pass"),
    ] {
        let error = session.cost(&request(method, &[(name, value)]), &ExplainOptions::default()).err().unwrap();
        assert_eq!(error.problem().field.as_deref(), Some(name), "{error}");
    }
    let target = ExplainRequest { target: "phoenix".into(), ..request("saliency", &[]) };
    let error = session.cost(&target, &ExplainOptions::default()).err().unwrap();
    assert_eq!(error.problem().field, None, "{error}");
}
