//! The page's whole state and how it changes: [`State::update`] takes one [`Action`] and says what to do outside.
//! Nothing here touches the browser, so the tests run natively.

mod bench;
mod card;
mod compare;
mod download;
mod estimate;
mod loading;
mod longer;
mod status;
#[cfg(test)]
mod tests;
mod trust;
mod truth;

use std::{
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use vitrine_image::{Palette, Scale};
use vitrine_protocol::{
    Device, DeviceChoice, DeviceKind, Event, File, Map, MethodInfo, MetricInfo, ModelSummary, PROTOCOL_VERSION,
    Picture, Prediction, ProblemKind, Report, Request, Sample, Tried,
};

use crate::link::Link;
use crate::metric_settings::MetricSettings;
use crate::model_file::ModelFile;
use crate::place::Place;
use crate::question::Question;
pub(crate) use bench::{Bench, BenchChange, Purpose, Scored, Tool, drawn_file};
pub(crate) use card::{CardChange, CardForm};
pub(crate) use compare::{Card, CompareChange, CompareScale, Outcome, PERCENTILE};
pub(crate) use download::{Delivery, Download, Offer, Origin, RemoteFile, Shelf};
use estimate::Estimates;
pub(crate) use estimate::Passes;
pub(crate) use loading::Given;
use loading::{Chosen, Sources};
pub(crate) use longer::Longer;
pub(crate) use status::Status;
use trust::Trust;
pub(crate) use trust::{Judged, Measure, Verdict};
pub(crate) use truth::{PartShare, Truth};

/// After so many crashes within [`CRASH_WINDOW`] the worker stays down.
const MAX_CRASHES: usize = 3;
/// Milliseconds.
const CRASH_WINDOW: f64 = 60_000.0;
/// Masked pictures that are shown.
const SHOWN: usize = 8;

/// Everything the page knows.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) worker: Worker,
    pub(crate) device_choice: DeviceChoice,
    pub(crate) device: Option<Device>,
    pub(crate) methods: Rc<[MethodInfo]>,
    pub(crate) metrics: Rc<[MetricInfo]>,
    /// Ids and names.
    pub(crate) models: Rc<[(String, String)]>,
    pub(crate) samples: Rc<[Sample]>,
    pub(crate) model: Option<Rc<ModelSummary>>,
    /// The model's card.
    pub(crate) card: Option<CardForm>,
    /// A model on its way.
    pub(crate) download: Option<Download>,
    /// Models of which the visitor has to choose one.
    pub(crate) offer: Option<Offer>,
    /// Models that the browser keeps.
    pub(crate) shelf: Shelf,
    /// What the visitor should know of how the model was loaded or kept.
    pub(crate) model_note: Option<String>,
    pub(crate) image: Option<Rc<Image>>,
    pub(crate) question: Question,
    pub(crate) run: Option<Run>,
    pub(crate) map: Option<Rc<HeatMap>>,
    /// What a method that makes a picture has made so far.
    pub(crate) made: Option<Rc<Picture>>,
    /// Standard error of the map's values, where its method tells it.
    pub(crate) error: Option<Rc<HeatMap>>,
    /// The masked pictures that were tried last, the latest first.
    pub(crate) tried: VecDeque<Rc<Tried>>,
    /// How the map was made; absent while it is partial.
    pub(crate) report: Option<Rc<Report>>,
    /// The question that the map on screen answers, or the run that goes on.
    asked: Option<Question>,
    /// Methods to compare that of the question with.
    pub(crate) compare: Vec<Card>,
    pub(crate) compare_scale: CompareScale,
    /// What is done to the picture by hand.
    pub(crate) bench: Bench,
    /// Ids of those that are to run next.
    queue: VecDeque<String>,
    /// The one that runs; nothing while it is that of the question.
    running: Option<String>,
    /// What metrics say of the map on screen.
    trust: Trust,
    metric_settings: MetricSettings,
    estimates: Estimates,
    pub(crate) last_end: Option<End>,
    pub(crate) notice: Option<Notice>,
    pub(crate) view: View,
    pub(crate) embed: bool,
    pub(crate) hide: Vec<String>,
    sources: Sources,
    /// A link that waits for the worker.
    wish: Option<Link>,
    /// Whether a link asked for a run as soon as everything is loaded.
    run_when_ready: bool,
    last_run: u32,
    last_download: u32,
    /// When the worker crashed lately.
    crashes: Vec<f64>,
}

