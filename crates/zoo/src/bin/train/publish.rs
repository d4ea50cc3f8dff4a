//! What a training leaves in the crate: the model, its card, the samples, and a source file that names them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::Device;
use sha2::{Digest, Sha256};
use vitrine_protocol::{Channels, ImageInput, Layout, ModelCard, Task};
use vitrine_scenes::{Class, Image, Scene};

use crate::export;
use crate::learn::{Settings, best, probabilities};
use crate::network::Network;
use crate::pictures::{Batch, MEAN, SAMPLE_SEEDS, SIZE, STD};

/// How sure the network should be of each sample; the first is the one shown first.
const CONFIDENCES: [f32; 6] = [0.97, 0.93, 0.88, 0.8, 0.7, 0.55];
/// Scenes that samples are chosen from.
const CANDIDATES: u64 = 1000;

/// A scene that the network names rightly.
#[derive(Clone, Copy)]
struct Sample {
    seed: u64,
    class: Class,
    confidence: f32,
}

/// Writes everything below the crate's folder.
pub(crate) fn publish(
    network: &Network,
    accuracy: f64,
    settings: &Settings,
    folder: &Path,
    device: &Device,
) -> Result<()> {
    let (model, target_layer) = export::model(network)?;
    let bytes = model.encode();
    let card = serde_json::to_string_pretty(&card(settings, target_layer, accuracy))?;
    write(&folder.join("models/critters.onnx"), &bytes)?;
    write(&folder.join("models/critters.card.json"), format!("{card}\n").as_bytes())?;

    let samples = choose_samples(network, device)?;
    let old = folder.join("samples");
    if old.exists() {
        fs::remove_dir_all(&old)?;
    }
    for sample in &samples {
        let picture = Scene::sample(sample.seed, sample.class).render(SIZE);
        write(&folder.join(format!("samples/{}.png", sample.class.label())), &png(&picture)?)?;
        println!("sample {:<8} seed {} confidence {:.6}", sample.class.label(), sample.seed, sample.confidence);
    }
    write(&folder.join("src/generated.rs"), source(&bytes, &samples).as_bytes())
}

fn card(settings: &Settings, target_layer: String, accuracy: f64) -> ModelCard {
    let Settings { seed, steps, batch } = settings;
    let side = usize::from(SIZE);
    ModelCard {
        name: "Critters".to_owned(),
        description:
            "Tells ten kinds of drawn creatures apart by their parts: body, head, beak, eyes, wings, tail and \
                      feet. A small residual network trained on rendered scenes."
                .to_owned(),
        task: Task::Classification,
        input: ImageInput {
            layout: Layout::Nchw,
            width: side,
            height: side,
            channels: Channels::Rgb,
            range: [0.0, 1.0],
            mean: MEAN.to_vec(),
            std: STD.to_vec(),
        },
        labels: Class::ALL.map(|class| class.label().to_owned()).to_vec(),
        target_layer: Some(target_layer),
        fold_batch_norm: false,
        tokens: None,
        detections: None,
        licence: "MIT OR Apache-2.0".to_owned(),
        training_command: Some(format!("cargo xtask train --seed {seed} --steps {steps} --batch {batch}")),
        test_accuracy: Some(accuracy),
    }
}

/// For each wanted confidence the nearest of the candidates, each of another class.
fn choose_samples(network: &Network, device: &Device) -> Result<Vec<Sample>> {
    let class_of = |seed: u64| Class::ALL[seed as usize % Class::ALL.len()];
    let mut candidates = Vec::new();
    for start in (0..CANDIDATES).step_by(100) {
        let seeds = (start..start + 100).map(|position| SAMPLE_SEEDS + position);
        let batch = Batch::render(seeds.clone().map(|seed| Scene::sample(seed, class_of(seed))));
        for (seed, answer) in seeds.zip(probabilities(network, &batch, device)?) {
            let class = class_of(seed);
            if best(&answer) == class.index() {
                candidates.push(Sample { seed, class, confidence: answer[class.index()] });
            }
        }
    }
    let mut samples: Vec<Sample> = Vec::new();
    for wanted in CONFIDENCES {
        let distance = |sample: &Sample| (sample.confidence - wanted).abs();
        let fresh = |sample: &&Sample| samples.iter().all(|chosen| chosen.class != sample.class);
        let nearest = candidates.iter().filter(fresh).min_by(|a, b| distance(a).total_cmp(&distance(b)));
        samples.push(*nearest.context("too few critters were named rightly to choose samples from")?);
    }
    Ok(samples)
}

/// The source file that names model and samples, so that neither can be out of date.
fn source(model: &[u8], samples: &[Sample]) -> String {
    let hash: String = Sha256::digest(model).iter().map(|byte| format!("{byte:02x}")).collect();
    let samples = samples.iter().map(|sample| {
        let (label, seed) = (sample.class.label(), sample.seed);
        let png = format!("include_bytes!(\"../samples/{label}.png\")");
        format!("    Sample {{ label: \"{label}\", file: \"{label}.png\", seed: {seed}, png: {png} }},\n")
    });
    format!(
        "//! Written by `cargo xtask train`, together with the files it names.\n\nuse crate::Sample;\n\n\
         pub(crate) const CRITTERS_SHA256: &str = \"{hash}\";\n\n\
         pub(crate) const SAMPLES: &[Sample] = &[\n{}];\n",
        samples.collect::<String>()
    )
}

fn png(image: &Image) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width as u32, image.height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    encoder.write_header()?.write_image_data(&image.rgb)?;
    Ok(bytes)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes).with_context(|| format!("could not write {}", path.display()))
}
