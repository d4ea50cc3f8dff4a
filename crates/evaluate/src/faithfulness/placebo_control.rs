//! Placebo control (after Dinu, Bigham, Kolter 2020): the map and a map that cannot know the model are scored by the same
//! metric, and the number is how much better the map does. The authors show placebos to people; here a metric judges. The
//! placebo has the values of the map at other places, so that only where they are counts.

use std::collections::BTreeMap;

use vitrine_explain::{
    Context, Cost, HeatMap, Infill, LocalBoxFuture,
    toolkit::{Purpose, Random, Stage},
};
use vitrine_image::{Planes, gaussian_blur};
use vitrine_protocol::{Better, MetricGroup, MetricInfo, ParameterKind, Reference};

use crate::{EvaluateError, Metric, Question, controls::sobel, metric::Found, registry::find};

vitrine_explain::choices! {
    /// What the placebo looks like.
    pub enum Placebo {
        /// Edges of the picture (Sobel), which many maps resemble whatever the model is.
        Edges = "edges",
        /// The middle of the picture, where most things are.
        Centre = "centre",
        /// Smooth noise.
        Noise = "noise",
    }
}

vitrine_explain::choices! {
    /// The metric that judges.
    pub enum Judge {
        /// Deletion.
        Deletion = "deletion",
        /// Insertion.
        Insertion = "insertion",
        /// SaCo.
        Saco = "saco",
        /// Faithfulness correlation.
        FaithfulnessCorrelation = "faithfulness-correlation",
        /// Mu-fidelity.
        MuFidelity = "mu-fidelity",
        /// Energy-based pointing game, which needs a mask.
        EnergyPointing = "energy-pointing",
    }
}

vitrine_explain::options! {
    /// Options of placebo control.
    pub struct PlaceboOptions {
        /// The metric that judges, with its usual parameters.
        metric: Judge [Judge::kind()] = Judge::Deletion,
        /// What the placebo looks like.
        placebo: Placebo [Placebo::kind()] = Placebo::Edges,
        /// What removed parts are replaced by: black, white, grey, mean, blur or noise in pixel space; inpaint, interpolate
        /// or tile, which continue what is kept; zero or value:V in tensor space; or a file.
        infill: Infill [ParameterKind::Infill] = Infill::Black,
    }
}

/// The metric that judges, and its parameters.
fn judge(options: &PlaceboOptions) -> Result<(&'static dyn Metric, BTreeMap<String, String>), EvaluateError> {
    let metric = find(options.metric.id())?;
    let has_infill = metric.info().parameters.iter().any(|parameter| parameter.id == "infill");
    let parameters = has_infill.then(|| ("infill".to_owned(), options.infill.to_string())).into_iter().collect();
    Ok((metric, parameters))
}

/// Placebo control.
pub struct PlaceboControl;

impl Metric for PlaceboControl {
    fn info(&self) -> MetricInfo {
        MetricInfo {
            id: "placebo-control".to_owned(),
            name: "Placebo control".to_owned(),
            group: MetricGroup::Faithfulness,
            better: Better::Higher,
            range: [None, None],
            meaning:
                "How much better the map scores than a map that knows nothing of the model: zero if it could as well \
                      have been drawn without it."
                    .to_owned(),
            caveat: "Where the model looks at edges or at the middle, a placebo is right by chance and hard to beat."
                .to_owned(),
            reference: Reference {
                authors: "Dinu, Bigham, Kolter".to_owned(),
                year: 2020,
                title: "Challenging common interpretability assumptions in feature attribution explanations".to_owned(),
                venue: "NeurIPS Workshop on ML Retrospectives, Surveys and Meta-Analyses".to_owned(),
            },
            needs: Vec::new(),
            parameters: PlaceboOptions::parameters(),
        }
    }

    fn cost(&self, question: &Question<'_>) -> Result<Cost, EvaluateError> {
        let (metric, parameters) = judge(&PlaceboOptions::parse(question.context.parameters)?)?;
        let context = Context { parameters: &parameters, ..question.context };
        let one = metric.cost(&Question { context, ..*question })?;
        Ok(Cost { forward_passes: 2 * one.forward_passes, backward_passes: 2 * one.backward_passes })
    }

    fn score<'a>(&'a self, question: &'a Question<'a>) -> LocalBoxFuture<'a, Result<Found, EvaluateError>> {
        Box::pin(control(question, self.cost(question)))
    }
}