/// Whether there is anybody to compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Worker {
    /// Started, and has not said that it is ready.
    #[default]
    Starting,
    /// Takes requests.
    Ready,
    /// Gone, and not started again.
    Stopped,
}

/// The image at hand, as the model sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) picture: Picture,
    /// Best first; empty between a change of model and its first answer.
    pub(crate) predictions: Vec<Prediction>,
    pub(crate) probabilities: bool,
}

/// A map that is on screen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HeatMap {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: Vec<f32>,
}

impl From<Map> for HeatMap {
    fn from(map: Map) -> Self {
        HeatMap { width: map.width, height: map.height, values: map.values() }
    }
}

impl HeatMap {
    /// Whether some values lie below this scale, and whether some lie above it.
    pub(crate) fn beyond(&self, palette: Palette, scale: Scale) -> (bool, bool) {
        let (low, high) = scale.range(palette);
        (self.values.iter().any(|value| *value < low), self.values.iter().any(|value| *value > high))
    }

    /// Whether some values are negative.
    pub(crate) fn is_signed(&self) -> bool {
        self.values.iter().any(|value| *value < 0.0)
    }
}

/// A run that goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) number: u32,
    pub(crate) done: u64,
    /// Nothing until the first progress.
    pub(crate) total: Option<u64>,
    pub(crate) seconds_left: Option<f64>,
}

/// How the last thing the visitor asked for ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    Cancelled,
    Error,
}

/// Something the visitor has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) message: String,
    /// Whether only loading the page anew helps.
    pub(crate) reload: bool,
}

/// How the map is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct View {
    /// Of the map over the picture, 0 to 1.
    pub(crate) opacity: f32,
    /// The visitor's choice; by the map's signs when absent.
    pub(crate) palette: Option<Palette>,
    /// Whether the map's standard error is shown in its place.
    pub(crate) band: bool,
}

impl Default for View {
    fn default() -> Self {
        View { opacity: 0.6, palette: None, band: false }
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// The worker spoke.
    Heard(Event),
    /// The worker died, or sent what nobody understands.
    Crashed(String),
    /// The page was opened by a link, or its fragment changed.
    Follow(Link),
    /// The visitor chose a sample image.
    ChooseSample(usize),
    /// The visitor chose a built-in model.
    ChooseModel(String),
    /// The visitor typed where a model is.
    LoadFrom(String),
    /// The visitor chose one of a repository's models by its path.
    ChooseOffered(String),
    /// The visitor chose a model that the browser keeps, by its key.
    ChooseKept(String),
    /// The visitor wants the model at hand to be kept.
    KeepModel,
    /// The visitor wants a kept model to be deleted, by its key.
    Forget(String),
    /// What the browser keeps now, and what is to be said of the last change.
    Kept(Shelf, Option<String>),
    /// Something came of the download of this number.
    Delivered(u32, Delivery),
    /// Files were dropped, pasted or picked.
    Files(Vec<Given>),
    /// The image that a link named by its address, or why it cannot be had.
    ImageFetched(String, Result<File, String>),
    /// The visitor changed the question.
    Ask(Change),
    /// The visitor corrects the model's card.
    Card(CardChange),
    /// The visitor compares methods.
    Compare(CompareChange),
    /// The visitor wants these metrics of the map on screen.
    Measure(Vec<String>),
    /// A metric's parameter, by `metric.parameter`, is to be another.
    SetMetric(Change),
    /// The visitor draws on the picture.
    Bench(BenchChange),
    Run,
    /// The same with twice as many draws.
    RunLonger,
    Cancel,
    ChooseDevice(DeviceChoice),
    SetOpacity(f32),
    SetPalette(Palette),
    /// The visitor wants to see how sure the map is, or the map.
    ShowBand(bool),
    /// Something failed outside of the worker.
    Notify(String),
    Dismiss,
}

/// A change of the question.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    Method(String),
    Target(String),
    Layer(Option<String>),
    Seed(String),
    Parameter(String, String),
    /// A parameter is to be an image of the visitor's.
    Infill(String, File),
    /// Every parameter and the seed back to the defaults.
    Reset,
}

