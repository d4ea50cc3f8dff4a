//! One model, one image, one device: what the worker and the command line both drive.

use std::collections::BTreeMap;

use vitrine_evaluate::{METRICS, find_method, ground_truth::PROTOCOLS};
use vitrine_explain::{
    Attribution, Context, Cost, Detected, HeatMap, METHODS, Observer, PARTS, Scores, Target, hide, label_map,
};
use vitrine_graph::{Graph, Value};
use vitrine_image::{Pixels, decode, from_tensor, read_npy, resize, to_tensor};
use vitrine_protocol::{
    DeviceChoice, DeviceKind, EvaluateRequest, ExplainRequest, Map, MethodInfo, MetricInfo, ModelIdentity, Parts,
    Picture, Prediction, ProtocolInfo, REPORT_SCHEMA, Report, Sample, Score, Seconds,
};
use web_time::Instant;

use crate::{EngineError, Listener, LoadedModel, ModelReader, Place, Silent, listener::Watcher, platform};

/// A session: load a model, load an input, predict, explain. A failed request leaves it as it was.
pub struct Session {
    place: Place,
    model: Option<LoadedModel>,
    source: Option<Source>,
    input: Option<Input>,
}

/// What was loaded, before any model's preprocessing.
enum Source {
    Image {
        name: String,
        pixels: Pixels,
        /// Which part each pixel shows, where that is known.
        parts: Option<Labels>,
    },
    Tensor {
        name: String,
        shape: Vec<usize>,
        values: Vec<f32>,
    },
}

/// Which of [`vitrine_zoo::PARTS`] each pixel of a picture shows, by its number; -1 for the surroundings.
#[derive(Clone)]
struct Labels {
    size: [usize; 2],
    values: Vec<f32>,
}

impl Labels {
    /// Nothing of a picture that does not show a single critter.
    fn of(sample: &vitrine_zoo::Sample) -> Result<Option<Labels>, EngineError> {
        let Some(parts) = sample.parts else { return Ok(None) };
        let Pixels { height, width, rgb } = decode_named(sample.label, parts)?;
        let values = rgb.iter().step_by(3).map(|grey| f32::from(*grey) - 1.0).collect();
        Ok(Some(Labels { size: [height, width], values }))
    }

    /// The same in another size: each pixel has the label of the nearest one.
    fn scaled(&self, [height, width]: [usize; 2]) -> Labels {
        let [rows, columns] = self.size;
        let near = |at: usize, length: usize, all: usize| at * all / length;
        let place = |pixel: usize| near(pixel / width, height, rows) * columns + near(pixel % width, width, columns);
        let values = (0..height * width).filter_map(|pixel| self.values.get(place(pixel)).copied()).collect();
        Labels { size: [height, width], values }
    }

    /// 1 where there is any part.
    fn mask(&self) -> HeatMap {
        let [height, width] = self.size;
        let values = self.values.iter().map(|label| if *label < 0.0 { 0.0 } else { 1.0 }).collect();
        HeatMap { height, width, values }
    }
}

/// The input as the model takes it.
struct Input {
    name: String,
    value: Value,
    picture: Option<Picture>,
    /// Which part each pixel of the input shows, where that is known.
    parts: Option<Labels>,
    scores: Scores,
    first_run: f64,
}

/// A finished explanation.
pub struct Explanation {
    /// The result.
    pub attribution: Attribution,
    /// How it was made.
    pub report: Report,
}

/// One question about the model and the input at hand: a request, read and found to fit.
struct Question<'a> {
    request: &'a ExplainRequest,
    model: &'a LoadedModel,
    input_name: String,
    input: &'a Input,
    target: Target,
    layers: Vec<&'a str>,
    batch: usize,
    infill_files: BTreeMap<String, Vec<f32>>,
}

impl Question<'_> {
    fn context<'a>(&'a self, observer: &'a dyn Observer) -> Context<'a> {
        let card = self.model.card.as_ref();
        Context {
            graph: &self.model.graph,
            input_name: &self.input_name,
            input: &self.input.value,
            pixels: card.map(|card| &card.input),
            target: &self.target,
            layers: &self.layers,
            tokens: card.and_then(|card| card.tokens),
            parameters: &self.request.parameters,
            seed: self.request.seed,
            batch: self.batch,
            infill_files: &self.infill_files,
            observer,
        }
    }
}