async fn control(question: &Question<'_>, cost: Result<Cost, EvaluateError>) -> Result<Found, EvaluateError> {
    let Cost { forward_passes, backward_passes } = cost?;
    let options = PlaceboOptions::parse(question.context.parameters)?;
    let (metric, parameters) = judge(&options)?;
    let input = question.context.input.to_vec().await?;
    let placebo = placebo(question, &input, options.placebo);
    let observer = question.context.observer;
    if forward_passes > 0 {
        observer.progress(0, forward_passes);
    }
    let (mut values, mut curves, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for (name, map, before) in [("map", question.map, 0), ("placebo", &placebo, forward_passes / 2)] {
        let stage = Stage { observer, before, all: forward_passes };
        let context = Context { parameters: &parameters, observer: &stage, ..question.context };
        let asked = Question { context, map, attribution: None, ..*question };
        let found = metric.score(&asked).await?;
        values.extend(found.value);
        for mut curve in found.curves {
            curve.name = name.to_owned();
            curves.push(curve);
        }
        notes = found.notes;
    }
    let value = if let [map, placebo] = values[..] {
        notes.push(format!(
            "By {} the map scores {map:.4} and the placebo {placebo:.4}.",
            metric.info().name.to_lowercase()
        ));
        Some(if metric.info().better == Better::Lower { placebo - map } else { map - placebo })
    } else {
        None
    };
    Ok(Found {
        value,
        curves,
        notes,
        parameters: options.values(),
        forward_passes,
        backward_passes,
        ..Found::default()
    })
}

/// The map's values, the largest where the placebo is strongest; the seed decides between equals.
fn placebo(question: &Question<'_>, input: &[f32], placebo: Placebo) -> HeatMap {
    let &HeatMap { height, width, ref values } = question.map;
    let mut random = Random::new(question.context.seed, Purpose::Metrics, u32::MAX - 1);
    let mut order = random.permutation(values.len());
    let strength: Vec<f32> = match placebo {
        Placebo::Edges => sobel(&HeatMap::of_input(input, question.context.shape(), question.context.layout())).values,
        Placebo::Centre => {
            let off = |at: usize, length: usize| ((at as f32 + 0.5) / length as f32 - 0.5).powi(2);
            (0..values.len()).map(|at| -off(at / width, height) - off(at % width, width)).collect()
        }
        Placebo::Noise => {
            let noise = values.iter().map(|_| random.normal()).collect();
            let planes = Planes { channels: 1, height, width, values: noise };
            gaussian_blur(&planes, height.min(width) as f32 / 16.0).values
        }
    };
    order.sort_by(|one, other| strength[*one].total_cmp(&strength[*other]));
    let (mut sorted, mut placed) = (values.clone(), vec![0.0; values.len()]);
    sorted.sort_by(f32::total_cmp);
    order.into_iter().zip(sorted).for_each(|(at, value)| placed[at] = value);
    HeatMap { height, width, values: placed }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Asked, expect, score};

    /// The picture is even; of the map 4, 1, 3, 2 the middle gets 4 and 3, so that its two pixels are removed first, which
    /// leaves 6 of 10. Deletion follows the probability.
    #[test]
    fn a_map_is_better_than_a_placebo_by_the_difference_on_paper() {
        let found = score("placebo-control", &[("placebo", "centre")], &Asked::default());
        assert_eq!((found.curves[0].name.as_str(), found.curves[1].name.as_str()), ("map", "placebo"));
        assert_eq!(found.forward_passes, 10);
        let probability = |score: f64| 1.0 / (1.0 + (-score).exp());
        let area = |ys: &[f64]| (ys[0] / 2.0 + ys[1] + ys[2] + ys[3] + ys[4] / 2.0) / 4.0;
        let placebo = &found.curves[1].ys;
        assert!((placebo[2] - probability(6.0)).abs() < 1e-6, "{placebo:?}");
        let expected = area(placebo) - area(&[10.0, 6.0, 3.0, 1.0, 0.0].map(probability));
        assert!((found.value.unwrap() - expected).abs() < 1e-6 && expected > 0.05, "{found:?}");
        // A map that is best is better than any, and one that is worst is worse.
        for placebo in ["edges", "centre", "noise"] {
            let better = score("placebo-control", &[("metric", "saco"), ("placebo", placebo)], &Asked::default()).value;
            let opposite = Asked { map: vec![1.0, 4.0, 2.0, 3.0], ..Asked::default() };
            let worse = score("placebo-control", &[("metric", "saco"), ("placebo", placebo)], &opposite).value;
            assert!(better >= Some(0.0) && worse <= Some(0.0), "{placebo}: {better:?}, {worse:?}");
        }
    }

    /// Of the place, the first pixel, the map has 4 of 10; the middle gets 4 and 3, so that it has 1 or 2.
    #[test]
    fn metrics_without_passes_are_controlled_without_passes() {
        let parameters = [("metric", "energy-pointing"), ("placebo", "centre")];
        let found = score("placebo-control", &parameters, &Asked::default());
        assert_eq!(found.forward_passes, 0);
        let value = found.value.unwrap();
        assert!((value - 0.2).abs() < 1e-6 || (value - 0.3).abs() < 1e-6, "{value}");
        expect("energy-pointing", &[], &Asked::default(), 0.4);
    }
}
