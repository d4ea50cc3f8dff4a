use std::fs;

use clap::Parser as _;

use super::*;
use crate::arguments::{Arguments, Command};

fn asked(line: &[&str]) -> Evaluate {
    let line = ["vitrine", "evaluate", "--device", "cpu", "--quiet"].iter().chain(line);
    match Arguments::try_parse_from(line).unwrap().command {
        Command::Evaluate(arguments) => arguments,
        other => panic!("{other:?}"),
    }
}

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("vitrine-evaluate-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// What was measured, without what depends on the clock.
fn values(results: &Results) -> Vec<(String, String, String, Option<f64>)> {
    let scores =
        results.scores.iter().map(|row| (row.picture.clone(), row.method.clone(), row.metric.clone(), row.score.value));
    let measured = results.measured.iter().flat_map(|row| {
        let of = |value: &f64| (row.protocol.clone(), row.method.clone(), "values".to_owned(), Some(*value));
        row.measured.iter().flat_map(move |measured| measured.values.iter().map(of))
    });
    scores.chain(measured).collect()
}

fn close(found: &Results, expected: &Results) {
    let (found, expected) = (values(found), values(expected));
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        let near = (found.3.unwrap() - expected.3.unwrap()).abs() < 1e-9;
        assert!(
            near && (&found.0, &found.1, &found.2) == (&expected.0, &expected.1, &expected.2),
            "{found:?}, not {expected:?}"
        );
    }
}

#[test]
fn a_stopped_run_goes_on_and_comes_to_the_same_numbers() {
    let folder = folder("stopped");
    let out = folder.join("out").to_string_lossy().into_owned();
    let (metrics, methods) = ("sparseness,deletion,spearman-agreement", "saliency,input-x-gradient");
    let mut line = vec!["--methods", methods, "--metrics", metrics, "--protocols", "watermark-detection"];
    line.extend(["--pictures", "2", "--param", "steps=4", "--out", &out, "--input", "wendle", "bimble"]);
    let arguments = asked(&line);

    let whole = pollster::block_on(run(&arguments)).unwrap();
    // Two pictures, two methods, three metrics; and two methods by the protocol.
    assert_eq!((whole.cells, whole.taken), (14, 0));
    let path = folder.join("out").join(CHECKPOINT);
    let text = fs::read_to_string(&path).unwrap();
    // A record of each map, too.
    assert_eq!(text.lines().count(), 14 + 4);

    // Stopped in the middle of the tenth line.
    let kept: Vec<&str> = text.lines().take(9).collect();
    fs::write(&path, kept.join("\n") + "\n{\"key\":{\"vers").unwrap();
    let records = kept.iter().filter(|line| line.contains("\"outcome\":{\"report\"")).count();
    let resumed = pollster::block_on(run(&arguments)).unwrap();
    assert_eq!((resumed.cells, resumed.taken), (14, 9 - records));
    close(&resumed.results, &whole.results);
    assert_eq!(resumed.results.reports.len(), 4);

    let again = pollster::block_on(run(&arguments)).unwrap();
    assert_eq!((again.cells, again.taken), (14, 14));
    close(&again.results, &whole.results);
    assert_eq!(again.results.reports.len(), 4);

    // Another seed is another question.
    line.splice(0..0, ["--seed", "1"]);
    assert_eq!(pollster::block_on(run(&asked(&line))).unwrap().taken, 0);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_protocol_that_does_not_fit_names_a_model_that_does() {
    let folder = folder("misfit");
    let out = folder.to_string_lossy();
    let line =
        ["--model", "digits", "--methods", "saliency", "--protocols", "di-full", "--pictures", "1", "--out", &out];
    let error = pollster::block_on(run(&asked(&line))).err().unwrap();
    let text = error.to_string();
    assert!(text.starts_with("The protocol \"di-full\" needs a classifier of critters, whose labels are"), "{text}");
    assert!(text.ends_with("of the built-in models critters or critters-nobias or critters-bagnet fits."), "{text}");
    assert_eq!(error.status(), CALLER);

    // Where something else can be measured, that is, and the reason stands beside it.
    let line = [
        "--model",
        "digits",
        "--methods",
        "saliency",
        "--protocols",
        "di-full,null-block",
        "--pictures",
        "3",
        "--out",
        &out,
    ];
    let asked = asked(&line);
    let found = pollster::block_on(run(&asked)).unwrap();
    assert_eq!((found.results.measured.len(), found.results.refusals.len()), (1, 1));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_cannot_be_asked_is_said_before_any_work() {
    let refused = |line: &[&str]| {
        let line = [line, &["--out", "nowhere"]].concat();
        pollster::block_on(run(&asked(&line))).err().unwrap().to_string()
    };
    assert!(refused(&["--methods", "rise"]).starts_with("Nothing to measure"));
    assert!(refused(&["--metrics", "deletion"]).starts_with("Nothing to score"));
    assert!(refused(&["--map", "a.npy", "--protocols", "di-full"]).starts_with("Protocols explain pictures"));
    assert!(refused(&["--methods", "rise", "--protocols", "dipart"]).contains("grid-pointing-game, di-part"));
    let unknown = refused(&["--methods", "rise", "--metrics", "deletion", "--param", "colour=red"]);
    assert!(unknown.starts_with("Nothing chosen to measure has the parameter"), "{unknown}");
}
