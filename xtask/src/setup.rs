//! `cargo xtask setup`: installs what the other verbs need, ahead of time.

use anyhow::Result;

use crate::tools;
use crate::workspace::Workspace;

/// Installs everything that building and testing need.
pub(crate) fn run() -> Result<()> {
    let workspace = Workspace::read()?;
    tools::for_licences(&workspace)?;
    tools::for_native_tests(&workspace)?;
    let shell = tools::for_browser_tests(&workspace)?;
    tools::playwright(&workspace, &shell)?;
    println!("Everything is installed.");
    Ok(())
}
