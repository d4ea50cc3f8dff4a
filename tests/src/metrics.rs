//! What every metric must keep to, checked over the whole registry on any device.
//!
//! Each function asserts one property of all metrics. They await what they read, so the same bodies run natively and in a
//! browser.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails panics")]

use std::{cell::RefCell, collections::BTreeMap, env};

use burn::tensor::Device;
use vitrine_evaluate::{EvaluateError, METRICS, Method, Metric, Question, evaluate, find};
use vitrine_explain::{Context, ExplainError, Head, HeatMap, Observer, Target};
use vitrine_graph::{Graph, Value};
use vitrine_protocol::{Better, ImageInput, MetricNeed, Score};

use crate::{properties::out_of_range, toys};

/// The metrics that are checked: all of them, or those that `VITRINE_METRICS=deletion,saco` names.
fn metrics() -> Vec<&'static dyn Metric> {
    match env::var("VITRINE_METRICS") {
        Ok(names) => names.split(',').map(|name| find(name).unwrap()).collect(),
        Err(_) => METRICS.to_vec(),
    }
}

/// A toy model, its input and maps of it.
struct Subject {
    graph: Graph,
    input: Value,
    pixels: ImageInput,
    target: Target,
    map: HeatMap,
    mask: HeatMap,
    others: Vec<(String, HeatMap)>,
    /// Parameters of the method that explains again.
    method: BTreeMap<String, String>,
    batch: usize,
    seed: u64,
}

impl Subject {
    async fn new(graph: Graph, input: Value) -> Subject {
        let head = Head::of(&graph).unwrap();
        let scores = head.scores(&graph, "x", &input).await.unwrap();
        let target = Target::parse("auto", &head, &[], &scores).unwrap();
        let map = |pitch: f32| {
            let values = (0..toys::SIZE[0] * toys::SIZE[1]).map(|pixel| (pixel as f32 * pitch).sin());
            HeatMap { height: toys::SIZE[0], width: toys::SIZE[1], values: values.collect() }
        };
        let mask = map(0.7).values.iter().map(|value| f32::from(u8::from(*value > 0.5))).collect();
        Subject {
            graph,
            input,
            pixels: toys::pixels(),
            target,
            map: map(1.1),
            mask: HeatMap { values: mask, ..map(0.7) },
            others: vec![("other".to_owned(), map(1.3)), ("third".to_owned(), map(0.9))],
            method: BTreeMap::from([("steps".to_owned(), "6".to_owned())]),
            batch: 4,
            seed: 0,
        }
    }

    async fn convnet(device: &Device) -> Subject {
        Subject::new(toys::convnet(device).unwrap(), toys::input(device)).await
    }

    fn question<'a>(&'a self, parameters: &'a BTreeMap<String, String>, observer: &'a dyn Observer) -> Question<'a> {
        static NO_FILES: BTreeMap<String, Vec<f32>> = BTreeMap::new();
        let context = Context {
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
            observer,
        };
        let explainer = vitrine_explain::find("integrated-gradients").unwrap();
        let method = Some(Method { explainer, parameters: &self.method, seed: 0 });
        Question { context, map: &self.map, attribution: None, method, mask: Some(&self.mask), others: &self.others }
    }

    async fn score(&self, metric: &dyn Metric, parameters: &BTreeMap<String, String>) -> Score {
        let watcher = Watcher::default();
        let score = evaluate(metric, &self.question(parameters, &watcher)).await;
        score.unwrap_or_else(|error| panic!("{}: {error}", metric.info().id))
    }
}

/// Writes down what a run tells, and may cancel it.
#[derive(Default)]
struct Watcher {
    cancel: bool,
    progress: RefCell<Vec<(u64, u64)>>,
}

impl Observer for Watcher {
    fn progress(&self, done: u64, total: u64) {
        self.progress.borrow_mut().push((done, total));
    }

    fn cancelled(&self) -> bool {
        self.cancel
    }
}

/// Of these parameters those that a metric has.
fn known(metric: &dyn Metric, parameters: &[(&str, &str)]) -> BTreeMap<String, String> {
    let has = |id: &str| metric.info().parameters.iter().any(|parameter| parameter.id == id);
    let pairs = parameters.iter().filter(|(id, _)| has(id));
    pairs.map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect()
}

/// Parameters that make a metric quick.
fn quick(metric: &dyn Metric) -> BTreeMap<String, String> {
    let samples = if metric.info().needs.contains(&MetricNeed::Method) { "3" } else { "10" };
    let regions = ("regions", "grid:3x3");
    let stays = metric.info().parameters.iter().any(|parameter| parameter.default.to_string() == "elements");
    let mut few = vec![("steps", "7"), ("samples", samples), ("stages", "2")];
    few.extend((!stays).then_some(regions));
    known(metric, &few)
}

