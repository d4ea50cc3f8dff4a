//! Part interventions after FunnyBirds (Hesse, Schaub-Meyer & Roth, 2023), on critters: parts and things in the background
//! are taken away, and what the model then does is compared with what the map says of them.
//!
//! The importance of a part is the sum of the map's positive values in its mask; a part is important if it holds at least
//! a tenth of what all parts hold (the authors search the threshold on each picture and average). Something matters if
//! the logit drops by more than 5 % without it.
//!
//! - Accuracy, and background independence: how many things in the background do not matter. Both are of the model.
//! - Completeness, of each picture: the mean of distractibility and of the mean of controlled synthetic data check (how much of a telling
//!   set of parts is important, for the best such set), preservation check (the important parts alone keep the answer)
//!   and deletion check (without them it changes).
//! - Correctness: single deletion, the rank correlation of the parts' importance and of the drops, from 0 to 1.
//! - Contrastivity: target sensitivity. Asked for a class that shares parts with the critter, the map should mark these
//!   more than those that another class shares, part for part.
//!
//! Departure: a part that is covered altogether is left out.

use vitrine_explain::{LocalBoxFuture, toolkit::no_options};
use vitrine_protocol::{Better, ProtocolInfo, Reference, Shows};
use vitrine_scenes::{Class, Part, Scene, telling_sets};

use crate::{
    EvaluateError,
    ground_truth::{FIRST_SEED, Findings, Measured, Protocol, Subject, Trial, positive_under, top},
    statistics::{mean, spearman},
};

/// Part interventions.
pub struct PartInterventions;

impl Protocol for PartInterventions {
    fn info(&self) -> ProtocolInfo {
        ProtocolInfo {
            id: "part-interventions".to_owned(),
            name: "Part interventions".to_owned(),
            meaning:
                "Whether the map says of the parts of a critter, and of things around it, what taking them away shows: \
                      summed up in completeness, correctness and contrastivity."
                    .to_owned(),
            caveat:
                "What lies under a part grows with its size, so that noise is nearly complete too, as random-map beside it \
                     shows; detail within a part and evidence against the class do not count."
                    .to_owned(),
            reference: Reference {
                authors: "Hesse, Schaub-Meyer, Roth".to_owned(),
                year: 2023,
                title: "FunnyBirds: A Synthetic Vision Dataset for a Part-Based Analysis of Explainable AI Methods"
                    .to_owned(),
                venue: "ICCV".to_owned(),
            },
            shows: Shows::Critters,
            models: ["critters", "critters-nobias", "critters-bagnet", "critters-vit"].map(str::to_owned).to_vec(),
            beside: None,
            parameters: Vec::new(),
        }
    }

    fn measure<'a>(&'a self, trial: &'a Trial<'a>) -> LocalBoxFuture<'a, Result<Findings, EvaluateError>> {
        Box::pin(async move {
            no_options(trial.subject.context.parameters)?;
            let shares = part_interventions(&trial.subject, trial.pictures).await?;
            Ok(shares.all().map(Clone::clone).to_vec().into())
        })
    }
}

/// Part of all parts' importance from which a part is important.
const IMPORTANT: f64 = 0.1;
/// Part of the logit by which it drops without something that matters.
const MATTERS: f32 = 0.05;

/// What the protocol measures, one value per picture each.
#[derive(Clone, Debug)]
pub struct PartShares {
    /// Whether the model names the critter rightly; of the model, as the next.
    pub accuracy: Measured,
    /// How many things in the background do not matter.
    pub background_independence: Measured,
    /// Controlled synthetic data check.
    pub synthetic_data: Measured,
    /// Preservation check.
    pub preservation: Measured,
    /// Deletion check.
    pub deletion: Measured,
    /// How many of the things and parts that do not matter are unimportant.
    pub distractibility: Measured,
    /// Completeness; nothing for a picture in which everything matters.
    pub completeness: Measured,
    /// Single deletion, which is correctness.
    pub single_deletion: Measured,
    /// Target sensitivity, which is contrastivity.
    pub target_sensitivity: Measured,
}

impl PartShares {
    /// All measured numbers.
    pub fn all(&self) -> [&Measured; 9] {
        [
            &self.accuracy,
            &self.background_independence,
            &self.synthetic_data,
            &self.preservation,
            &self.deletion,
            &self.distractibility,
            &self.completeness,
            &self.single_deletion,
            &self.target_sensitivity,
        ]
    }
}

