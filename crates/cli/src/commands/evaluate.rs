//! `vitrine evaluate`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use vitrine_engine::{ExplainOptions, Session};
use vitrine_explain::{infill_paths, toolkit::paths_in};
use vitrine_image::decode;
use vitrine_protocol::{EvaluateRequest, ExplainRequest, Map, MetricInfo, Report};

use crate::{
    arguments::Evaluate,
    commands::explain::{infill, parameters},
    failure::Failure,
    files,
    progress::Bar,
    scores::{Row, write},
    setup,
};

/// A map to score.
struct Subject {
    /// Its method, or the file that it came from.
    name: String,
    request: ExplainRequest,
    map: Map,
    attribution: Option<Vec<f32>>,
    report: Option<Report>,
}

pub(crate) async fn evaluate(arguments: &Evaluate) -> Result<(), Failure> {
    let metrics = chosen_metrics(&arguments.metrics)?;
    if arguments.methods.is_empty() && arguments.map.is_empty() {
        return Err(Failure::Usage("Nothing to score: give --methods or --map.".to_owned()));
    }
    let given = Given::read(arguments, &metrics)?;
    files::create_folder(&arguments.out)?;
    let session = setup::with_input(&arguments.subject, &arguments.common).await?;
    let mask = arguments.mask.as_deref().map(map_file).transpose()?;
    let batch = arguments.common.batch.and_then(|batch| usize::try_from(batch).ok());
    let mut subjects = Vec::new();
    for id in &arguments.methods {
        subjects.push(explained(arguments, &session, &given, id, batch).await?);
    }
    for path in &arguments.map {
        let request = ExplainRequest { method: String::new(), ..request(arguments, &given, "") };
        let (name, map) = (files::name(path), map_file(path)?);
        subjects.push(Subject { name, request, map, attribution: None, report: None });
    }
    let mut rows = Vec::new();
    for (number, subject) in subjects.iter().enumerate() {
        let others = subjects.iter().enumerate().filter(|(other, _)| *other != number);
        let others: Vec<(String, Map)> = others.map(|(_, other)| (other.name.clone(), other.map.clone())).collect();
        for metric in &metrics {
            let parameters = given.of(&metric.id);
            let mut infill_files = method_files(&session, &subject.request)?;
            for path in paths_in(metric.parameters.clone(), &parameters) {
                let tensor = infill(&session, Path::new(&path))?;
                infill_files.insert(path, tensor);
            }
            let request = EvaluateRequest {
                run: 0,
                metric: metric.id.clone(),
                parameters,
                explained: subject.request.clone(),
                map: subject.map.clone(),
                mask: mask.clone(),
                others: others.clone(),
                seed: arguments.seed,
                infill_files: Vec::new(),
            };
            let options = ExplainOptions { batch, infill_files };
            let bar = Bar::new(&format!("{} of {}", metric.name, subject.name), arguments.common.quiet);
            let score = session.evaluate(&request, subject.attribution.as_deref(), &options, &bar).await;
            bar.finish();
            rows.push(Row { method: subject.name.clone(), metric: metric.clone(), score: score? });
        }
    }
    let reports: Vec<&Report> = subjects.iter().filter_map(|subject| subject.report.as_ref()).collect();
    write(&arguments.out, &rows, &reports)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        rows.iter().for_each(Row::print);
        println!("written to {}", arguments.out.display());
    }
    Ok(())
}

/// What the command line says of the metrics that are named.
fn chosen_metrics(ids: &[String]) -> Result<Vec<MetricInfo>, Failure> {
    let found = ids.iter().map(|id| Ok(vitrine_evaluate::find(id)?.info()));
    found.collect::<Result<_, vitrine_evaluate::EvaluateError>>().map_err(|error| Failure::Engine(error.into()))
}

/// Parameters by the method or metric that they are for.
struct Given(BTreeMap<String, BTreeMap<String, String>>);

