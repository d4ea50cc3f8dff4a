//! Exported architectures against ONNX Runtime and PyTorch: `conformance/README.md` describes the files.

use std::{collections::BTreeMap, fmt::Write};

use burn::tensor::Device;
use serde::Deserialize;
use vitrine_graph::{Batching, Graph, GraphError, InputShapes, Run, Trace, Value};
use vitrine_onnx::Model;

use crate::golden::{Read, array, graphs::explained, relative_error, words};

/// Largest difference that counts as agreement, over the largest expected value of the array.
pub const TOLERANCE: f32 = 1e-3;

/// What the exporting script has made.
#[derive(Debug, Deserialize)]
pub struct Index {
    /// The libraries it used.
    pub versions: BTreeMap<String, String>,
    /// Architectures that the script knows and has not been asked for.
    not_made: Vec<String>,
    /// One per architecture and exporter.
    pub entries: Vec<Entry>,
}

/// One architecture by one exporter.
#[derive(Debug, Deserialize)]
pub struct Entry {
    /// Name of the architecture.
    pub architecture: String,
    /// Name of the exporter.
    pub exporter: String,
    side: usize,
    input: String,
    /// Why there is no model.
    not_exported: Option<String>,
    #[serde(default)]
    model: String,
    #[serde(default)]
    opset: i64,
    #[serde(default)]
    fixed_batch: bool,
    fixed_because: Option<String>,
    uncompared: Option<String>,
    #[serde(default)]
    outputs: Vec<Output>,
    /// What a detector selects from.
    #[serde(default)]
    before_selection: Vec<Output>,
    /// What the explained scalar weighs each output with; none where nothing is explained.
    #[serde(default)]
    weights: Vec<String>,
    #[serde(default)]
    scalars: Vec<f32>,
    input_gradient: Option<String>,
}

impl Entry {
    /// Whether there is a model.
    pub fn is_made(&self) -> bool {
        self.not_exported.is_none()
    }
}

#[derive(Debug, Deserialize)]
struct Output {
    name: String,
    values: String,
}

/// What became of an entry.
#[derive(Debug)]
pub enum Outcome {
    /// The exporter refuses the architecture.
    NotExported(String),
    /// Operators that do not run.
    Unsupported(Vec<String>),
    /// Loading or running failed otherwise.
    Fails(String),
    /// It ran.
    Ran {
        /// Whether several images can be run at once.
        batching: Batching,
        /// Largest relative error of an output, or of the explained scalars.
        outputs: f32,
        /// Relative error of the input gradients, where something was explained.
        gradients: Option<f32>,
        /// What is left out of the model, if anything.
        left_out: Option<String>,
    },
}

impl Outcome {
    /// Whether everything that was compared agrees.
    pub fn agrees(&self) -> bool {
        match self {
            Outcome::Ran { outputs, gradients, .. } => *outputs <= TOLERANCE && gradients.unwrap_or(0.0) <= TOLERANCE,
            _ => false,
        }
    }
}

/// An entry on the CPU backend and, where it was run there, on wgpu.
#[derive(Debug)]
pub struct Tested<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// What became of it on the CPU backend.
    pub cpu: Outcome,
    /// What became of it on wgpu.
    pub gpu: Option<Outcome>,
}

/// Runs an entry's two images in one batch, where the model allows it, and measures how far outputs and input
/// gradients are from the reference.
pub async fn outcome(entry: &Entry, device: &Device, read: Read<'_>) -> Outcome {
    if let Some(reason) = &entry.not_exported {
        return Outcome::NotExported(reason.clone());
    }
    let model = match Model::decode(&read(&entry.model)) {
        Ok(model) => model,
        Err(error) => return Outcome::Fails(error.to_string()),
    };
    let graph = match Graph::new(model, device, &InputShapes::new()) {
        Ok(graph) => graph,
        Err(GraphError::Unsupported(operators)) => {
            return Outcome::Unsupported(operators.into_iter().map(|entry| entry.operator).collect());
        }
        Err(error) => return Outcome::Fails(error.to_string()),
    };
    measure(entry, &graph, read).await.unwrap_or_else(Outcome::Fails)
}

