//! `vitrine evaluate`: methods by metrics by pictures by models, and protocols with ground truth.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use vitrine_engine::{ExplainOptions, LoadedModel, Place, ProtocolRequest, Session, measure};
use vitrine_evaluate::{EvaluateError, ground_truth};
use vitrine_explain::toolkit::paths_in;
use vitrine_image::{Palette, Scale, encode_png, render, write_npy};
use vitrine_onnx::Model;
use vitrine_protocol::{
    DeviceChoice, EvaluateRequest, ExplainRequest, Map, MetricInfo, MetricNeed, Parameter, Picture, ProtocolInfo,
};

use crate::{
    arguments::Evaluate,
    checkpoint::{Checkpoint, Key, Outcome, hash, hash_of_values},
    commands::infill,
    failure::{CALLER, Failure},
    files,
    given::Given,
    leaderboard,
    maps::{MapToScore, explained, map_file, method_files},
    output::say,
    progress::Bar,
    scores::{ProtocolRow, Refusal, Results, Row, SCHEMA},
    setup,
};

/// File of the results so far, in the folder that is written into.
const CHECKPOINT: &str = "checkpoint.jsonl";

pub(crate) async fn evaluate(arguments: &Evaluate) -> Result<(), Failure> {
    let evaluation = run(arguments).await?;
    let Evaluation { results, taken, cells, .. } = evaluation;
    let entries = leaderboard::entries(&results);
    results.write(&arguments.out)?;
    leaderboard::write(&arguments.out, &results, &entries)?;
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&results)?);
        return Ok(());
    }
    entries.iter().for_each(leaderboard::Entry::print);
    for Refusal { model, what, reason } in &results.refusals {
        say!("{model}  {what}  not measured: {reason}");
    }
    if taken > 0 {
        say!("{taken} of {cells} results were there from a run before");
    }
    say!("written to {}", arguments.out.display());
    Ok(())
}

/// A run on its way.
struct Evaluation<'a> {
    arguments: &'a Evaluate,
    given: Given,
    checkpoint: Checkpoint,
    results: Results,
    first_failure: Option<Failure>,
    mask: Option<Map>,
    /// Maps from files, by name and what tells them apart.
    map_files: Vec<(String, String, Map)>,
    /// Scores and protocols asked for so far, and how many of them were there before.
    cells: usize,
    taken: usize,
}

/// A map that may not have been made yet.
struct Candidate {
    /// Its method, or the file that it came from.
    name: String,
    request: ExplainRequest,
    key: Key,
    made: Option<MapToScore>,
    refused: bool,
}

async fn run(arguments: &Evaluate) -> Result<Evaluation<'_>, Failure> {
    let mut evaluation = Evaluation::new(arguments)?;
    let place = Place::choose(DeviceChoice::from(arguments.common.device)).await?;
    let models: Vec<Option<&str>> = match &arguments.model[..] {
        [] => vec![None],
        models => models.iter().map(|model| Some(model.as_str())).collect(),
    };
    for model in models {
        evaluation.model(&place, model).await?;
    }
    match evaluation.first_failure.take() {
        Some(failure) if evaluation.results.scores.is_empty() && evaluation.results.measured.is_empty() => Err(failure),
        _ => Ok(evaluation),
    }
}