/// What the page has to do outside.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    /// End the worker if there is one, start another and send it [`Request::Start`].
    StartWorker(DeviceChoice),
    /// End the worker.
    StopWorker,
    Send(Request),
    /// Send [`Request::LoadModel`] with this file beside it.
    SendModel(ModelFile),
    /// Begin a download, and end another one.
    Download {
        number: u32,
        origin: Origin,
        size: Option<u64>,
    },
    /// End the download.
    StopDownload,
    /// Keep a model in the browser.
    Keep(ModelFile),
    /// Keep another card for a kept model.
    KeepCard {
        key: String,
        card: String,
    },
    /// Delete a kept model by its key.
    Forget(String),
    /// Fetch an image.
    FetchImage(String),
}

impl State {
    /// The state of a page just opened by `link`; its first command is [`Command::StartWorker`].
    pub(crate) fn new(link: Link) -> Self {
        State {
            device_choice: link.device,
            embed: link.embed,
            hide: link.hide.clone(),
            wish: Some(link),
            ..State::default()
        }
    }

    /// Takes one action at `now` (milliseconds on any clock).
    pub(crate) fn update(&mut self, action: Action, now: f64) -> Vec<Command> {
        let mut commands = match action {
            Action::Heard(event) => self.hear(event, now),
            Action::Crashed(message) => self.crash(&message, false, now),
            Action::Follow(link) => self.follow(link),
            Action::ChooseSample(index) => self.begin_loading(|state| vec![state.sources.load_sample(index)]),
            Action::ChooseModel(id) => self.choose_model(id),
            Action::LoadFrom(text) => self.load_text(&text),
            Action::ChooseOffered(path) => self.choose_offered(&path),
            Action::ChooseKept(key) => self.choose_kept(&key),
            Action::KeepModel => self.keep_model(),
            Action::Forget(key) => vec![Command::Forget(key)],
            Action::Kept(shelf, note) => {
                self.take_shelf(shelf, note);
                Vec::new()
            }
            Action::Delivered(number, delivery) => self.take_delivery(number, delivery),
            Action::Files(files) => self.take_files(files),
            Action::ImageFetched(address, fetched) => {
                self.sources.fetch_ended();
                match fetched {
                    Ok(file) => self.begin_loading(|state| vec![state.sources.load_image_file(Some(address), file)]),
                    Err(message) => {
                        self.fail(message);
                        Vec::new()
                    }
                }
            }
            Action::Ask(change) => {
                self.ask(change);
                Vec::new()
            }
            Action::Card(change) => self.change_card(change),
            Action::Compare(change) => self.change_comparison(change),
            Action::Measure(metrics) => self.measure(metrics),
            Action::SetMetric(change) => {
                self.set_metric(change);
                Vec::new()
            }
            Action::Bench(change) => {
                self.change_bench(change);
                Vec::new()
            }
            Action::Run => self.start_run(),
            Action::RunLonger => self.run_longer(),
            Action::Cancel => self.cancel(),
            Action::ChooseDevice(choice) => {
                self.device_choice = choice;
                self.restart()
            }
            Action::SetOpacity(opacity) => {
                self.view.opacity = opacity;
                Vec::new()
            }
            Action::SetPalette(palette) => {
                self.view.palette = Some(palette);
                Vec::new()
            }
            Action::ShowBand(band) => {
                self.view.band = band;
                Vec::new()
            }
            Action::Notify(message) => {
                self.fail(message);
                Vec::new()
            }
            Action::Dismiss => {
                self.notice = None;
                self.last_end = self.last_end.filter(|end| *end != End::Error);
                Vec::new()
            }
        };
        if self.run_when_ready && self.can_run() {
            self.run_when_ready = false;
            commands.extend(self.start_run());
        }
        commands.extend(self.estimate());
        commands.extend(self.ask_for_bench());
        commands.extend(self.ask_for_metric_costs());
        commands
    }

    /// The method of the question.
    pub(crate) fn method(&self) -> Option<&MethodInfo> {
        self.methods.iter().find(|method| method.id == self.question.method)
    }

