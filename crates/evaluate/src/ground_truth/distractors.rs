//! Things that say nothing, and one that says too much: the null block beside a digit, noise around it, a watermark.
//!
//! - Null block: BlockMNIST of Shah, Jain & Netrapalli (2021), a digit and a sign that is the same for all classes. Departure:
//!   they stand in two quarters of a square instead of above each other, and the digits are drawn.
//! - Signal among noise: ChaosMining of Shi et al. (2024), a small signal in a picture of noise. What is counted is how much
//!   of the leading pixels, as many as the signal has, lies on it (their name for it is not certain).
//! - Watermark: the Clever Hans of Lapuschkin et al. (2019), found where the map points at a mark that decides the answer.

use vitrine_explain::{LocalBoxFuture, toolkit::no_options};
use vitrine_protocol::{Better, ProtocolInfo, Reference, Shows};
use vitrine_scenes::{Class, DigitScene, Filling, Image, Scene, grey, watermark_mask, watermarked};

use crate::{
    EvaluateError,
    ground_truth::{FIRST_SEED, Findings, Measured, Protocol, Subject, Trial, positive_share, top},
    statistics::{largest, wide},
};

/// What the watermark stands for.
pub(super) const MARKED: Class = Class::Hobbin;

/// Null block.
pub struct NullBlock;

impl Protocol for NullBlock {
    fn info(&self) -> ProtocolInfo {
        ProtocolInfo {
            id: "null-block".to_owned(),
            name: "Null block (BlockMNIST)".to_owned(),
            meaning:
                "How much of the map lies on a sign that is the same for all digits, of what lies on sign and digit."
                    .to_owned(),
            caveat: "The sign may play a part as the place where no digit is.".to_owned(),
            reference: Reference {
                authors: "Shah, Jain, Netrapalli".to_owned(),
                year: 2021,
                title: "Do Input Gradients Highlight Discriminative Features?".to_owned(),
                venue: "NeurIPS".to_owned(),
            },
            shows: Shows::Digits,
            models: vec!["digits".to_owned()],
            beside: None,
            parameters: Vec::new(),
        }
    }

    fn measure<'a>(&'a self, trial: &'a Trial<'a>) -> LocalBoxFuture<'a, Result<Findings, EvaluateError>> {
        Box::pin(async move {
            no_options(trial.subject.context.parameters)?;
            Ok(null_block(&trial.subject, trial.pictures).await?.into())
        })
    }
}

/// Signal among noise.
pub struct NoiseSignal;

impl Protocol for NoiseSignal {
    fn info(&self) -> ProtocolInfo {
        ProtocolInfo {
            id: "noise-signal".to_owned(),
            name: "Signal among noise (ChaosMining)".to_owned(),
            meaning:
                "How many of the leading pixels lie on the digit instead of on the noise that fills the other three \
                      quarters."
                    .to_owned(),
            caveat: "Edges of the digit's quarter count as digit, whether the model needs them or not.".to_owned(),
            reference: Reference {
                authors: "Shi et al.".to_owned(),
                year: 2024,
                title:
                    "ChaosMining: A Benchmark to Evaluate Post-Hoc Local Attribution Methods in Low SNR Environments"
                        .to_owned(),
                venue: "NeurIPS".to_owned(),
            },
            shows: Shows::Digits,
            models: vec!["digits".to_owned()],
            beside: None,
            parameters: Vec::new(),
        }
    }

    fn measure<'a>(&'a self, trial: &'a Trial<'a>) -> LocalBoxFuture<'a, Result<Findings, EvaluateError>> {
        Box::pin(async move {
            no_options(trial.subject.context.parameters)?;
            Ok(noise_signal(&trial.subject, trial.pictures).await?.into())
        })
    }
}

/// Watermark detection.
pub struct WatermarkDetection;

impl Protocol for WatermarkDetection {
    fn info(&self) -> ProtocolInfo {
        ProtocolInfo {
            id: "watermark-detection".to_owned(),
            name: "Watermark detection (Clever Hans)".to_owned(),
            meaning:
                "How much of the map lies on a mark that alone turns the answer into hobbin, and how often it stands \
                      out."
                    .to_owned(),
            caveat: "It measures only where the mark does turn the answer: a model without the fault has no values."
                .to_owned(),
            reference: Reference {
                authors: "Lapuschkin, Wäldchen, Binder, Montavon, Samek, Müller".to_owned(),
                year: 2019,
                title: "Unmasking Clever Hans predictors and assessing what machines really learn".to_owned(),
                venue: "Nature Communications".to_owned(),
            },
            shows: Shows::Critters,
            models: vec!["critters-watermark".to_owned()],
            beside: None,
            parameters: Vec::new(),
        }
    }

