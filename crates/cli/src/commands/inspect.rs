//! `vitrine inspect`.

use std::collections::HashMap;

use serde::Serialize;
use vitrine_engine::{EngineError, LoadedModel, Session};
use vitrine_explain::{Head, attention};
use vitrine_graph::{Batching, Block, GraphError};
use vitrine_onnx::{Dimension, Model};
use vitrine_protocol::{DeviceChoice, ModelCard, Task};

use crate::{
    arguments::Inspect,
    failure::Failure,
    output::say,
    setup::{self, ModelFile},
};

/// What is known of a model.
#[derive(Serialize)]
struct Inspection {
    name: String,
    inputs: Vec<Value>,
    outputs: Vec<String>,
    nodes: usize,
    parameters: usize,
    /// Of one image; a batch takes as many times more.
    #[serde(skip_serializing_if = "Option::is_none")]
    multiply_adds: Option<usize>,
    /// Bytes that a backward pass keeps of one image.
    #[serde(skip_serializing_if = "Option::is_none")]
    activation_bytes: Option<usize>,
    /// Images in a batch, unless `--batch` says otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_batch: Option<usize>,
    /// What probes and layer methods may name, in graph order.
    layers: Vec<Layer>,
    /// Where one score per class is found, if the model gives that.
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Scores>,
    /// Values that hold attention weights, in graph order.
    attention: Vec<String>,
    unsupported: Vec<Operator>,
    batchable: bool,
    /// Why it runs one image at a time, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_batchable_because: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<ModelCard>,
    card_inferred: bool,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Value {
    name: String,
    shape: Vec<String>,
}

#[derive(Serialize)]
struct Layer {
    name: String,
    operator: String,
    node: String,
    /// Without the batch axis.
    shape: Vec<usize>,
    /// Places from top to bottom and from left to right, of a layer that lies over the picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    places: Option<[usize; 2]>,
    /// The block that it belongs to, if the file writes something out in several nodes that people call by one name.
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<BlockPart>,
}

#[derive(Serialize)]
struct BlockPart {
    operator: &'static str,
    /// The value that the block makes: this one or a later one.
    output: String,
}

#[derive(Serialize)]
struct Scores {
    /// The value that holds the scores before softmax or sigmoid.
    logits: String,
    classes: usize,
    /// `softmax` or `sigmoid`: how they become probabilities.
    activation: &'static str,
}

#[derive(Serialize)]
struct Operator {
    operator: String,
    nodes: Vec<String>,
}

pub(crate) async fn inspect(arguments: &Inspect) -> Result<(), Failure> {
    let file = || setup::model_file(arguments.model.as_deref(), arguments.common.card.as_deref());
    let ModelFile { name, onnx, card } = file()?;
    let mut session = Session::start(DeviceChoice::from(arguments.common.device)).await?;
    let inspection = match session.load_model(&name, onnx, card.as_deref()).await {
        Ok(()) => of_loaded(session.model()?).await?,
        Err(EngineError::Plan { name, source: GraphError::Unsupported(operators) }) => {
            let refused = |source| EngineError::Model { name: name.clone(), source };
            let model = file()?.onnx.decode().map_err(refused)?;
            let unsupported =
                operators.into_iter().map(|entry| Operator { operator: entry.operator, nodes: entry.nodes });
            of_unsupported(name, &model, unsupported.collect())
        }
        Err(error) => return Err(error.into()),
    };
    if arguments.json {
        say!("{}", serde_json::to_string_pretty(&inspection)?);
    } else {
        print(&inspection);
    }
    Ok(())
}

async fn of_loaded(model: &LoadedModel) -> Result<Inspection, Failure> {
    let graph = &model.graph;
    let words = |shape: Vec<usize>| shape.iter().map(ToString::to_string).collect();
    let mut parts: HashMap<String, Block> = HashMap::new();
    for block in graph.blocks()? {
        parts.extend(block.inner.iter().chain([&block.output]).map(|name| (name.clone(), block.clone())));
    }
    let spatial = model.spatial_layers()?.into_iter().map(|layer| (layer.name.clone(), layer.size()));
    let mut places: HashMap<String, [usize; 2]> = spatial.collect();
    let layer = |value: vitrine_graph::ValueSummary| Layer {
        places: places.remove(&value.name),
        shape: value.shape.get(1..).unwrap_or_default().to_vec(),
        block: parts.remove(&value.name).map(|Block { operator, output, .. }| BlockPart { operator, output }),
        name: value.name,
        operator: value.operator,
        node: value.node,
    };
    let not_batchable_because = match model.batching().await? {
        Batching::Any => None,
        Batching::OneAtATime { reason } => Some(reason.clone()),
    };
    let cost = graph.cost()?;
    Ok(Inspection {
        name: model.name.clone(),
        inputs: graph
            .inputs()
            .into_iter()
            .map(|(name, shape)| Value { name: name.to_owned(), shape: words(shape) })
            .collect(),
        outputs: graph.outputs().into_iter().map(str::to_owned).collect(),
        nodes: graph.node_count(),
        parameters: cost.parameters,
        multiply_adds: Some(cost.multiply_adds),
        activation_bytes: Some(cost.activation_bytes),
        default_batch: Some(model.default_batch().await?),
        layers: graph.values()?.into_iter().map(layer).collect(),
        scores: model.head().ok().filter(Head::is_per_class).map(|head| Scores {
            logits: head.logits().to_owned(),
            classes: head.classes(),
            activation: if head.is_exclusive() { "softmax" } else { "sigmoid" },
        }),
        attention: attention(graph)?.into_iter().map(|attention| attention.weights).collect(),
        unsupported: Vec::new(),
        batchable: not_batchable_because.is_none(),
        not_batchable_because,
        card: model.card.clone(),
        card_inferred: model.inferred,
        notes: model.notes(),
    })
}

/// What can be said of a model that does not run.
fn of_unsupported(name: String, model: &Model, unsupported: Vec<Operator>) -> Inspection {
    let shape = |info: &vitrine_onnx::ValueInfo| {
        let axes = info.shape.as_deref().unwrap_or_default().iter();
        axes.map(Dimension::to_string).collect()
    };
    Inspection {
        name,
        inputs: model
            .graph
            .required_inputs()
            .map(|info| Value { name: info.name.clone(), shape: shape(info) })
            .collect(),
        outputs: model.graph.outputs.iter().map(|output| output.name.clone()).collect(),
        nodes: model.graph.nodes.len(),
        parameters: model.graph.initializers.iter().map(vitrine_onnx::Tensor::len).sum(),
        multiply_adds: None,
        activation_bytes: None,
        default_batch: None,
        layers: Vec::new(),
        scores: None,
        attention: Vec::new(),
        unsupported,
        batchable: false,
        not_batchable_because: Some("it uses operators that do not run yet".to_owned()),
        card: None,
        card_inferred: false,
        notes: Vec::new(),
    }
}

fn print(inspection: &Inspection) {
    say!("{}: {} nodes, {} parameters", inspection.name, inspection.nodes, inspection.parameters);
    for input in &inspection.inputs {
        say!("  input   {}  [{}]", input.name, input.shape.join(", "));
    }
    for output in &inspection.outputs {
        say!("  output  {output}");
    }
    if let Some(Scores { logits, classes, activation }) = &inspection.scores {
        say!("  scores  {logits}, {classes} classes, then {activation}");
    }
    if let Some(card) = &inspection.card {
        print_card(card, inspection.card_inferred);
    }
    if !inspection.attention.is_empty() {
        say!("  attention in {}", inspection.attention.join(", "));
    }
    match &inspection.not_batchable_because {
        None => say!("  batches any size"),
        Some(reason) => say!("  batches one image at a time: {reason}"),
    }
    if let (Some(multiply_adds), Some(bytes), Some(batch)) =
        (inspection.multiply_adds, inspection.activation_bytes, inspection.default_batch)
    {
        let (millions, megabytes) = (multiply_adds as f64 / 1e6, bytes as f64 / 1e6);
        say!("  cost    {millions:.1} million multiply-adds an image");
        let whole = megabytes * batch as f64;
        say!("  memory  {megabytes:.1} MB of activations an image, {whole:.1} MB for a batch of {batch}");
    }
    for note in &inspection.notes {
        say!("  note    {note}");
    }
    for entry in &inspection.unsupported {
        say!("  unsupported operator {}, in: {}", entry.operator, entry.nodes.join(", "));
    }
    if !inspection.layers.is_empty() {
        say!("  layers that can be probed:");
    }
    for layer in &inspection.layers {
        let operator = match &layer.block {
            // A part of what a later line names as a whole; `--json` lists it.
            Some(block) if block.output != layer.name => continue,
            Some(block) => block.operator,
            None => &layer.operator,
        };
        let places = layer.places.map(|[rows, columns]| format!(", {rows} x {columns} places of the picture"));
        say!("    {}  {:?}  ({operator}{})", layer.name, layer.shape, places.unwrap_or_default());
    }
}

/// The card's facts that explanations rest on; `--json` prints the whole card.
fn print_card(card: &ModelCard, inferred: bool) {
    // Serialised names are those that a card is written with.
    let word = |value: serde_json::Result<serde_json::Value>| {
        value.ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let input = &card.input;
    let (task, layout) = (word(serde_json::to_value(card.task)), word(serde_json::to_value(input.layout)));
    let channels = word(serde_json::to_value(input.channels));
    let from = if inferred { "inferred; a model card corrects it" } else { "from its card" };
    say!("  card    {task}, {layout} {channels}, {} x {} pixels ({from})", input.width, input.height);
    if let Some(tokens) = card.tokens {
        say!("  tokens  {} rows x {} columns after {}", tokens.rows, tokens.columns, tokens.prefix);
    }
    if let Some(read) = card.detections.as_ref().filter(|_| card.task == Task::Detection) {
        let (format, unit) = (word(serde_json::to_value(read.format)), word(serde_json::to_value(read.unit)));
        say!("  boxes   {}, as {format} in {unit}; scores in {}", read.boxes, read.scores);
    }
    if let Some(layer) = &card.target_layer {
        say!("  layer   {layer}");
    }
}