    /// Whether pressing run would do something.
    pub(crate) fn can_run(&self) -> bool {
        self.run.is_none() && self.is_settled() && self.problem().is_none()
    }

    /// What is wrong with the question; nothing as long as it cannot be known.
    pub(crate) fn problem(&self) -> Option<String> {
        self.request(0, &self.question, &self.question.method)?.err()
    }

    /// Whether a part of the page is to be shown.
    pub(crate) fn shows(&self, part: &str) -> bool {
        !self.hide.iter().any(|hidden| hidden == part)
    }

    /// The palette that the map is drawn in.
    pub(crate) fn palette(&self) -> Palette {
        let signed = self.map.as_ref().is_some_and(|map| map.is_signed());
        self.view.palette.unwrap_or_else(|| Palette::default_for(signed))
    }

    /// The palette of the maps side by side, one for all.
    pub(crate) fn compare_palette(&self) -> Palette {
        let signed = self.compared().iter().any(|(map, _)| map.is_signed());
        self.view.palette.unwrap_or_else(|| Palette::default_for(signed))
    }

    /// A link that gives the same map again, as far as files of the visitor's own allow.
    pub(crate) fn link(&self) -> Link {
        let question = &self.question;
        Link {
            model: self.sources.model_link(),
            image: self.sources.image_link(),
            method: Some(question.method.clone()),
            target: Some(question.target.clone()),
            layer: question.layer.clone(),
            seed: Some(question.seed.clone()),
            parameters: self.changed_parameters(),
            compare: self.compare.iter().map(|card| card.method.clone()).collect(),
            device: self.device_choice,
            embed: self.embed,
            hide: self.hide.clone(),
        }
    }

    /// Parameters that differ from their defaults, of the question's method and of those to compare it with: a name means
    /// the same in all of them.
    fn changed_parameters(&self) -> BTreeMap<String, String> {
        let compared = self.compare.iter().map(|card| &card.method);
        let methods = std::iter::once(&self.question.method).chain(compared);
        let known = methods.filter_map(|id| self.methods.iter().find(|method| method.id == *id));
        known.flat_map(|method| self.question.changed(&self.question.setup(method, &self.methods))).collect()
    }

    /// The built-in model that is chosen, or nothing for the visitor's own.
    pub(crate) fn model_link(&self) -> Option<String> {
        self.sources.model_link()
    }

    /// The sample that is chosen, or nothing for the visitor's own image.
    pub(crate) fn chosen_sample(&self) -> Option<usize> {
        self.sources.sample()
    }

    /// Name of the visitor's own image, when that is chosen.
    pub(crate) fn own_image(&self) -> Option<String> {
        self.sources.own_image()
    }

    /// Whether everything asked for is loaded.
    pub(crate) fn is_settled(&self) -> bool {
        let answered = self.image.as_ref().is_some_and(|image| !image.predictions.is_empty());
        self.worker == Worker::Ready && self.sources.is_settled() && self.download.is_none() && answered
    }

    fn is_current(&self, run: u32) -> bool {
        self.run.is_some_and(|current| current.number == run)
    }

    /// Whether a run is that of the question, not one to compare with and not a metric's.
    fn is_own(&self, run: u32) -> bool {
        self.is_current(run) && self.running.is_none() && !self.is_measuring()
    }