/// Runs the protocol over this many critters of all classes in turn. Pictures that the model names wrongly count for its
/// accuracy alone.
///
/// # Errors
/// For a model that is no classifier of critters, and what the method refuses.
pub async fn part_interventions(subject: &Subject<'_>, pictures: usize) -> Result<PartShares, EvaluateError> {
    let mut shares = PartShares {
        accuracy: Measured::new("accuracy", Better::Higher, "How often the model is right."),
        background_independence: Measured::new(
            "background independence",
            Better::Higher,
            "How many things in the background the model does not care about.",
        ),
        synthetic_data: Measured::new(
            "controlled synthetic data check",
            Better::Higher,
            "How much of a set of parts that tells the class is important to the map.",
        ),
        preservation: Measured::new(
            "preservation check",
            Better::Higher,
            "How often the important parts alone keep the answer.",
        ),
        deletion: Measured::new(
            "deletion check",
            Better::Higher,
            "How often the answer changes without the important parts.",
        ),
        distractibility: Measured::new(
            "distractibility",
            Better::Higher,
            "How much of what does not matter is unimportant to the map.",
        ),
        completeness: Measured::new(
            "completeness",
            Better::Higher,
            "Whether the map shows what is needed and nothing else: the mean of distractibility and of the other checks.",
        ),
        single_deletion: Measured::new(
            "correctness (single deletion)",
            Better::Higher,
            "Whether the map ranks the parts as their removal does.",
        ),
        target_sensitivity: Measured::new(
            "contrastivity (target sensitivity)",
            Better::Higher,
            "Whether the map marks the parts that belong to the class that is asked about.",
        ),
    };
    let mut progress = subject.progress(pictures);
    for (seed, class) in (FIRST_SEED..FIRST_SEED + pictures as u64).zip(Class::ALL.into_iter().cycle()) {
        one_picture(subject, &Scene::sample(seed, class), &mut shares).await?;
        progress.advance(1).await?;
    }
    Ok(shares)
}

async fn one_picture(subject: &Subject<'_>, scene: &Scene, shares: &mut PartShares) -> Result<(), EvaluateError> {
    let (size, class) = (subject.side()?, scene.class());
    let picture = scene.render(size);
    let logits = subject.logits(&picture).await?;
    let right = top(&logits) == class.index();
    shares.accuracy.values.push(f64::from(u8::from(right)));
    if !right {
        return Ok(());
    }
    let logit = |logits: &[f32]| logits.get(class.index()).copied().unwrap_or_default();
    let whole = logit(&logits);
    let matters = |drop: f32| drop > MATTERS * whole.abs();

    let masks = Part::ALL.map(|part| scene.part_mask(part, size));
    let seen = |part: &Part| masks.get(*part as usize).is_some_and(|mask| mask.iter().sum::<f32>() >= 1.0);
    let parts: Vec<Part> = Part::ALL.into_iter().filter(seen).collect();
    let held = |map: &[f32], part: Part| masks.get(part as usize).map_or(0.0, |mask| positive_under(map, mask));
    let map = subject.map(&picture, class.index()).await?;
    let importance: Vec<f64> = parts.iter().map(|part| held(&map, *part)).collect();
    let least = IMPORTANT * importance.iter().sum::<f64>();
    let (important, unimportant): (Vec<Part>, Vec<Part>) = {
        let split = parts
            .iter()
            .zip(&importance)
            .partition::<Vec<(&Part, &f64)>, _>(|(_, held)| **held > 0.0 && **held >= least);
        (split.0.iter().map(|(part, _)| **part).collect(), split.1.iter().map(|(part, _)| **part).collect())
    };

    // The model's own behaviour without each part and each thing.
    let mut drops = Vec::new();
    for &part in &parts {
        drops.push(whole - logit(&subject.logits(&scene.without(part).render(size)).await?));
    }
    let (mut ignored, mut unmarked, mut idle_things) = (0, 0, 0);
    for (&part, &drop) in parts.iter().zip(&drops) {
        if !matters(drop) {
            ignored += 1;
            unmarked += usize::from(unimportant.contains(&part));
        }
    }
    for thing in 0..scene.clutter() {
        let drop = whole - logit(&subject.logits(&scene.without_clutter(thing).render(size)).await?);
        if !matters(drop) {
            idle_things += 1;
            ignored += 1;
            let held = positive_under(&map, &scene.clutter_mask(thing, size));
            unmarked += usize::from(held == 0.0 || held < least);
        }
    }
    if scene.clutter() > 0 {
        shares.background_independence.values.push(f64::from(idle_things) / scene.clutter() as f64);
    }
    let distractibility = (ignored > 0).then(|| unmarked as f64 / f64::from(ignored));
    shares.distractibility.values.extend(distractibility);

    let covered =
        |set: &Vec<Part>| set.iter().filter(|part| important.contains(part)).count() as f64 / set.len() as f64;
    let synthetic_data = telling_sets(class).iter().map(covered).fold(0.0, f64::max);
    shares.synthetic_data.values.push(synthetic_data);
    let answer = |parts: &[Part]| parts.iter().fold(scene.clone(), |scene, part| scene.without(*part)).render(size);
    let kept = top(&subject.logits(&answer(&unimportant)).await?) == class.index();
    let kept = f64::from(u8::from(kept));
    shares.preservation.values.push(kept);
    let deleted = top(&subject.logits(&answer(&important)).await?) != class.index();
    let deleted = f64::from(u8::from(deleted));
    shares.deletion.values.push(deleted);
    let checks = mean(&[synthetic_data, kept, deleted]);
    shares.completeness.values.extend(distractibility.map(|share| (checks + share) / 2.0));

    let drops: Vec<f64> = drops.into_iter().map(f64::from).collect();
    if let Some(correlation) = spearman(&importance, &drops) {
        shares.single_deletion.values.push((correlation + 1.0) / 2.0);
    }
    if let Some(hits) = target_sensitivity(subject, scene, &parts, held).await? {
        shares.target_sensitivity.values.push(hits);
    }
    Ok(())
}

