//! Relative importance of a pasted thing (BAM: Yang & Kim, 2019): the same thing, here the watermark, is pasted on pictures
//! for a model that answers by it and for one that does not care.
//!
//! - Contrast (MCS): how much higher the map is on the thing for the one model than for the other.
//! - Input dependence (IDR): how often, for the model that does not care, the map is lower there with the thing than
//!   without it.
//! - Input independence (IIR): how often pasting the thing changes the rest of the map, for the model that does not care,
//!   by less than a tenth of its length (the paper's threshold is not certain).
//!
//! Departures: maps are divided by the sum of their absolute values before means are taken, so that methods can be
//! compared; the thing is the same in all pictures; for independence the authors optimise a patch that leaves the output as
//! it is, and here pictures whose answer the mark changes are left out.

use vitrine_explain::{LocalBoxFuture, toolkit::no_options};
use vitrine_protocol::{Better, ProtocolInfo, Reference, Shows};
use vitrine_scenes::{Class, Scene, watermark_mask, watermarked};

use crate::{
    EvaluateError,
    ground_truth::{FIRST_SEED, Findings, Measured, Protocol, Subject, Trial, distractors::MARKED, top},
};

/// Relative importance of a pasted thing.
pub struct RelativeImportance;

impl Protocol for RelativeImportance {
    fn info(&self) -> ProtocolInfo {
        ProtocolInfo {
            id: "relative-importance".to_owned(),
            name: "Relative feature importance (BAM)".to_owned(),
            meaning:
                "Whether a watermark is marked more for a model that answers by it than for one that does not care, \
                      and leaves the map alone for the latter."
                    .to_owned(),
            caveat: "It compares two networks of separate training, which may differ in more than the mark.".to_owned(),
            reference: Reference {
                authors: "Yang, Kim".to_owned(),
                year: 2019,
                title: "Benchmarking Attribution Methods with Relative Feature Importance".to_owned(),
                venue: "arXiv".to_owned(),
            },
            shows: Shows::Critters,
            models: vec!["critters-watermark".to_owned()],
            beside: Some("critters".to_owned()),
            parameters: Vec::new(),
        }
    }

    fn measure<'a>(&'a self, trial: &'a Trial<'a>) -> LocalBoxFuture<'a, Result<Findings, EvaluateError>> {
        Box::pin(async move {
            no_options(trial.subject.context.parameters)?;
            let other = trial.other.ok_or(EvaluateError::Scenes("a second model that does not answer by the mark"))?;
            Ok(relative_importance(&trial.subject, &other, MARKED, trial.pictures).await?.into())
        })
    }
}

/// The part of a map's length by which the rest of it may change.
const MOST_CHANGE: f64 = 0.1;

/// Contrast, input dependence and input independence. `cares` answers by the watermark, which stands for `class`; `other`
/// does not.
///
/// # Errors
/// For models that are no classifiers of critters, and what the method refuses.
pub async fn relative_importance(
    cares: &Subject<'_>,
    other: &Subject<'_>,
    class: Class,
    pictures: usize,
) -> Result<Vec<Measured>, EvaluateError> {
    let meaning = "How much higher the map is on the thing for a model that answers by it than for one that does not.";
    let mut contrast = Measured::new("contrast", Better::Higher, meaning);
    contrast.range = [None, None];
    let meaning = "How often a thing that the model ignores is not marked more than what it covers.";
    let mut dependence = Measured::new("input dependence", Better::Higher, meaning);
    let meaning = "How often pasting a thing that the model ignores leaves the rest of the map as it was.";
    let mut independence = Measured::new("input independence", Better::Higher, meaning);
    let size = other.side()?;
    let mut progress = cares.progress(pictures);
    let mask = watermark_mask(size);
    for seed in FIRST_SEED..FIRST_SEED + pictures as u64 {
        let plain = Scene::sample(seed, class).render(size);
        let marked = watermarked(&plain);
        let with = normalised(other.map(&marked, class.index()).await?);
        contrast
            .values
            .push(density(&normalised(cares.map(&marked, class.index()).await?), &mask) - density(&with, &mask));
        let answers = [top(&other.logits(&plain).await?), top(&other.logits(&marked).await?)];
        if answers == [class.index(); 2] {
            let without = normalised(other.map(&plain, class.index()).await?);
            let lower = density(&with, &mask) <= density(&without, &mask);
            dependence.values.push(f64::from(u8::from(lower)));
            let close = change(&without, &with, &mask) < MOST_CHANGE;
            independence.values.push(f64::from(u8::from(close)));
        }
        progress.advance(1).await?;
    }
    Ok(vec![contrast, dependence, independence])
}

/// The map with absolute values that add up to the number of its pixels.
fn normalised(map: Vec<f32>) -> Vec<f64> {
    let sum: f64 = map.iter().map(|value| f64::from(value.abs())).sum();
    let scale = if sum > 0.0 { map.len() as f64 / sum } else { 0.0 };
    map.iter().map(|value| f64::from(*value) * scale).collect()
}

/// The mean of a map under a mask.
fn density(map: &[f64], mask: &[f32]) -> f64 {
    let area: f64 = mask.iter().map(|share| f64::from(*share)).sum();
    map.iter().zip(mask).map(|(value, share)| value * f64::from(*share)).sum::<f64>() / area.max(1.0)
}

/// The length of the change outside the mask, as a part of the length of the map there.
fn change(before: &[f64], after: &[f64], mask: &[f32]) -> f64 {
    let outside = || before.iter().zip(after).zip(mask).filter(|(_, share)| **share == 0.0).map(|(pair, _)| pair);
    let difference: f64 = outside().map(|(a, b)| (a - b).powi(2)).sum();
    let length: f64 = outside().map(|(a, _)| a * a).sum();
    if length > 0.0 { (difference / length).sqrt() } else { difference.sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground_truth::testing::{clever_hans, of_critters, stubborn};

    /// All of the one map lies within the mark, so that the mean there is all pixels over the mark's area; the other map is
    /// blank and stays so.
    #[test]
    fn a_mark_matters_to_the_model_that_reads_it_alone() {
        let found = of_critters("relative-importance", &clever_hans(), Some(&stubborn(MARKED)), 3);
        let area: f64 = watermark_mask(64).iter().map(|share| f64::from(*share)).sum();
        assert_eq!(found[0].values.len(), 3);
        assert!(found[0].values.iter().all(|value| (value - 4096.0 / area).abs() < 1e-3), "{:?}", found[0]);
        assert_eq!(found[1].values, [1.0; 3]);
        assert_eq!(found[2].values, [1.0; 3]);
    }

    #[test]
    fn numbers_of_a_map_of_four_pixels() {
        let map = normalised(vec![3.0, -1.0, 0.0, 4.0]);
        assert_eq!(map, [1.5, -0.5, 0.0, 2.0]);
        let mask = [1.0, 1.0, 0.0, 0.0];
        assert_eq!(density(&map, &mask), 0.5);
        // Outside the mask (0, 2) became (1.2, 0.4): a change of 2 in a length of 2.
        assert!((change(&map, &[9.0, 9.0, 1.2, 0.4], &mask) - 1.0).abs() < 1e-12);
    }
}
