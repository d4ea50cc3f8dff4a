//! Maps that say nothing of the model: what every explanation is compared with. A method that scores no better than noise or
//! the picture's own edges has not shown that it looks at the model (Hooker et al. 2019, Adebayo et al. 2018).
//!
//! They are explainers, so whatever measures a method measures them; they are not in the list of methods, because nobody
//! should explain with them.

use std::collections::BTreeMap;

use vitrine_explain::{
    Attribution, Context, Cost, ExplainError, Explainer, HeatMap, LocalBoxFuture,
    toolkit::{Progress, Purpose, Random, no_options},
};
use vitrine_protocol::{Family, MethodInfo, Need, Reference};

/// Every control.
pub const CONTROLS: &[&dyn Explainer] = &[&RANDOM_MAP, &EDGE_MAP];

/// The method or control of this id.
///
/// # Errors
/// [`ExplainError::UnknownMethod`] with the ids of the methods.
pub fn find_method(id: &str) -> Result<&'static dyn Explainer, ExplainError> {
    let control = CONTROLS.iter().copied().find(|control| control.info().id == id);
    control.map_or_else(|| vitrine_explain::find(id), Ok)
}

/// A map that is made of the picture alone.
struct Control {
    id: &'static str,
    name: &'static str,
    family: Family,
    summary: &'static str,
    /// Of the sum over the input's channels, and the seed.
    draw: fn(HeatMap, u64) -> HeatMap,
}

/// Uniform noise, drawn by the seed.
const RANDOM_MAP: Control = Control {
    id: "random-map",
    name: "Random map",
    family: Family::Sampling,
    summary: "Noise that knows neither model nor picture. What a method is worth begins above it.",
    draw: |mut plane, seed| {
        let mut random = Random::new(seed, Purpose::Metrics, 0);
        plane.values.iter_mut().for_each(|value| *value = random.uniform());
        plane
    },
};

/// How strong the picture's edges are: the length of Sobel's gradient of the sum over channels.
const EDGE_MAP: Control = Control {
    id: "edge-map",
    name: "Edges of the picture",
    family: Family::Gradient,
    summary: "The edges of the picture, whatever the model. A method that does no better may only be drawing them.",
    draw: |plane, _| sobel(&plane),
};

const ONE_PASS: Cost = Cost { forward_passes: 1, backward_passes: 0 };

impl Explainer for Control {
    fn info(&self) -> MethodInfo {
        MethodInfo {
            id: self.id.to_owned(),
            name: self.name.to_owned(),
            family: self.family,
            summary: self.summary.to_owned(),
            reference: Reference {
                authors: "Hooker, Erhan, Kindermans, Kim".to_owned(),
                year: 2019,
                title: "A Benchmark for Interpretability Methods in Deep Neural Networks".to_owned(),
                venue: "NeurIPS".to_owned(),
            },
            needs: vec![Need::Forward],
            parameters: Vec::new(),
            promises: Vec::new(),
        }
    }

    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError> {
        no_options(context.parameters)?;
        Ok(ONE_PASS)
    }

    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>> {
        Box::pin(async move {
            no_options(context.parameters)?;
            let plane = HeatMap::of_input(&context.input.to_vec().await?, context.shape(), context.layout());
            finished(context, (self.draw)(plane, context.seed)).await
        })
    }
}

async fn finished(context: &Context<'_>, map: HeatMap) -> Result<Attribution, ExplainError> {
    let mut progress = Progress::start(context.observer, ONE_PASS.forward_passes);
    let answers = context.predict(context.input.clone())?.to_vec().await?;
    progress.advance(1).await?;
    Ok(Attribution {
        values: map.values.clone(),
        shape: vec![map.height, map.width],
        map,
        visualisation: None,
        standard_error: None,
        prediction: answers.first().copied().unwrap_or_default(),
        baseline_prediction: None,
        completeness_gap: None,
        forward_passes: ONE_PASS.forward_passes,
        backward_passes: 0,
        parameters: BTreeMap::new(),
        layer: None,
        notes: vec!["This map is a control and explains nothing.".to_owned()],
    })
}