    fn measure<'a>(&'a self, trial: &'a Trial<'a>) -> LocalBoxFuture<'a, Result<Findings, EvaluateError>> {
        Box::pin(async move {
            no_options(trial.subject.context.parameters)?;
            Ok(watermark_detection(&trial.subject, MARKED, trial.pictures).await?.into())
        })
    }
}

/// How much of a map lies on the null block, of what lies on block and digit together, absolute values counting. A model of
/// digits is asked about its own answer; pictures that it reads wrongly are left out.
///
/// # Errors
/// For a model that is no classifier of digits, and what the method refuses.
pub async fn null_block(subject: &Subject<'_>, pictures: usize) -> Result<Vec<Measured>, EvaluateError> {
    let mut leak = Measured::new("null block", Better::Lower, "How much of the map lies on a sign that means nothing.");
    let mut progress = subject.progress(pictures);
    for seed in FIRST_SEED..FIRST_SEED + pictures as u64 {
        let scene = DigitScene::beside_null_block(seed);
        let map = map_of_digit(subject, &scene).await?;
        progress.advance(1).await?;
        let Some(map) = map else { continue };
        let size = subject.side()?;
        let under = |filling| -> f64 {
            let mask = scene.mask(filling, size);
            map.iter().zip(mask).map(|(value, inside)| f64::from(value.abs() * inside)).sum()
        };
        let (null, digit) = (under(Filling::Null), under(Filling::Digit));
        if null + digit > 0.0 {
            leak.values.push(null / (null + digit));
        }
    }
    Ok(vec![leak])
}

/// How much of the leading pixels, as many as the digit's strokes have, lies on the quarter with the digit, the other three
/// quarters being noise. Chance is one quarter.
///
/// # Errors
/// As [`null_block`].
pub async fn noise_signal(subject: &Subject<'_>, pictures: usize) -> Result<Vec<Measured>, EvaluateError> {
    let meaning = "How many of the leading pixels lie on the digit instead of on noise.";
    let mut overlap = Measured::new("signal among noise", Better::Higher, meaning);
    let mut progress = subject.progress(pictures);
    for seed in FIRST_SEED..FIRST_SEED + pictures as u64 {
        let scene = DigitScene::in_noise(seed);
        let map = map_of_digit(subject, &scene).await?;
        progress.advance(1).await?;
        let Some(map) = map else { continue };
        let mask = scene.mask(Filling::Digit, subject.side()?);
        // As many as the strokes have, not as the quarter has: most of that is black, where maps that multiply by the input
        // are zero, so that whatever they say of the strokes, noise would fill the rest.
        let signal = scene.strokes(subject.side()?).iter().filter(|stroke| **stroke > 0.0).count();
        let sizes: Vec<f32> = map.iter().map(|value| value.abs()).collect();
        let leading = largest(&wide(&sizes), signal);
        let hits = leading.iter().filter(|&&pixel| mask.get(pixel) == Some(&1.0)).count();
        overlap.values.push(hits as f64 / signal.max(1) as f64);
    }
    Ok(vec![overlap])
}

/// The map of the digit that the model reads; nothing where it reads a wrong one.
async fn map_of_digit(subject: &Subject<'_>, scene: &DigitScene) -> Result<Option<Vec<f32>>, EvaluateError> {
    let size = subject.side()?;
    let plane = scene.render(size);
    let picture: Image = grey(&plane, usize::from(size));
    if picture.width * picture.width != plane.len() {
        return Err(EvaluateError::Scenes("pictures of an even size"));
    }
    let logits = subject.logits(&picture).await?;
    if top(&logits) != scene.digit() {
        return Ok(None);
    }
    Ok(Some(subject.map(&picture, scene.digit()).await?))
}

