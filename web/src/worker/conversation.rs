//! What the worker does for each request.

use std::{cell::Cell, rc::Rc};

use vitrine_engine::{ByHand, EngineError, ExplainOptions, Listener, Session};
use vitrine_explain::HeatMap;
use vitrine_protocol::{
    Curve, DeviceChoice, EvaluateRequest, Event, ExplainRequest, ImageSource, Map, ModelSource, PROTOCOL_VERSION,
    Picture, Request, Tried,
};
use web_sys::Blob;

use crate::{internal, model_file, post};

/// The session and what the page is told of it.
pub(crate) struct Conversation {
    session: Option<Session>,
    cancellation: Rc<Cancellation>,
}

/// Which run is to end.
#[derive(Default)]
pub(crate) struct Cancellation(Cell<Option<u32>>);

impl Cancellation {
    pub(crate) fn cancel(&self, run: u32) {
        self.0.set(Some(run));
    }

    fn asks_for(&self, run: u32) -> bool {
        self.0.get() == Some(run)
    }
}

impl Conversation {
    pub(crate) fn new(cancellation: Rc<Cancellation>) -> Conversation {
        Conversation { session: None, cancellation }
    }

    /// Answers one request, with the file that came beside it; a failure becomes an event and leaves the session as it was.
    pub(crate) async fn answer(&mut self, request: Request, file: Option<Blob>) {
        let run = match &request {
            Request::Explain(request)
            | Request::Estimate(request)
            | Request::Regions(request)
            | Request::Hide { question: request, .. } => Some(request.run),
            Request::Evaluate(request) | Request::EstimateMetrics(request) => Some(request.run),
            _ => None,
        };
        match self.handle(request, file).await {
            Ok(()) => {}
            Err(error) if error.is_cancelled() => post(&Event::Cancelled { run: run.unwrap_or_default() }),
            Err(error) => post(&Event::Failed { run, problem: error.problem() }),
        }
    }

    async fn handle(&mut self, request: Request, file: Option<Blob>) -> Result<(), EngineError> {
        match request {
            Request::Start { version, device } => self.start(version, device).await,
            Request::LoadModel(source) => {
                self.load_model(source, file).await?;
                self.tell_model()?;
                self.tell_image()
            }
            Request::SetCard(json) => {
                self.session()?.set_card(&json).await?;
                self.tell_model()?;
                self.tell_image()
            }
            Request::LoadImage(source) => {
                let session = self.session()?;
                match source {
                    ImageSource::Sample(index) => session.load_sample(index).await?,
                    ImageSource::File(file) => session.load_image(&file.name, &file.bytes).await?,
                }
                self.tell_image()
            }
            Request::Estimate(request) => self.estimate(&request),
            Request::EstimateMetrics(request) => {
                let costs = self.session()?.metric_costs(&request)?.into_iter();
                let passes = costs.map(|cost| cost.map(|cost| [cost.forward_passes, cost.backward_passes])).collect();
                post(&Event::MetricsEstimated { run: request.run, passes });
                Ok(())
            }
            Request::Explain(request) => self.explain(request).await,
            Request::Evaluate(request) => self.evaluate(&request).await,
            Request::Hide { question, kept } => self.hide(&question, &kept).await,
            Request::Regions(question) => {
                let labels = map(&self.session()?.regions(&question).await?);
                post(&Event::Regions { run: question.run, labels });
                Ok(())
            }
            // Taken care of where messages arrive, since a running request would keep it waiting.
            Request::Cancel { run } => {
                self.cancellation.cancel(run);
                Ok(())
            }
        }
    }

    fn session(&mut self) -> Result<&mut Session, EngineError> {
        self.session.as_mut().ok_or(EngineError::NothingLoaded("the page"))
    }

    /// Chooses the device, and gets the default model and sample ready.
    async fn start(&mut self, version: u32, device: DeviceChoice) -> Result<(), EngineError> {
        if version != PROTOCOL_VERSION {
            let message = "Page and worker are of different versions; reload the page.".to_owned();
            post(&Event::Failed { run: None, problem: internal(message) });
            return Ok(());
        }
        let mut session = Session::start(device).await?;
        let models = Session::builtin_models();
        post(&Event::Ready {
            version: PROTOCOL_VERSION,
            device: session.place().info.clone(),
            methods: Session::methods(),
            metrics: Session::metrics(),
            models: models.clone(),
            samples: Session::samples()?,
        });
        session.load_sample(0).await?;
        let first = models.first().map(|(id, _)| id.clone()).unwrap_or_default();
        let loaded = session.load_builtin(&first).await;
        self.session = Some(session);
        loaded?;
        self.tell_model()?;
        self.tell_image()
    }

