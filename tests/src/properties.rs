//! What every method must keep to, checked over the whole registry on any device.
//!
//! Each function asserts one property of all methods; [`all`] runs every one. They await what they read, so the same
//! bodies run natively and in a browser.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

use std::{cell::RefCell, collections::BTreeMap, env};

use burn::tensor::Device;
use vitrine_explain::{Attribution, Context, ExplainError, Explainer, Head, HeatMap, METHODS, Observer, Target, find};
use vitrine_graph::{Graph, Value};
use vitrine_protocol::{Family, ImageInput, Need, Parameter, ParameterKind, Picture, Promise};

use crate::toys;

/// Every property.
pub async fn all(device: &Device) {
    maps_have_the_shape_of_what_they_explain(device).await;
    the_seed_decides(device).await;
    batch_size_does_not_matter(device).await;
    promised_completeness_holds(device).await;
    a_constant_model_gets_a_zero_map(device).await;
    a_black_picture_gets_finite_numbers(device).await;
    a_cancelled_run_ends_within_one_batch(device).await;
    parameters_out_of_range_are_refused(device).await;
    files_and_windows_that_do_not_fit_are_refused(device).await;
    what_is_in_no_region_is_left_alone(device).await;
    the_cost_is_what_is_run_and_progress_reaches_it(device).await;
    promised_partial_maps_come(device).await;
    promised_pictures_come(device).await;
    the_input_stays_as_it_was(device).await;
    promised_linearity_holds(device).await;
    promised_symmetry_holds(device).await;
    a_pixel_without_influence_gets_zero_where_promised(device).await;
    the_same_function_by_other_nodes_gets_the_same_map_where_promised(device).await;
}

/// The methods that are checked: all of them, but in a browser, where a simulated GPU needs minutes for each property, the
/// first of every family. `VITRINE_METHODS=rise,lime` names some, for whoever writes one.
fn methods() -> Vec<&'static dyn Explainer> {
    if let Ok(names) = env::var("VITRINE_METHODS") {
        return names.split(',').map(|name| find(name).unwrap()).collect();
    }
    let mut families = Vec::new();
    let is_first = |method: &&&dyn Explainer| {
        let family = method.info().family;
        let first = !families.contains(&family);
        families.push(family);
        first || cfg!(not(target_family = "wasm"))
    };
    METHODS.iter().filter(is_first).copied().collect()
}

/// A toy model, its input and what is asked of it.
struct Question {
    graph: Graph,
    input: Value,
    pixels: ImageInput,
    target: Target,
    batch: usize,
    seed: u64,
}

impl Question {
    async fn new(graph: Graph, input: Value) -> Question {
        Question::about("auto", graph, input).await
    }

    async fn about(target: &str, graph: Graph, input: Value) -> Question {
        let head = Head::of(&graph).unwrap();
        let scores = head.scores(&graph, "x", &input).await.unwrap();
        let target = Target::parse(target, &head, &[], &scores).unwrap();
        Question { graph, input, pixels: toys::pixels(), target, batch: 4, seed: 0 }
    }

    async fn convnet(device: &Device) -> Question {
        Question::new(toys::convnet(device).unwrap(), toys::input(device)).await
    }

    /// Runs a method with these parameters, and fewer samples than usual where they say nothing.
    async fn ask(
        &self,
        method: &dyn Explainer,
        parameters: &BTreeMap<String, String>,
        watcher: &Watcher,
    ) -> Result<Attribution, ExplainError> {
        let mut few = few_samples(method);
        few.extend(parameters.clone());
        method.explain(&self.context(&few, watcher)).await
    }

    async fn answer(&self, method: &dyn Explainer) -> Attribution {
        let answer = self.ask(method, &BTreeMap::new(), &Watcher::default()).await;
        answer.unwrap_or_else(|error| panic!("{}: {error}", method.info().id))
    }