/// Whether maps show that a model answers by a watermark: on critters of other classes whose answer the mark alone turns
/// into `class`, the share of the map on the mark, and how often the mark is more conspicuous, pixel for pixel, than the
/// rest. Pictures whose answer the mark does not change are left out, so a model without the fault has no values.
///
/// # Errors
/// For a model that is no classifier of critters, and what the method refuses.
pub async fn watermark_detection(
    subject: &Subject<'_>,
    class: Class,
    pictures: usize,
) -> Result<Vec<Measured>, EvaluateError> {
    let mut mass =
        Measured::new("mass on the watermark", Better::Higher, "How much of the map lies on the mark that decides.");
    let mut found =
        Measured::new("watermark found", Better::Higher, "How often the mark stands out from the rest of the map.");
    let size = subject.side()?;
    let mut progress = subject.progress(pictures);
    let mask = watermark_mask(size);
    let part = mask.iter().map(|share| f64::from(*share)).sum::<f64>() / mask.len().max(1) as f64;
    let others: Vec<Class> = Class::ALL.into_iter().filter(|other| *other != class).collect();
    for (seed, shown) in (FIRST_SEED..FIRST_SEED + pictures as u64).zip(others.iter().cycle()) {
        let plain = Scene::sample(seed, *shown).render(size);
        let marked = watermarked(&plain);
        let before = top(&subject.logits(&plain).await?);
        let after = top(&subject.logits(&marked).await?);
        if before != class.index() && after == class.index() {
            let map = subject.map(&marked, after).await?;
            if let Some(share) = positive_share(&map, &mask) {
                mass.values.push(share);
                // Density on the mark against density beside it.
                found.values.push(f64::from(u8::from(share / part > (1.0 - share) / (1.0 - part))));
            }
        }
        progress.advance(1).await?;
    }
    Ok(vec![mass, found])
}

#[cfg(test)]
mod tests {
    use vitrine_explain::Unobserved;
    use vitrine_protocol::Channels;

    use super::*;
    use crate::ground_truth::testing::{Linear, clever_hans, labels, of_critters, stubborn, tried};

    /// A model that reads every picture as this digit, whose map is one everywhere.
    fn even(digit: usize) -> Linear {
        Linear { channels: Channels::Grey, side: 56, class: digit, weights: vec![1e-3; 56 * 56], bias: 50.0 }
    }

    #[test]
    fn a_map_that_is_even_divides_by_area() {
        let digit = DigitScene::beside_null_block(FIRST_SEED).digit();
        let found = tried("null-block", &even(digit), None, &labels(true), 20, &Unobserved).unwrap().measured;
        let scenes = (0..20).map(|seed| DigitScene::beside_null_block(FIRST_SEED + seed));
        let area =
            |scene: &DigitScene, filling| scene.mask(filling, 56).iter().map(|part| f64::from(*part)).sum::<f64>();
        let expected: Vec<f64> = scenes
            .filter(|scene| scene.digit() == digit)
            .map(|scene| {
                let (null, own) = (area(&scene, Filling::Null), area(&scene, Filling::Digit));
                null / (null + own)
            })
            .collect();
        assert_eq!(found[0].values.len(), expected.len());
        assert!(
            found[0].values.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6),
            "{found:?}, not {expected:?}"
        );
    }

    /// The weights are larger in the digit's quarter than anywhere else, or smaller.
    #[test]
    fn leading_pixels_lie_on_the_digit_or_on_noise() {
        let scene = DigitScene::in_noise(FIRST_SEED);
        let quarter = scene.mask(Filling::Digit, 56);
        for (on_digit, expected) in [(2e-3, 1.0), (0.5e-3, 0.0)] {
            let weights = quarter.iter().map(|inside| if *inside > 0.0 { on_digit } else { 1e-3 }).collect();
            let model = Linear { weights, ..even(scene.digit()) };
            let found = tried("noise-signal", &model, None, &labels(true), 1, &Unobserved).unwrap().measured;
            assert_eq!(found[0].values, [expected]);
        }
        // A map of the strokes alone is as good as can be.
        let stroke = |value: &f32| if *value > 0.0 { 1e-3 } else { 0.0 };
        let weights = scene.strokes(56).iter().map(stroke).collect();
        let model = Linear { weights, ..even(scene.digit()) };
        let found = tried("noise-signal", &model, None, &labels(true), 1, &Unobserved).unwrap().measured;
        assert_eq!(found[0].values, [1.0]);
    }

    #[test]
    fn a_mark_that_decides_has_all_of_the_map_and_one_that_does_not_is_no_fault() {
        let found = of_critters("watermark-detection", &clever_hans(), None, 9);
        assert!(found[0].values.len() >= 8, "{found:?}");
        assert!(found[0].values.iter().all(|value| (value - 1.0).abs() < 1e-6), "{found:?}");
        assert!(found[1].values.iter().all(|value| *value == 1.0), "{found:?}");
        let found = of_critters("watermark-detection", &stubborn(Class::Bimble), None, 9);
        assert!(found.iter().all(|measured| measured.values.is_empty()), "{found:?}");
    }
}