/// What the model makes of the picture with parts hidden.
pub struct ByHand {
    /// The target's value at the picture as it is.
    pub before: f32,
    /// The target's value with the parts hidden.
    pub after: f32,
    /// What the model saw.
    pub picture: Picture,
    /// Its answers, as in [`Session::predictions`].
    pub predictions: Vec<Prediction>,
}

/// Choices of one explanation that only a caller with files and flags can make.
#[derive(Clone, Debug, Default)]
pub struct ExplainOptions {
    /// Images in one batch; the model's default when absent.
    pub batch: Option<usize>,
    /// Contents of the infills given as paths, as input tensors without the batch axis.
    pub infill_files: BTreeMap<String, Vec<f32>>,
}

impl Session {
    /// Chooses a device and starts with nothing loaded.
    ///
    /// # Errors
    /// [`EngineError::NoGpu`] when a GPU is demanded and none can be used.
    pub async fn start(choice: DeviceChoice) -> Result<Session, EngineError> {
        Ok(Session::on(Place::choose(choice).await?))
    }

    /// A session on a device chosen before.
    pub fn on(place: Place) -> Session {
        Session { place, model: None, source: None, input: None }
    }

    /// Where it computes.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Every method, in menu order.
    pub fn methods() -> Vec<MethodInfo> {
        METHODS.iter().map(|method| method.info()).collect()
    }

    /// Every metric, in menu order.
    pub fn metrics() -> Vec<MetricInfo> {
        METRICS.iter().map(|metric| metric.info()).collect()
    }

    /// Ids and names of the built-in models, the default first.
    pub fn builtin_models() -> Vec<(String, String)> {
        let name = |card: &str| crate::card::parse("built-in", card).map(|card| card.name).unwrap_or_default();
        vitrine_zoo::models().iter().map(|model| (model.id.to_owned(), name(model.card))).collect()
    }

    /// Every protocol with ground truth, in menu order.
    pub fn protocols() -> Vec<ProtocolInfo> {
        PROTOCOLS.iter().map(|protocol| protocol.info()).collect()
    }

    /// The sample images.
    ///
    /// # Errors
    /// [`EngineError::Image`] if one of the program's own files were damaged.
    pub fn samples() -> Result<Vec<Sample>, EngineError> {
        let sample = |sample: &vitrine_zoo::Sample| {
            let picture = decode_named(sample.label, sample.png)?.to_picture();
            let parts = Labels::of(sample)?.map(|Labels { size: [height, width], values }| {
                let names = vitrine_zoo::PARTS.map(str::to_owned).to_vec();
                Parts { names, labels: Map::new(height, width, &values) }
            });
            Ok(Sample { label: sample.label.to_owned(), picture, parts })
        };
        vitrine_zoo::samples().iter().map(sample).collect()
    }

    /// The loaded model.
    ///
    /// # Errors
    /// [`EngineError::NothingLoaded`].
    pub fn model(&self) -> Result<&LoadedModel, EngineError> {
        self.model.as_ref().ok_or(EngineError::NothingLoaded("a model"))
    }

    /// Loads a built-in model.
    ///
    /// # Errors
    /// [`EngineError::UnknownModel`] with the ids that exist.
    pub async fn load_builtin(&mut self, id: &str) -> Result<(), EngineError> {
        let models = vitrine_zoo::models();
        let Some(model) = models.iter().find(|model| model.id == id) else {
            let known = models.iter().map(|model| model.id).collect::<Vec<_>>().join(", ");
            return Err(EngineError::UnknownModel { id: id.to_owned(), known });
        };
        let bytes = platform::builtin_onnx(model).await?;
        self.load_model(id, bytes.as_slice().into(), Some(model.card)).await
    }

    /// Loads a model file, with its card's JSON if there is one, and runs it on the input at hand.
    ///
    /// # Errors
    /// What is wrong with file or card; the model and input loaded before stay.
    pub async fn load_model(&mut self, name: &str, onnx: ModelReader, card: Option<&str>) -> Result<(), EngineError> {
        let model = LoadedModel::load(&self.place, name, onnx, card).await?;
        self.adopt(model).await
    }