    fn context<'a>(&'a self, parameters: &'a BTreeMap<String, String>, watcher: &'a Watcher) -> Context<'a> {
        static NO_FILES: BTreeMap<String, Vec<f32>> = BTreeMap::new();
        Context {
            graph: &self.graph,
            input_name: "x",
            input: &self.input,
            pixels: Some(&self.pixels),
            target: &self.target,
            layers: &[],
            tokens: None,
            parameters,
            seed: self.seed,
            batch: self.batch,
            infill_files: &NO_FILES,
            observer: watcher,
        }
    }
}

/// Parameters that make a method quick.
fn few_samples(method: &dyn Explainer) -> BTreeMap<String, String> {
    let quick = [
        ("steps", "20"),
        ("masks", "60"),
        ("samples", "40"),
        ("permutations", "4"),
        ("designs", "8"),
        ("regions", "grid:3x3"),
        // A lazy search costs what it has to, at most what it says beforehand.
        ("lazy", "false"),
    ];
    let known = method.info().parameters;
    let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    quick.into_iter().filter(|(name, _)| known.iter().any(|parameter| parameter.id == *name)).map(pair).collect()
}

/// Writes down what a run tells, and may cancel it.
#[derive(Default)]
struct Watcher {
    cancel: bool,
    progress: RefCell<Vec<(u64, u64)>>,
    partial: RefCell<Vec<HeatMap>>,
    frames: RefCell<Vec<Picture>>,
}

impl Observer for Watcher {
    fn progress(&self, done: u64, total: u64) {
        self.progress.borrow_mut().push((done, total));
    }

    fn partial(&self, map: &HeatMap) {
        self.partial.borrow_mut().push(map.clone());
    }

    fn frame(&self, picture: &Picture) {
        self.frames.borrow_mut().push(picture.clone());
    }

    fn cancelled(&self) -> bool {
        self.cancel
    }
}

/// Largest difference relative to the largest value.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len(), "the number of values differs");
    let largest = expected.iter().fold(1e-12_f32, |largest, value| largest.max(value.abs()));
    found.iter().zip(expected).fold(0.0_f32, |worst, (a, b)| worst.max((a - b).abs())) / largest
}

/// The attribution has as many values as its shape says, input-space methods the input's shape or the picture's, and
/// the heat map is as large as the picture. The map of a model that answers is not blank.
pub async fn maps_have_the_shape_of_what_they_explain(device: &Device) {
    let question = Question::convnet(device).await;
    let [height, width] = toys::SIZE;
    for method in methods() {
        let (info, found) = (method.info(), question.answer(method).await);
        assert_eq!(found.values.len(), found.shape.iter().product::<usize>(), "{}: {:?}", info.id, found.shape);
        let of_layer = info.needs.contains(&Need::SpatialLayer);
        let fits = found.shape == [3, height, width] || found.shape == [height, width];
        assert!(of_layer || fits, "{}: {:?}", info.id, found.shape);
        assert_eq!((found.map.height, found.map.width), (height, width), "{}", info.id);
        assert_eq!(found.map.values.len(), height * width, "{}", info.id);
        assert_eq!(found.layer.is_some(), of_layer, "{}: {:?}", info.id, found.layer);
        assert!(found.map.values.iter().any(|value| *value != 0.0), "{}: the map is blank", info.id);
        // Those of a method within another come on top.
        let named: Vec<&String> = found.parameters.keys().filter(|name| !name.starts_with("method.")).collect();
        assert_eq!(named.len(), info.parameters.len(), "{}: the report lacks parameters: {named:?}", info.id);
    }
}

/// The same seed gives the same map; another seed another one for the methods that promise it, and no other.
pub async fn the_seed_decides(device: &Device) {
    let question = Question::convnet(device).await;
    let other = Question { seed: 1, ..Question::convnet(device).await };
    for method in methods() {
        let info = method.info();
        let first = question.answer(method).await;
        let again = difference(&question.answer(method).await.values, &first.values);
        assert!(again <= 1e-6, "{}: the same seed differs by {again}", info.id);
        let changed = difference(&other.answer(method).await.values, &first.values);
        let seeded = info.promises.contains(&Promise::Seeded);
        assert_eq!(changed > 1e-3, seeded, "{}: another seed differs by {changed}", info.id);
    }
}

