//! A model ready to be explained: graph, card, and what was found out about it.

use std::sync::OnceLock;

use vitrine_explain::{Head, SpatialLayer};
use vitrine_graph::{Batching, Graph, InputShapes, Run, Value};
use vitrine_onnx::Model as Onnx;
use vitrine_protocol::{Device, ImageInput, Layer, ModelCard, ModelSummary, Task};
use web_time::Instant;

use crate::{EngineError, ModelReader, Place, card};

/// Largest difference between GPU and CPU answers, relative to the largest output.
const GPU_TOLERANCE: f32 = 1e-3;

/// Memory that the values of one batch may take, in bytes.
const BATCH_MEMORY: usize = 256 << 20;

/// Larger batches gain nothing more.
const MAX_BATCH: usize = 64;

/// A loaded model.
pub struct LoadedModel {
    /// Built-in id or file name.
    pub name: String,
    /// SHA-256 of the file in hexadecimal.
    pub sha256: String,
    /// The graph with its weights on [`LoadedModel::place`].
    pub graph: Graph,
    /// Where it computes: the session's device, or the CPU when the GPU got this model wrong.
    pub place: Place,
    /// The card given with the model, or the one its input shape suggests; nothing for inputs that are no images.
    pub card: Option<ModelCard>,
    /// Whether the card was inferred.
    pub inferred: bool,
    /// Whether the file leaves width and height to the card.
    pub open_size: bool,
    /// Whether it runs in batches, once that was asked.
    batching: OnceLock<Batching>,
    /// What people should know about how it was loaded.
    loading_notes: Vec<String>,
    /// Seconds it took to decode, plan and upload.
    pub load_seconds: f64,
}

impl LoadedModel {
    /// Loads a model: decodes, plans, uploads, and on a GPU compares the first answers with the CPU's.
    ///
    /// # Errors
    /// A file, a graph or a card that is not right.
    pub async fn load(
        place: &Place,
        name: &str,
        onnx: ModelReader,
        card_json: Option<&str>,
    ) -> Result<LoadedModel, EngineError> {
        let started = Instant::now();
        let refused = |source| EngineError::Model { name: name.to_owned(), source };
        let (decoded, sha256) = onnx.finish().map_err(refused)?;
        if let Some(input) = decoded.graph.required_inputs().next().filter(|input| card::is_text(input)) {
            let (input, declared) = (input.name.clone(), input.to_string());
            return Err(EngineError::TextModel { name: name.to_owned(), input, declared });
        }
        let given = card_json.map(|json| card::parse(name, json)).transpose()?;
        let inferred = given.is_none();
        let card = given.or_else(|| card::infer(name, &decoded));
        let shapes = card::input_shapes(name, card.as_ref(), &decoded)?;
        let declared = decoded.graph.required_inputs().next().map(ToString::to_string).unwrap_or_default();
        let open_size = card::is_size_open(&decoded);
        // Shares the weights, and the CPU computes with them as they are: they are in this memory once.
        let reference = place.is_gpu().then(|| decoded.clone());
        let graph = plan(name, decoded, place, &shapes, card.as_ref())?;
        let mut model = LoadedModel {
            name: name.to_owned(),
            sha256,
            graph,
            place: place.clone(),
            card,
            inferred,
            open_size,
            batching: OnceLock::new(),
            loading_notes: Vec::new(),
            load_seconds: 0.0,
        };
        if let Some(card) = &mut model.card {
            card::check(name, card, &model.graph)?;
            card::complete(card, inferred, &model.graph)?;
        }
        if let Some(reference) = reference {
            model.compare_with_cpu(reference, &shapes).await?;
        }
        model.loading_notes.extend(model.graph.left_out()?);
        if model.card.is_none() {
            model.loading_notes.push(format!("Its input {declared} is no image, so it takes ready-made tensors only."));
        }
        model.load_seconds = started.elapsed().as_secs_f64();
        Ok(model)
    }

