//! `cargo xtask bench`: speed, memory and page weight, natively and in a browser; with `--methods`, how good methods are.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::Value;
use xshell::cmd;

use crate::workspace::Workspace;
use crate::{
    dist,
    test::{self, NATIVE},
    tools,
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Measure the native build only
    #[arg(long, conflicts_with = "browser")]
    native: bool,
    /// Measure the page only
    #[arg(long)]
    browser: bool,
    /// Score methods by metrics and protocols with ground truth instead; a stopped run goes on
    #[arg(long, conflicts_with_all = ["native", "browser"])]
    methods: bool,
    /// Fewer pictures, methods and metrics
    #[arg(long, requires = "methods")]
    quick: bool,
}

/// What `--methods` compares: the usual methods of each family, and maps that say nothing.
const METHODS: &str = "saliency,input-x-gradient,smooth-grad,guided-backprop,integrated-gradients,deep-lift,lrp,grad-cam,\
                       layer-cam,score-cam,occlusion,rise,kernel-shap,random-map,edge-map";
const QUICK_METHODS: &str = "saliency,input-x-gradient,integrated-gradients,grad-cam,occlusion,random-map,edge-map";

/// By what: one or two metrics of each kind that need no more than some hundred passes.
const METRICS: &str = "deletion,insertion,road,saco,faithfulness-correlation,infidelity,sensitivity-max,sparseness,\
                       pointing-game,relevance-mass";
const QUICK_METRICS: &str = "deletion,insertion,faithfulness-correlation,sparseness,pointing-game,relevance-mass";

/// The sample images by their labels.
const SAMPLES: [&str; 6] = ["wendle", "bimble", "pibbit", "mirrow", "fennick", "dorrow"];

/// The protocols, each on the models that it is meant for.
const PROTOCOLS: [(&[&str], &str); 4] = [
    (&["critters", "critters-nobias", "critters-bagnet"], "grid-pointing-game,di-part,di-full,part-interventions"),
    (&["critters-vit"], "part-interventions"),
    (&["critters-watermark"], "watermark-detection,relative-importance"),
    (&["digits"], "null-block,noise-signal"),
];

/// What native speed is measured against: the variable that names a Python with it, its folder, and what it is called.
const REFERENCES: [(&str, &str, &str); 2] =
    [("VITRINE_BENCH_ONNXRUNTIME", "onnxruntime", "ONNX Runtime"), ("VITRINE_BENCH_CAPTUM", "captum", "Captum")];

/// Prints the native measurements, then the page's.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let workspace = Workspace::read()?;
    if arguments.methods {
        return leaderboards(&workspace, arguments.quick);
    }
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
        cmd!(shell, "cargo bench {NATIVE...} {benches...}").run()?;
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

/// Scores methods on each group of built-in models, into one folder each, and puts the tables together.
fn leaderboards(workspace: &Workspace, quick: bool) -> Result<()> {
    let shell = tools::for_native_tests(workspace)?;
    cmd!(shell, "cargo build --release {NATIVE...} --bin vitrine").run()?;
    let vitrine = workspace.target.join("release").join(format!("vitrine{}", env::consts::EXE_SUFFIX));
    let folder = workspace.target.join("bench");
    let (methods, metrics) = if quick { (QUICK_METHODS, QUICK_METRICS) } else { (METHODS, METRICS) };
    let (samples, pictures) = if quick { (4, "5") } else { (SAMPLES.len(), "20") };
    let samples = SAMPLES.iter().take(samples);
    let mut parts = Vec::new();
    for (models, protocols) in PROTOCOLS {
        let out = folder.join(if quick { "leaderboard-quick" } else { "leaderboard" }).join(models.join("-and-"));
        let mut asked = vec!["--methods", methods, "--protocols", protocols, "--pictures", pictures];
        asked.extend(["--param", "sensitivity-max.samples=5"].iter().filter(|_| metrics.contains("sensitivity-max")));
        // The samples show critters.
        if models != ["digits"] {
            asked.extend(["--metrics", metrics, "--input"].into_iter().chain(samples.clone().copied()));
        }
        cmd!(shell, "{vitrine} evaluate --model {models...} {asked...} --out {out}").run()?;
        parts.push(out);
    }
    let read = |name: &str| -> Result<Vec<String>> {
        parts.iter().map(|part| Ok(fs::read_to_string(part.join(name))?)).collect()
    };
    let tables = read("leaderboard.csv")?;
    let rows = tables.iter().enumerate().flat_map(|(at, table)| table.lines().skip(usize::from(at > 0)));
    fs::write(folder.join("leaderboard.csv"), rows.map(|row| format!("{row}\n")).collect::<String>())?;
    let entries = read("leaderboard.json")?
        .iter()
        .map(|text| serde_json::from_str::<Vec<Value>>(text))
        .collect::<Result<Vec<_>, _>>()?;
    fs::write(folder.join("leaderboard.json"), serde_json::to_string_pretty(&entries.concat())?)?;
    let text = read("leaderboard.md")?.join("\n");
    fs::write(folder.join("leaderboard.md"), &text)?;
    println!("{text}\nwritten to {}", folder.display());
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
