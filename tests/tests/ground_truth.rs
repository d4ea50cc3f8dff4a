//! Protocols with ground truth on the built-in models: what must hold exactly does, and good methods beat maps that say
//! nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]
#![cfg(not(target_family = "wasm"))]

use std::{collections::BTreeMap, path::Path};

use pollster::block_on;
use vitrine_engine::{EngineError, ExplainOptions, LoadedModel, Place, ProtocolRequest, Silent, measure};
use vitrine_evaluate::ground_truth::{Findings, Measured};
use vitrine_onnx::Model;
use vitrine_protocol::ExplainRequest;
use vitrine_zoo::models;

struct Loaded {
    model: LoadedModel,
    onnx: Model,
}

fn load(id: &str) -> Loaded {
    let builtin = models().iter().find(|model| model.id == id).unwrap_or_else(|| panic!("there is no {id}"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/zoo/models").join(builtin.file);
    let bytes = std::fs::read(path).unwrap();
    let place = Place::cpu("this test");
    let model = LoadedModel::load(&place, id, bytes.as_slice().into(), Some(builtin.card));
    Loaded { model: block_on(model).unwrap(), onnx: Model::decode(&bytes).unwrap() }
}

impl Loaded {
    fn tried(&self, protocol: &str, method: &str, pictures: usize) -> Result<Findings, EngineError> {
        self.beside(None, protocol, method, pictures)
    }

    fn beside(
        &self,
        other: Option<&Loaded>,
        protocol: &str,
        method: &str,
        pictures: usize,
    ) -> Result<Findings, EngineError> {
        let explained = ExplainRequest { method: method.to_owned(), ..ExplainRequest::default() };
        let request = ProtocolRequest {
            protocol,
            parameters: &BTreeMap::new(),
            pictures,
            explained: &explained,
            onnx: Some(&self.onnx),
            beside: other.map(|other| &other.model),
        };
        block_on(measure(&self.model, &request, &ExplainOptions::default(), &Silent))
    }

    fn measured(&self, protocol: &str, method: &str, pictures: usize) -> Vec<Measured> {
        self.tried(protocol, method, pictures).unwrap().measured
    }

    /// The mean of the first number.
    fn mean(&self, protocol: &str, method: &str, pictures: usize) -> f64 {
        self.measured(protocol, method, pictures)[0].mean().unwrap()
    }
}

#[test]
fn gradients_never_leave_the_cell_of_difull_and_leave_that_of_dipart_a_little() {
    let critters = load("critters");
    let full = critters.tried("di-full", "saliency", 1).unwrap();
    assert_eq!(full.measured[0].values, [1.0], "attribution outside the cell");
    for (name, map) in &full.maps {
        assert_eq!((map.height, map.width), (128, 128), "{name}");
        // The cell that was asked for stands at the top left.
        let outside = map.values.iter().enumerate().filter(|(at, _)| at / 128 >= 64 || at % 128 >= 64);
        assert!(outside.into_iter().all(|(_, value)| *value == 0.0), "{name}");
    }
    assert!(!full.maps.is_empty());
    let part = critters.mean("di-part", "saliency", 1);
    assert!((0.5..1.0).contains(&part), "{part}");
}

/// The mosaic's cells are of the same size, so noise has a quarter of itself in each.
#[test]
fn grad_cam_finds_the_cell_of_a_mosaic_and_noise_does_not() {
    let critters = load("critters");
    let found = critters.mean("grid-pointing-game", "grad-cam", 2);
    assert!(found > 0.4, "a share of {found}, chance is 0.25");
    let chance = critters.mean("grid-pointing-game", "random-map", 1);
    assert!((chance - 0.25).abs() < 0.02, "{chance}");
}

/// What removes parts of the picture does so in the mosaic's size; windows over the cell's edge reach outside.
#[test]
fn methods_with_infills_play_with_mosaics() {
    let critters = load("critters");
    for (method, least) in [("occlusion", 0.8), ("integrated-gradients", 0.999)] {
        let found = critters.mean("di-full", method, 1);
        assert!(found > least, "{method}: a share of {found}");
    }
}

#[test]
fn part_interventions_rank_parts_as_their_removal_does() {
    let found = load("critters").measured("part-interventions", "integrated-gradients", 5);
    for measured in &found {
        assert!(!measured.values.is_empty(), "{} has no values", measured.name);
        assert!(measured.values.iter().all(|value| (0.0..=1.0).contains(value)), "{measured:?}");
    }
    let mean = |name: &str| found.iter().find(|measured| measured.name.contains(name)).unwrap().mean().unwrap();
    assert!(mean("accuracy") >= 0.8);
    assert!(mean("correctness") > 0.55, "{found:?}");
    assert!(mean("contrastivity") > 0.5, "{found:?}");
}

#[test]
fn the_watermark_stands_out_where_it_decides_and_only_there() {
    let (cares, other) = (load("critters-watermark"), load("critters"));
    let found = cares.measured("watermark-detection", "integrated-gradients", 6);
    assert!(found[1].values.len() >= 5, "{found:?}");
    assert!(found[1].mean().unwrap() > 0.6, "{found:?}");
    let noise = cares.measured("watermark-detection", "random-map", 6);
    assert!(noise[0].mean().unwrap() < found[0].mean().unwrap() / 2.0, "{noise:?}");
    let none = other.measured("watermark-detection", "saliency", 6);
    assert!(none[1].values.len() <= 1, "the plain network answers by the mark: {none:?}");

    let shares = cares.beside(Some(&other), "relative-importance", "integrated-gradients", 4).unwrap().measured;
    assert!(shares[0].mean().unwrap() > 0.0, "{:?}", shares[0]);
    let noise = cares.beside(Some(&other), "relative-importance", "random-map", 2).unwrap().measured;
    assert_eq!(noise[0].values, [0.0, 0.0], "noise is the same for both models");
}

#[test]
fn digits_are_marked_more_than_null_block_and_noise() {
    let digits = load("digits");
    let leak = digits.mean("null-block", "integrated-gradients", 8);
    assert!(leak < 0.5, "{leak}");
    let signal = digits.mean("noise-signal", "integrated-gradients", 8);
    assert!(signal > 0.3, "{signal}");
    let chance = digits.mean("noise-signal", "random-map", 8);
    assert!((chance - 0.25).abs() < 0.1, "{chance}");
}

#[test]
fn a_model_of_something_else_is_told_which_fits() {
    let refused = |id: &str, protocol: &str| load(id).tried(protocol, "saliency", 1).unwrap_err().to_string();
    assert!(refused("digits", "di-full").contains("of the built-in models critters or "));
    assert!(refused("critters", "null-block").ends_with("of the built-in models digits fits."));
    assert!(refused("critters", "relative-importance").contains("a second model"));
}

#[test]
fn every_model_that_a_protocol_names_is_built_in() {
    for protocol in vitrine_evaluate::ground_truth::PROTOCOLS.iter().map(|protocol| protocol.info()) {
        for id in protocol.models.iter().chain(&protocol.beside) {
            assert!(models().iter().any(|model| model.id == id), "{} names {id}", protocol.id);
        }
    }
}
