//! `cargo xtask test`: everything that must hold before a change lands, in the foreground.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use xshell::{Cmd, Shell, cmd};

use crate::workspace::Workspace;
use crate::{checks, dist, tools};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run these stages only
    #[arg(long, value_enum, num_args = 1..)]
    only: Vec<Stage>,
}

/// One job; the order is that of running, the quickest first.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Stage {
    /// Formatting
    Fmt,
    /// Descriptions and the direction of dependencies
    Checks,
    /// Licences, bans and sources of dependencies
    Deny,
    /// Lints of native code
    Clippy,
    /// Lints of the page and of code for the browser
    ClippyWasm,
    /// Native tests and documentation examples
    Native,
    /// The ONNX project's own tests of operators
    Conformance,
    /// The page's own tests, run natively
    Page,
    /// Tests compiled to wasm, in a browser
    Wasm,
    /// The built page: its weight, and all of it from end to end in a browser
    Browser,
}

struct Outcome {
    stage: String,
    failure: Option<String>,
    took: Duration,
    closing_lines: Vec<String>,
}

/// Runs the stages one after another, all of them even if one fails, and sums up.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::read()?;
    let mut outcomes = Vec::new();
    for &stage in Stage::value_variants() {
        if !arguments.only.is_empty() && !arguments.only.contains(&stage) {
            continue;
        }
        let name = stage.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        println!("\n=== {name} ===");
        let start = Instant::now();
        let mut closing_lines = Vec::new();
        let failure = stage.run(&workspace, &mut closing_lines).err().map(|error| format!("{error:#}"));
        if let Some(failure) = &failure {
            eprintln!("error: {failure}");
        }
        outcomes.push(Outcome { stage: name, failure, took: start.elapsed(), closing_lines });
    }
    sum_up(&outcomes)
}

fn sum_up(outcomes: &[Outcome]) -> Result<()> {
    println!("\n=== summary ===");
    for outcome in outcomes {
        for line in &outcome.closing_lines {
            println!("{:8} {line}", outcome.stage);
        }
    }
    for outcome in outcomes {
        let verdict = if outcome.failure.is_some() { "FAILED" } else { "passed" };
        let reason = outcome.failure.as_deref().unwrap_or_default();
        println!("{verdict} {:8} {:5} s  {reason}", outcome.stage, outcome.took.as_secs());
    }
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
    if failed > 0 {
        bail!("{failed} of {} stages failed", outcomes.len());
    }
    println!("All {} stages passed.", outcomes.len());
    Ok(())
}

/// The crates whose code runs in a tab.
const WASM_CRATES: [&str; 10] = [
    "vitrine-protocol",
    "vitrine-onnx",
    "vitrine-image",
    "vitrine-graph",
    "vitrine-explain",
    "vitrine-evaluate",
    "vitrine-scenes",
    "vitrine-zoo",
    "vitrine-engine",
    "vitrine-web",
];

impl Stage {
    fn run(self, workspace: &Workspace, closing_lines: &mut Vec<String>) -> Result<()> {
        match self {
            Self::Fmt => {
                let shell = workspace.shell()?;
                follow(cmd!(shell, "cargo fmt --all --check"), closing_lines)
            }
            Self::Checks => checks::run(workspace),
            Self::Deny => deny(workspace, closing_lines),
            Self::Clippy => clippy(workspace, closing_lines),
            Self::ClippyWasm => clippy_wasm(workspace, closing_lines),
            Self::Native => native(workspace, closing_lines),
            Self::Conformance => conformance(workspace, closing_lines),
            Self::Page => page(workspace, closing_lines),
            Self::Wasm => wasm(workspace, closing_lines),
            Self::Browser => browser(workspace, closing_lines),
        }
    }
}

fn deny(workspace: &Workspace, closing_lines: &mut Vec<String>) -> Result<()> {
    let shell = tools::for_licences(workspace)?;
    let mut checks = vec!["licenses", "bans", "sources"];
    if cmd!(shell, "cargo deny --log-level off fetch db").run().is_ok() {
        checks.push("advisories");
    } else {
        println!("The database of advisories cannot be reached from here, so advisories are not checked.");
    }
    follow(cmd!(shell, "cargo deny --log-level error check {checks...}"), closing_lines)
}

/// Everything that builds natively, the training program too. The page is apart: it must not share its features' build
/// with the rest, and its worker exists in a browser only.
pub(crate) const NATIVE: [&str; 5] = ["--workspace", "--exclude", "vitrine-web", "--features", "vitrine-zoo/train"];
const PAGE: [&str; 5] = ["--release", "--package", "vitrine-web", "--features", "page"];

fn clippy(workspace: &Workspace, closing_lines: &mut Vec<String>) -> Result<()> {
    let shell = workspace.shell()?;
    follow(cmd!(shell, "cargo clippy --release {NATIVE...} --all-targets -- -D warnings"), closing_lines)
}