    fn hear(&mut self, event: Event, now: f64) -> Vec<Command> {
        match event {
            Event::Ready { version, device, methods, metrics, models, samples } => {
                if version != PROTOCOL_VERSION {
                    return self.stop(format!(
                        "The page is of version {PROTOCOL_VERSION} and its worker of version {version}. \
                         Reload the page to get both of the same."
                    ));
                }
                self.worker = Worker::Ready;
                self.device = Some(device);
                self.methods = methods.into();
                self.metrics = metrics.into();
                self.models = models.into();
                self.samples = samples.into();
                if self.method().is_none() {
                    self.question.method = self.methods.first().map(|method| method.id.clone()).unwrap_or_default();
                }
                let mut commands = self.sources.restore(self.models.first());
                if let Some(link) = self.wish.take() {
                    commands.extend(self.follow(link));
                }
                return commands;
            }
            Event::ModelLoaded(summary) => {
                let keep = self.sources.model_loaded().map(Command::Keep);
                self.forget_map();
                self.estimates.forget();
                let keep_card = self.show_card(&summary);
                self.model = Some(Rc::new(*summary));
                if let Some(image) = &mut self.image {
                    Rc::make_mut(image).predictions.clear();
                }
                return keep.into_iter().chain(keep_card).collect();
            }
            Event::ImageLoaded { name, picture, predictions, probabilities } => {
                self.sources.image_loaded();
                self.forget_map();
                self.estimates.forget();
                self.bench.renew(&picture);
                self.image = Some(Rc::new(Image { name, picture, predictions, probabilities }));
            }
            Event::Progress { run, done, total, seconds_left } if self.is_current(run) => {
                self.run = Some(Run { number: run, done, total: Some(total), seconds_left });
            }
            Event::Partial { run, map } if self.is_own(run) => {
                self.map = Some(Rc::new(map.into()));
            }
            Event::Frame { run, picture } if self.is_own(run) => {
                self.made = Some(Rc::new(picture));
            }
            Event::Tried { run, tried } if self.is_own(run) => {
                tried.into_iter().for_each(|tried| self.tried.push_front(Rc::new(tried)));
                self.tried.truncate(SHOWN);
            }
            Event::Done { run, map, error, picture, report } if self.is_current(run) => {
                self.estimates.learn(&report);
                let (map, report) = (Rc::new(map.into()), Rc::new(*report));
                self.run = None;
                match self.running.take() {
                    Some(id) => self.settle(&id, Outcome::Done(map, report)),
                    None => {
                        (self.map, self.report) = (Some(map), Some(report));
                        self.error = error.map(|error| Rc::new(error.into()));
                        self.made = picture.map(Rc::new);
                        self.last_end = Some(End::Done);
                    }
                }
                return self.run_next();
            }
            Event::Curve { run, curve } if self.is_current(run) && self.is_measuring() => self.grow(curve),
            Event::Scored { run, score } if self.is_current(run) => {
                return self.end_measure(Verdict::Done(Rc::from(score)));
            }
            Event::Cancelled { run } if self.is_current(run) && self.is_measuring() => self.leave_run(),
            Event::Cancelled { run } if self.is_current(run) => {
                let removed =
                    self.running.as_ref().is_some_and(|id| self.compare.iter().all(|card| card.method != *id));
                if removed {
                    self.run = None;
                    return self.run_next();
                }
                self.leave_run();
                self.last_end = Some(End::Cancelled);
            }
            Event::Estimated { run, forward_passes, backward_passes, pass_seconds } if self.estimates.is_asked(run) => {
                let passes = Passes { forward: forward_passes, backward: backward_passes };
                self.estimates.answer(Ok(passes), pass_seconds);
            }
            Event::MetricsEstimated { run, passes } if self.is_of_metric_costs(run) => self.take_metric_costs(passes),
            Event::Hidden { run, before, after, picture, predictions } if self.is_of_bench(run) => {
                self.take_score(Scored { before, after, picture: Rc::new(picture), predictions });
            }
            Event::Regions { run, labels } if self.is_of_bench(run) => self.take_cut(&labels),
            Event::Failed { run, problem } => match (problem.kind, run) {
                (ProblemKind::Device, _) => return self.crash(&problem.message, true, now),
                // After a fault in the program nobody knows what the worker still holds.
                (ProblemKind::Internal, _) => return self.crash(&problem.message, false, now),
                (ProblemKind::Input, Some(run)) if self.estimates.is_asked(run) => {
                    self.estimates.answer(Err(problem), None);
                }
                (ProblemKind::Input, Some(run)) if self.is_of_metric_costs(run) => self.take_metric_costs(Vec::new()),
                (ProblemKind::Input, Some(run)) if self.is_of_bench(run) => self.take_bench_refusal(problem.message),
                (ProblemKind::Input, Some(run)) if !self.is_current(run) => {}
                (ProblemKind::Input, Some(_)) if self.is_measuring() => {
                    return self.end_measure(Verdict::Failed(problem.message));
                }
                (ProblemKind::Input, Some(_)) => {
                    self.run = None;
                    match self.running.take() {
                        Some(id) => self.settle(&id, Outcome::Failed(problem.message)),
                        None => self.fail(problem.message),
                    }
                    return self.run_next();
                }
                (ProblemKind::Input, None) => {
                    self.sources.load_failed();
                    if !self.refuse_card(&problem) {
                        self.fail(problem.message);
                    }
                }
            },
            // Of a run, or a question, that the visitor has already turned away from.
            Event::Progress { .. }
            | Event::Partial { .. }
            | Event::Frame { .. }
            | Event::Tried { .. }
            | Event::Done { .. }
            | Event::Curve { .. }
            | Event::Scored { .. }
            | Event::Cancelled { .. }
            | Event::Hidden { .. }
            | Event::Regions { .. }
            | Event::MetricsEstimated { .. }
            | Event::Estimated { .. } => {}
        }
        Vec::new()
    }