    async fn load_model(&mut self, source: ModelSource, file: Option<Blob>) -> Result<(), EngineError> {
        let session = self.session()?;
        match source {
            ModelSource::Builtin(id) => session.load_builtin(&id).await,
            ModelSource::File { name, card } => {
                let onnx = match file {
                    Some(file) => model_file::read(&file).await.ok(),
                    None => None,
                };
                let onnx = onnx.ok_or_else(|| EngineError::Unreadable(name.clone()))?;
                session.load_image_model(&name, onnx, card.as_deref()).await
            }
        }
    }

    fn tell_model(&mut self) -> Result<(), EngineError> {
        let summary = self.session()?.model()?.summary()?;
        post(&Event::ModelLoaded(Box::new(summary)));
        Ok(())
    }

    fn tell_image(&mut self) -> Result<(), EngineError> {
        let session = self.session()?;
        let Some(picture) = session.picture()?.cloned() else { return Ok(()) };
        let name = session.input_name()?.to_owned();
        let (predictions, probabilities) = (session.predictions()?, session.gives_probabilities()?);
        post(&Event::ImageLoaded { name, picture, predictions, probabilities });
        Ok(())
    }

    fn estimate(&mut self, request: &ExplainRequest) -> Result<(), EngineError> {
        let session = self.session()?;
        let cost = session.cost(request, &ExplainOptions::default())?;
        post(&Event::Estimated {
            run: request.run,
            forward_passes: cost.forward_passes,
            backward_passes: cost.backward_passes,
            pass_seconds: session.pass_seconds()?,
        });
        Ok(())
    }

    async fn explain(&mut self, request: ExplainRequest) -> Result<(), EngineError> {
        let teller = Teller { run: request.run, cancellation: Rc::clone(&self.cancellation) };
        let explanation = self.session()?.explain(&request, &ExplainOptions::default(), &teller).await?;
        let error = explanation.attribution.standard_error.as_ref().map(map);
        let map = map(&explanation.attribution.map);
        let picture = explanation.attribution.visualisation.map(|visualisation| visualisation.picture);
        post(&Event::Done { run: request.run, map, error, picture, report: Box::new(explanation.report) });
        Ok(())
    }

    async fn hide(&mut self, question: &ExplainRequest, kept: &Map) -> Result<(), EngineError> {
        let kept = HeatMap { height: kept.height, width: kept.width, values: kept.values() };
        let ByHand { before, after, picture, predictions } = self.session()?.hide(question, &kept).await?;
        post(&Event::Hidden { run: question.run, before, after, picture, predictions });
        Ok(())
    }

    async fn evaluate(&mut self, request: &EvaluateRequest) -> Result<(), EngineError> {
        let teller = Teller { run: request.run, cancellation: Rc::clone(&self.cancellation) };
        let score = self.session()?.evaluate(request, None, &ExplainOptions::default(), &teller).await?;
        post(&Event::Scored { run: request.run, score: Box::new(score) });
        Ok(())
    }
}

fn map(heat: &HeatMap) -> Map {
    Map::new(heat.height, heat.width, &heat.values)
}

/// Tells the page how a run goes.
struct Teller {
    run: u32,
    cancellation: Rc<Cancellation>,
}

impl Listener for Teller {
    fn progress(&self, done: u64, total: u64, seconds_left: Option<f64>) {
        post(&Event::Progress { run: self.run, done, total, seconds_left });
    }

    fn partial(&self, heat: &HeatMap) {
        post(&Event::Partial { run: self.run, map: map(heat) });
    }

    fn frame(&self, picture: &Picture) {
        post(&Event::Frame { run: self.run, picture: picture.clone() });
    }

    fn is_curious(&self) -> bool {
        true
    }

    fn tried(&self, tried: Vec<Tried>) {
        post(&Event::Tried { run: self.run, tried });
    }

    fn curve(&self, curve: &Curve) {
        post(&Event::Curve { run: self.run, curve: curve.clone() });
    }

    fn cancelled(&self) -> bool {
        self.cancellation.asks_for(self.run)
    }
}
