//! `cargo xtask bench`: speed, memory and page weight, natively and in a browser.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use xshell::cmd;

use crate::workspace::Workspace;
use crate::{dist, test, tools};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Measure the native build only
    #[arg(long, conflicts_with = "browser")]
    native: bool,
    /// Measure the page only
    #[arg(long)]
    browser: bool,
}

/// What native speed is measured against: the variable that names a Python with it, its folder, and what it is called.
const REFERENCES: [(&str, &str, &str); 2] =
    [("VITRINE_BENCH_ONNXRUNTIME", "onnxruntime", "ONNX Runtime"), ("VITRINE_BENCH_CAPTUM", "captum", "Captum")];

/// Prints the native measurements, then the page's.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::read()?;
    let model = write_model(&workspace)?;
    if !arguments.browser {
        let shell = tools::for_native_tests(&workspace)?;
        shell.set_var("VITRINE_BENCH_MODEL", &model);
        for (variable, folder, name) in REFERENCES {
            match tools::reference(&workspace, folder) {
                Ok(python) => shell.set_var(variable, python),
                Err(error) => println!("{name} could not be installed, so there is no comparison with it: {error:#}"),
            }
        }
        let benches = ["native", "loading", "methods", "efficiency"].iter().flat_map(|bench| ["--bench", bench]);
        cmd!(shell, "cargo bench --package vitrine-tests {benches...}").run()?;
    }
    if !arguments.native {
        let shell = tools::for_browser_tests(&workspace)?;
        tools::playwright_and_references(&workspace, &shell)?;
        test::in_browser(&shell, &["--include-ignored", "--nocapture", "speed"]).run()?;
        let page = workspace.target.join("dist");
        dist::build(&workspace, &page)?;
        shell.set_var("VITRINE_DIST", &page);
        shell.set_var("VITRINE_BENCH_MODEL", &model);
        cmd!(shell, "node tests/browser/bench.mjs").run()?;
        cmd!(shell, "node tests/browser/bench-loading.mjs").run()?;
        cmd!(shell, "node tests/browser/bench-methods.mjs").run()?;
        cmd!(shell, "node tests/browser/bench-memory.mjs").run()?;
    }
    Ok(())
}

/// Writes the model whose loading is measured; nothing is downloaded for it.
fn write_model(workspace: &Workspace) -> Result<PathBuf> {
    let shell = workspace.shell()?;
    let folder = workspace.target.join("bench");
    fs::create_dir_all(&folder)?;
    let model = folder.join("resnet18.onnx");
    cmd!(shell, "cargo run --release --package vitrine-onnx --example resnet18 -- {model}").run()?;
    Ok(model)
}