fn close(a: &Score, b: &Score, tolerance: f64) -> bool {
    match (a.value, b.value) {
        (Some(a), Some(b)) => (a - b).abs() <= tolerance * b.abs().max(1.0),
        (None, None) => true,
        _ => false,
    }
}

/// Of a linear model, whose exact map is known, that map scores best, the map with its values in the opposite order worst,
/// and maps of the same values in a random order lie between, in the direction that the metric declares.
pub async fn the_exact_map_scores_best_and_the_reversed_one_worst(device: &Device) {
    let (graph, input, exact) = toys::linear(device).unwrap();
    let mut subject = Subject::new(graph, input).await;
    subject.batch = 64;
    let mut order: Vec<usize> = (0..exact.len()).collect();
    order.sort_by(|a, b| exact[*a].total_cmp(&exact[*b]));
    let mut reversed = vec![0.0; exact.len()];
    order.iter().zip(order.iter().rev()).for_each(|(to, from)| reversed[*to] = exact[*from]);
    let bound = exact[order[order.len() * 3 / 4]];
    subject.mask.values = exact.iter().map(|value| f32::from(u8::from(*value >= bound))).collect();
    for metric in metrics().into_iter().filter(|metric| metric.ranks_maps()) {
        let info = metric.info();
        let parameters = known(metric, &[("infill", "zero"), ("samples", "200")]);
        let mut parameters = parameters;
        if info.id == "irof" {
            parameters.insert("regions".to_owned(), "auto".to_owned());
        }
        if info.id == "sensitivity-n" || info.id == "monotonicity" {
            parameters.insert("samples".to_owned(), "40".to_owned());
        }
        let sign = match info.better {
            Better::Higher => 1.0,
            Better::Lower => -1.0,
            Better::Neither => panic!("{}: it ranks maps and has no direction", info.id),
        };
        let mut value = async |values: Vec<f32>| {
            subject.map.values = values;
            sign * subject.score(metric, &parameters).await.value.unwrap()
        };
        let (best, worst) = (value(exact.clone()).await, value(reversed.clone()).await);
        const DRAWS: usize = 18;
        let mut random = 0.0;
        for draw in 0..DRAWS {
            // Multiples of a number without a common divisor with the length are all places once.
            let step = [5, 7, 11, 13, 17, 19][draw % 6];
            let shuffled = (0..exact.len()).map(|at| exact[(at * step + 5 * draw) % exact.len()]).collect();
            random += value(shuffled).await / DRAWS as f64;
        }
        let margin = 0.05 * (best - worst);
        assert!(margin > 0.0, "{}: exact {best}, reversed {worst}", info.id);
        assert!(best - margin > random && random > worst + margin, "{}: {best}, {random}, {worst}", info.id);
        if let [Some(least), _] = info.range {
            assert!(sign * best >= least - 1e-9 && sign * worst >= least - 1e-9, "{}: below {least}", info.id);
        }
        if let [_, Some(most)] = info.range {
            assert!(sign * best <= most + 1e-9 && sign * worst <= most + 1e-9, "{}: above {most}", info.id);
        }
    }
}

/// The passes are those that were foretold; progress starts at 0, rises, and ends at them.
pub async fn the_cost_is_what_is_run_and_progress_reaches_it(device: &Device) {
    let subject = Subject::convnet(device).await;
    for metric in metrics() {
        let (id, watcher, few) = (metric.info().id, Watcher::default(), quick(metric));
        let question = subject.question(&few, &watcher);
        let cost = metric.cost(&question).unwrap();
        let score = evaluate(metric, &question).await.unwrap();
        assert_eq!((score.forward_passes, score.backward_passes), (cost.forward_passes, cost.backward_passes), "{id}");
        assert_eq!(score.metric, id);
        let names: Vec<&String> = score.parameters.keys().collect();
        assert_eq!(names.len(), metric.info().parameters.len(), "{id}: the score has parameters {names:?}");
        let told = watcher.progress.borrow();
        if cost.forward_passes == 0 {
            assert!(told.is_empty(), "{id}: {told:?}");
            continue;
        }
        assert_eq!(told.first(), Some(&(0, cost.forward_passes)), "{id}: {told:?}");
        assert_eq!(told.last(), Some(&(cost.forward_passes, cost.forward_passes)), "{id}: {told:?}");
        assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 == pair[1].1), "{id}: {told:?}");
    }
}