    /// [`Session::load_model`] for a caller that has images only.
    ///
    /// # Errors
    /// [`EngineError::NotAnImageModel`] too.
    pub async fn load_image_model(
        &mut self,
        name: &str,
        onnx: ModelReader,
        card: Option<&str>,
    ) -> Result<(), EngineError> {
        let model = LoadedModel::load(&self.place, name, onnx, card).await?;
        model.pixels()?;
        self.adopt(model).await
    }

    async fn adopt(&mut self, model: LoadedModel) -> Result<(), EngineError> {
        self.input = match &self.source {
            Some(source) => Some(prepare(&model, source).await?),
            None => None,
        };
        self.model = Some(model);
        Ok(())
    }

    /// Uses another card for the model at hand, and runs it on the input at hand, prepared anew.
    ///
    /// # Errors
    /// [`EngineError::CardText`] and [`EngineError::Card`], also for a size that the model was not loaded for; the card
    /// and the input before stay.
    pub async fn set_card(&mut self, json: &str) -> Result<(), EngineError> {
        let model = self.model.as_mut().ok_or(EngineError::NothingLoaded("a model"))?;
        let (card, inferred) = model.replace_card(json)?;
        if let Some(source) = &self.source {
            match prepare(model, source).await {
                Ok(input) => self.input = Some(input),
                Err(error) => {
                    (model.card, model.inferred) = (card, inferred);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Loads an encoded image.
    ///
    /// # Errors
    /// What is wrong with the file, or [`EngineError::NotAnImageModel`]; the image loaded before stays.
    pub async fn load_image(&mut self, name: &str, bytes: &[u8]) -> Result<(), EngineError> {
        self.load(Source::Image { name: name.to_owned(), pixels: decode_named(name, bytes)?, parts: None }).await
    }

    /// Loads a sample image.
    ///
    /// # Errors
    /// [`EngineError::UnknownSample`].
    pub async fn load_sample(&mut self, index: usize) -> Result<(), EngineError> {
        let sample = vitrine_zoo::samples().get(index).ok_or(EngineError::UnknownSample(index))?;
        let (name, pixels) = (sample.label.to_owned(), decode_named(sample.label, sample.png)?);
        self.load(Source::Image { name, pixels, parts: Labels::of(sample)? }).await
    }

    /// Loads a ready-made input tensor, with or without the batch axis.
    ///
    /// # Errors
    /// [`EngineError::InputShape`] when it does not fit the model.
    pub async fn load_tensor(&mut self, name: &str, shape: Vec<usize>, values: Vec<f32>) -> Result<(), EngineError> {
        self.load(Source::Tensor { name: name.to_owned(), shape, values }).await
    }

    async fn load(&mut self, source: Source) -> Result<(), EngineError> {
        if let Some(model) = &self.model {
            self.input = Some(prepare(model, &source).await?);
        }
        self.source = Some(source);
        Ok(())
    }

    /// The input tensor, without the batch axis, of an encoded image that stands for what is removed.
    ///
    /// # Errors
    /// What is wrong with the file, or [`EngineError::NotAnImageModel`].
    pub fn infill(&self, name: &str, bytes: &[u8]) -> Result<Vec<f32>, EngineError> {
        let refused = |source| EngineError::Image { name: name.to_owned(), source };
        to_tensor(&decode_named(name, bytes)?, self.model()?.pixels()?).map_err(refused)
    }

    fn input(&self) -> Result<&Input, EngineError> {
        self.input.as_ref().ok_or(EngineError::NothingLoaded("an image"))
    }

    /// Name of the loaded input.
    ///
    /// # Errors
    /// [`EngineError::NothingLoaded`].
    pub fn input_name(&self) -> Result<&str, EngineError> {
        Ok(&self.input()?.name)
    }

    /// The input as the model sees it, for inputs that are images.
    ///
    /// # Errors
    /// [`EngineError::NothingLoaded`].
    pub fn picture(&self) -> Result<Option<&Picture>, EngineError> {
        Ok(self.input()?.picture.as_ref())
    }

    /// Whether [`Session::predictions`] are fractions rather than whatever the model gives out.
    ///
    /// # Errors
    /// [`EngineError::NothingLoaded`].
    pub fn gives_probabilities(&self) -> Result<bool, EngineError> {
        Ok(self.model()?.head()?.gives_probabilities())
    }

    /// All classes with their probabilities, best first; of a segmenter their shares of the picture, of a detector what it
    /// finds, of a model without classes its largest numbers.
    ///
    /// # Errors
    /// [`EngineError::NothingLoaded`].
    pub fn predictions(&self) -> Result<Vec<Prediction>, EngineError> {
        self.answers(&self.input()?.scores)
    }

    fn answers(&self, scores: &Scores) -> Result<Vec<Prediction>, EngineError> {
        /// Numbers of a model without classes that are listed.
        const MAX_NUMBERS: usize = 1000;
        let model = self.model()?;
        let head = model.head()?;
        if !scores.boxes.is_empty() {
            let found = |Detected { class, score, place }: &Detected| Prediction {
                class: *class,
                label: model.label(*class, &head),
                score: *score,
                place: Some(*place),
            };
            return Ok(scores.boxes.iter().map(found).collect());
        }
        let mut predictions: Vec<Prediction> = scores
            .probabilities
            .iter()
            .enumerate()
            .map(|(class, &score)| Prediction { class, label: model.label(class, &head), score, place: None })
            .collect();
        predictions.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.class.cmp(&b.class)));
        if !head.gives_probabilities() {
            predictions.truncate(MAX_NUMBERS);
        }
        Ok(predictions)
    }

    /// Explains the loaded model's answer to the loaded input.
    ///
    /// # Errors
    /// Arguments that do not fit, a cancelled run, a failing device; the session stays usable.
    pub async fn explain(
        &self,
        request: &ExplainRequest,
        options: &ExplainOptions,
        listener: &dyn Listener,
    ) -> Result<Explanation, EngineError> {
        /// Predictions that a report keeps.
        const REPORTED: usize = 5;
        let method = find_method(&request.method)?;
        let mut question = self.question(request, options)?;
        question.batch = batch(question.model, options).await?;
        let Question { model, input, target, .. } = &question;
        let watcher = Watcher::new(listener);
        let started = Instant::now();
        let attribution = method.explain(&question.context(&watcher)).await;
        model.place.check()?;
        let attribution = attribution?;
        let mut predictions = self.predictions()?;
        predictions.truncate(REPORTED);
        let mut notes = model.notes();
        notes.extend(attribution.notes.iter().cloned());
        let report = Report {
            schema: REPORT_SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            method: request.method.clone(),
            parameters: attribution.parameters.clone(),
            layer: attribution.layer.clone(),
            seed: request.seed,
            target: target.to_string(),
            target_index: target.class(),
            model: ModelIdentity { name: model.name.clone(), sha256: model.sha256.clone() },
            input: input.name.clone(),
            device: model.device().name.clone(),
            predictions,
            prediction: attribution.prediction,
            baseline_prediction: attribution.baseline_prediction,
            completeness_gap: attribution.completeness_gap,
            shape: attribution.shape.clone(),
            batch: question.batch,
            forward_passes: attribution.forward_passes,
            backward_passes: attribution.backward_passes,
            seconds: Seconds {
                load: model.load_seconds,
                first_run: input.first_run,
                explain: started.elapsed().as_secs_f64(),
            },
            notes,
        };
        Ok(Explanation { attribution, report })
    }

    /// The passes that [`Session::explain`] would run.
    ///
    /// # Errors
    /// Arguments that do not fit.
    pub fn cost(&self, request: &ExplainRequest, options: &ExplainOptions) -> Result<Cost, EngineError> {
        let method = find_method(&request.method)?;
        let question = self.question(request, options)?;
        let watcher = Watcher::new(&Silent);
        Ok(method.cost(&question.context(&watcher))?)
    }

    /// Scores a map of the loaded model's answer to the loaded input. `attribution` is what the map was made of, of the
    /// input's shape without the batch axis, where it is at hand.
    ///
    /// # Errors
    /// Arguments that do not fit, a map of another size than the input, a cancelled run, a failing device; the session
    /// stays usable.
    pub async fn evaluate(
        &self,
        request: &EvaluateRequest,
        attribution: Option<&[f32]>,
        options: &ExplainOptions,
        listener: &dyn Listener,
    ) -> Result<Score, EngineError> {
        let metric = vitrine_evaluate::find(&request.metric)?;
        let mut question = self.question(&request.explained, options)?;
        for file in &request.infill_files {
            question.infill_files.insert(file.name.clone(), self.infill(&file.name, &file.bytes)?);
        }
        question.batch = batch(question.model, options).await?;
        let watcher = Watcher::new(listener);
        let judged = Judged::of(request, &request.parameters, &question)?;
        let score = vitrine_evaluate::evaluate(metric, &judged.question(&question, &watcher, attribution)).await;
        question.model.place.check()?;
        Ok(score?)
    }

    /// The passes of every metric with its default parameters, in the order of [`Session::metrics`]; nothing for one that
    /// refuses the map. The request's metric and parameters do not count.
    ///
    /// # Errors
    /// What is wrong with how the map was made.
    pub fn metric_costs(&self, request: &EvaluateRequest) -> Result<Vec<Option<Cost>>, EngineError> {
        let defaults = BTreeMap::new();
        let question = self.question(&request.explained, &ExplainOptions::default())?;
        let watcher = Watcher::new(&Silent);
        let judged = Judged::of(request, &defaults, &question)?;
        let asked = judged.question(&question, &watcher, None);
        Ok(METRICS.iter().map(|metric| metric.cost(&asked).ok()).collect())
    }

    /// Hides the parts of the picture that `kept` does not keep, as [`hide`] does; parameters are those of
    /// `feature-ablation`, the request's method.
    ///
    /// # Errors
    /// Arguments that do not fit, [`EngineError::NotAnImageModel`], a failing device.
    pub async fn hide(&self, request: &ExplainRequest, kept: &HeatMap) -> Result<ByHand, EngineError> {
        let question = self.question(request, &ExplainOptions::default())?;
        let watcher = Watcher::new(&Silent);
        let hidden = hide(&question.context(&watcher), kept).await?;
        let Question { model, input_name, .. } = &question;
        let scores = model.head()?.scores(&model.graph, input_name, &hidden.input).await?;
        model.place.check()?;
        let values = hidden.input.to_vec().await?;
        let refused = |source| EngineError::Image { name: "the altered picture".to_owned(), source };
        Ok(ByHand {
            before: hidden.before,
            after: hidden.after,
            picture: from_tensor(&values, model.pixels()?).map_err(refused)?.to_picture(),
            predictions: self.answers(&scores)?,
        })
    }

    /// The region of each pixel, as [`label_map`] numbers them; parameters are those of `feature-ablation`, the request's
    /// method.
    ///
    /// # Errors
    /// Arguments that do not fit.
    pub async fn regions(&self, request: &ExplainRequest) -> Result<HeatMap, EngineError> {
        let question = self.question(request, &ExplainOptions::default())?;
        let watcher = Watcher::new(&Silent);
        Ok(label_map(&question.context(&watcher)).await?)
    }

    /// Seconds of one forward pass, as the input's first took. On a GPU that one compiled kernels, which says nothing of
    /// those to come.
    ///
    /// # Errors
    /// [`EngineError::NothingLoaded`].
    pub fn pass_seconds(&self) -> Result<Option<f64>, EngineError> {
        let first_run = self.input()?.first_run;
        Ok((self.model()?.device().kind == DeviceKind::Cpu).then_some(first_run))
    }

    /// Reads a request; the batches that it is answered in, which nothing else depends on, are left at one image.
    fn question<'a>(
        &'a self,
        request: &'a ExplainRequest,
        options: &ExplainOptions,
    ) -> Result<Question<'a>, EngineError> {
        let (model, input) = (self.model()?, self.input()?);
        let head = model.head()?;
        let target = Target::parse(&request.target, &head, model.labels(), &input.scores)?;
        let card = model.card.as_ref();
        let layers =
            layers(request.layer.as_deref().or(card.and_then(|card| card.target_layer.as_deref())), &model.graph);
        let (input_name, _) = model.input();
        let mut infill_files = options.infill_files.clone();
        infill_files.extend(input.parts.as_ref().map(|parts| (PARTS.to_owned(), parts.values.clone())));
        for file in &request.infill_files {
            let values = if file.name.to_lowercase().ends_with(".npy") {
                let refused = |source| EngineError::Image { name: file.name.clone(), source };
                read_npy(&file.bytes).map_err(refused)?.values
            } else {
                self.infill(&file.name, &file.bytes)?
            };
            infill_files.insert(file.name.clone(), values);
        }
        Ok(Question { request, model, input_name, input, target, layers, batch: 1, infill_files })
    }
}

