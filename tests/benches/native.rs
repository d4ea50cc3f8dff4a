//! How fast the built-in model is explained natively: `cargo xtask bench`.
//!
//! Absolute numbers depend on the machine; compare numbers of one run.

use std::{collections::BTreeMap, env, error::Error, fs, process::Command, time::Instant};

use pollster::block_on;
use vitrine_engine::{ExplainOptions, Place, Session, Silent};
use vitrine_explain::Head;
use vitrine_graph::{Probe, Run, Value};
use vitrine_protocol::{DeviceChoice, ExplainRequest};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Set for the process whose peak memory is measured: the number of masks.
const MASKS: &str = "VITRINE_BENCH_MASKS";

/// Images in a batch of the raw passes.
const BATCH: usize = 64;

fn main() -> Result<()> {
    if let Ok(masks) = env::var(MASKS) {
        return block_on(peak_memory(&masks));
    }
    block_on(speed("CPU", Place::cpu("")))?;
    match block_on(Place::choose(DeviceChoice::Auto)) {
        Ok(place) if place.is_gpu() => block_on(speed(&place.info.name.clone(), place))?,
        _ => println!("no real GPU answers: the GPU half is left out"),
    }
    let peak = |masks: &str| -> Result<u64> {
        let output = Command::new(env::current_exe()?).env(MASKS, masks).output()?;
        Ok(String::from_utf8(output.stdout)?.trim().parse()?)
    };
    let (few, many) = (peak("500")?, peak("10000")?);
    let ratio = many as f64 / few as f64;
    println!("peak memory of RISE: {few} kB with 500 masks, {many} kB with 10,000 masks, ratio {ratio:.3}");
    Ok(())
}

async fn session(place: Place) -> Result<Session> {
    let mut session = Session::on(place);
    session.load_builtin("critters").await?;
    session.load_sample(0).await?;
    Ok(session)
}

fn request(method: &str, parameters: &[(&str, &str)]) -> ExplainRequest {
    let parameters: BTreeMap<String, String> =
        parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    ExplainRequest { method: method.to_owned(), target: "auto".to_owned(), parameters, ..ExplainRequest::default() }
}

async fn speed(name: &str, place: Place) -> Result<()> {
    let session = session(place).await?;
    println!("built-in model, native, {name}");
    let model = session.model()?;
    let (input, mut shape) = model.input();
    shape[0] = BATCH;
    let values: Vec<f32> = (0..shape.iter().product()).map(|index: usize| (index % 255) as f32 / 255.0).collect();
    let batch = Value::from_f32(&values, &shape, model.graph.device());
    let head = Head::of(&model.graph)?;
    let forward = Run::of([head.logits()]).feed(&input, batch);
    let seconds = best(|| block_on(async { Ok(model.graph.run(&forward)?.value(head.logits())?.to_vec().await?) }))?;
    println!("  forward              {:8.0} images/s", BATCH as f64 / seconds);
    let backward = forward.clone().probe(&input, Probe::Gradient);
    let seconds = best(|| {
        block_on(async {
            let trace = model.graph.run(&backward)?;
            let gradients = trace.gradients(&trace.value(head.logits())?.sum_per_sample()?)?;
            Ok(gradients[&input].to_vec().await?)
        })
    })?;
    println!("  forward and backward {:8.0} images/s", BATCH as f64 / seconds);
    let explain = |request: &ExplainRequest| -> Result<f64> {
        best(|| Ok(block_on(session.explain(request, &ExplainOptions::default(), &Silent))?))
    };
    let seconds = explain(&request("rise", &[("masks", "1000")]))?;
    println!("  rise                 {:8.0} masks/s", 1000.0 / seconds);
    let seconds = explain(&request("integrated-gradients", &[("steps", "50")]))?;
    println!("  integrated gradients {:8.1} ms (50 steps)", 1000.0 * seconds);
    let seconds = explain(&request("grad-cam", &[]))?;
    println!("  grad-cam             {:8.1} ms", 1000.0 * seconds);
    Ok(())
}

/// Seconds of the fastest of several runs, after one to warm up.
fn best<T>(mut run: impl FnMut() -> Result<T>) -> Result<f64> {
    const RUNS: usize = 3;
    run()?;
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let started = Instant::now();
        run()?;
        best = best.min(started.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// Runs RISE on the CPU and prints the largest memory the process ever had, in kB.
async fn peak_memory(masks: &str) -> Result<()> {
    let session = session(Place::cpu("")).await?;
    session.explain(&request("rise", &[("masks", masks)]), &ExplainOptions::default(), &Silent).await?;
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("the system does not say")?;
    println!("{}", peak.trim().trim_end_matches("kB").trim());
    Ok(())
}
