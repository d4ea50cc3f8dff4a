//! What the training command wrote fits together, and fits the scenes it was trained on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail by panicking")]

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};
use vitrine_onnx::{Dimension, Model};
use vitrine_protocol::{ModelCard, Task};
use vitrine_scenes::{Class, Crowd, DigitScene, Part, Scene};
use vitrine_zoo::{Builtin, PARTS, Sample, models, samples};

fn bytes(model: &Builtin) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(model.file)).unwrap()
}

fn card(model: &Builtin) -> ModelCard {
    serde_json::from_str(model.card).unwrap()
}

/// The bytes of a PNG file's pixels.
fn pixels(file: &[u8]) -> Vec<u8> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    pixels
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
fn every_model_is_what_its_card_says() {
    for builtin in models() {
        let (model, card) = (Model::decode(&bytes(builtin)).unwrap(), card(builtin));
        model.validate().unwrap();
        assert_eq!(model.graph.name, builtin.id);
        let shape = |value: &vitrine_onnx::ValueInfo| value.shape.clone().unwrap();
        let batch = || Dimension::from("batch");
        let (height, width): (Dimension, Dimension) = (card.input.height.into(), card.input.width.into());
        let input = [batch(), card.input.channels.count().into(), height.clone(), width.clone()];
        assert_eq!(shape(&model.graph.inputs[0]), input, "{}", builtin.id);

        let outputs: Vec<_> = model.graph.outputs.iter().map(shape).collect();
        let classes = || Dimension::from(card.labels.len());
        match card.task {
            Task::Classification => assert_eq!(outputs, [[batch(), classes()]], "{}", builtin.id),
            Task::Segmentation => assert_eq!(outputs, [[batch(), classes(), height, width]]),
            Task::Detection => {
                assert_eq!(outputs, [[batch(), 144.into(), 4.into()], [batch(), 144.into(), classes()]]);
            }
            other => panic!("{} has the task {other:?}", builtin.id),
        }
        if let Some(layer) = &card.target_layer {
            assert!(model.graph.nodes.iter().any(|node| node.outputs.contains(layer)), "no node makes {layer}");
        }
    }
}

#[test]
fn labels_of_critters_are_the_classes_in_their_order() {
    for builtin in models().iter().filter(|model| model.id.starts_with("critters")) {
        let labels = card(builtin).labels;
        assert!(labels.ends_with(&Class::ALL.map(|class| class.label().to_owned())), "{}: {labels:?}", builtin.id);
    }
}

#[test]
fn the_default_model_comes_first_and_no_file_is_larger_than_1_2_megabytes() {
    assert_eq!(models()[0].id, "critters");
    for model in models() {
        let size = bytes(model).len();
        assert!(size <= 1_200_000, "{} has {size} bytes", model.file);
    }
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
fn the_models_without_biases_and_with_small_windows_are_what_their_names_say() {
    let graph = |id: &str| {
        models().iter().find(|model| model.id == id).map(|model| Model::decode(&bytes(model)).unwrap().graph)
    };
    if let Some(graph) = graph("critters-nobias") {
        let kinds: Vec<&str> = graph.nodes.iter().map(|node| node.operator.as_str()).collect();
        let allowed = ["Conv", "Relu", "GlobalAveragePool", "Flatten", "Gemm"];
        assert!(kinds.iter().all(|kind| allowed.contains(kind)), "{kinds:?}");
        assert!(graph.initializers.iter().all(|tensor| tensor.name.ends_with(".weight")), "there is a bias");
    }
    if let Some(graph) = graph("critters-bagnet") {
        let (mut reach, mut stride) = (1, 1);
        for node in graph.nodes.iter().filter(|node| node.operator == "Conv") {
            let ints = |name: &str| node.attribute(name).and_then(|value| value.as_ints()).unwrap()[0];
            assert_eq!(ints("pads"), 0);
            reach += (ints("kernel_shape") - 1) * stride;
            stride *= ints("strides");
        }
        assert_eq!((reach, stride), (17, 4));
    }
}

#[test]
fn held_out_pictures_are_answered_as_well_as_promised() {
    for model in models() {
        let least = match model.id {
            "critters" => 0.97,
            "critters-detector" => 0.6,
            "critters-segmenter" => 0.6,
            _ => 0.9,
        };
        let accuracy = card(model).test_accuracy.unwrap();
        assert!(accuracy >= least, "{}: {accuracy}", model.id);
    }
}

/// The samples that show a single critter.
fn critters() -> impl Iterator<Item = &'static Sample> {
    samples().iter().filter(|sample| sample.parts.is_some())
}

#[test]
fn the_first_six_samples_are_scenes_of_six_classes() {
    let mut labels: Vec<&str> = critters().map(|sample| sample.label).collect();
    assert_eq!(labels, samples().iter().take(6).map(|sample| sample.label).collect::<Vec<_>>());
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), 6, "{labels:?}");
    for sample in critters() {
        let class = Class::ALL.into_iter().find(|class| class.label() == sample.label).unwrap();
        let expected = Scene::sample(sample.seed, class).render(64);
        assert!(pixels(sample.png) == expected.rgb, "{} does not show its scene", sample.file);
    }
}

#[test]
fn a_crowd_and_a_digit_come_last() {
    let [crowd, digit] = &samples()[6..] else { panic!("{} samples", samples().len()) };
    assert_eq!([crowd.label, digit.label], ["crowd", "digit"]);
    assert!(pixels(crowd.png) == Crowd::sample(crowd.seed).render(96).rgb, "another crowd");
    let expected = DigitScene::beside_null_block(digit.seed).render(56);
    let expected: Vec<u8> = expected.iter().map(|value| (value * 255.0).round() as u8).collect();
    assert!(pixels(digit.png) == expected, "another digit");
}

#[test]
fn the_parts_of_the_samples_are_those_of_their_scenes() {
    assert_eq!(PARTS, Part::ALL.map(Part::label));
    for sample in critters() {
        let class = Class::ALL.into_iter().find(|class| class.label() == sample.label).unwrap();
        let number = |part: Part| Part::ALL.iter().position(|other| *other == part).unwrap() as u8 + 1;
        let expected: Vec<u8> =
            Scene::sample(sample.seed, class).labels(64).into_iter().map(|part| part.map_or(0, number)).collect();
        assert!(pixels(sample.parts.unwrap()) == expected, "{} has other parts", sample.file);
        assert!((0..=7).all(|number| expected.contains(&number)), "{} lacks a part", sample.file);
    }
}

#[cfg(feature = "embed")]
#[test]
fn embedded_bytes_are_those_of_the_file() {
    for model in models() {
        assert!(model.onnx() == bytes(model), "{}", model.file);
    }
}