/// Batches of 1, 3 and 16 give the same map.
pub async fn batch_size_does_not_matter(device: &Device) {
    let of_batch = async |batch| Question { batch, ..Question::convnet(device).await };
    let single = of_batch(1).await;
    for batch in [3, 16] {
        let question = of_batch(batch).await;
        for method in methods() {
            let error = difference(&question.answer(method).await.values, &single.answer(method).await.values);
            assert!(error <= 1e-5, "{}: batches of {batch} differ by {error}", method.info().id);
        }
    }
}

/// With many steps the attributions sum to the difference of the predictions, and the gap reported is that of the sum.
pub async fn promised_completeness_holds(device: &Device) {
    let question = Question { batch: 16, ..Question::convnet(device).await };
    for method in methods() {
        let info = method.info();
        if !info.promises.contains(&Promise::Completeness) {
            continue;
        }
        let has_steps = info.parameters.iter().any(|parameter| parameter.id == "steps");
        let many = has_steps.then(|| ("steps".to_owned(), "200".to_owned())).into_iter().collect();
        let found = question.ask(method, &many, &Watcher::default()).await.unwrap();
        let difference = found.prediction - found.baseline_prediction.unwrap();
        let sum: f32 = found.values.iter().sum();
        assert!(difference.abs() > 0.1, "{}: the toy tells nothing, {difference}", info.id);
        assert!((sum / difference - 1.0).abs() < 0.01, "{}: {sum} for a difference of {difference}", info.id);
        let gap = found.completeness_gap.unwrap();
        assert!((gap - (sum - difference)).abs() < 1e-4, "{}: gap {gap}, not {}", info.id, sum - difference);
    }
}

/// A model that ignores its input gets an all-zero map from the methods that promise it.
pub async fn a_constant_model_gets_a_zero_map(device: &Device) {
    let question = Question::new(toys::constant(device).unwrap(), toys::input(device)).await;
    for method in methods() {
        let (info, found) = (method.info(), question.answer(method).await);
        if info.promises.contains(&Promise::ZeroForConstantModel) {
            let largest = found.values.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
            assert!(largest <= 1e-7, "{}: {largest} is not zero", info.id);
        }
    }
}

/// A picture without contrast, whose baseline is itself, gets finite numbers.
pub async fn a_black_picture_gets_finite_numbers(device: &Device) {
    let question = Question::new(toys::convnet(device).unwrap(), toys::black_input(device)).await;
    for method in methods() {
        let found = question.answer(method).await;
        let finite = found.values.iter().chain(&found.map.values).all(|value| value.is_finite());
        assert!(finite, "{}: {:?}", method.info().id, found.values);
    }
}

/// A run that is cancelled while its first batch runs ends after it.
pub async fn a_cancelled_run_ends_within_one_batch(device: &Device) {
    let question = Question::convnet(device).await;
    for method in methods() {
        let watcher = Watcher { cancel: true, ..Watcher::default() };
        let ended = question.ask(method, &BTreeMap::new(), &watcher).await;
        assert!(matches!(ended, Err(ExplainError::Cancelled)), "{}: {ended:?}", method.info().id);
        let told = watcher.progress.borrow();
        let done = told.last().map_or(0, |(done, _)| *done);
        assert!(done <= question.batch as u64, "{}: went on to {told:?}", method.info().id);
    }
}

