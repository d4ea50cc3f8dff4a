//! The tools that cargo does not bring along: their pinned versions, found or installed.
//!
//! They live in the user's cache folder, each in a folder that carries its version, so several checkouts share them and
//! a new version never overwrites one in use.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use xshell::{Shell, cmd};

use crate::system;
use crate::workspace::Workspace;

// 0.21.14 is the newest trunk that builds with the pinned Rust.
const TRUNK: &str = "0.21.14";
const CARGO_DENY: &str = "0.20.2";
const BINARYEN: &str = "132.0.0";
const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// A shell in the repository's root whose commands find the tools that build the page.
pub(crate) fn for_building(workspace: &Workspace) -> Result<Shell> {
    let shell = workspace.shell()?;
    wasm_target(&shell)?;
    // trunk runs cargo offline, so every crate must be here before it starts.
    cmd!(shell, "cargo fetch --locked --quiet").run()?;
    let bindgen = workspace.locked_version("wasm-bindgen").context("the page does not depend on wasm-bindgen")?;
    let folders = [
        cargo_tool(&shell, "trunk", TRUNK, &["--locked"])?,
        // Its published lock file does not build with the pinned Rust.
        cargo_tool(&shell, "wasm-bindgen-cli", bindgen, &[])?,
        wasm_opt(&shell)?,
    ];
    search_first(&shell, &folders)?;
    Ok(shell)
}

/// A shell that also finds what the licence check needs.
pub(crate) fn for_licences(workspace: &Workspace) -> Result<Shell> {
    let shell = workspace.shell()?;
    let folder = cargo_tool(&shell, "cargo-deny", CARGO_DENY, &["--locked"])?;
    search_first(&shell, &[folder])?;
    Ok(shell)
}

/// A shell for native tests: where the machine has no GPU, Vulkan runs on the CPU through lavapipe.
pub(crate) fn for_native_tests(workspace: &Workspace) -> Result<Shell> {
    let shell = workspace.shell()?;
    if let Some(driver) = system::software_vulkan(&shell)? {
        shell.set_var("VK_DRIVER_FILES", &driver);
        // What loaders before 1.3.207 read.
        shell.set_var("VK_ICD_FILENAMES", &driver);
    }
    Ok(shell)
}

/// A shell for tests in a browser, with the tools that build the page.
pub(crate) fn for_browser_tests(workspace: &Workspace) -> Result<Shell> {
    let shell = for_building(workspace)?;
    let browser = system::browser(&shell)?;
    shell.set_var("CHROMIUM", browser.chromium);
    shell.set_var("CHROMEDRIVER", browser.chromedriver);
    Ok(shell)
}

/// Installs the packages of the end-to-end tests as their lock file names them.
pub(crate) fn playwright(workspace: &Workspace, shell: &Shell) -> Result<()> {
    browser_packages(workspace, shell, &["--omit=optional"])
}

/// Installs them with the libraries that the page's speed is measured against, if those can be had.
pub(crate) fn playwright_and_references(workspace: &Workspace, shell: &Shell) -> Result<()> {
    browser_packages(workspace, shell, &[])
}

fn browser_packages(workspace: &Workspace, shell: &Shell, options: &[&str]) -> Result<()> {
    system::node(shell)?;
    let _folder = shell.push_dir(workspace.root.join("tests/browser"));
    // The browser is the system's: Playwright must not download its own.
    let _no_download = shell.push_env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    cmd!(shell, "npm ci --no-audit --no-fund {options...}")
        .run()
        .context("the browser tests' packages could not be installed")
}

/// A Python with libraries that native speed is measured against, by the name of their folder.
pub(crate) fn reference(workspace: &Workspace, folder: &str) -> Result<PathBuf> {
    let requirements = workspace.root.join("tests/benches").join(folder).join("requirements.txt");
    let wanted = fs::read_to_string(&requirements).context("the requirements of the reference are missing")?;
    python_with(&workspace.shell()?, &requirements, &wanted)
}