    fn forget_map(&mut self) {
        self.map = None;
        self.made = None;
        self.error = None;
        self.tried.clear();
        self.forget_verdicts();
        self.report = None;
        self.last_end = None;
        self.compare.iter_mut().for_each(|card| card.outcome = Outcome::Waiting);
    }

    /// Something did not work. A run that has nothing to do with it goes on.
    fn fail(&mut self, message: String) {
        self.run_when_ready = false;
        self.notice = Some(Notice { message, reload: false });
        self.last_end = Some(End::Error);
    }

    fn crash(&mut self, message: &str, device_failed: bool, now: f64) -> Vec<Command> {
        self.estimates.crashed();
        self.crashes.retain(|time| now - time < CRASH_WINDOW);
        self.crashes.push(now);
        let message = message.trim_end_matches('.');
        if self.crashes.len() >= MAX_CRASHES {
            return self.stop(format!(
                "The computing part of the page stopped {MAX_CRASHES} times within a minute, the last time with: \
                 {message}. Reload the page to try again."
            ));
        }
        // An adapter that failed would fail again, and one that comes with repeated crashes is suspect.
        let on_cpu = self.device.as_ref().is_some_and(|device| device.kind == DeviceKind::Cpu);
        let to_cpu = device_failed || (!on_cpu && self.crashes.len() > 1);
        if to_cpu {
            self.device_choice = DeviceChoice::Cpu;
            if let Some(link) = &mut self.wish {
                link.device = DeviceChoice::Cpu;
            }
        }
        let place = if to_cpu { " on the CPU" } else { "" };
        self.fail(format!(
            "The computation stopped: {message}. It was started again{place}, with the model and the picture that were \
             loaded before."
        ));
        self.restart()
    }

    fn restart(&mut self) -> Vec<Command> {
        self.leave_run();
        self.estimates.forget();
        self.forget_bench_question();
        self.forget_correction();
        self.device = None;
        self.worker = Worker::Starting;
        vec![Command::StartWorker(self.device_choice)]
    }

    fn stop(&mut self, message: String) -> Vec<Command> {
        self.fail(message);
        self.notice = self.notice.take().map(|notice| Notice { reload: true, ..notice });
        self.leave_run();
        self.sources.forget_coming();
        self.worker = Worker::Stopped;
        [Command::StopWorker].into_iter().chain(self.leave_download()).collect()
    }

    /// Turns away from a run that goes on and from the last message, then loads something else.
    fn begin_loading(&mut self, load: impl FnOnce(&mut Self) -> Vec<Command>) -> Vec<Command> {
        if self.worker != Worker::Ready {
            return Vec::new();
        }
        let mut commands = self.cancel_run();
        self.leave_run();
        self.notice = None;
        self.last_end = None;
        commands.extend(load(self));
        commands
    }

    fn choose_model(&mut self, id: String) -> Vec<Command> {
        self.question.forget_model();
        let mut commands: Vec<Command> = self.leave_download().into_iter().collect();
        commands.extend(self.begin_loading(|state| vec![state.sources.load_builtin(id)]));
        commands
    }

    fn take_files(&mut self, files: Vec<Given>) -> Vec<Command> {
        if self.worker != Worker::Ready {
            return Vec::new();
        }
        match loading::sort(files) {
            Ok(Chosen::Model(file)) => {
                self.question.forget_model();
                let mut commands: Vec<Command> = self.leave_download().into_iter().collect();
                commands.extend(self.begin_loading(|state| vec![state.sources.load_file(None, file)]));
                commands
            }
            Ok(Chosen::Image(file)) => self.begin_loading(|state| vec![state.sources.load_image_file(None, file)]),
            Err(message) => {
                self.fail(message);
                Vec::new()
            }
        }
    }