/// A name that no parameter has, and for each parameter values that it cannot have.
pub(crate) fn out_of_range(parameters: Vec<Parameter>) -> Vec<(String, String)> {
    let mut refused = vec![("no-such-parameter".to_owned(), "1".to_owned())];
    for parameter in parameters {
        let wrong = match parameter.kind {
            ParameterKind::Integer { min, max } => vec![(min - 1).to_string(), (max + 1).to_string(), "1.5".into()],
            ParameterKind::Number { min, max } => vec![(min - 0.001).to_string(), (max + 0.001).to_string()],
            ParameterKind::Boolean => vec!["maybe".into(), "1".into()],
            ParameterKind::Choice { .. } | ParameterKind::Method { .. } => vec!["no-such-choice".into()],
            ParameterKind::Extent => vec!["0".into(), "3x".into(), "wide".into()],
            ParameterKind::Regions => vec![String::new(), "grid:0x1".into(), "no-such-regions.npy".into()],
            ParameterKind::Infill => vec![String::new(), "value:red".into(), "no-such-file.npy".into()],
        };
        refused.extend(wrong.into_iter().map(|value| (parameter.id.clone(), value)));
    }
    refused
}

/// Numbers just outside their range, words that are no choice and unknown names are refused, by cost and by explain.
pub async fn parameters_out_of_range_are_refused(device: &Device) {
    let question = Question::convnet(device).await;
    for method in methods() {
        let info = method.info();
        for pair in out_of_range(info.parameters) {
            let parameters = BTreeMap::from([pair.clone()]);
            let watcher = Watcher::default();
            let cost = method.cost(&question.context(&parameters, &watcher));
            // What it costs does not depend on an infill; regions have to be counted.
            let is_file = pair.1 == "no-such-file.npy";
            assert_eq!(cost.is_err(), !is_file, "{}: the cost with {pair:?} is {cost:?}", info.id);
            let answer = question.ask(method, &parameters, &watcher).await;
            assert!(answer.is_err(), "{}: {pair:?} was accepted", info.id);
            let message = answer.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(message.contains(&pair.0) || is_file, "{}: {pair:?} gives {message:?}", info.id);
        }
    }
}

/// Files of other sizes, label maps without a region or with fractions, and windows larger than the picture are refused in a
/// sentence.
pub async fn files_and_windows_that_do_not_fit_are_refused(device: &Device) {
    let question = Question::convnet(device).await;
    let [height, width] = toys::SIZE;
    let files = BTreeMap::from([
        ("short.npy".to_owned(), vec![0.0; 5]),
        ("empty.npy".to_owned(), vec![-1.0; height * width]),
        ("half.npy".to_owned(), vec![0.5; height * width]),
    ]);
    for method in methods() {
        let info = method.info();
        for parameter in info.parameters {
            let too_large = format!("{}x{}", height + 1, width);
            let wrong = match (&parameter.kind, parameter.id.as_str()) {
                (ParameterKind::Regions, _) => vec!["short.npy", "empty.npy", "half.npy", "grid:9x1"],
                (ParameterKind::Infill, _) => vec!["short.npy"],
                (ParameterKind::Extent, "window") => vec![too_large.as_str()],
                _ => Vec::new(),
            };
            for wrong in wrong {
                let mut parameters = few_samples(method);
                parameters.insert(parameter.id.clone(), wrong.to_owned());
                let watcher = Watcher::default();
                let context = Context { infill_files: &files, ..question.context(&parameters, &watcher) };
                let answer = method.explain(&context).await;
                let Err(error) = answer else { panic!("{}: {}={wrong} was accepted", info.id, parameter.id) };
                let message = error.to_string();
                let is_sentence = message.starts_with(char::is_uppercase) && message.ends_with('.');
                assert!(is_sentence, "{}: {}={wrong} gives {message:?}", info.id, parameter.id);
            }
        }
    }
}

