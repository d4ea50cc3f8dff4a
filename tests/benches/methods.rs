//! How long methods take natively, beside Captum and pytorch-grad-cam: `cargo xtask bench`.
//!
//! All explain the same answer to the same input of the same models. The maps are compared, too, so that nobody is
//! quicker by doing something else.

use std::{
    env,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use pollster::block_on;
use vitrine_engine::{ExplainOptions, ModelReader, Place, Session, Silent};
use vitrine_explain::Attribution;
use vitrine_protocol::ExplainRequest;
use vitrine_tests::{
    rivals::{Rival, written},
    speed::{Result, request},
};

/// Names the file of the model that is measured beside the built-in one.
const MODEL: &str = "VITRINE_BENCH_MODEL";

/// Names a Python that has the references.
const PYTHON: &str = "VITRINE_BENCH_CAPTUM";

/// Set for a process that is measured: the model's file, the layer, the file of the input, and the folder for the maps.
const PART: [&str; 4] = ["VITRINE_BENCH_PATH", "VITRINE_BENCH_LAYER", "VITRINE_BENCH_INPUT", "VITRINE_BENCH_MAPS"];

/// How the references are measured.
const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/captum/measure.py");

const BUILT_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/zoo/models/critters.onnx");

/// Processes of each kind; odd, so that there is a median.
const ROUNDS: usize = 3;

/// Runs after the first, and the seconds from which the first one counts.
const RUNS: usize = 3;
const LONG: f64 = 5.0;

/// The methods with their parameters, chosen so that the references do the same, in the order of `captum/measure.py`. Little
/// noise, which costs as much as more, lets the maps be compared. The masks of RISE are the same in number and batches
/// only, and so few of them leave its map to chance.
const METHODS: [(&str, &[(&str, &str)]); 7] = [
    ("saliency", &[]),
    ("smooth-grad", &[("samples", "50"), ("noise", "0.01")]),
    ("integrated-gradients", &[("steps", "50"), ("baseline", "zero")]),
    ("grad-cam", &[]),
    ("score-cam", &[("infill", "zero")]),
    ("lrp", &[("composite", "epsilon")]),
    ("rise", &[("masks", "256"), ("infill", "zero"), ("estimator", "plain"), ("antithetic", "false")]),
];

/// Images in one batch, where the reference is a loop over batches.
const BATCH: usize = 16;

fn main() -> Result<()> {
    if let [Some(path), Some(layer), Some(input), Some(maps)] = PART.map(env::var_os) {
        let layer = layer.into_string().map_err(|_| "the layer's name is no text")?;
        return block_on(ours(Path::new(&path), &layer, Path::new(&input), Path::new(&maps)));
    }
    let folder = env::temp_dir().join(format!("vitrine-bench-{}", std::process::id()));
    compare(&folder, "built-in model", Path::new(BUILT_IN), "stage3.block1.relu", 3 * 64 * 64)?;
    match env::var_os(MODEL) {
        Some(path) => compare(&folder, "ResNet-18", Path::new(&path), "stage3/block1/relu1", 3 * 224 * 224)?,
        None => println!("{MODEL} names no model file, so the built-in one alone is measured"),
    }
    Ok(fs::remove_dir_all(folder)?)
}

/// Measures a model with one thread and with all.
fn compare(folder: &Path, name: &str, path: &Path, layer: &str, length: usize) -> Result<()> {
    let maps = ["ours", "theirs"].map(|side| folder.join(side));
    maps.iter().try_for_each(fs::create_dir_all)?;
    let input = folder.join("input.f32");
    fs::write(&input, noise(length))?;
    for threads in [Some(1), None] {
        let mut ours = Command::new(env::current_exe()?);
        ours.envs(PART.into_iter().zip([path.as_os_str(), layer.as_ref(), input.as_ref(), maps[0].as_ref()]));
        if let Some(threads) = threads {
            ours.env("RAYON_NUM_THREADS", threads.to_string());
        }
        let mut ours = Rival::new("vitrine", ours);
        let mut theirs = env::var_os(PYTHON).map(|python| {
            let mut command = Command::new(python);
            command.arg(REFERENCE).arg(path).arg(layer).arg(&input).arg(threads.unwrap_or(0).to_string()).arg(&maps[1]);
            Rival::new("reference", command)
        });
        for _ in 0..ROUNDS {
            ours.measure()?;
            theirs.as_mut().map_or(Ok(()), Rival::measure)?;
        }
        let threads = threads.map_or("all threads".to_owned(), |threads| format!("threads: {threads}"));
        println!("{name}, native, CPU, {threads}: ms, medians of {ROUNDS} processes");
        print(&ours, theirs.as_ref(), &maps)?;
    }
    Ok(())
}

fn print(ours: &Rival, theirs: Option<&Rival>, maps: &[PathBuf; 2]) -> Result<()> {
    println!("  {:24}{:>12}{:>12}{:>12}{:>12}", "", "ours", "theirs", "ratio", "correlation");
    let times = [Some(ours), theirs].map(|rival| rival.map(Rival::medians).unwrap_or_default());
    let ratios = theirs.map(|theirs| ours.ratios(theirs)).unwrap_or_default();
    for (at, (method, _)) in METHODS.iter().enumerate() {
        let agreement = match theirs {
            Some(_) => Some(correlation(&read(&map(&maps[0], method))?, &read(&map(&maps[1], method))?)),
            None => None,
        };
        let [ours, theirs] = times.each_ref().map(|times| written(times.get(at), 1));
        let (ratio, agreement) = (written(ratios.get(at), 2), written(agreement.as_ref(), 4));
        println!("  {method:24}{ours:>12}{theirs:>12}{ratio:>12}{agreement:>12}");
    }
    Ok(())
}

/// Prints the milliseconds of each method and leaves the maps in a folder.
async fn ours(path: &Path, layer: &str, input: &Path, maps: &Path) -> Result<()> {
    let mut file = File::open(path)?;
    let mut reader = ModelReader::new(usize::try_from(file.metadata()?.len())?);
    io::copy(&mut file, &mut reader)?;
    let mut session = Session::on(Place::cpu(""));
    session.load_model("model", reader, None).await?;
    let (_, shape) = session.model()?.input();
    session.load_tensor("input", shape, read(input)?).await?;
    for (method, parameters) in METHODS {
        let request = ExplainRequest { layer: Some(layer.to_owned()), ..request(method, parameters) };
        let (found, seconds) = quickest(&session, &request).await?;
        // Of class activation maps the references give the enlarged ones.
        let values = if method.ends_with("-cam") { found.map.values } else { found.values };
        fs::write(map(maps, method), bytes(values))?;
        println!("{}", 1000.0 * seconds);
    }
    Ok(())
}

/// The seconds of the fastest run after the first; of the first one where that takes long.
async fn quickest(session: &Session, request: &ExplainRequest) -> Result<(Attribution, f64)> {
    let options = ExplainOptions { batch: (request.method == "rise").then_some(BATCH), ..ExplainOptions::default() };
    let timed = async || -> Result<(Attribution, f64)> {
        let started = Instant::now();
        let found = session.explain(request, &options, &Silent).await?;
        Ok((found.attribution, started.elapsed().as_secs_f64()))
    };
    let (found, mut best) = timed().await?;
    if best < LONG {
        best = f64::INFINITY;
        for _ in 0..RUNS {
            best = best.min(timed().await?.1);
        }
    }
    Ok((found, best))
}

fn map(folder: &Path, method: &str) -> PathBuf {
    folder.join(format!("{method}.f32"))
}

/// Little-endian floats from 0 to 1 that look random, always the same.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 16_777_216.0
    };
    bytes((0..length).map(next))
}

fn bytes(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

fn read(path: &Path) -> Result<Vec<f32>> {
    let bytes = fs::read(path)?;
    Ok(bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// Pearson's; not a number for maps of different lengths.
fn correlation(a: &[f32], b: &[f32]) -> f64 {
    if a.len() != b.len() {
        return f64::NAN;
    }
    let centred = |values: &[f32]| -> Vec<f64> {
        let mean = values.iter().copied().map(f64::from).sum::<f64>() / values.len() as f64;
        values.iter().map(|value| f64::from(*value) - mean).collect()
    };
    let (a, b) = (centred(a), centred(b));
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}
