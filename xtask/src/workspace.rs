//! What cargo knows about this workspace: its folders, packages and locked versions.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;
use xshell::{Shell, cmd};

/// The workspace as `cargo metadata` describes it.
pub(crate) struct Workspace {
    /// The repository's root.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target: PathBuf,
    /// Every package of the lock file.
    packages: Vec<Value>,
}

/// One package of this repository.
pub(crate) struct Member {
    /// The package's name.
    pub(crate) name: String,
    /// The description in its manifest; empty where there is none.
    pub(crate) description: String,
    /// Where the library's documentation begins, or that of the only program; a package of several programs has none.
    pub(crate) root_file: Option<PathBuf>,
}

impl Workspace {
    /// Asks cargo about the workspace this program was started from.
    pub(crate) fn read() -> Result<Self> {
        let shell = Shell::new()?;
        shell.change_dir(manifest_folder()?);
        let text = cmd!(shell, "cargo metadata --format-version 1").quiet().read().context("cargo metadata failed")?;
        let metadata: Value = serde_json::from_str(&text)?;
        let folder = |key: &str| -> Result<PathBuf> {
            Ok(PathBuf::from(metadata[key].as_str().with_context(|| format!("cargo metadata has no `{key}`"))?))
        };
        let packages = metadata["packages"].as_array().context("cargo metadata has no `packages`")?.clone();
        Ok(Self { root: folder("workspace_root")?, target: folder("target_directory")?, packages })
    }

    /// A shell in the repository's root.
    pub(crate) fn shell(&self) -> Result<Shell> {
        let shell = Shell::new()?;
        shell.change_dir(&self.root);
        Ok(shell)
    }

    /// The version of `name` in the lock file.
    pub(crate) fn locked_version(&self, name: &str) -> Option<&str> {
        self.packages.iter().find(|package| package["name"] == name).and_then(|package| package["version"].as_str())
    }

    /// The packages of this repository, by name.
    pub(crate) fn members(&self) -> Vec<Member> {
        let mut members: Vec<Member> =
            self.packages.iter().filter(|package| package["source"].is_null()).filter_map(member).collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        members
    }
}

fn member(package: &Value) -> Option<Member> {
    let roots = |kind: &str| -> Vec<PathBuf> {
        let targets = package["targets"].as_array().into_iter().flatten();
        let of_kind =
            targets.filter(|target| target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|it| it == kind)));
        of_kind.filter_map(|target| target["src_path"].as_str().map(PathBuf::from)).collect()
    };
    let root_file = match (roots("lib").as_slice(), roots("bin").as_slice()) {
        ([library], _) => Some(library.clone()),
        ([], [program]) => Some(program.clone()),
        _ => None,
    };
    Some(Member {
        name: package["name"].as_str()?.to_owned(),
        description: package["description"].as_str().unwrap_or_default().to_owned(),
        root_file,
    })
}

/// Cargo says at run time where this package lies, so a moved or copied checkout never works on another one's files.
fn manifest_folder() -> Result<PathBuf> {
    std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).context("start this through `cargo xtask`")
}

/// All files below `folder`, sorted; paths are relative to it.
pub(crate) fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    fn walk(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
        let entries = std::fs::read_dir(folder).with_context(|| format!("{} cannot be listed", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                walk(root, &path, files)?;
            } else {
                files.push(path.strip_prefix(root)?.to_path_buf());
            }
        }
        Ok(())
    }
    let mut files = Vec::new();
    walk(folder, folder, &mut files)?;
    files.sort();
    Ok(files)
}
