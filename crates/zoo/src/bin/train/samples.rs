//! The sample pictures: critters chosen by the default model, and one picture for each of the other kinds of models.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::Device;
use vitrine_scenes::{Class, Crowd, DigitScene, Part, Scene};

use crate::batch::{Batch, Example};
use crate::learn::answers;
use crate::publish::write;
use crate::recipe::{Network, best_channel};
use crate::recipes::{CROWD_SIZE, DIGIT_SIZE, SIZE};

/// Scenes with seeds from here on are neither trained on nor tested on: the samples come from them.
const SAMPLE_SEEDS: u64 = 2 << 32;
/// How sure the network should be of each sample; the first is the one shown first.
const CONFIDENCES: [f32; 6] = [0.97, 0.93, 0.88, 0.8, 0.7, 0.55];
/// Scenes that samples are chosen from.
const CANDIDATES: u64 = 1000;
/// Three critters of three classes, none of them hidden.
const CROWD: u64 = SAMPLE_SEEDS + 11;
/// A plain digit beside the null block.
const DIGIT: u64 = SAMPLE_SEEDS + 2;

/// A scene that the network names rightly.
#[derive(Clone, Copy)]
struct Sample {
    seed: u64,
    class: Class,
    confidence: f32,
}

/// Chooses pictures and writes them, and the source file that names them, below the folder.
pub(crate) fn publish(network: &impl Network, folder: &Path, device: &Device) -> Result<()> {
    let samples = choose(network, device)?;
    let old = folder.join("samples");
    if old.exists() {
        fs::remove_dir_all(&old)?;
    }
    for sample in &samples {
        let (scene, label) = (Scene::sample(sample.seed, sample.class), sample.class.label());
        let picture = png(&scene.render(SIZE).rgb, png::ColorType::Rgb, SIZE)?;
        write(&folder.join(format!("samples/{label}.png")), &picture)?;
        let number = |part: Option<Part>| part.and_then(|part| Part::ALL.iter().position(|other| *other == part));
        let parts = scene.labels(SIZE).into_iter().map(|part| number(part).map_or(0, |number| number as u8 + 1));
        let parts = png(&parts.collect::<Vec<u8>>(), png::ColorType::Grayscale, SIZE)?;
        write(&folder.join(format!("samples/{label}.parts.png")), &parts)?;
        println!("sample {:<8} seed {} confidence {:.6}", sample.class.label(), sample.seed, sample.confidence);
    }
    let crowd = png(&Crowd::sample(CROWD).render(CROWD_SIZE).rgb, png::ColorType::Rgb, CROWD_SIZE)?;
    write(&folder.join("samples/crowd.png"), &crowd)?;
    let digit = DigitScene::beside_null_block(DIGIT).render(DIGIT_SIZE);
    let digit: Vec<u8> = digit.iter().map(|value| (value * 255.0).round() as u8).collect();
    write(&folder.join("samples/digit.png"), &png(&digit, png::ColorType::Grayscale, DIGIT_SIZE)?)?;
    write(&folder.join("src/generated/samples.rs"), source(&samples).as_bytes())
}

/// For each wanted confidence the nearest of the candidates, each of another class.
fn choose(network: &impl Network, device: &Device) -> Result<Vec<Sample>> {
    let class_of = |seed: u64| Class::ALL[seed as usize % Class::ALL.len()];
    let mut candidates = Vec::new();
    for start in (0..CANDIDATES).step_by(100) {
        let seeds = (start..start + 100).map(|position| SAMPLE_SEEDS + position);
        let batch = Batch::of(seeds.clone().map(|seed| {
            let class = class_of(seed);
            Example::of_class(&Scene::sample(seed, class).render(SIZE), class.index())
        }));
        for (seed, answer) in seeds.zip(answers(network, &batch, device)?) {
            let class = class_of(seed);
            if best_channel(&answer, 0, 1) == class.index() {
                candidates.push(Sample { seed, class, confidence: probability(&answer, class.index()) });
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

/// The softmax of one of the logits.
fn probability(logits: &[f32], class: usize) -> f32 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|logit| (logit - most).exp()).sum();
    logits.get(class).map_or(0.0, |logit| (logit - most).exp() / sum)
}

/// The source file that names the samples, so that it cannot be out of date.
fn source(samples: &[Sample]) -> String {
    let critters = samples.iter().map(|sample| {
        let label = sample.class.label();
        (label, sample.seed, format!("Some(include_bytes!(\"../../samples/{label}.parts.png\"))"))
    });
    let others = [("crowd", CROWD), ("digit", DIGIT)].map(|(label, seed)| (label, seed, "None".to_owned()));
    let samples = critters.chain(others).map(|(label, seed, parts)| {
        format!(
            "    Sample {{\n        label: \"{label}\",\n        file: \"{label}.png\",\n        seed: {seed},\n        \
             png: include_bytes!(\"../../samples/{label}.png\"),\n        parts: {parts},\n    }},\n"
        )
    });
    format!(
        "//! Written by `cargo xtask train critters`, together with the files it names.\n\nuse crate::Sample;\n\n\
         pub(crate) const SAMPLES: &[Sample] = &[\n{}];\n",
        samples.collect::<String>()
    )
}

/// A PNG file of a square picture.
fn png(values: &[u8], colours: png::ColorType, size: u16) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size.into(), size.into());
    encoder.set_color(colours);
    encoder.set_compression(png::Compression::High);
    encoder.write_header()?.write_image_data(values)?;
    Ok(bytes)
}