impl<'a> Evaluation<'a> {
    /// Reads what is asked, before any work.
    fn new(arguments: &'a Evaluate) -> Result<Self, Failure> {
        let refused = |error: EvaluateError| Failure::Engine(error.into());
        let metrics = arguments.metrics.iter().map(|id| Ok(vitrine_evaluate::find(id)?.info()));
        let metrics: Vec<MetricInfo> = metrics.collect::<Result<_, EvaluateError>>().map_err(refused)?;
        let protocols = arguments.protocols.iter().map(|id| Ok(ground_truth::find(id)?.info()));
        let protocols: Vec<ProtocolInfo> = protocols.collect::<Result<_, EvaluateError>>().map_err(refused)?;
        for method in &arguments.methods {
            vitrine_evaluate::find_method(method)?;
        }
        let usage = |text: &str| Err(Failure::Usage(text.to_owned()));
        match (&arguments.methods[..], &arguments.map[..], &metrics[..], &protocols[..]) {
            ([], [], ..) => return usage("Nothing to score: give --methods or --map."),
            (_, _, [], []) => return usage("Nothing to measure: give --metrics or --protocols."),
            ([], _, _, [_, ..]) => return usage("Protocols explain pictures of their own: give --methods, too."),
            _ => {}
        }
        let several = arguments.model.len() > 1 || arguments.input.len() > 1;
        if several && (!arguments.map.is_empty() || arguments.mask.is_some()) {
            return usage("--map and --mask are about one picture: give one --model and one --input with them.");
        }
        if arguments.model.len() > 1 && arguments.common.card.is_some() {
            return usage("--card is about one model: give one --model with it, or put each card beside its model.");
        }
        let measures: BTreeMap<&str, &[Parameter]> = metrics
            .iter()
            .map(|metric| (metric.id.as_str(), metric.parameters.as_slice()))
            .chain(protocols.iter().map(|protocol| (protocol.id.as_str(), protocol.parameters.as_slice())))
            .collect();
        let given = Given::read(&arguments.parameters, &arguments.methods, &measures)?;
        let named = |path: &PathBuf| {
            let map = map_file(path)?;
            Ok((files::name(path), hash_of_values(&map.values()), map))
        };
        files::create_folder(&arguments.out)?;
        Ok(Evaluation {
            arguments,
            given,
            checkpoint: Checkpoint::open(&arguments.out.join(CHECKPOINT))?,
            results: Results {
                schema: SCHEMA,
                metrics,
                protocols,
                scores: Vec::new(),
                measured: Vec::new(),
                refusals: Vec::new(),
                reports: Vec::new(),
            },
            first_failure: None,
            mask: arguments.mask.as_deref().map(map_file).transpose()?,
            map_files: arguments.map.iter().map(named).collect::<Result<_, Failure>>()?,
            cells: 0,
            taken: 0,
        })
    }

    fn batch(&self) -> Option<usize> {
        self.arguments.common.batch.and_then(|batch| usize::try_from(batch).ok())
    }

    async fn model(&mut self, place: &Place, model: Option<&str>) -> Result<(), Failure> {
        let common = &self.arguments.common;
        let mut session = Session::on(place.clone());
        let file = setup::model_file(model, common.card.as_deref())?;
        session.load_model(&file.name, file.onnx, file.card.as_deref()).await?;
        if !self.results.metrics.is_empty() {
            let (input_name, _) = session.model()?.input();
            if self.arguments.input.is_empty() {
                session.load_sample(0).await?;
                self.picture(&session, sample_hash(0)).await?;
            }
            for input in &self.arguments.input {
                setup::load_input(&mut session, input).await?;
                let path = setup::named_path(input, &input_name);
                let picture = match setup::sample(&path) {
                    Some(index) => sample_hash(index),
                    None => hash(&files::read(&path)?),
                };
                self.picture(&session, picture).await?;
            }
        }
        if !self.results.protocols.is_empty() {
            let onnx = setup::model_file(model, common.card.as_deref())?.onnx.decode();
            let onnx = onnx.map_err(|source| vitrine_engine::EngineError::Model { name: file.name.clone(), source })?;
            self.protocols(place, &session, &onnx).await?;
        }
        Ok(())
    }

    /// What all results of a model have in common.
    fn key(&self, model: &LoadedModel) -> Result<Key, Failure> {
        Ok(Key {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            device: model.device().name.clone(),
            model: identity(model)?,
            layers: self.arguments.layer.clone(),
            seed: self.arguments.seed,
            ..Key::default()
        })
    }