/// The gradient's length by Sobel's operator, pixels beyond the edge being those on it.
pub(crate) fn sobel(plane: &HeatMap) -> HeatMap {
    let (height, width) = (plane.height as isize, plane.width as isize);
    let at = |row: isize, column: isize| {
        let place = row.clamp(0, height - 1) * width + column.clamp(0, width - 1);
        plane.values.get(place as usize).copied().unwrap_or_default()
    };
    let length = |row: isize, column: isize| {
        // A step across, smoothed along: 1 2 1.
        let across = |step: &dyn Fn(isize) -> f32| step(-1) + 2.0 * step(0) + step(1);
        let right = across(&|along| at(row + along, column + 1) - at(row + along, column - 1));
        let down = across(&|along| at(row + 1, column + along) - at(row - 1, column + along));
        right.hypot(down)
    };
    let values = (0..height).flat_map(|row| (0..width).map(move |column| (row, column)));
    HeatMap { values: values.map(|(row, column)| length(row, column)).collect(), ..*plane }
}

#[cfg(test)]
mod tests {
    use vitrine_explain::{Head, Target, Unobserved};
    use vitrine_graph::Value;

    use super::*;
    use crate::testing::model;

    #[test]
    fn an_edge_is_where_values_change() {
        let plane = HeatMap { height: 3, width: 4, values: [0.0, 0.0, 1.0, 1.0].repeat(3) };
        // A step of one, seen by both pixels beside it with weights 1 + 2 + 1.
        assert_eq!(sobel(&plane).values, [0.0, 4.0, 4.0, 0.0].repeat(3));
        // Down steps of 0 and 3, so that both directions together are 4 times the length of (1, 3).
        let values = vec![0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 3.0, 3.0, 4.0, 4.0];
        let both = sobel(&HeatMap { height: 3, width: 4, values }).values;
        let squares: Vec<f32> = both.iter().map(|length| (length * length).round()).collect();
        assert_eq!(squares, [0.0, 16.0, 16.0, 0.0, 144.0, 160.0, 160.0, 144.0, 144.0, 160.0, 160.0, 144.0]);
        // Three pixels in a row: across them 2 at the middle, and 4 times that.
        let ramp = HeatMap { height: 1, width: 3, values: vec![0.0, 1.0, 2.0] };
        assert_eq!(sobel(&ramp).values, [4.0, 8.0, 4.0]);
    }

    #[test]
    fn controls_are_found_beside_methods_and_the_seed_decides() {
        assert_eq!(find_method("random-map").unwrap().info().id, "random-map");
        assert_eq!(find_method("saliency").unwrap().info().id, "saliency");
        assert!(find_method("noise").is_err());
        for control in CONTROLS {
            let id = control.info().id;
            assert!(vitrine_explain::find(&id).is_err(), "{id} is a method, too");
        }
        let map = |id: &str, seed| {
            let (graph, none) = (model(false), BTreeMap::new());
            let input = Value::from_f32(&[1.0, 2.0, 4.0, 4.0], &[1, 1, 1, 4], graph.device());
            let target = Target::logit(&Head::of(&graph).unwrap(), 0).unwrap();
            let context = Context {
                graph: &graph,
                input_name: "x",
                input: &input,
                pixels: None,
                target: &target,
                layers: &[],
                tokens: None,
                parameters: &none,
                seed,
                batch: 1,
                infill_files: &BTreeMap::new(),
                observer: &Unobserved,
            };
            let found = pollster::block_on(find_method(id).unwrap().explain(&context)).unwrap();
            // 4 * 1 + 1 * 2 + 3 * 4 + 2 * 4.
            assert_eq!(found.prediction, 26.0);
            found.map.values
        };
        assert_eq!(map("random-map", 1), map("random-map", 1));
        assert_ne!(map("random-map", 1), map("random-map", 2));
        assert!(map("random-map", 1).iter().all(|value| (0.0..1.0).contains(value)));
        assert_eq!(map("edge-map", 1), [4.0, 12.0, 8.0, 0.0]);
    }
}
