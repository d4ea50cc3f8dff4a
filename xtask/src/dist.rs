//! `cargo xtask dist`: a folder of static files that works on any host, under any path.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use xshell::cmd;

use crate::workspace::{self, Workspace};
use crate::{fingerprint, tools};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder to write; an older build in it is replaced
    #[arg(long, default_value = "dist")]
    out: PathBuf,
}

/// Builds the page into the folder that the caller named.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::read()?;
    build(&workspace, &arguments.out)?;
    println!("The page is in {}. Any static host can serve it, under any path.", arguments.out.display());
    Ok(())
}

/// Builds the page in release and leaves it in `out`.
pub(crate) fn build(workspace: &Workspace, out: &Path) -> Result<()> {
    refuse_foreign(out)?;
    let shell = tools::for_building(workspace)?;
    let stage = workspace.target.join("dist-stage");
    // wasm-bindgen leaves the snippets of every earlier build here, and trunk would ship them.
    shell.remove_path(workspace.target.join("wasm-bindgen"))?;
    let trunk = ["build", "--release", "--cargo-profile", "web", "--offline", "--locked"];
    // The names get their hashes below, the worker's too, in one way for all files.
    let names = ["--filehash", "false", "--no-sri", "true", "--public-url", "./"];
    cmd!(shell, "trunk {trunk...} {names...} --dist {stage}")
        .env_remove("RUSTFLAGS") // would replace the flags of .cargo/config.toml
        .run()
        .context("the page could not be built")?;
    copy_models(&workspace.root.join("crates/zoo/models"), &stage.join("models"))?;
    fingerprint::apply(&stage)?;
    replace(&stage, out)
}

/// The worker fetches the built-in models from beside its own script.
fn copy_models(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for file in workspace::files_below(from)? {
        if file.extension().is_some_and(|extension| extension == "onnx") {
            fs::copy(from.join(&file), to.join(file.file_name().context("a model without a name")?))?;
        }
    }
    Ok(())
}

/// A mistyped `--out` must not delete a folder that holds something else.
fn refuse_foreign(out: &Path) -> Result<()> {
    let in_use = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if in_use && fingerprint::worker_of(out).is_err() {
        bail!("{} holds something other than a built page; name an empty or new folder", out.display());
    }
    Ok(())
}

fn replace(stage: &Path, out: &Path) -> Result<()> {
    if out.exists() {
        fs::remove_dir_all(out)?;
    }
    for file in workspace::files_below(stage)? {
        let target = out.join(&file);
        fs::create_dir_all(target.parent().unwrap_or(out))?;
        fs::copy(stage.join(&file), target)?;
    }
    Ok(())
}
