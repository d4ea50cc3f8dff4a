//! Things that say nothing, and one that says too much: the null block beside a digit, noise around it, a watermark.
//!
//! - Null block: BlockMNIST of Shah, Jain & Netrapalli (2021), a digit and a sign that is the same for all classes. Departure:
//!   they stand in two quarters of a square instead of above each other, and the digits are drawn.
//! - Signal among noise: ChaosMining of Shi et al. (2024), a small signal in a picture of noise. What is counted is how much
//!   of the leading pixels, as many as the signal has, lies on it (their name for it is not certain).
//! - Watermark: the Clever Hans of Lapuschkin et al. (2019), found where the map points at a mark that decides the answer.

use vitrine_protocol::Better;
use vitrine_scenes::{Class, DigitScene, Filling, Image, Scene, grey, watermark_mask, watermarked};

use crate::{
    EvaluateError,
    ground_truth::{FIRST_SEED, Measured, Subject, positive_share, top},
    statistics::{largest, wide},
};

/// How much of a map lies on the null block, of what lies on block and digit together, absolute values counting. A model of
/// digits is asked about its own answer; pictures that it reads wrongly are left out.
///
/// # Errors
/// For a model that is no classifier of digits, and what the method refuses.
pub async fn null_block(subject: &Subject<'_>, pictures: usize) -> Result<Vec<Measured>, EvaluateError> {
    let mut leak = Measured::new("null block", Better::Lower, "How much of the map lies on a sign that means nothing.");
    for seed in FIRST_SEED..FIRST_SEED + pictures as u64 {
        let scene = DigitScene::beside_null_block(seed);
        let Some(map) = map_of_digit(subject, &scene).await? else { continue };
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

/// How much of the leading pixels lies on the quarter with the digit, the other three quarters being noise. Chance is one
/// quarter.
///
/// # Errors
/// As [`null_block`].
pub async fn noise_signal(subject: &Subject<'_>, pictures: usize) -> Result<Vec<Measured>, EvaluateError> {
    let meaning = "How many of the leading pixels lie on the digit instead of on noise.";
    let mut overlap = Measured::new("signal among noise", Better::Higher, meaning);
    for seed in FIRST_SEED..FIRST_SEED + pictures as u64 {
        let scene = DigitScene::in_noise(seed);
        let Some(map) = map_of_digit(subject, &scene).await? else { continue };
        let mask = scene.mask(Filling::Digit, subject.side()?);
        let signal = mask.iter().filter(|inside| **inside > 0.0).count();
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
    let mask = watermark_mask(size);
    let part = mask.iter().map(|share| f64::from(*share)).sum::<f64>() / mask.len().max(1) as f64;
    let others: Vec<Class> = Class::ALL.into_iter().filter(|other| *other != class).collect();
    for (seed, shown) in (FIRST_SEED..FIRST_SEED + pictures as u64).zip(others.iter().cycle()) {
        let plain = Scene::sample(seed, *shown).render(size);
        let marked = watermarked(&plain);
        let before = top(&subject.logits(&plain).await?);
        let after = top(&subject.logits(&marked).await?);
        if before == class.index() || after != class.index() {
            continue;
        }
        let map = subject.map(&marked, after).await?;
        if let Some(share) = positive_share(&map, &mask) {
            mass.values.push(share);
            // Density on the mark against density beside it.
            found.values.push(f64::from(u8::from(share / part > (1.0 - share) / (1.0 - part))));
        }
    }
    Ok(vec![mass, found])
}
