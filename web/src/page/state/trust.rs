//! Whether the map on screen can be trusted: metrics that score it, run one after the other like methods.

use std::collections::VecDeque;
use std::rc::Rc;

use vitrine_protocol::{Curve, EvaluateRequest, Map, MetricInfo, MetricNeed, Request, Score};

use super::{Change, Command, HeatMap, Image, Passes, Run, State, Truth};
use crate::metric_settings::MetricSettings;

/// Metrics that a first look takes, in this order: one or two of each kind of doubt.
const USUAL: [&str; 7] = [
    "deletion",
    "insertion",
    "saco",
    "sensitivity-max",
    "model-parameter-randomisation",
    "spearman-agreement",
    "pointing-game",
];

/// Scores of the map on screen.
#[derive(Debug, Default)]
pub(super) struct Trust {
    verdicts: Vec<(String, Verdict)>,
    queue: VecDeque<String>,
    /// The metric that runs.
    running: Option<String>,
    /// The curve that it follows, as far as that is known.
    growing: Option<Rc<Curve>>,
    costs: Costs,
}

/// What the metrics of the map on screen would cost.
#[derive(Debug, Default)]
enum Costs {
    #[default]
    Unknown,
    /// The worker was asked under this number.
    Asked(u32),
    /// Of each metric; nothing for one that cannot be measured. Empty if the worker did not say.
    Known(Vec<Option<Passes>>),
}

/// Questions about the costs of metrics are numbered from here, so that their answers are told from those of runs.
const FIRST: u32 = 3 << 29;

/// What became of a metric.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    Waiting,
    Running,
    Done(Rc<Score>),
    /// What it said.
    Failed(String),
}

/// The finished map on screen and what is known of it without measuring.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Judged {
    pub(crate) map: Rc<HeatMap>,
    pub(crate) image: Rc<Image>,
    pub(crate) truth: Option<Truth>,
    /// Gap, and the change of the target that the map promises to add up to.
    pub(crate) completeness: Option<(f32, f32)>,
}

/// A metric as the panel lists it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measure {
    pub(crate) metric: MetricInfo,
    /// Nothing before it was asked for.
    pub(crate) verdict: Option<Verdict>,
    /// What is missing for it.
    pub(crate) missing: Option<&'static str>,
    /// While it runs, the curve that it follows, as far as that is known.
    pub(crate) growing: Option<Rc<Curve>>,
    /// Seconds that it will take, where that is known.
    pub(crate) seconds: Option<f64>,
}

impl State {
    /// Every metric with what it found of the map on screen, in the order of the groups.
    pub(crate) fn measures(&self) -> Vec<Measure> {
        let verdict =
            |id: &str| self.trust.verdicts.iter().find(|(known, _)| known == id).map(|(_, found)| found.clone());
        let measure = |(place, metric): (usize, &MetricInfo)| Measure {
            metric: metric.clone(),
            verdict: verdict(&metric.id),
            missing: self.missing(metric),
            growing: self.trust.growing.clone().filter(|_| self.trust.running.as_ref() == Some(&metric.id)),
            seconds: self.seconds_of_metric(place, metric),
        };
        self.metrics.iter().enumerate().map(measure).collect()
    }

    /// What a metric will take as the page suggests it; nobody has asked about other settings.
    fn seconds_of_metric(&self, place: usize, metric: &MetricInfo) -> Option<f64> {
        let passes = self.trust.costs.of(place).filter(|_| self.metric_settings.changed(metric).is_empty())?;
        self.seconds_of(passes)
    }

    /// What the visitor tells metrics.
    pub(crate) fn metric_settings(&self) -> MetricSettings {
        self.metric_settings.clone()
    }

    /// A metric is to be measured another way; what it found before no longer stands.
    pub(super) fn set_metric(&mut self, change: Change) {
        if let Some(id) = self.metric_settings.take(change) {
            self.trust.verdicts.retain(|(known, verdict)| *known != id || *verdict == Verdict::Running);
            self.trust.queue.retain(|waiting| *waiting != id);
        }
    }

    /// The finished map on screen; a method that makes a picture has none.
    pub(crate) fn judged(&self) -> Option<Judged> {
        let (map, report, image) = (self.map.as_ref()?, self.report.as_ref()?, self.image.as_ref()?);
        let change = report.baseline_prediction.map(|baseline| report.prediction - baseline);
        let truth = self.truth().filter(|_| (map.width, map.height) == (image.picture.width, image.picture.height));
        let completeness = report.completeness_gap.zip(change);
        self.made.is_none().then(|| Judged { map: map.clone(), image: image.clone(), truth, completeness })
    }

    /// The name of the metric that runs.
    pub(super) fn measuring(&self) -> Option<&str> {
        let running = self.trust.running.as_ref()?;
        self.metrics.iter().find(|metric| metric.id == *running).map(|metric| metric.name.as_str())
    }

    /// Whether a score can be asked for.
    pub(crate) fn can_measure(&self) -> bool {
        self.judged().is_some() && self.run.is_none() && self.is_settled()
    }

    /// The usual metrics that have not been run.
    pub(crate) fn usual(&self) -> Vec<String> {
        let known = |id: &&str| {
            let metric = self.metrics.iter().find(|metric| metric.id == **id);
            metric.is_some_and(|metric| self.missing(metric).is_none())
        };
        let open = |id: &&str| {
            !self.trust.verdicts.iter().any(|(done, verdict)| done == *id && matches!(verdict, Verdict::Done(_)))
        };
        USUAL.iter().copied().filter(|id| known(id) && open(id)).map(str::to_owned).collect()
    }

