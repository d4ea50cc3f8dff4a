//! What the training command wrote fits together, and fits the scenes it was trained on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};
use vitrine_onnx::{Dimension, Model};
use vitrine_protocol::ModelCard;
use vitrine_scenes::{Class, Scene};
use vitrine_zoo::{Builtin, models, samples};

fn bytes(model: &Builtin) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(model.file)).unwrap()
}

fn card(model: &Builtin) -> ModelCard {
    serde_json::from_str(model.card).unwrap()
}

#[test]
fn the_hash_is_that_of_the_file() {
    for model in models() {
        let hash: String = Sha256::digest(bytes(model)).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(model.sha256, hash, "{} was not written by the training command", model.file);
    }
}

#[test]
fn the_card_lies_beside_the_file_under_its_name() {
    for model in models() {
        let name = model.file.replace(".onnx", ".card.json");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(name);
        assert_eq!(fs::read_to_string(path).unwrap(), model.card);
    }
}

#[test]
fn the_model_is_what_its_card_says() {
    let (builtin, card) = (&models()[0], card(&models()[0]));
    let model = Model::decode(&bytes(builtin)).unwrap();
    model.validate().unwrap();

    assert_eq!(card.labels, Class::ALL.map(Class::label));
    let shape = |value: &vitrine_onnx::ValueInfo| value.shape.clone().unwrap();
    let batch = || Dimension::from("batch");
    let (height, width) = (card.input.height.into(), card.input.width.into());
    assert_eq!(shape(&model.graph.inputs[0]), [batch(), card.input.channels.count().into(), height, width]);
    assert_eq!(shape(&model.graph.outputs[0]), [batch(), card.labels.len().into()]);

    let layer = card.target_layer.unwrap();
    assert!(model.graph.nodes.iter().any(|node| node.outputs.contains(&layer)), "no node makes {layer}");
}

#[test]
fn the_model_has_about_150_000_parameters_and_keeps_its_normalisation_as_nodes() {
    let graph = Model::decode(&bytes(&models()[0])).unwrap().graph;
    let statistics = |name: &str| name.ends_with(".mean") || name.ends_with(".variance");
    let learned = graph.initializers.iter().filter(|tensor| !statistics(&tensor.name));
    let parameters: usize = learned.map(|tensor| tensor.len()).sum();
    assert!((140_000..160_000).contains(&parameters), "{parameters} parameters");
    let normalisations = graph.nodes.iter().filter(|node| node.operator == "BatchNormalization").count();
    assert_eq!(normalisations, 9);
    assert_eq!(graph.nodes.last().map(|node| node.operator.as_str()), Some("Gemm"), "logits, not probabilities");
}

#[test]
fn at_least_97_percent_of_held_out_pictures_are_named_rightly() {
    let accuracy = card(&models()[0]).test_accuracy.unwrap();
    assert!(accuracy >= 0.97, "{accuracy}");
}

#[test]
fn the_samples_are_six_scenes_of_six_classes() {
    let mut labels: Vec<&str> = samples().iter().map(|sample| sample.label).collect();
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), 6, "{labels:?}");
    for sample in samples() {
        let class = Class::ALL.into_iter().find(|class| class.label() == sample.label).unwrap();
        let expected = Scene::sample(sample.seed, class).render(64);
        let mut reader = png::Decoder::new(std::io::Cursor::new(sample.png)).read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut rgb).unwrap();
        assert!(rgb == expected.rgb, "{} does not show its scene", sample.file);
    }
}

#[cfg(feature = "embed")]
#[test]
fn embedded_bytes_are_those_of_the_file() {
    for model in models() {
        assert!(model.onnx() == bytes(model), "{}", model.file);
    }
}