/// With regions that cover the upper half of the picture alone, the map is finite and the reader is told.
pub async fn what_is_in_no_region_is_left_alone(device: &Device) {
    let question = Question::convnet(device).await;
    let [height, width] = toys::SIZE;
    let label = |pixel: usize| if pixel < height * width / 2 { (pixel % width / 4) as f32 } else { -1.0 };
    let files = BTreeMap::from([("upper.npy".to_owned(), (0..height * width).map(label).collect())]);
    for method in methods() {
        let info = method.info();
        if !info.parameters.iter().any(|parameter| parameter.id == "regions") {
            continue;
        }
        let mut parameters = few_samples(method);
        parameters.insert("regions".to_owned(), "upper.npy".to_owned());
        let watcher = Watcher::default();
        let context = Context { infill_files: &files, ..question.context(&parameters, &watcher) };
        let found = method.explain(&context).await.unwrap();
        assert!(found.map.values.iter().all(|value| value.is_finite()), "{}: {:?}", info.id, found.map.values);
        if info.family == Family::Sampling {
            let below = &found.map.values[height * width / 2..];
            assert!(below.iter().all(|value| *value == 0.0), "{}: {below:?}", info.id);
            assert!(found.notes.iter().any(|note| note.contains("in no region")), "{}: {:?}", info.id, found.notes);
        }
    }
}

/// Progress starts at 0, rises, and ends at the total, which is the cost in forward passes; the counts of the
/// attribution are the cost.
pub async fn the_cost_is_what_is_run_and_progress_reaches_it(device: &Device) {
    let question = Question::convnet(device).await;
    for method in methods() {
        let (id, watcher, few) = (method.info().id, Watcher::default(), few_samples(method));
        let found = method.explain(&question.context(&few, &watcher)).await.unwrap();
        let cost = method.cost(&question.context(&few, &watcher)).unwrap();
        assert_eq!(found.forward_passes, cost.forward_passes, "{id}");
        assert_eq!(found.backward_passes, cost.backward_passes, "{id}");
        let told = watcher.progress.borrow();
        assert_eq!(told.first(), Some(&(0, cost.forward_passes)), "{id}: {told:?}");
        assert_eq!(told.last(), Some(&(cost.forward_passes, cost.forward_passes)), "{id}: {told:?}");
        assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 == pair[1].1), "{id}: {told:?}");
    }
}

/// Methods that promise partial maps report several, of the picture's size, each nearer to the end than the first.
pub async fn promised_partial_maps_come(device: &Device) {
    let question = Question { batch: 2, ..Question::convnet(device).await };
    let [height, width] = toys::SIZE;
    for method in methods() {
        let (info, watcher) = (method.info(), Watcher::default());
        let found = question.ask(method, &BTreeMap::new(), &watcher).await.unwrap();
        let maps = watcher.partial.borrow();
        if !info.promises.contains(&Promise::Partial) {
            continue;
        }
        assert!((4..=20).contains(&maps.len()), "{}: {} partial maps", info.id, maps.len());
        assert!(maps.iter().all(|map| (map.height, map.width) == (height, width)), "{}", info.id);
        let away = |map: &HeatMap| difference(&map.values, &found.map.values);
        let (first, last) = (away(&maps[0]), away(&maps[maps.len() - 1]));
        assert!(last < first, "{}: the first partial map is {first} away from the end, the last {last}", info.id);
    }
}

/// Methods that promise a picture, and no others, make one of the model's input, and show several on the way.
pub async fn promised_pictures_come(device: &Device) {
    let question = Question::convnet(device).await;
    let [height, width] = toys::SIZE;
    for method in methods() {
        let (info, watcher) = (method.info(), Watcher::default());
        let found = question.ask(method, &BTreeMap::new(), &watcher).await.unwrap();
        let frames = watcher.frames.borrow();
        let promised = info.promises.contains(&Promise::Picture);
        assert_eq!(found.visualisation.is_some(), promised, "{}", info.id);
        assert_eq!((4..=60).contains(&frames.len()), promised, "{}: {} frames", info.id, frames.len());
        let Some(made) = found.visualisation else { continue };
        assert_eq!(made.values.len(), question.input.len(), "{}", info.id);
        assert!(made.values.iter().all(|value| value.is_finite()), "{}", info.id);
        let fits = |picture: &Picture| {
            (picture.width, picture.height, picture.rgba.len()) == (width, height, 4 * width * height)
        };
        assert!(fits(&made.picture) && frames.iter().all(fits), "{}", info.id);
        assert_ne!(made.picture, frames[0], "{}: nothing changes", info.id);
        assert!(found.prediction > found.baseline_prediction.unwrap(), "{}: nothing grew", info.id);
    }
}

