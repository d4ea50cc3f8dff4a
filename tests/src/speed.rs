//! How fast the built-in model is run and explained: `cargo xtask bench`, natively and in a browser.
//!
//! Absolute numbers depend on the machine; compare numbers of one run.

use std::{collections::BTreeMap, error::Error, fmt};

use vitrine_engine::{ExplainOptions, Session, Silent};
use vitrine_explain::Head;
use vitrine_graph::{Probe, Run, Value};
use vitrine_protocol::ExplainRequest;
use web_time::Instant;

/// What failed, for whoever runs the benchmark.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Runs after the first, which warms up; the fastest counts.
const RUNS: usize = 3;

/// How much work a measurement does.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// Images in a batch of the raw passes.
    pub batch: usize,
    /// Masks of RISE.
    pub masks: usize,
    /// Steps of integrated gradients.
    pub steps: usize,
}

impl Default for Work {
    fn default() -> Self {
        Work { batch: 64, masks: 1000, steps: 50 }
    }
}

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Speed {
    work: Work,
    forward: f64,
    both: f64,
    rise: f64,
    integrated_gradients: f64,
    grad_cam: f64,
}

impl fmt::Display for Speed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Work { batch, masks, steps } = self.work;
        writeln!(formatter, "  forward              {:8.0} images/s", batch as f64 / self.forward)?;
        writeln!(formatter, "  forward and backward {:8.0} images/s", batch as f64 / self.both)?;
        writeln!(formatter, "  rise                 {:8.0} masks/s", masks as f64 / self.rise)?;
        writeln!(formatter, "  integrated gradients {:8.1} ms ({steps} steps)", 1000.0 * self.integrated_gradients)?;
        write!(formatter, "  grad-cam             {:8.1} ms", 1000.0 * self.grad_cam)
    }
}

/// The question put to a method: its own defaults but for these parameters.
pub fn request(method: &str, parameters: &[(&str, &str)]) -> ExplainRequest {
    let parameters: BTreeMap<String, String> =
        parameters.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    ExplainRequest { method: method.to_owned(), target: "auto".to_owned(), parameters, ..ExplainRequest::default() }
}

/// Measures a session with the built-in model.
///
/// # Errors
/// None, unless the device fails.
pub async fn measure(session: &Session, work: Work) -> Result<Speed> {
    let model = session.model()?;
    let (input, mut shape) = model.input();
    shape[0] = work.batch;
    let values: Vec<f32> = (0..shape.iter().product()).map(|index: usize| (index % 255) as f32 / 255.0).collect();
    let head = Head::of(&model.graph)?;
    let forward = Run::of([head.logits()]).feed(&input, Value::from_f32(&values, &shape, model.graph.device()));
    let backward = forward.clone().probe(&input, Probe::Gradient);
    let explain = async |method: &str, parameters: &[(&str, &str)]| {
        let request = request(method, parameters);
        best(async || Ok(session.explain(&request, &ExplainOptions::default(), &Silent).await?)).await
    };
    Ok(Speed {
        work,
        forward: best(async || Ok(model.graph.run(&forward)?.value(head.logits())?.to_vec().await?)).await?,
        both: best(async || {
            let trace = model.graph.run(&backward)?;
            let gradients = trace.gradients(&trace.value(head.logits())?.sum_per_sample()?)?;
            Ok(gradients[&input].to_vec().await?)
        })
        .await?,
        rise: explain("rise", &[("masks", &work.masks.to_string())]).await?,
        integrated_gradients: explain("integrated-gradients", &[("steps", &work.steps.to_string())]).await?,
        grad_cam: explain("grad-cam", &[]).await?,
    })
}

/// Seconds of the fastest run after the first.
///
/// # Errors
/// What `run` gives.
pub async fn best<T>(run: impl AsyncFn() -> Result<T>) -> Result<f64> {
    run().await?;
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let started = Instant::now();
        run().await?;
        best = best.min(started.elapsed().as_secs_f64());
    }
    Ok(best)
}
