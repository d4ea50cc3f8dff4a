//! What a training leaves in the crate: the model, its card, and a source file that names all models there are.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::Device;
use sha2::{Digest, Sha256};
use vitrine_protocol::ModelCard;

use crate::export;
use crate::learn::Settings;
use crate::recipe::Recipe;
use crate::recipes::IDS;

/// Writes everything below the crate's folder.
pub(crate) fn publish<R: Recipe>(
    network: &R::Network,
    accuracy: f64,
    settings: &Settings,
    folder: &Path,
    device: &Device,
) -> Result<()> {
    let (model, target_layer) = export::model::<R>(network)?;
    let Settings { seed, steps, batch } = settings;
    let command = format!("cargo xtask train {} --seed {seed} --steps {steps} --batch {batch}", R::ID);
    let card = ModelCard {
        target_layer,
        training_command: Some(command),
        test_accuracy: Some((accuracy * 1e4).round() / 1e4),
        ..R::card()
    };
    let bytes = model.encode();
    println!("{} bytes", bytes.len());
    write(&folder.join(format!("models/{}.onnx", R::ID)), &bytes)?;
    let card = format!("{}\n", serde_json::to_string_pretty(&card)?);
    write(&folder.join(format!("models/{}.card.json", R::ID)), card.as_bytes())?;
    write(&folder.join("src/generated/models.rs"), source(folder)?.as_bytes())?;
    R::publish_more(network, folder, device)
}

/// The source file that names the models in the folder, so that it cannot be out of date.
fn source(folder: &Path) -> Result<String> {
    let mut models = String::new();
    for id in IDS {
        let path = folder.join(format!("models/{id}.onnx"));
        if !path.exists() {
            continue;
        }
        let bytes = fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
        let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        models.push_str(&format!(
            "    Builtin {{\n        id: \"{id}\",\n        \
             card: include_str!(\"../../models/{id}.card.json\"),\n        \
             file: \"{id}.onnx\",\n        sha256: \"{hash}\",\n        \
             #[cfg(feature = \"embed\")]\n        \
             onnx: include_bytes!(\"../../models/{id}.onnx\"),\n    }},\n"
        ));
    }
    Ok(format!(
        "//! Written by `cargo xtask train`, together with the files it names.\n\nuse crate::Builtin;\n\n\
         pub(crate) const MODELS: &[Builtin] = &[\n{models}];\n"
    ))
}

/// Writes a file, and the folders that it lies in.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes).with_context(|| format!("could not write {}", path.display()))
}