/// The methods that promise something.
fn promising(promise: Promise) -> impl Iterator<Item = &'static dyn Explainer> {
    methods().into_iter().filter(move |method| method.info().promises.contains(&promise))
}

/// No method writes into the tensor that it explains.
pub async fn the_input_stays_as_it_was(device: &Device) {
    let question = Question::convnet(device).await;
    let before = question.input.to_vec().await.unwrap();
    for method in methods() {
        question.answer(method).await;
        assert_eq!(question.input.to_vec().await.unwrap(), before, "{}", method.info().id);
    }
}

/// The attribution of a margin is the difference of its two classes' attributions.
pub async fn promised_linearity_holds(device: &Device) {
    let about = async |target: &str| Question::about(target, toys::convnet(device).unwrap(), toys::input(device)).await;
    let (first, second, margin) = (about("0").await, about("2").await, about("0-2").await);
    for method in promising(Promise::Linearity) {
        let (a, b) = (first.answer(method).await.values, second.answer(method).await.values);
        let expected: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
        let error = difference(&margin.answer(method).await.values, &expected);
        assert!(error <= 1e-4, "{}: the margin's map differs by {error}", method.info().id);
    }
}

/// The attributions of some pixels: one for each channel, where the method tells channels apart, and that of the map.
fn at_pixel(found: &Attribution, [row, column]: [usize; 2]) -> Vec<f32> {
    let (at, area) = (row * toys::SIZE[1] + column, toys::SIZE[0] * toys::SIZE[1]);
    let channels = found.values.iter().skip(at).step_by(area).copied();
    if found.values.len() > area {
        channels.chain([found.map.values[at]]).collect()
    } else {
        vec![found.map.values[at]]
    }
}

/// The two pixels that the toy treats alike get the same, and something.
pub async fn promised_symmetry_holds(device: &Device) {
    let question = Question::new(toys::with_equal_pixels(device).unwrap(), toys::equal_input(device)).await;
    for method in promising(Promise::Symmetry) {
        let found = question.answer(method).await;
        let [first, second] = toys::EQUAL.map(|pixel| at_pixel(&found, pixel));
        let error = difference(&first, &second);
        assert!(error <= 1e-5, "{}: {first:?} and {second:?}", method.info().id);
        assert!(first.iter().any(|value| *value != 0.0), "{}: nothing is told", method.info().id);
    }
}

/// The pixel that the toy does not look at gets zero.
pub async fn a_pixel_without_influence_gets_zero_where_promised(device: &Device) {
    let question = Question::new(toys::with_equal_pixels(device).unwrap(), toys::equal_input(device)).await;
    for method in promising(Promise::DummyFeature) {
        let found = at_pixel(&question.answer(method).await, toys::UNSEEN);
        assert!(found.iter().all(|value| value.abs() <= 1e-7), "{}: {found:?}", method.info().id);
    }
}

/// The toy and the same function written with other nodes get the same attribution.
pub async fn the_same_function_by_other_nodes_gets_the_same_map_where_promised(device: &Device) {
    let question = Question::convnet(device).await;
    let rewritten = Question::new(toys::rewritten_convnet(device).unwrap(), toys::input(device)).await;
    for method in promising(Promise::ImplementationInvariance) {
        let (first, second) = (question.answer(method).await, rewritten.answer(method).await);
        assert!((first.prediction - second.prediction).abs() < 1e-4, "the toys are not the same function");
        let error = difference(&second.values, &first.values);
        assert!(error <= 1e-4, "{}: the maps differ by {error}", method.info().id);
    }
}