/// Collects the ONNX project's operator tests unless they are there, in the version that is asked for.
pub(crate) fn conformance_cases(workspace: &Workspace) -> Result<()> {
    let conformance = workspace.root.join("tests/conformance");
    let requirements = conformance.join("requirements.txt");
    let wanted = fs::read_to_string(&requirements).context("the requirements of the conformance tests are missing")?;
    // The collection ends with a copy of what it was made with.
    if fs::read_to_string(conformance.join("data/requirements.txt")).is_ok_and(|present| present == wanted) {
        return Ok(());
    }
    let shell = workspace.shell()?;
    let python = python_with(&shell, &requirements, &wanted)?;
    println!("Collecting the ONNX project's operator tests (a minute, once)");
    let script = conformance.join("collect.py");
    cmd!(shell, "{python} -W ignore {script}").run().context("the ONNX project's operator tests could not be collected")
}

/// A Python that has these packages, the first of which names its folder.
fn python_with(shell: &Shell, requirements: &Path, wanted: &str) -> Result<PathBuf> {
    let name = wanted.lines().next().unwrap_or_default().replace("==", "-");
    let root = folder()?.join(format!("python-{name}"));
    let python = root.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let installed = root.join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|present| present == wanted) {
        return Ok(python);
    }
    let system = system::python(shell)?;
    println!("Installing the Python packages of {}", requirements.display());
    cmd!(shell, "{system} -m venv --clear {root}").run()?;
    cmd!(shell, "{python} -m pip install --quiet --disable-pip-version-check --requirement {requirements}").run()?;
    fs::write(installed, wanted)?;
    Ok(python)
}

fn wasm_target(shell: &Shell) -> Result<()> {
    let library = cmd!(shell, "rustc --print target-libdir --target {WASM_TARGET}").quiet().read()?;
    if Path::new(&library).is_dir() {
        return Ok(());
    }
    if system::find("rustup").is_none() {
        bail!(
            "The Rust target {WASM_TARGET} is missing. Install Rust with rustup (https://rustup.rs), or add the target with the system's packages."
        );
    }
    Ok(cmd!(shell, "rustup target add {WASM_TARGET}").run()?)
}

/// Installs a command from crates.io unless it is there already, and returns its folder.
fn cargo_tool(shell: &Shell, package: &str, version: &str, options: &[&str]) -> Result<PathBuf> {
    let root = folder()?.join(format!("{package}-{version}"));
    // cargo adds the package to this list last, so an interrupted installation is not taken for a finished one.
    let installed = fs::read_to_string(root.join(".crates.toml")).unwrap_or_default();
    if !installed.contains(&format!("{package} {version} ")) {
        println!("Installing {package} {version} (a few minutes, once)");
        let build = root.join("build");
        let _build = shell.push_env("CARGO_TARGET_DIR", &build);
        // These programs run for seconds; optimising them fully would take longer than it saves.
        let _level = shell.push_env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
        let _linking = shell.push_env("CARGO_PROFILE_RELEASE_LTO", "off");
        let _units = shell.push_env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        cmd!(shell, "cargo install {package} --version {version} {options...} --root {root}")
            .run()
            .with_context(|| format!("{package} {version} could not be installed"))?;
        shell.remove_path(build)?;
    }
    Ok(root.join("bin"))
}

/// Installs wasm-opt, which comes with npm's build of binaryen, and returns its folder.
fn wasm_opt(shell: &Shell) -> Result<PathBuf> {
    let root = folder()?.join(format!("binaryen-{BINARYEN}"));
    let binaries = root.join("node_modules/.bin");
    if !binaries.join("wasm-opt").exists() {
        system::node(shell)?;
        println!("Installing binaryen {BINARYEN}");
        let package = format!("binaryen@{BINARYEN}");
        cmd!(shell, "npm install --prefix {root} --no-audit --no-fund {package}").run()?;
    }
    Ok(binaries)
}

fn search_first(shell: &Shell, folders: &[PathBuf]) -> Result<()> {
    let before = shell.var_os("PATH").unwrap_or_default();
    let all = folders.iter().cloned().chain(env::split_paths(&before));
    shell.set_var("PATH", env::join_paths(all)?);
    Ok(())
}

/// Where the tools are kept between runs and shared between checkouts.
fn folder() -> Result<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .context("neither XDG_CACHE_HOME nor a home folder is set, so there is no place for the tools")?;
    Ok(cache.join("vitrine/tools"))
}