    /// Runs the model once on the GPU and once on the CPU, and stays on the CPU if they differ.
    async fn compare_with_cpu(&mut self, reference: Onnx, shapes: &InputShapes) -> Result<(), EngineError> {
        let cpu = Place::cpu("The GPU gave other answers than the CPU for this model.");
        let cpu_graph = plan(&self.name, reference, &cpu, shapes, self.card.as_ref())?;
        let expected = answer(&cpu_graph).await?;
        let found = answer(&self.graph).await;
        let complaint = self.place.check();
        let agrees = match (&found, &complaint) {
            (Ok(found), Ok(())) => {
                let largest = expected.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
                found.len() == expected.len()
                    && found.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= GPU_TOLERANCE * largest)
            }
            _ => false,
        };
        if !agrees {
            self.graph = cpu_graph;
            self.loading_notes.push(cpu.info.reason.clone());
            self.place = cpu;
        }
        Ok(())
    }

    /// Uses another card, and gives back the former with whether it was inferred.
    ///
    /// # Errors
    /// [`EngineError::CardText`] and [`EngineError::Card`]; the former card stays in use.
    pub(crate) fn replace_card(&mut self, json: &str) -> Result<(Option<ModelCard>, bool), EngineError> {
        let mut card = card::parse(&self.name, json)?;
        card::check_replacement(&self.name, &card, self.card.as_ref(), &self.graph)?;
        card::check(&self.name, &card, &self.graph)?;
        card::complete(&mut card, false, &self.graph)?;
        Ok((self.card.replace(card), std::mem::replace(&mut self.inferred, false)))
    }

    /// Name and shape `[1, ...]` of the input that is explained.
    pub fn input(&self) -> (String, Vec<usize>) {
        let inputs = self.graph.inputs();
        inputs.into_iter().next().map(|(name, shape)| (name.to_owned(), shape)).unwrap_or_default()
    }

    /// How pixels become the input.
    ///
    /// # Errors
    /// [`EngineError::NotAnImageModel`] when the input is no image.
    pub fn pixels(&self) -> Result<&ImageInput, EngineError> {
        self.card.as_ref().map(|card| &card.input).ok_or_else(|| {
            let shape = self.input().1.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let advice = "give a ready-made .npy tensor on the command line, or a model that takes images".to_owned();
            EngineError::NotAnImageModel { name: self.name.clone(), shape, advice }
        })
    }

    /// Where it keeps its answer.
    ///
    /// # Errors
    /// [`ExplainError::NotClassScores`](vitrine_explain::ExplainError::NotClassScores) for a model whose first output
    /// holds no floating-point numbers.
    pub fn head(&self) -> Result<Head, EngineError> {
        card::head(self.card.as_ref(), &self.graph)
    }

    /// What people should know about it.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.loading_notes.clone();
        if let Some(Batching::OneAtATime { reason }) = self.batching.get() {
            let reason = reason.trim_end_matches('.');
            notes.push(format!("It runs one image at a time, which is slower, because {reason}."));
        }
        let task = self.card.as_ref().map(|card| card.task);
        let plain_numbers = self.head().is_ok_and(|head| !head.gives_probabilities());
        if plain_numbers && task != Some(Task::Embedding) {
            let reason = match task {
                Some(Task::Detection) => "How to read its boxes is not known; `detections` in a model card says that",
                _ => "Its first output is no list of class scores",
            };
            notes.push(format!("{reason}. What is explained is one of its numbers."));
        }
        notes
    }

    /// Class names; empty when there are none.
    pub fn labels(&self) -> &[String] {
        self.card.as_ref().map(|card| card.labels.as_slice()).unwrap_or_default()
    }

    /// What a class is called, or one of the numbers of a model without classes.
    pub(crate) fn label(&self, class: usize, head: &Head) -> String {
        let what = if head.gives_probabilities() { "class" } else { "number" };
        self.labels().get(class).cloned().unwrap_or_else(|| format!("{what} {class}"))
    }

    /// The layers that lie over the picture, which class activation maps can look at, in graph order.
    ///
    /// # Errors
    /// None after loading.
    pub fn spatial_layers(&self) -> Result<Vec<SpatialLayer>, EngineError> {
        let picture = self.card.as_ref().map(|card| [card.input.height, card.input.width]);
        let tokens = self.card.as_ref().and_then(|card| card.tokens);
        Ok(vitrine_explain::spatial_layers(&self.graph, picture, tokens)?)
    }

    /// Whether it runs in batches. Asked the first time, it costs the passes of four images; the first answer of a model
    /// just loaded need not wait for that.
    ///
    /// # Errors
    /// What running the model refuses.
    pub async fn batching(&self) -> Result<&Batching, EngineError> {
        if let Some(known) = self.batching.get() {
            return Ok(known);
        }
        let settled = self.graph.settle_batching().await?;
        Ok(self.batching.get_or_init(|| settled))
    }

    /// How many images go into a batch: what fits into the memory set aside, or one where the model takes no more.
    ///
    /// # Errors
    /// Those of [`LoadedModel::batching`].
    pub async fn default_batch(&self) -> Result<usize, EngineError> {
        if matches!(self.batching().await?, Batching::OneAtATime { .. }) {
            return Ok(1);
        }
        let bytes = self.graph.cost()?.activation_bytes;
        Ok((BATCH_MEMORY / bytes.max(1)).clamp(1, MAX_BATCH))
    }

    /// What the page shows of it.
    ///
    /// # Errors
    /// [`EngineError::NotAnImageModel`] when the input is no image, which the page cannot feed.
    pub fn summary(&self) -> Result<ModelSummary, EngineError> {
        self.pixels()?;
        let card = self.card.clone().ok_or(EngineError::NothingLoaded("a model"))?;
        let layers: Vec<Layer> = self
            .spatial_layers()?
            .into_iter()
            .map(|value| Layer { name: value.name, operator: value.operator, shape: value.shape[1..].to_vec() })
            .collect();
        Ok(ModelSummary {
            name: self.name.clone(),
            card,
            inferred: self.inferred,
            open_size: self.open_size,
            split_off: self.head()?.split_off().map(str::to_owned),
            sequence: vitrine_explain::sequence(&self.graph)?,
            layers,
            notes: self.notes(),
        })
    }

    /// The device it computes on, in words.
    pub fn device(&self) -> &Device {
        &self.place.info
    }
}

/// The graph on a device, with batch normalisations folded if the card says so.
fn plan(
    name: &str,
    model: Onnx,
    place: &Place,
    shapes: &InputShapes,
    card: Option<&ModelCard>,
) -> Result<Graph, EngineError> {
    let graph = Graph::new(model, &place.device, shapes);
    let fold = card.is_some_and(|card| card.fold_batch_norm);
    let graph = if fold { graph.and_then(|graph| graph.folded()) } else { graph };
    graph.map_err(|source| EngineError::Plan { name: name.to_owned(), source })
}

/// The first output for a fixed input with values from 0 to 1.
async fn answer(graph: &Graph) -> Result<Vec<f32>, EngineError> {
    let mut run = Run::of(graph.outputs());
    for (name, shape) in graph.inputs() {
        let length: usize = shape.iter().product();
        let wave: Vec<f32> = (0..length).map(|index| 0.5 + 0.5 * ((index % 977) as f32 * 0.7).sin()).collect();
        run = run.feed(name, Value::from_f32(&wave, &shape, graph.device()));
    }
    let trace = graph.run(&run)?;
    let output = graph.outputs().first().copied().unwrap_or_default();
    Ok(trace.value(output)?.to_vec().await?)
}