/// Of the two questions, about two other classes that share different parts with the critter, how many maps mark the shared
/// parts of their own class more. Nothing where there are no two such classes.
async fn target_sensitivity(
    subject: &Subject<'_>,
    scene: &Scene,
    parts: &[Part],
    held: impl Fn(&[f32], Part) -> f64,
) -> Result<Option<f64>, EvaluateError> {
    let class = scene.class();
    let shared = |other: Class| -> Vec<Part> {
        parts.iter().copied().filter(|part| other.variant(*part) == class.variant(*part)).collect()
    };
    let others: Vec<(Class, Vec<Part>)> =
        Class::ALL.into_iter().filter(|other| *other != class).map(|other| (other, shared(other))).collect();
    let pair = others.iter().enumerate().find_map(|(index, one)| {
        let apart = |other: &&(Class, Vec<Part>)| {
            other.1.len() == one.1.len() && other.1.iter().all(|part| !one.1.contains(part))
        };
        let second = others.get(index + 1..)?.iter().find(apart)?;
        (one.1.len() == 2).then_some([one, second])
    });
    let Some([first, second]) = pair else { return Ok(None) };
    let picture = scene.render(subject.side()?);
    let mut hits = 0.0;
    for (asked, own, foreign) in [(first.0, &first.1, &second.1), (second.0, &second.1, &first.1)] {
        let map = subject.map(&picture, asked.index()).await?;
        let marked = |parts: &[Part]| parts.iter().map(|part| held(&map, *part)).sum::<f64>();
        hits += f64::from(u8::from(marked(own) > marked(foreign))) / 2.0;
    }
    Ok(Some(hits))
}

#[cfg(test)]
mod tests {
    use crate::ground_truth::testing::{of_critters, stubborn};

    use super::*;

    /// Ten pictures, one of them a hobbin. Nothing matters to the model, and nothing is important to its blank map: parts
    /// that all go leave the answer, and so do none. Completeness is ((0 + 1 + 0) / 3 + 1) / 2.
    #[test]
    fn a_model_that_does_not_look_is_right_by_chance_and_cares_for_no_part() {
        let found = of_critters("part-interventions", &stubborn(Class::Hobbin), None, 10);
        let values = |name: &str| found.iter().find(|measured| measured.name.contains(name)).unwrap().values.clone();
        assert_eq!(values("accuracy").iter().sum::<f64>(), 1.0);
        assert_eq!(values("synthetic"), [0.0]);
        assert_eq!(values("preservation"), [1.0]);
        assert_eq!(values("deletion check"), [0.0]);
        assert_eq!(values("distractibility"), [1.0]);
        assert!((values("completeness")[0] - 2.0 / 3.0).abs() < 1e-12);
        assert!(values("background").iter().all(|value| *value == 1.0));
        // Drops that are all alike have no order, and no map marks a part of its own class more than another.
        assert!(values("single deletion").is_empty());
        assert!(values("target sensitivity").iter().all(|value| *value == 0.0));
    }
}
