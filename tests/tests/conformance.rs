//! The ONNX project's backend node tests, on the CPU backend and, where an adapter answers, on wgpu.
//!
//! The cases are not part of the repository: `conformance/README.md` says how to collect them. With
//! `VITRINE_WRITE_STATUS=1` the results are written to `conformance/STATUS.md`; without, they must be what it says.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

use std::{
    cell::RefCell,
    env, fs,
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    path::{Path, PathBuf},
};

use burn::tensor::Device;
use pollster::block_on;
use vitrine_graph::{Graph, InputShapes};
use vitrine_tests::{
    conformance::{Case, Form, Index, Outcome, Row, Sample, attempt, outcome, refusal, refused_file, status},
    devices, golden,
};

/// Fewer cases than this are no complete collection.
const FEWEST_CASES: usize = 1500;

fn file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conformance").join(path)
}

#[test]
fn no_case_fails_and_the_published_status_is_what_is_found() {
    let Ok(index) = fs::read(file("data/index.json")) else {
        assert!(
            !file("data").exists(),
            "the collection in conformance/data is unfinished: run conformance/collect.py again"
        );
        eprintln!("skipped: no cases in conformance/data; `cargo xtask test --only conformance` collects them");
        return;
    };
    let index: Index = golden::json(&index).unwrap();
    assert!(index.cases.len() >= FEWEST_CASES, "only {} cases were collected", index.cases.len());
    let cpu = outcomes(&index, &Device::flex());
    let Some(place) = devices::gpu() else {
        eprintln!("skipped: no GPU adapter answers, so STATUS.md is not compared");
        return report(&index, &cpu);
    };
    let gpu = outcomes(&index, &place.device);
    let rows: Vec<Row<'_>> =
        index.cases.iter().zip(cpu.iter().zip(&gpu)).map(|(case, (cpu, gpu))| Row { case, cpu, gpu }).collect();
    let text = status(&index, &rows);
    if env::var_os("VITRINE_WRITE_STATUS").is_some() {
        fs::write(file("STATUS.md"), &text).unwrap();
    }
    report(&index, &cpu);
    report(&index, &gpu);
    let published = fs::read_to_string(file("STATUS.md")).unwrap_or_default();
    let differences: Vec<&str> = text.lines().filter(|line| !published.lines().any(|other| other == *line)).collect();
    assert!(
        published == text,
        "conformance/STATUS.md says otherwise; set VITRINE_WRITE_STATUS=1 to write it anew:\n{}",
        differences.join("\n")
    );
}

/// Fails with every case that does.
fn report(index: &Index, outcomes: &[Outcome]) {
    let fails: Vec<String> = index
        .cases
        .iter()
        .zip(outcomes)
        .filter_map(|(case, outcome)| match outcome {
            Outcome::Fail(reason) => Some(format!("{}: {reason}", case.name)),
            _ => None,
        })
        .collect();
    assert!(fails.is_empty(), "{} of {} cases fail:\n{}", fails.len(), outcomes.len(), fails.join("\n"));
}

fn outcomes(index: &Index, device: &Device) -> Vec<Outcome> {
    panic::set_hook(Box::new(|panic| LAST_PANIC.set(place_and_message(panic))));
    let outcomes = index.cases.iter().map(|case| of_case(case, device)).collect();
    drop(panic::take_hook());
    outcomes
}

fn of_case(case: &Case, device: &Device) -> Outcome {
    let bytes = fs::read(file("data/cases").join(format!("{}.onnx", case.name))).unwrap();
    let sample = match Sample::decode(&bytes) {
        Ok(sample) => sample,
        Err(error) => return refused_file(&error),
    };
    if let Some((value, what)) = case.left_out.first_key_value() {
        let tried = guarded(|| match Graph::new(sample.model, device, &InputShapes::new()) {
            Err(error) => refusal(&error),
            Ok(_) => Outcome::Pass(Vec::new()),
        });
        return match tried {
            Outcome::Fail(reason) if reason.starts_with(PANIC) => Outcome::Fail(reason),
            Outcome::Unsupported(reason) => Outcome::Unsupported(reason),
            _ => Outcome::Unsupported(format!("{value} is of type {what}")),
        };
    }
    let forms = Form::of(&sample.inputs);
    outcome(forms.into_iter().map(|form| (form, guarded(|| block_on(attempt(case, &sample, form, device))))).collect())
}

const PANIC: &str = "panic";

thread_local! {
    /// What a panic said, and where it was.
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Where a panic happened, by the file's name alone since its folder is this machine's, and what it said.
fn place_and_message(panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map(|place| {
        let file = Path::new(place.file()).file_name().unwrap_or_default();
        format!("{}:{}", file.display(), place.line())
    });
    let message = panic.payload_as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{} in {}", message, place.unwrap_or_default())
}

/// No model may make the program panic: one that does fails.
fn guarded(run: impl FnOnce() -> Outcome) -> Outcome {
    panic::catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Outcome::Fail(format!("{PANIC}: {}", LAST_PANIC.take())))
}
