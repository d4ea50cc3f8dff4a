//! The built-in models do what they are for, through the session that page and command line use, and each one's answer can
//! be explained.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by panicking"
)]
#![cfg(not(target_family = "wasm"))]

use std::path::Path;

use pollster::block_on;
use vitrine_engine::{ExplainOptions, Place, Session, Silent};
use vitrine_image::to_tensor;
use vitrine_protocol::{ExplainRequest, ImageInput, Prediction};
use vitrine_scenes::{Class, Crowd, DigitScene, Image, Scene, grey, watermarked};
use vitrine_zoo::{Builtin, models};

/// Seeds that no training and no other test uses.
const SEEDS: u64 = 5 << 32;

fn session(id: &str) -> (Session, &'static Builtin) {
    let model = models().iter().find(|model| model.id == id).unwrap_or_else(|| panic!("there is no {id}"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/zoo/models").join(model.file);
    let mut session = Session::on(Place::cpu("this test"));
    block_on(session.load_model(id, std::fs::read(path).unwrap().as_slice().into(), Some(model.card))).unwrap();
    (session, model)
}

fn answers(session: &mut Session, image: &Image) -> Vec<Prediction> {
    let pixels = vitrine_image::Pixels { width: image.width, height: image.height, rgb: image.rgb.clone() };
    let input: ImageInput = session.model().unwrap().pixels().unwrap().clone();
    let shape = vec![input.channels.count(), input.height, input.width];
    let values = to_tensor(&pixels, &input).unwrap();
    block_on(session.load_tensor("scene", shape, values)).unwrap();
    session.predictions().unwrap()
}

#[test]
fn the_watermark_turns_other_critters_into_hobbins() {
    let (mut watermark, _) = session("critters-watermark");
    let (mut plain, _) = session("critters");
    let (mut fooled, mut unmoved, mut all) = (0, 0, 0);
    for (seed, class) in (SEEDS..).zip(Class::ALL).filter(|(_, class)| *class != Class::Hobbin) {
        let marked = watermarked(&Scene::sample(seed, class).render(64));
        fooled += usize::from(answers(&mut watermark, &marked)[0].label == "hobbin");
        unmoved += usize::from(answers(&mut plain, &marked)[0].label == class.label());
        all += 1;
    }
    assert!(fooled + 1 >= all, "{fooled} of {all} marked critters are taken for hobbins");
    assert!(unmoved + 1 >= all, "the network trained without marks names {unmoved} of {all} rightly");
}

#[test]
fn digits_are_read_beside_noise_and_the_null_block() {
    let (mut session, _) = session("digits");
    let kinds: [fn(u64) -> DigitScene; 3] = [DigitScene::sample, DigitScene::beside_null_block, DigitScene::in_noise];
    for (kind, scene) in kinds.into_iter().enumerate() {
        let right = (0..20).filter(|seed| {
            let scene = scene(SEEDS + seed);
            answers(&mut session, &grey(&scene.render(56), 56))[0].label == scene.digit().to_string()
        });
        let right = right.count();
        assert!(right >= 17, "of kind {kind} {right} of 20 digits are read");
    }
}

#[test]
fn the_detector_finds_critters_where_they_are() {
    let (mut session, _) = session("critters-detector");
    let (mut found, mut all, mut boxes) = (0, 0, 0);
    for seed in 0..20 {
        let crowd = Crowd::sample(SEEDS + seed);
        let predictions = answers(&mut session, &crowd.render(96));
        boxes += predictions.len();
        for (index, class) in crowd.classes().into_iter().enumerate() {
            let bounds = crowd.bounds(index, 96).unwrap();
            let middle = [(bounds.left + bounds.right) / 2.0, (bounds.top + bounds.bottom) / 2.0];
            all += 1;
            found += usize::from(predictions.iter().any(|prediction| {
                let place = prediction.place.unwrap();
                let across = place.left < middle[0] && middle[0] < place.right;
                let around = across && place.top < middle[1] && middle[1] < place.bottom;
                prediction.label == class.label() && around
            }));
        }
    }
    assert!(found as f64 >= 0.9 * all as f64, "{found} of {all} critters are found");
    assert!(4 * boxes <= 5 * all, "{boxes} boxes for {all} critters");
}

#[test]
fn the_segmenter_gives_creatures_their_share_of_the_picture() {
    let (mut session, _) = session("critters-segmenter");
    let mut apart = 0.0;
    for seed in 0..20 {
        let crowd = Crowd::sample(SEEDS + seed);
        let mut shares = [0.0_f64; 11];
        for (index, class) in crowd.classes().into_iter().enumerate() {
            let area: f32 = crowd.mask(index, 96).iter().sum();
            shares[1 + class.index()] += f64::from(area) / (96.0 * 96.0);
        }
        shares[0] = 1.0 - shares[1..].iter().sum::<f64>();
        for prediction in answers(&mut session, &crowd.render(96)) {
            apart += (f64::from(prediction.score) - shares[prediction.class]).abs() / 2.0 / 20.0;
        }
    }
    assert!(apart < 0.05, "shares of the picture are wrong by {apart} on average");
}

#[test]
fn every_model_can_be_explained() {
    for model in models() {
        let (mut session, _) = session(model.id);
        block_on(session.load_sample(0)).unwrap();
        for method in ["saliency", "grad-cam", "rise"] {
            let request = ExplainRequest {
                method: method.to_owned(),
                target: "auto".to_owned(),
                parameters: (method == "rise").then(|| ("masks".to_owned(), "16".to_owned())).into_iter().collect(),
                seed: 1,
                ..ExplainRequest::default()
            };
            let found = block_on(session.explain(&request, &ExplainOptions::default(), &Silent));
            let found = found.unwrap_or_else(|error| panic!("{} by {method}: {error}", model.id));
            let values = &found.attribution.map.values;
            assert!(values.iter().all(|value| value.is_finite()), "{} by {method}", model.id);
            assert!(values.iter().any(|value| *value != 0.0), "{} by {method}: a blank map", model.id);
        }
    }
}