fn clippy_wasm(workspace: &Workspace, closing_lines: &mut Vec<String>) -> Result<()> {
    let shell = workspace.shell()?;
    follow(cmd!(shell, "cargo clippy {PAGE...} --all-targets -- -D warnings"), closing_lines)?;

    let shell = tools::for_building(workspace)?;
    // What compiles for wasm but blocks or panics in a tab.
    shell.set_var("CLIPPY_CONF_DIR", workspace.root.join("xtask/clippy-wasm"));
    let packages = WASM_CRATES.iter().flat_map(|name| ["--package", name]);
    let features = ["--features", "vitrine-web/page,vitrine-web/worker"];
    let clippy = cmd!(shell, "cargo clippy {BROWSER...} {packages...} {features...} -- -D warnings");
    follow(clippy.env_remove("RUSTFLAGS"), closing_lines)
}

fn native(workspace: &Workspace, closing_lines: &mut Vec<String>) -> Result<()> {
    let shell = tools::for_native_tests(workspace)?;
    follow(cmd!(shell, "cargo test --release {NATIVE...} --no-fail-fast"), closing_lines)
}

fn conformance(workspace: &Workspace, closing_lines: &mut Vec<String>) -> Result<()> {
    tools::conformance_cases(workspace)?;
    let shell = tools::for_native_tests(workspace)?;
    follow(cmd!(shell, "cargo test --release {NATIVE...} --test conformance"), closing_lines)
}

fn page(workspace: &Workspace, closing_lines: &mut Vec<String>) -> Result<()> {
    let shell = workspace.shell()?;
    follow(cmd!(shell, "cargo test {PAGE...} --no-fail-fast"), closing_lines)
}

/// The profile that the page ships, so that its dependencies are compiled once.
const BROWSER: [&str; 4] = ["--profile", "web", "--target", "wasm32-unknown-unknown"];

/// The tests and the worker, selected together so that what both depend on has the same features and is built once.
const WITH_WORKER: [&str; 6] =
    ["--package", "vitrine-tests", "--package", "vitrine-web", "--features", "vitrine-web/worker"];

fn wasm(workspace: &Workspace, closing_lines: &mut Vec<String>) -> Result<()> {
    let shell = tools::for_browser_tests(workspace)?;
    // Linking takes minutes on one core, so the worker, which the next stage needs, is linked beside the tests.
    let both = cmd!(shell, "cargo build {BROWSER...} {WITH_WORKER...} --test browser --bin worker");
    follow(both.env_remove("RUSTFLAGS"), closing_lines)?;
    follow(in_browser(&shell, &[]), closing_lines)
}

/// The tests compiled to wasm, with arguments for their runner.
pub(crate) fn in_browser<'shell>(shell: &'shell Shell, arguments: &[&str]) -> Cmd<'shell> {
    shell.set_var("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER", "wasm-bindgen-test-runner");
    // Seconds for all tests together: a GPU imitated by a busy machine takes its time, and so does starting the browser.
    shell.set_var("WASM_BINDGEN_TEST_TIMEOUT", "1800");
    shell.set_var("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60");
    cmd!(shell, "cargo test {BROWSER...} {WITH_WORKER...} --test browser -- {arguments...}").env_remove("RUSTFLAGS")
}

fn browser(workspace: &Workspace, closing_lines: &mut Vec<String>) -> Result<()> {
    let shell = tools::for_browser_tests(workspace)?;
    tools::playwright(workspace, &shell)?;
    let page = workspace.target.join("dist");
    dist::build(workspace, &page)?;
    shell.set_var("VITRINE_DIST", page);
    let _folder = shell.push_dir(workspace.root.join("tests/browser"));
    follow(cmd!(shell, "node --test --test-reporter=spec"), closing_lines)
}

/// Runs a command, passes its output on as it comes, and keeps the lines in which a test runner sums up.
fn follow(command: Cmd<'_>, closing_lines: &mut Vec<String>) -> Result<()> {
    let text = command.to_string();
    eprintln!("$ {text}");
    let mut child =
        Command::from(command).stdout(Stdio::piped()).spawn().with_context(|| format!("{text} did not start"))?;
    let output = child.stdout.take().context("the output was not captured")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        if is_closing(&line) {
            closing_lines.push(line);
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{text}: {status}");
    }
    Ok(())
}

fn is_closing(line: &str) -> bool {
    // cargo's and wasm-bindgen's runners; then Node's. Runs of no tests at all are not worth a line.
    let cargo = line.starts_with("test result:") && !line.contains("ok. 0 passed; 0 failed");
    cargo || ["\u{2139} tests ", "\u{2139} pass ", "\u{2139} fail "].iter().any(|start| line.starts_with(start))
}
