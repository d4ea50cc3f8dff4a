//! `cargo xtask bench`: speed, memory and page weight, natively and in a browser.

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

/// Prints the native measurements, then the page's.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::read()?;
    if !arguments.browser {
        let shell = tools::for_native_tests(&workspace)?;
        cmd!(shell, "cargo bench --package vitrine-tests --bench native").run()?;
    }
    if !arguments.native {
        let shell = tools::for_browser_tests(&workspace)?;
        tools::playwright(&workspace, &shell)?;
        test::in_browser(&shell, &["--include-ignored", "--nocapture", "speed"]).run()?;
        let page = workspace.target.join("dist");
        dist::build(&workspace, &page)?;
        shell.set_var("VITRINE_DIST", &page);
        cmd!(shell, "node tests/browser/bench.mjs").run()?;
    }
    Ok(())
}