/// A map that metrics are asked about, and what is known of it.
struct Judged<'a> {
    /// The metric's.
    parameters: &'a BTreeMap<String, String>,
    seed: u64,
    method: Option<vitrine_evaluate::Method<'a>>,
    map: HeatMap,
    mask: Option<HeatMap>,
    others: Vec<(String, HeatMap)>,
}

impl<'a> Judged<'a> {
    fn of(
        request: &'a EvaluateRequest,
        parameters: &'a BTreeMap<String, String>,
        question: &Question<'_>,
    ) -> Result<Judged<'a>, EngineError> {
        let explained = &request.explained;
        let method = match explained.method.as_str() {
            "" => None,
            id => Some(vitrine_evaluate::Method {
                explainer: find_method(id)?,
                parameters: &explained.parameters,
                seed: explained.seed,
            }),
        };
        let known = question.input.parts.as_ref().map(Labels::mask);
        let others = request.others.iter().map(|(name, map)| (name.clone(), heat_map(map))).collect();
        let (map, mask) = (heat_map(&request.map), request.mask.as_ref().map(heat_map).or(known));
        Ok(Judged { parameters, seed: request.seed, method, map, mask, others })
    }

    fn question<'b>(
        &'b self,
        question: &'b Question<'b>,
        watcher: &'b Watcher<'b>,
        attribution: Option<&'b [f32]>,
    ) -> vitrine_evaluate::Question<'b> {
        let context = Context { parameters: self.parameters, seed: self.seed, ..question.context(watcher) };
        let (mask, others) = (self.mask.as_ref(), self.others.as_slice());
        vitrine_evaluate::Question { context, map: &self.map, attribution, method: self.method, mask, others }
    }
}