impl Given {
    /// `ID.KEY=VALUE` is for the method or metric of this id, `KEY=VALUE` for every metric that has the parameter.
    fn read(arguments: &Evaluate, metrics: &[MetricInfo]) -> Result<Given, Failure> {
        let mut given: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (key, value) in parameters(&arguments.parameters)? {
            let named = key.split_once('.').filter(|(id, _)| {
                arguments.methods.iter().any(|method| method == id) || metrics.iter().any(|metric| metric.id == *id)
            });
            let owners: Vec<(&str, &str)> = match named {
                Some(named) => vec![named],
                None => {
                    let has = |metric: &&MetricInfo| metric.parameters.iter().any(|parameter| parameter.id == key);
                    metrics.iter().filter(has).map(|metric| (metric.id.as_str(), key.as_str())).collect()
                }
            };
            if owners.is_empty() {
                return Err(Failure::Usage(format!(
                    "No chosen metric has the parameter {key:?}; parameters of a method are given as METHOD.{key}={value}."
                )));
            }
            for (owner, key) in owners {
                given.entry(owner.to_owned()).or_default().insert(key.to_owned(), value.clone());
            }
        }
        Ok(Given(given))
    }

    fn of(&self, id: &str) -> BTreeMap<String, String> {
        self.0.get(id).cloned().unwrap_or_default()
    }
}

fn request(arguments: &Evaluate, given: &Given, id: &str) -> ExplainRequest {
    ExplainRequest {
        method: id.to_owned(),
        target: arguments.target.clone(),
        layer: Some(arguments.layer.join(",")).filter(|layers| !layers.is_empty()),
        parameters: given.of(id),
        seed: arguments.seed,
        ..ExplainRequest::default()
    }
}

/// The infills that a method's parameters name.
fn method_files(session: &Session, request: &ExplainRequest) -> Result<BTreeMap<String, Vec<f32>>, Failure> {
    let mut files = BTreeMap::new();
    if !request.method.is_empty() {
        for path in infill_paths(vitrine_explain::find(&request.method)?, &request.parameters) {
            let tensor = infill(session, Path::new(&path))?;
            files.insert(path, tensor);
        }
    }
    Ok(files)
}

/// Makes a method's map.
async fn explained(
    arguments: &Evaluate,
    session: &Session,
    given: &Given,
    id: &str,
    batch: Option<usize>,
) -> Result<Subject, Failure> {
    let request = request(arguments, given, id);
    let options = ExplainOptions { batch, infill_files: method_files(session, &request)? };
    let bar = Bar::new(id, arguments.common.quiet);
    let explanation = session.explain(&request, &options, &bar).await;
    bar.finish();
    let explanation = explanation?;
    let (_, shape) = session.model()?.input();
    let (attribution, report) = (explanation.attribution, explanation.report);
    let map = Map::new(attribution.map.height, attribution.map.width, &attribution.map.values);
    let is_of_input = shape.get(1..) == Some(&attribution.shape[..]);
    let attribution = is_of_input.then_some(attribution.values);
    Ok(Subject { name: id.to_owned(), request, map, attribution, report: Some(report) })
}

/// A map from a file: an array of height and width, or a picture, whose brightness counts from 0 to 1.
fn map_file(path: &Path) -> Result<Map, Failure> {
    if let Some(array) = files::array(path, "map")? {
        let [ones @ .., height, width] = &array.shape[..] else {
            return Err(no_map(path, &array.shape));
        };
        if ones.iter().any(|length| *length != 1) {
            return Err(no_map(path, &array.shape));
        }
        return Ok(Map::new(*height, *width, &array.values));
    }
    let refused = |source| Failure::File { path: path.to_owned(), source };
    let pixels = decode(&files::read(path)?).map_err(refused)?;
    let brightness =
        |[red, green, blue]: &[u8; 3]| (f32::from(*red) + f32::from(*green) + f32::from(*blue)) / (3.0 * 255.0);
    let values: Vec<f32> = pixels.rgb.as_chunks().0.iter().map(brightness).collect();
    Ok(Map::new(pixels.height, pixels.width, &values))
}

fn no_map(path: &Path, shape: &[usize]) -> Failure {
    let path = PathBuf::from(path);
    Failure::Usage(format!("{} has shape {shape:?}, and a map has a height and a width.", path.display()))
}
