//! How long a model file takes to load and to answer natively, beside ONNX Runtime: `cargo xtask bench`.
//!
//! Each measurement is a process of its own, in which nothing is warm; they take turns, so that a busy machine slows
//! all of them.

use std::{
    env,
    fs::{self, File},
    io,
    path::Path,
    process::Command,
    time::Instant,
};

use burn::tensor::Device;
use pollster::block_on;
use vitrine_engine::{LoadedModel, ModelReader, Place};
use vitrine_graph::{Graph, InputShapes, Probe, Run, Value};
use vitrine_onnx::Model;
use vitrine_tests::{
    rivals::{Rival, written},
    speed::{Result, best},
};

/// Names the model's file.
const MODEL: &str = "VITRINE_BENCH_MODEL";

/// Names a Python that has ONNX Runtime.
const PYTHON: &str = "VITRINE_BENCH_ONNXRUNTIME";

/// Set for a process that is measured: what it loads.
const PART: &str = "VITRINE_BENCH_PART";

/// How the reference is measured.
const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/onnxruntime/measure.py");

/// Processes of each kind; odd, so that there is a median.
const ROUNDS: usize = 5;

const STAGES: [&str; 4] = ["load", "1st forward", "forward", "and backward"];

fn main() -> Result<()> {
    let Some(model) = env::var_os(MODEL) else {
        println!("{MODEL} names no model file, so loading is not measured");
        return Ok(());
    };
    let model = Path::new(&model);
    match env::var(PART).as_deref() {
        Ok("graph") => return block_on(graph(model)),
        Ok("session") => return block_on(session(model)),
        _ => {}
    }
    let mut groups = vec![Group::new(model, Some(1))?, Group::new(model, None)?];
    for _ in 0..ROUNDS {
        for group in &mut groups {
            group.measure()?;
        }
    }
    let name = model.file_name().unwrap_or_default().display();
    println!("{name}, native, CPU: ms, medians of {ROUNDS} processes");
    println!("  {:40}{}", "", STAGES.map(|stage| format!("{stage:>14}")).concat());
    groups.iter().for_each(Group::print);
    Ok(())
}

/// Us and the reference with the same number of threads.
struct Group {
    ours: [Rival; 2],
    reference: Option<Rival>,
}

impl Group {
    fn new(model: &Path, threads: Option<usize>) -> Result<Group> {
        let suffix = threads.map_or("all threads".to_owned(), |threads| format!("threads: {threads}"));
        let program = env::current_exe()?;
        let ours = ["graph", "session"].map(|part| {
            let mut command = Command::new(&program);
            command.env(PART, part);
            if let Some(threads) = threads {
                command.env("RAYON_NUM_THREADS", threads.to_string());
            }
            Rival::new(format!("{part}, {suffix}"), command)
        });
        let reference = env::var_os(PYTHON).map(|python| {
            let mut command = Command::new(python);
            // The reference takes 0 for as many as it likes.
            command.arg(REFERENCE).arg(model).arg(threads.unwrap_or(0).to_string());
            Rival::new(format!("ONNX Runtime, {suffix}"), command)
        });
        Ok(Group { ours, reference })
    }

    fn measure(&mut self) -> Result<()> {
        self.ours.iter_mut().chain(&mut self.reference).try_for_each(Rival::measure)
    }

    fn print(&self) {
        for rival in self.ours.iter().chain(&self.reference) {
            print(&rival.name, &rival.medians(), 0);
        }
        for (ours, reference) in self.ours.iter().zip(self.reference.iter().cycle()) {
            print(&format!("  {} / ONNX Runtime", ours.name), &ours.ratios(reference), 2);
        }
    }
}

fn print(name: &str, numbers: &[f64], decimals: usize) {
    let column = |stage: usize| format!("{:>14}", written(numbers.get(stage), decimals));
    println!("  {name:40}{}", (0..STAGES.len()).map(column).collect::<String>());
}

/// Decoding, planning and moving the weights, then passes without any checks.
async fn graph(path: &Path) -> Result<()> {
    let started = Instant::now();
    let model = Model::decode(&fs::read(path)?)?;
    let graph = Graph::new(model, &Device::flex(), &InputShapes::new())?;
    let load = started.elapsed();
    passes(&graph, load.as_secs_f64()).await
}

/// What page and command line do: the file is hashed and batches are proved too.
async fn session(path: &Path) -> Result<()> {
    let started = Instant::now();
    let mut file = File::open(path)?;
    let mut reader = ModelReader::new(usize::try_from(file.metadata()?.len())?);
    io::copy(&mut file, &mut reader)?;
    let model = LoadedModel::load(&Place::cpu(""), "model", reader, None).await?;
    passes(&model.graph, started.elapsed().as_secs_f64()).await
}

/// Prints how long loading took and how long passes of one image take.
async fn passes(graph: &Graph, load: f64) -> Result<()> {
    let (inputs, outputs) = (graph.inputs(), graph.outputs());
    let ((input, shape), output) = (inputs.first().ok_or("no input")?, outputs.first().ok_or("no output")?);
    let values: Vec<f32> = (0..shape.iter().product()).map(|index: usize| (index % 255) as f32 / 255.0).collect();
    let run = Run::of([*output]).feed(input, Value::from_f32(&values, shape, graph.device()));
    let tracked = run.clone().probe(input, Probe::Gradient);
    let forward = async || Ok(graph.run(&run)?.value(output)?.to_vec().await?);
    let started = Instant::now();
    forward().await?;
    let first = started.elapsed().as_secs_f64();
    let both = async || {
        let trace = graph.run(&tracked)?;
        let gradients = trace.gradients(&trace.value(output)?.sum_per_sample()?)?;
        Ok(gradients[*input].to_vec().await?)
    };
    let times = [load, first, best(forward).await?, best(both).await?];
    println!("{}", times.map(|seconds| (1000.0 * seconds).to_string()).join(" "));
    Ok(())
}