    fn ask(&mut self, change: Change) {
        let question = &mut self.question;
        match change {
            Change::Method(id) => question.method = id,
            Change::Target(target) => question.target = target,
            Change::Layer(layer) => question.layer = layer,
            Change::Seed(seed) => question.seed = seed,
            Change::Parameter(id, value) => {
                question.parameters.insert(id, value);
            }
            Change::Infill(id, image) => question.infill(id, image),
            Change::Reset => {
                question.parameters.clear();
                question.seed = Question::default().seed;
            }
        }
    }

    fn start_run(&mut self) -> Vec<Command> {
        if !self.can_run() {
            return Vec::new();
        }
        let number = self.last_run + 1;
        let request = self.request(number, &self.question, &self.question.method);
        let Some(Ok(request)) = request else { return Vec::new() };
        self.last_run = number;
        self.notice = None;
        self.forget_map();
        self.run = Some(Run { number, done: 0, total: None, seconds_left: None });
        self.asked = Some(self.question.clone());
        let others = self.compare.iter().map(|card| &card.method);
        self.queue = others.filter(|id| **id != self.question.method).cloned().collect();
        vec![Command::Send(Request::Explain(request))]
    }

    fn cancel(&mut self) -> Vec<Command> {
        self.queue.clear();
        self.stop_waiting();
        let mut commands = self.cancel_run();
        commands.extend(self.stop_download());
        commands
    }

    fn cancel_run(&mut self) -> Vec<Command> {
        self.run.iter().map(|run| Command::Send(Request::Cancel { run: run.number })).collect()
    }

    fn follow(&mut self, link: Link) -> Vec<Command> {
        if self.worker == Worker::Starting {
            self.device_choice = link.device;
            self.wish = Some(link);
            return vec![];
        }
        if link.device != self.device_choice || self.worker == Worker::Stopped {
            self.device_choice = link.device;
            self.wish = Some(link);
            return self.restart();
        }
        let mut commands = self.begin_loading(|_| Vec::new());
        self.embed = link.embed;
        self.hide.clone_from(&link.hide);
        let method = link.method.clone().unwrap_or_else(|| self.question.method.clone());
        if !self.methods.iter().any(|known| known.id == method) {
            let known: Vec<&str> = self.methods.iter().map(|method| method.id.as_str()).collect();
            self.fail(format!("The link asks for the method {method:?}; there are {}.", known.join(", ")));
            return commands;
        }
        self.question = Question::of_link(&link, method);
        self.compare_with(&link.compare);
        self.run_when_ready = link.method.is_some();
        match self.follow_model(&link).and_then(|model| {
            commands.extend(model);
            self.sources.follow_image(&link, self.samples.len())
        }) {
            Ok(image) => commands.extend(image),
            Err(message) => self.fail(message),
        }
        commands
    }

    /// Loads the model that a link names, if it is not at hand or on its way.
    fn follow_model(&mut self, link: &Link) -> Result<Vec<Command>, String> {
        let Some(model) = &link.model else { return Ok(Vec::new()) };
        if self.models.iter().any(|(id, _)| id == model) {
            let left = self.leave_download();
            let load = (self.model_link().as_ref() != Some(model)).then(|| self.sources.load_builtin(model.clone()));
            return Ok(left.into_iter().chain(load).collect());
        }
        if !model.contains(['.', '/']) {
            let known: Vec<&str> = self.models.iter().map(|(id, _)| id.as_str()).collect();
            return Err(format!(
                "The link asks for the model {model:?}; there are {}, or give the address of an .onnx file.",
                known.join(", ")
            ));
        }
        let origin = Origin::Place(Place::parse(model)?);
        if self.download.as_ref().is_some_and(|download| download.origin == origin) {
            return Ok(Vec::new());
        }
        let Origin::Place(place) = &origin else { return Ok(Vec::new()) };
        if self.model_link() == Some(place.to_string()) {
            return Ok(self.leave_download().into_iter().collect());
        }
        Ok(self.begin_download(origin, None, true))
    }
}
