//! What comes from the operating system: Node.js, Python, Chromium, a software Vulkan driver.
//!
//! On Debian they are installed; elsewhere a sentence says what to install, because package names differ.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use xshell::{Shell, cmd};

/// The browser that tests drive.
pub(crate) struct Browser {
    /// The browser's program.
    pub(crate) chromium: PathBuf,
    /// The program that drives it for wasm-bindgen's test runner.
    pub(crate) chromedriver: PathBuf,
}

/// The program of this name on the search path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(format!("{program}{}", env::consts::EXE_SUFFIX)))
        .find(|path| path.is_file())
}

/// Makes sure that Node.js and npm are there.
pub(crate) fn node(shell: &Shell) -> Result<()> {
    if find("node").is_none() || find("npm").is_none() {
        install(shell, &["nodejs", "npm"], "Install Node.js 20 or newer with npm (https://nodejs.org).")?;
    }
    Ok(())
}

/// Finds or installs Python with its virtual environments, which Debian packages apart.
pub(crate) fn python(shell: &Shell) -> Result<PathBuf> {
    let search = || {
        let python = ["python3", "python"].into_iter().find_map(find)?;
        cmd!(shell, "{python} -c 'import ensurepip, venv'").quiet().ignore_stderr().run().is_ok().then_some(python)
    };
    if let Some(python) = search() {
        return Ok(python);
    }
    install(shell, &["python3", "python3-venv"], "Install Python 3.10 or newer (https://www.python.org).")?;
    search().context("Python was installed but cannot make virtual environments")
}

/// Finds or installs Chromium and its driver.
pub(crate) fn browser(shell: &Shell) -> Result<Browser> {
    let search = || {
        let chromium = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(find)?;
        Some(Browser { chromium, chromedriver: find("chromedriver")? })
    };
    if let Some(browser) = search() {
        return Ok(browser);
    }
    let advice = "Install Chromium or Chrome and the chromedriver of the same version, both on the search path.";
    install(shell, &["chromium", "chromium-driver", "fonts-dejavu-core"], advice)?;
    search().context("Chromium was installed but is not on the search path")
}

/// The driver file of Mesa's software Vulkan, on a Linux machine without a GPU; installed there if it is missing.
pub(crate) fn software_vulkan(shell: &Shell) -> Result<Option<PathBuf>> {
    if !cfg!(target_os = "linux") || Path::new("/dev/dri").exists() || env::var_os("VK_DRIVER_FILES").is_some() {
        return Ok(None);
    }
    if let Some(driver) = lavapipe() {
        return Ok(Some(driver));
    }
    let advice = "Install Mesa's software Vulkan driver (lavapipe) and the Vulkan loader.";
    install(shell, &["libvulkan1", "mesa-vulkan-drivers"], advice)?;
    lavapipe().context("the package mesa-vulkan-drivers brought no lavapipe driver").map(Some)
}

fn lavapipe() -> Option<PathBuf> {
    ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"]
        .into_iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lvp_icd")))
}

/// Installs Debian packages; on any other system fails with `advice`.
fn install(shell: &Shell, packages: &[&str], advice: &str) -> Result<()> {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !release.lines().any(|line| line == "ID=debian") {
        bail!("{advice}");
    }
    let root = cmd!(shell, "id -u").quiet().read()? == "0";
    let as_root: &[&str] = if root { &[] } else { &["sudo"] };
    let apt_get = ["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet=2"];
    println!("Installing the Debian packages {}", packages.join(", "));
    cmd!(shell, "env {as_root...} {apt_get...} update").run()?;
    cmd!(shell, "env {as_root...} {apt_get...} install --yes --no-install-recommends {packages...}")
        .run()
        .with_context(|| format!("{} could not be installed. {advice}", packages.join(", ")))
}