    /// Scores every method's map of the loaded picture by every metric.
    async fn picture(&mut self, session: &Session, picture: String) -> Result<(), Failure> {
        let model = session.model()?;
        let key = Key { picture, target: self.arguments.target.clone(), ..self.key(model)? };
        let mut candidates = Vec::new();
        for id in &self.arguments.methods {
            let request = self.request(id);
            let beside = hashes(&method_files(session, &request)?);
            let parameters = complete(&vitrine_evaluate::find_method(id)?.info().parameters, &request.parameters);
            let key = Key { method: id.clone(), method_parameters: parameters, beside, ..key.clone() };
            candidates.push(Candidate { name: id.clone(), request, key, made: None, refused: false });
        }
        for (name, identity, map) in &self.map_files {
            let beside = BTreeMap::from([("map".to_owned(), identity.clone())]);
            let key = Key { method: name.clone(), beside, ..key.clone() };
            let made = Some(MapToScore { map: map.clone(), attribution: None, report: None });
            candidates.push(Candidate { name: name.clone(), request: self.request(""), key, made, refused: false });
        }
        for number in 0..candidates.len() {
            for metric in self.results.metrics.clone() {
                self.cell(session, &mut candidates, number, &metric).await?;
            }
        }
        Ok(())
    }

    fn request(&self, id: &str) -> ExplainRequest {
        ExplainRequest {
            method: id.to_owned(),
            target: self.arguments.target.clone(),
            layer: Some(self.arguments.layer.join(",")).filter(|layers| !layers.is_empty()),
            parameters: self.given.of(id),
            seed: self.arguments.seed,
            ..ExplainRequest::default()
        }
    }

    /// One metric of one map: taken from the checkpoint, or measured and added to it.
    async fn cell(
        &mut self,
        session: &Session,
        candidates: &mut [Candidate],
        number: usize,
        metric: &MetricInfo,
    ) -> Result<(), Failure> {
        let Some(candidate) = candidates.get(number) else { return Ok(()) };
        let parameters = self.given.of(&metric.id);
        let compares = metric.needs.contains(&MetricNeed::OtherMaps);
        let mut metric_files = BTreeMap::new();
        for path in paths_in(metric.parameters.clone(), &parameters) {
            let tensor = infill(session, Path::new(&path))?;
            metric_files.insert(path, tensor);
        }
        let mut key = Key {
            measure: metric.id.clone(),
            parameters: complete(&metric.parameters, &parameters),
            ..candidate.key.clone()
        };
        key.beside.extend(hashes(&metric_files));
        if let Some(mask) = self.mask.as_ref().filter(|_| metric.needs.contains(&MetricNeed::Mask)) {
            key.beside.insert("mask".to_owned(), hash_of_values(&mask.values()));
        }
        if compares {
            for other in candidates.iter().filter(|other| other.name != candidate.name) {
                let identity = hash(serde_json::to_string(&other.key)?.as_bytes());
                key.beside.insert(format!("map of {}", other.name), identity);
            }
        }
        let (name, request) = (candidate.name.clone(), candidate.request.clone());
        let model = session.model()?.name.clone();
        let row = |score| Row {
            model: model.clone(),
            picture: session.input_name().unwrap_or_default().to_owned(),
            method: name.clone(),
            metric: metric.id.clone(),
            score,
        };
        self.cells += 1;
        if let Some(Outcome::Score(score)) = self.checkpoint.find(&key)? {
            self.taken += 1;
            self.report(&candidate.key)?;
            self.results.scores.push(row(score));
            return Ok(());
        }
        for (at, other) in candidates.iter_mut().enumerate() {
            if at == number || compares {
                self.make(session, other).await?;
            }
        }
        let Some(made) = candidates.get(number).and_then(|candidate| candidate.made.as_ref()) else { return Ok(()) };
        let others = candidates.iter().enumerate().filter(|(at, _)| compares && *at != number);
        let others = others.filter_map(|(_, other)| Some((other.name.clone(), other.made.as_ref()?.map.clone())));
        let mut infill_files = method_files(session, &request)?;
        infill_files.extend(metric_files);
        let asked = EvaluateRequest {
            run: 0,
            metric: metric.id.clone(),
            parameters,
            explained: request,
            map: made.map.clone(),
            mask: self.mask.clone(),
            others: others.collect(),
            seed: self.arguments.seed,
            infill_files: Vec::new(),
        };
        let options = ExplainOptions { batch: self.batch(), infill_files };
        let bar = Bar::new(&format!("{}: {} of {name}", self.cells, metric.name), self.arguments.common.quiet);
        let score = session.evaluate(&asked, made.attribution.as_deref(), &options, &bar).await;
        bar.finish();
        match score {
            Ok(mut score) => {
                for (at, altered) in std::mem::take(&mut score.pictures).into_iter().enumerate() {
                    let file = format!("{}-{at:03}.png", self.prefix(session, &[&name, &metric.id])?);
                    files::write(&self.arguments.out.join(file), &encode_png(&altered.picture)?)?;
                }
                for made in std::mem::take(&mut score.maps) {
                    let file = format!("{}-map-{}.npy", self.prefix(session, &[&name, &metric.id])?, made.x);
                    let npy = write_npy(&[made.map.height, made.map.width], &made.map.values())?;
                    files::write(&self.arguments.out.join(file), &npy)?;
                }
                self.checkpoint.add(&key, Outcome::Score(score.clone()))?;
                self.results.scores.push(row(score));
                Ok(())
            }
            Err(error) => self.refuse(&model, format!("{name} by {}", metric.id), error.into()),
        }
    }