/// The same seed gives the same score, in batches of any size.
pub async fn the_seed_decides_and_batch_size_does_not_matter(device: &Device) {
    let mut subject = Subject::convnet(device).await;
    for metric in metrics() {
        let few = quick(metric);
        subject.batch = 4;
        let first = subject.score(metric, &few).await;
        let again = subject.score(metric, &few).await;
        let id = metric.info().id;
        assert!(close(&again, &first, 1e-9), "{id}: {:?}, then {:?}", first.value, again.value);
        for batch in [1, 3, 16] {
            subject.batch = batch;
            let other = subject.score(metric, &few).await;
            assert!(close(&other, &first, 1e-4), "{id}: {:?}, in batches of {batch} {:?}", first.value, other.value);
        }
    }
}

/// A run that is cancelled while its first batch runs ends after it.
pub async fn a_cancelled_run_ends_within_one_batch(device: &Device) {
    let subject = Subject::convnet(device).await;
    for metric in metrics() {
        let (id, few) = (metric.info().id, quick(metric));
        let watcher = Watcher { cancel: true, ..Watcher::default() };
        let question = subject.question(&few, &watcher);
        if metric.cost(&question).unwrap().forward_passes == 0 {
            continue;
        }
        let ended = evaluate(metric, &question).await;
        assert!(matches!(ended, Err(EvaluateError::Explain(ExplainError::Cancelled))), "{id}: {ended:?}");
        let done = watcher.progress.borrow().last().map_or(0, |(done, _)| *done);
        assert!(done <= subject.batch as u64, "{id}: went on to {done}");
    }
}

/// A model that answers the same whatever it sees, and a map that says nothing, give a finite number, or none and a
/// sentence that says why.
pub async fn where_nothing_varies_there_is_a_number_or_a_sentence(device: &Device) {
    let mut constant = Subject::new(toys::constant(device).unwrap(), toys::input(device)).await;
    let black = Subject::new(toys::convnet(device).unwrap(), toys::black_input(device)).await;
    let mut blank = Subject::convnet(device).await;
    blank.map.values.fill(0.0);
    constant.batch = 16;
    for metric in metrics() {
        for subject in [&constant, &black, &blank] {
            let score = subject.score(metric, &quick(metric)).await;
            let id = metric.info().id;
            match score.value {
                Some(value) => assert!(value.is_finite(), "{id}: {value}"),
                None => assert!(score.notes.iter().any(|note| note.ends_with('.')), "{id}: no word of why"),
            }
            let points = score.curves.iter().flat_map(|curve| curve.xs.iter().chain(&curve.ys));
            assert!(points.into_iter().all(|value| value.is_finite()), "{id}: {:?}", score.curves);
        }
    }
}

/// Numbers just outside their range, words that are no choice and unknown names are refused, by cost and by score.
pub async fn parameters_out_of_range_are_refused(device: &Device) {
    let subject = Subject::convnet(device).await;
    for metric in metrics() {
        let info = metric.info();
        for pair in out_of_range(info.parameters) {
            let parameters = BTreeMap::from([pair.clone()]);
            let watcher = Watcher::default();
            let question = subject.question(&parameters, &watcher);
            let is_file = pair.1 == "no-such-file.npy";
            assert_eq!(metric.cost(&question).is_err(), !is_file, "{}: the cost with {pair:?}", info.id);
            let error = evaluate(metric, &question).await.err();
            let message = error.map(|error| error.to_string()).unwrap_or_default();
            let named = message.contains(&pair.0) || (pair.1.ends_with(".npy") && message.contains(&pair.1));
            assert!(named, "{}: {pair:?} gives {message:?}", info.id);
        }
    }
}

/// A metric says in a sentence what it lacks, and refuses maps that do not fit.
pub async fn what_is_lacking_is_said(device: &Device) {
    let subject = Subject::convnet(device).await;
    let small = HeatMap { height: 1, width: 2, values: vec![0.0; 2] };
    let broken = HeatMap { values: vec![f32::NAN; subject.map.values.len()], ..subject.map.clone() };
    for metric in metrics() {
        let (info, few, watcher) = (metric.info(), quick(metric), Watcher::default());
        let whole = subject.question(&few, &watcher);
        let bare = Question { method: None, mask: None, others: &[], ..whole };
        let needs = info.needs.iter().any(|need| *need != MetricNeed::Image);
        assert_eq!(evaluate(metric, &bare).await.is_err(), needs, "{}: {:?}", info.id, info.needs);
        for map in [&small, &broken] {
            let error = evaluate(metric, &Question { map, ..whole }).await.unwrap_err().to_string();
            assert!(error.starts_with("The map ") && error.ends_with('.'), "{}: {error:?}", info.id);
        }
    }
}