    /// Asks what the metrics of the map on screen would cost, once for each map.
    pub(super) fn ask_for_metric_costs(&mut self) -> Option<Command> {
        if !matches!(self.trust.costs, Costs::Unknown) || !self.can_measure() || self.metrics.is_empty() {
            return None;
        }
        let number = FIRST + self.last_run;
        let first = self.metrics.first()?.id.clone();
        let request = self.evaluation(number, &first)?;
        self.trust.costs = Costs::Asked(number);
        Some(Command::Send(Request::EstimateMetrics(Box::new(request))))
    }

    pub(super) fn is_of_metric_costs(&self, run: u32) -> bool {
        matches!(self.trust.costs, Costs::Asked(asked) if asked == run)
    }

    /// Takes what metrics cost, or that nobody knows.
    pub(super) fn take_metric_costs(&mut self, passes: Vec<Option<[u64; 2]>>) {
        let passes = passes.into_iter().map(|passes| passes.map(|[forward, backward]| Passes { forward, backward }));
        self.trust.costs = Costs::Known(passes.collect());
    }

    fn missing(&self, metric: &MetricInfo) -> Option<&'static str> {
        metric.needs.iter().find_map(|need| match need {
            MetricNeed::OtherMaps if self.compared().len() < 2 => Some("Lay another method beside first, below."),
            MetricNeed::Mask if self.truth().is_none() => {
                Some("Needs a picture of which the place is known: one of the page's own.")
            }
            _ => None,
        })
    }

    /// The visitor wants these metrics measured.
    pub(super) fn measure(&mut self, metrics: Vec<String>) -> Vec<Command> {
        if !self.can_measure() {
            return Vec::new();
        }
        for id in metrics {
            self.judge(&id, Verdict::Waiting);
            self.trust.queue.push_back(id);
        }
        self.measure_next()
    }

    /// Starts the next metric of the queue.
    pub(super) fn measure_next(&mut self) -> Vec<Command> {
        self.trust.running = None;
        let Some(id) = self.trust.queue.pop_front() else { return Vec::new() };
        let number = self.last_run + 1;
        let Some(request) = self.evaluation(number, &id) else { return self.measure_next() };
        self.last_run = number;
        self.run = Some(Run { number, done: 0, total: None, seconds_left: None });
        self.judge(&id, Verdict::Running);
        self.trust.running = Some(id);
        vec![Command::Send(Request::Evaluate(Box::new(request)))]
    }

    fn evaluation(&self, run: u32, id: &str) -> Option<EvaluateRequest> {
        let metric = self.metrics.iter().find(|metric| metric.id == id)?;
        let (asked, map) = (self.asked.as_ref()?, self.map.as_ref()?);
        let explained = self.request(0, asked, &asked.method)?.ok()?;
        let (parameters, infill_files) = self.metric_settings.of_request(metric);
        let needs = |need| metric.needs.contains(&need);
        let others = self.compared().into_iter().skip(1).filter(|_| needs(MetricNeed::OtherMaps));
        Some(EvaluateRequest {
            run,
            metric: id.to_owned(),
            parameters,
            seed: explained.seed,
            map: packed(map),
            // The worker knows what its own pictures show.
            mask: None,
            others: others.map(|(map, report)| (report.method.clone(), packed(map))).collect(),
            explained,
            infill_files,
        })
    }

    /// Whether the run that goes on is that of a metric.
    pub(super) fn is_measuring(&self) -> bool {
        self.trust.running.is_some()
    }

    /// The curve of the metric that runs has a point more.
    pub(super) fn grow(&mut self, curve: Curve) {
        self.trust.growing = Some(Rc::new(curve));
    }

    /// The metric that runs has ended.
    pub(super) fn end_measure(&mut self, verdict: Verdict) -> Vec<Command> {
        self.run = None;
        self.trust.growing = None;
        if let Some(id) = self.trust.running.take() {
            self.judge(&id, verdict);
        }
        let next = self.measure_next();
        // Methods to compare may have been added meanwhile.
        if next.is_empty() { self.run_next() } else { next }
    }

    /// Nothing more is measured after the metric that runs.
    pub(super) fn stop_waiting(&mut self) {
        self.trust.queue.clear();
        self.trust.verdicts.retain(|(_, verdict)| *verdict != Verdict::Waiting);
    }

    /// Nothing is measured any more; what is finished stays.
    pub(super) fn stop_measuring(&mut self) {
        self.trust.queue.clear();
        (self.trust.running, self.trust.growing) = (None, None);
        self.trust.verdicts.retain(|(_, verdict)| matches!(verdict, Verdict::Done(_) | Verdict::Failed(_)));
    }

    /// The map is gone, and with it what was said of it.
    pub(super) fn forget_verdicts(&mut self) {
        self.trust = Trust::default();
    }

    fn judge(&mut self, id: &str, verdict: Verdict) {
        self.trust.verdicts.retain(|(known, _)| known != id);
        self.trust.verdicts.push((id.to_owned(), verdict));
    }
}

impl Costs {
    fn of(&self, place: usize) -> Option<Passes> {
        match self {
            Costs::Known(passes) => *passes.get(place)?,
            Costs::Unknown | Costs::Asked(_) => None,
        }
    }
}

fn packed(map: &HeatMap) -> Map {
    Map::new(map.height, map.width, &map.values)
}