    /// Makes a candidate's map, if it is to be made and was not.
    async fn make(&mut self, session: &Session, candidate: &mut Candidate) -> Result<(), Failure> {
        if candidate.made.is_some() || candidate.refused {
            return Ok(());
        }
        let bar = Bar::new(&candidate.name, self.arguments.common.quiet);
        let made = explained(session, &candidate.request, self.batch(), &bar).await;
        bar.finish();
        match made {
            Ok(made) => {
                if let Some(report) = &made.report
                    && !self.report(&candidate.key)?
                {
                    self.checkpoint.add(&candidate.key, Outcome::Report(Box::new(report.clone())))?;
                    self.results.reports.push(report.clone());
                }
                candidate.made = Some(made);
                Ok(())
            }
            Err(failure) => {
                candidate.refused = true;
                self.refuse(&session.model()?.name, candidate.name.clone(), failure)
            }
        }
    }

    /// Takes the record of how a map was made, if it is there from a run before.
    fn report(&mut self, key: &Key) -> Result<bool, Failure> {
        let Some(Outcome::Report(report)) = self.checkpoint.find(key)? else { return Ok(false) };
        if !self.results.reports.contains(&*report) {
            self.results.reports.push(*report);
        }
        Ok(true)
    }

    /// Notes what does not fit and goes on; ends the run where the fault is not in what was asked.
    fn refuse(&mut self, model: &str, what: String, failure: Failure) -> Result<(), Failure> {
        if failure.status() != CALLER {
            return Err(failure);
        }
        let refusal = Refusal { model: model.to_owned(), what, reason: failure.to_string() };
        if !self.results.refusals.contains(&refusal) {
            self.results.refusals.push(refusal);
        }
        self.first_failure.get_or_insert(failure);
        Ok(())
    }

    /// The beginning of a file's name: what it is of, and where there are several, which model and picture.
    fn prefix(&self, session: &Session, parts: &[&str]) -> Result<String, Failure> {
        let stem = |name: &str| Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let mut all = Vec::new();
        if self.arguments.model.len() > 1 {
            all.extend(stem(&session.model()?.name));
        }
        if self.arguments.input.len() > 1 {
            all.extend(session.input_name().ok().and_then(stem));
        }
        all.extend(parts.iter().map(|part| (*part).to_owned()));
        Ok(all.join("-"))
    }