async fn measure(entry: &Entry, graph: &Graph, read: Read<'_>) -> Result<Outcome, String> {
    let batching = graph.settle_batching().await.map_err(words)?;
    let input = array(read, &entry.input)?;
    let images = Value::from_f32(&input.values, &input.shape, graph.device());
    let count = input.shape.first().copied().unwrap_or(0);
    let at_once = if batching == Batching::Any { count } else { 1 };
    let mut found = Found::default();
    for first in (0..count).step_by(at_once.max(1)) {
        let part = images.narrow(0, first, at_once).map_err(words)?;
        found.run(entry, graph, part, first, read).await?;
    }
    let mut outputs = relative_error(&found.scalars, &entry.scalars).0;
    for (output, found) in compared(entry, graph).into_iter().zip(&found.outputs) {
        outputs = outputs.max(error(&output.name, found, &array(read, &output.values)?.values)?);
    }
    let gradients = match &entry.input_gradient {
        Some(path) => Some(error("the gradient", &found.gradients, &array(read, path)?.values)?),
        None => None,
    };
    let left_out = graph.left_out().map_err(words)?;
    let left_out = left_out.first().map(|first| format!("{first} ({} such nodes.)", left_out.len()));
    Ok(Outcome::Ran { batching, outputs, gradients, left_out })
}

/// The arrays whose values the graph gives: its outputs or, in the place of those that it leaves out, values before.
fn compared<'a>(entry: &'a Entry, graph: &Graph) -> Vec<&'a Output> {
    let given = graph.outputs();
    let arrays = entry.outputs.iter().chain(&entry.before_selection);
    arrays.filter(|output| given.contains(&output.name.as_str())).collect()
}

/// What was computed for the images so far, image after image.
#[derive(Default)]
struct Found {
    outputs: Vec<Vec<f32>>,
    scalars: Vec<f32>,
    gradients: Vec<f32>,
}

impl Found {
    /// Runs the images from `first` on.
    async fn run(
        &mut self,
        entry: &Entry,
        graph: &Graph,
        images: Value,
        first: usize,
        read: Read<'_>,
    ) -> Result<(), String> {
        let inputs = graph.inputs();
        let (input, _) = inputs.first().ok_or("has no input")?;
        let names = graph.outputs();
        let mut weights = Vec::new();
        for path in &entry.weights {
            let array = array(read, path)?;
            let weight = Value::from_f32(&array.values, &array.shape, graph.device());
            weights.push(weight.narrow(0, first, images.shape()[0]).map_err(words)?);
        }
        let objective = |trace: &Trace| {
            let mut sum: Option<Value> = None;
            for (name, weight) in names.iter().zip(&weights) {
                let output = trace.value(name)?;
                let weight = if output.is_tracked() { weight.leaf()? } else { weight.clone() };
                let term = output.mul(&weight)?.sum_per_sample()?;
                sum = Some(match sum {
                    Some(sum) => sum.add(&term)?,
                    None => term,
                });
            }
            sum.ok_or_else(|| GraphError::NoGradient((*input).to_owned()))
        };
        let trace = if weights.is_empty() {
            graph.run(&Run::of(graph.outputs()).feed(input, images)).map_err(words)?
        } else {
            let (trace, gradients) = explained(graph, images, &[input], objective).map_err(words)?;
            self.scalars.extend(objective(&trace).map_err(words)?.to_vec().await.map_err(words)?);
            self.gradients.extend(gradients[*input].to_vec().await.map_err(words)?);
            trace
        };
        let compared = compared(entry, graph);
        if compared.is_empty() && entry.uncompared.is_none() {
            return Err(format!("gives {names:?}, none of which is known"));
        }
        self.outputs.resize(compared.len(), Vec::new());
        for (output, found) in compared.into_iter().zip(&mut self.outputs) {
            found.extend(trace.value(&output.name).map_err(words)?.to_vec().await.map_err(words)?);
        }
        Ok(())
    }
}

fn error(what: &str, found: &[f32], expected: &[f32]) -> Result<f32, String> {
    if found.len() == expected.len() {
        Ok(relative_error(found, expected).0)
    } else {
        Err(format!("{what} has {} values instead of {}", found.len(), expected.len()))
    }
}

