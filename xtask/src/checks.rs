//! Checks of the repository that no compiler does: one description per crate, dependencies in one direction.

use std::fs;

use anyhow::{Context as _, Result, bail};
use xshell::{Shell, cmd};

use crate::workspace::{Member, Workspace};

/// Runs all checks and reports every violation at once.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut violations = descriptions(workspace)?;
    let shell = workspace.shell()?;
    for rule in RULES {
        violations.extend(rule.violations(&shell)?);
    }
    for violation in &violations {
        println!("{violation}");
    }
    if !violations.is_empty() {
        bail!("{} violations of the repository's rules", violations.len());
    }
    println!("Every crate's description is the same everywhere, and dependencies point the right way.");
    Ok(())
}

/// A crate says what it is in one line: in its manifest, its documentation and the table of ARCHITECTURE.md.
fn descriptions(workspace: &Workspace) -> Result<Vec<String>> {
    let architecture = fs::read_to_string(workspace.root.join("ARCHITECTURE.md"))
        .context("ARCHITECTURE.md is missing")?
        .replace('`', "");
    let mut violations = Vec::new();
    for Member { name, description, root_file } in workspace.members() {
        if let Some(file) = root_file {
            let source = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            let documented = source.lines().find_map(|line| line.strip_prefix("//! ")).unwrap_or_default();
            // What is a type there, with a link, is a plain word here.
            let plain = documented.replace(['`', '[', ']'], "");
            if !plain.trim_end_matches('.').eq_ignore_ascii_case(&description) {
                violations.push(format!(
                    "{name}: the manifest says \"{description}\", the crate's documentation \"{documented}\""
                ));
            }
        }
        let row = format!("| {} | {description} |", name.trim_start_matches("vitrine-"));
        if description.is_empty() || !architecture.contains(&row) {
            violations.push(format!("{name}: the crate table of ARCHITECTURE.md has no row \"{row}\""));
        }
    }
    Ok(violations)
}

/// What a package may not depend on.
struct Rule {
    package: &'static str,
    features: &'static str,
    /// Whether what dependencies depend on counts too.
    reach: Reach,
    /// Beginnings of package names.
    forbidden: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Reach {
    Direct,
    Whole,
}

const COMPUTE: [&str; 3] = ["burn", "cubecl", "wgpu"];
const BROWSER: [&str; 6] = ["wasm-bindgen", "web-sys", "js-sys", "gloo", "yew", "serde-wasm-bindgen"];
const NEITHER: &[&str] = &["burn", "cubecl", "wgpu", "wasm-bindgen", "web-sys", "js-sys", "gloo", "yew"];

const RULES: &[Rule] = &[
    Rule { package: "vitrine-protocol", features: "", reach: Reach::Whole, forbidden: NEITHER },
    Rule { package: "vitrine-onnx", features: "", reach: Reach::Whole, forbidden: NEITHER },
    Rule { package: "vitrine-scenes", features: "", reach: Reach::Whole, forbidden: NEITHER },
    Rule { package: "vitrine-image", features: "", reach: Reach::Whole, forbidden: &COMPUTE },
    // Libraries bring browser crates of their own; ours must not use them.
    Rule { package: "vitrine-image", features: "", reach: Reach::Direct, forbidden: &BROWSER },
    Rule { package: "vitrine-graph", features: "", reach: Reach::Direct, forbidden: &BROWSER },
    Rule { package: "vitrine-explain", features: "", reach: Reach::Direct, forbidden: &BROWSER },
    Rule { package: "vitrine-evaluate", features: "", reach: Reach::Direct, forbidden: &BROWSER },
    Rule {
        package: "vitrine-zoo",
        features: "",
        reach: Reach::Direct,
        forbidden: &["vitrine-engine", "vitrine-explain"],
    },
    Rule { package: "vitrine-web", features: "page", reach: Reach::Whole, forbidden: &COMPUTE },
];

impl Rule {
    /// The dependencies in a browser build that break the rule.
    fn violations(&self, shell: &Shell) -> Result<Vec<String>> {
        let Self { package, features, .. } = self;
        let depth = match self.reach {
            Reach::Direct => "1",
            Reach::Whole => "1000",
        };
        let format = ["--edges", "normal", "--prefix", "none", "--format", "{p}", "--depth", depth];
        let tree = cmd!(shell, "cargo tree --package {package} --target wasm32-unknown-unknown --features {features}")
            .args(format)
            .quiet()
            .read()?;
        let names = tree.lines().skip(1).filter_map(|line| line.split(' ').next());
        let mut broken: Vec<&str> =
            names.filter(|name| self.forbidden.iter().any(|start| name.starts_with(start))).collect();
        broken.sort_unstable();
        broken.dedup();
        Ok(broken.into_iter().map(|name| format!("{package} must not depend on {name}")).collect())
    }
}