    /// Runs every protocol with every method on a model.
    async fn protocols(&mut self, place: &Place, session: &Session, onnx: &Model) -> Result<(), Failure> {
        let model = session.model()?;
        let mut companions: BTreeMap<String, Session> = BTreeMap::new();
        for protocol in self.results.protocols.clone() {
            if let Some(id) = &protocol.beside
                && !companions.contains_key(id)
            {
                let mut companion = Session::on(place.clone());
                companion.load_builtin(id).await?;
                companions.insert(id.clone(), companion);
            }
            let beside = match &protocol.beside {
                Some(id) => companions.get(id).map(Session::model).transpose()?,
                None => None,
            };
            for id in &self.arguments.methods {
                self.protocol(model, onnx, &protocol, id, beside).await?;
            }
        }
        Ok(())
    }

    async fn protocol(
        &mut self,
        model: &LoadedModel,
        onnx: &Model,
        protocol: &ProtocolInfo,
        method: &str,
        beside: Option<&LoadedModel>,
    ) -> Result<(), Failure> {
        let request = self.request(method);
        let parameters = self.given.of(&protocol.id);
        let mut key = Key {
            method: method.to_owned(),
            method_parameters: complete(&vitrine_evaluate::find_method(method)?.info().parameters, &request.parameters),
            measure: protocol.id.clone(),
            parameters: complete(&protocol.parameters, &parameters),
            pictures: self.arguments.pictures,
            ..self.key(model)?
        };
        if let Some(beside) = beside {
            key.beside.insert("model".to_owned(), identity(beside)?.concat());
        }
        self.cells += 1;
        let row = |measured| ProtocolRow {
            model: model.name.clone(),
            method: method.to_owned(),
            protocol: protocol.id.clone(),
            measured,
        };
        if let Some(Outcome::Measured(measured)) = self.checkpoint.find(&key)? {
            self.taken += 1;
            self.results.measured.push(row(measured));
            return Ok(());
        }
        let asked = ProtocolRequest {
            protocol: &protocol.id,
            parameters: &parameters,
            pictures: usize::try_from(self.arguments.pictures).unwrap_or(usize::MAX),
            explained: &request,
            onnx: Some(onnx),
            beside,
        };
        let options = ExplainOptions { batch: self.batch(), infill_files: BTreeMap::new() };
        let bar = Bar::new(&format!("{}: {} of {method}", self.cells, protocol.name), self.arguments.common.quiet);
        let findings = measure(model, &asked, &options, &bar).await;
        bar.finish();
        match findings {
            Ok(findings) => {
                for (name, map) in findings.maps {
                    let signed = map.values.iter().any(|&value| value < 0.0);
                    let palette = Palette::default_for(signed);
                    let rgba = render(&map.values, palette, Scale::fit(&map.values, palette, 100.0));
                    let picture = Picture { width: map.width, height: map.height, rgba };
                    let file = format!("{}-{method}-{}-{name}.png", model.name, protocol.id);
                    files::write(&self.arguments.out.join(file), &encode_png(&picture)?)?;
                }
                self.checkpoint.add(&key, Outcome::Measured(findings.measured.clone()))?;
                self.results.measured.push(row(findings.measured));
                Ok(())
            }
            Err(error) => self.refuse(&model.name, format!("{method} by {}", protocol.id), error.into()),
        }
    }
}

/// A model's file and card, hashed.
fn identity(model: &LoadedModel) -> Result<[String; 2], Failure> {
    Ok([model.sha256.clone(), hash(serde_json::to_string(&model.card)?.as_bytes())])
}

/// A sample image, hashed with what is known of its parts.
fn sample_hash(index: usize) -> String {
    let bytes = vitrine_zoo::samples().get(index).map(|sample| [sample.png, sample.parts.unwrap_or_default()].concat());
    hash(&bytes.unwrap_or_default())
}

/// All parameters as typed, with the defaults of those that were not.
fn complete(parameters: &[Parameter], given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let defaults = parameters.iter().map(|parameter| (parameter.id.clone(), parameter.default.to_string()));
    defaults.chain(given.clone()).collect()
}

fn hashes(files: &BTreeMap<String, Vec<f32>>) -> BTreeMap<String, String> {
    files.iter().map(|(path, values)| (path.clone(), hash_of_values(values))).collect()
}

#[cfg(test)]
mod tests;