/// The published table.
pub fn table(index: &Index, tests: &[Tested<'_>]) -> String {
    let versions: Vec<String> =
        index.versions.iter().map(|(library, version)| format!("{library} {version}")).collect();
    let agreeing = tests.iter().filter(|test| test.cpu.agrees()).count();
    let made = tests.iter().filter(|test| test.entry.is_made()).count();
    let on_gpu: Vec<&Outcome> = tests.iter().filter_map(|test| test.gpu.as_ref()).collect();
    let mut text = format!(
        "# Architectures\n\nWritten by `tests/tests/architectures.rs` from what `architectures.py` made with {}.\n\
         {agreeing} of {made} files agree on the CPU backend, and {} of the {} that were run on wgpu too: outputs with ONNX Runtime\n\
         and input gradients with PyTorch to {TOLERANCE:e}, both as the largest difference over the largest expected value.\n\
         [README.md](README.md) says how to run it.\n\n\
         | architecture | image | exporter | opset | batch in the file | state | outputs | gradients | batches | wgpu: outputs, gradients |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
        versions.join(", "),
        on_gpu.iter().filter(|outcome| outcome.agrees()).count(),
        on_gpu.len(),
    );
    let mut notes = Vec::new();
    for test in tests {
        let Entry { architecture, exporter, side, .. } = test.entry;
        let _ = writeln!(text, "| {architecture} | {side}x{side} | {exporter} | {}", columns(test, &mut notes));
        let mut note =
            |what: &str, why: &Option<String>| notes.extend(why.iter().map(|why| noted(test.entry, what, why)));
        note("exported for one image", &test.entry.fixed_because);
        note("values not compared", &test.entry.uncompared);
    }
    if !index.not_made.is_empty() {
        notes.push(format!("- not made, so not tested: {}", index.not_made.join(", ")));
    }
    if !notes.is_empty() {
        let _ = write!(text, "\n## Notes\n\n{}\n", notes.join("\n"));
    }
    text
}

fn noted(entry: &Entry, what: &str, why: &str) -> String {
    format!("- {} by {}: {what}: {}", entry.architecture, entry.exporter, why.trim_end_matches('.'))
}

/// A row of the table from the opset on, and what is to be said below it.
fn columns(test: &Tested<'_>, notes: &mut Vec<String>) -> String {
    let Entry { opset, fixed_batch, .. } = test.entry;
    let batch = if *fixed_batch { "1" } else { "any" };
    let mut note = |what: &str, why: &str| notes.push(noted(test.entry, what, why));
    let gpu = match &test.gpu {
        None => "not run".to_owned(),
        Some(Outcome::Ran { outputs, gradients, .. }) => format!("{outputs:.0e}, {}", shown(*gradients)),
        Some(other) => {
            note("on wgpu", &format!("{other:?}"));
            "fails".to_owned()
        }
    };
    match &test.cpu {
        Outcome::NotExported(reason) => {
            note("not exported", reason);
            "| | not exported | | | | |".to_owned()
        }
        Outcome::Unsupported(operators) => {
            note("operators that do not run", &operators.join("; "));
            format!("{opset} | {batch} | unsupported | | | | {gpu} |")
        }
        Outcome::Fails(reason) => {
            note("fails", reason);
            format!("{opset} | {batch} | fails | | | | {gpu} |")
        }
        Outcome::Ran { batching, outputs, gradients, left_out } => {
            let batches = match batching {
                Batching::Any => "any size",
                Batching::OneAtATime { reason } => {
                    note("runs one image at a time", reason);
                    "one image at a time"
                }
            };
            let state = match (test.cpu.agrees(), left_out) {
                (true, None) => "agrees",
                (true, Some(what)) => {
                    note("what is compared are the values before", what);
                    "agrees as far as it runs"
                }
                (false, _) => "differs",
            };
            format!("{opset} | {batch} | {state} | {outputs:.0e} | {} | {batches} | {gpu} |", shown(*gradients))
        }
    }
}

fn shown(gradients: Option<f32>) -> String {
    gradients.map_or("none".to_owned(), |error| format!("{error:.0e}"))
}