/// Images in one batch: as many as asked for, or as memory allows, unless the model takes one at a time.
pub(crate) async fn batch(model: &LoadedModel, options: &ExplainOptions) -> Result<usize, EngineError> {
    Ok(match (options.batch, model.default_batch().await?) {
        (_, 1) => 1,
        (Some(batch), _) => batch.max(1),
        (None, batch) => batch,
    })
}

fn heat_map(map: &Map) -> HeatMap {
    HeatMap { height: map.height, width: map.width, values: map.values() }
}

/// The layers that a text names: one, or several with commas between.
pub(crate) fn layers<'a>(text: Option<&'a str>, graph: &Graph) -> Vec<&'a str> {
    match text {
        None => Vec::new(),
        Some(text) if graph.check_value(text).is_ok() => vec![text],
        Some(text) => text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect(),
    }
}

fn decode_named(name: &str, bytes: &[u8]) -> Result<Pixels, EngineError> {
    decode(bytes).map_err(|source| EngineError::Image { name: name.to_owned(), source })
}

/// Preprocesses a source for a model and runs it once.
async fn prepare(model: &LoadedModel, source: &Source) -> Result<Input, EngineError> {
    let (input_name, expected) = model.input();
    let (name, values, picture, parts) = match source {
        Source::Image { name, pixels, parts } => {
            let input = model.pixels()?;
            let refused = |source| EngineError::Image { name: name.clone(), source };
            let values = to_tensor(pixels, input).map_err(refused)?;
            let picture = resize(pixels, input.width, input.height).map_err(refused)?.to_picture();
            let parts = parts.as_ref().map(|parts| parts.scaled([input.height, input.width]));
            (name, values, Some(picture), parts)
        }
        Source::Tensor { name, shape, values } => {
            if *shape != expected && shape[..] != expected[1..] {
                let (found, input) = (shape.clone(), input_name);
                return Err(EngineError::InputShape { name: name.clone(), input, found, expected });
            }
            (name, values.clone(), None, None)
        }
    };
    let value = Value::from_f32(&values, &expected, model.graph.device());
    let started = Instant::now();
    let scores = model.head()?.scores(&model.graph, &input_name, &value).await?;
    model.place.check()?;
    Ok(Input { name: name.clone(), value, picture, parts, scores, first_run: started.elapsed().as_secs_f64() })
}
