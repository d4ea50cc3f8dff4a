//! A model on a device, ready to be planned for any batch size and run.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Index,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use burn::tensor::Device;
use vitrine_onnx::{AttributeValue, Dimension, ElementType, Model, Node, Tensor, ValueInfo};

use crate::{
    GraphError, Value,
    batching::BatchMode,
    block::Block,
    branch::Choice,
    error::Unsupported,
    host::HostTensor,
    limits::{MAX_ELEMENTS, check_weights, elements},
    operator::{Fact, Kind},
    plan::{End, Plan, node_name},
    value::MAX_RANK,
};

/// Larger float weights live on the device alone.
const MAX_HOST_FLOATS: usize = 4096;

/// An ONNX model whose weights are on a device.
///
/// Names of values and nodes are the file's own. The first axis of the inputs is the batch.
pub struct Graph {
    pub(crate) device: Device,
    pub(crate) opset: i64,
    pub(crate) nodes: Vec<Node>,
    pub(crate) wiring: Vec<Wiring>,
    pub(crate) names: Names,
    pub(crate) inputs: Vec<Input>,
    pub(crate) outputs: Vec<usize>,
    pub(crate) initializers: HashMap<usize, Initializer>,
    /// Batch size that the file's shapes are written for.
    pub(crate) declared_batch: usize,
    /// Whether the file gives the batch size as a number.
    pub(crate) fixed_batch: bool,
    /// Conditions on which branches were taken.
    pub(crate) choices: Vec<Choice>,
    pub(crate) mode: OnceLock<BatchMode>,
    plans: Mutex<HashMap<(usize, BatchMode), Arc<Plan>>>,
    pub(crate) blocks: OnceLock<Vec<Block>>,
    parameters: usize,
}

impl Clone for Graph {
    /// The same weights on the same device; plans are made anew, and blocks are looked for again.
    fn clone(&self) -> Graph {
        Graph {
            device: self.device.clone(),
            opset: self.opset,
            nodes: self.nodes.clone(),
            wiring: self.wiring.clone(),
            names: self.names.clone(),
            inputs: self.inputs.clone(),
            outputs: self.outputs.clone(),
            initializers: self.initializers.clone(),
            declared_batch: self.declared_batch,
            fixed_batch: self.fixed_batch,
            choices: self.choices.clone(),
            mode: self.mode.clone(),
            plans: Mutex::default(),
            blocks: OnceLock::new(),
            parameters: self.parameters,
        }
    }
}

/// The value ids around a node; nothing for an input or output left out.
#[derive(Clone)]
pub(crate) struct Wiring {
    pub(crate) inputs: Vec<Option<usize>>,
    pub(crate) outputs: Vec<Option<usize>>,
}

/// A graph input.
#[derive(Clone)]
pub(crate) struct Input {
    pub(crate) id: usize,
    pub(crate) kind: Kind,
    pub(crate) element_type: Option<ElementType>,
    /// Shape at the declared batch size.
    shape: Vec<usize>,
    /// Whether the first axis is the batch.
    batched: bool,
}

/// A weight or constant of the file.
#[derive(Clone)]
pub(crate) struct Initializer {
    /// Integers and small floats, for shape arithmetic and parameters.
    host: Option<Arc<HostTensor>>,
    /// Large floats.
    device: Option<Value>,
    pub(crate) element_type: ElementType,
}

impl Initializer {
    /// Moves a tensor of the file to where it is needed.
    pub(crate) fn new(tensor: Tensor, device: &Device) -> Result<Initializer, GraphError> {
        let element_type = tensor.element_type;
        if is_float(element_type) && tensor.len() > MAX_HOST_FLOATS {
            let value = Value::from_onnx(tensor, device)?;
            return Ok(Initializer { host: None, device: Some(value), element_type });
        }
        Ok(Initializer { host: Some(Arc::new(HostTensor::from_onnx(&tensor)?)), device: None, element_type })
    }

    /// A weight that was computed on the device.
    pub(crate) fn on_device(value: Value) -> Initializer {
        Initializer { host: None, device: Some(value), element_type: ElementType::Float32 }
    }

    pub(crate) fn fact(&self) -> Fact {
        match (&self.host, &self.device) {
            (Some(host), _) => Fact::Known(Arc::clone(host)),
            (None, Some(value)) => Fact::float(value.shape().to_vec()),
            (None, None) => Fact::float(Vec::new()),
        }
    }

    pub(crate) fn value(&self, device: &Device) -> Value {
        match (&self.host, &self.device) {
            (_, Some(value)) => value.clone(),
            (Some(host), None) => host.upload(device),
            (None, None) => Value::full(0.0, &[], device),
        }
    }
}

/// A named value of the graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueSummary {
    /// The value's name in the file.
    pub name: String,
    /// The node that makes it.
    pub node: String,
    /// That node's operator.
    pub operator: String,
    /// Shape at a batch of one.
    pub shape: Vec<usize>,
}

/// Sizes of inputs whose declared shape leaves axes open: input name to full shape, batch axis included.
pub type InputShapes = BTreeMap<String, Vec<usize>>;

impl Graph {
    /// Moves a model's weights to a device and plans it for the batch size of the file.
    ///
    /// # Errors
    /// [`GraphError::Unsupported`] listing every operator that does not run, [`GraphError::Node`] for a node that
    /// contradicts its operator, [`GraphError::OpenShape`] when `shapes` lacks an input whose size the file leaves open.
    pub fn new(model: Model, device: &Device, shapes: &InputShapes) -> Result<Graph, GraphError> {
        model.validate()?;
        let model = model.inline_functions()?;
        let opset = model.opset("").unwrap_or(1);
        let mut source = model.graph;
        check_weights(&source)?;
        source.initializers.extend(weights_in_nodes(&mut source.nodes));
        let mut names = Names::default();
        let mut initializers = HashMap::new();
        let mut parameters = 0;
        let required: Vec<&ValueInfo> = source.required_inputs().collect();
        let (inputs, declared_batch, fixed_batch) = read_inputs(&required, shapes, &mut names)?;
        refuse_large_ranks(&source.initializers, &inputs, &names.list)?;
        // One after the other, so that each weight's bytes are freed as soon as it is on the device; nothing of the graph
        // may hold on to them.
        for tensor in source.initializers {
            parameters += if is_float(tensor.element_type) { tensor.len() } else { 0 };
            initializers.insert(names.id(&tensor.name), Initializer::new(tensor, device)?);
        }
        let mut wire = |list: &[String]| list.iter().map(|name| (!name.is_empty()).then(|| names.id(name))).collect();
        let wiring = source
            .nodes
            .iter()
            .map(|node| Wiring { inputs: wire(&node.inputs), outputs: wire(&node.outputs) })
            .collect();
        let outputs = source.outputs.iter().map(|output| names.id(&output.name)).collect();
        let mut graph = Graph {
            device: device.clone(),
            opset,
            nodes: source.nodes,
            wiring,
            names,
            inputs,
            outputs,
            initializers,
            declared_batch,
            fixed_batch,
            choices: Vec::new(),
            mode: OnceLock::new(),
            plans: Mutex::default(),
            blocks: OnceLock::new(),
            parameters,
        };
        graph.take_branches()?;
        let plan = graph.plan(declared_batch)?;
        graph.outputs = plan.outputs(&graph.outputs);
        if let (true, Some(end)) = (graph.outputs.is_empty(), plan.ends.first()) {
            let (operator, what) = (&end.operator, end.what);
            let operator = format!("{operator} before every output ({what} depends on the picture)");
            return Err(GraphError::Unsupported(vec![Unsupported { operator, nodes: vec![end.node.clone()] }]));
        }
        Ok(graph)
    }

    /// Nodes whose outputs have no shape before the model runs, such as NonMaxSuppression, in sentences. They and what
    /// comes after them are left out of the graph; in the place of the outputs behind them, [`Graph::outputs`] names the
    /// values from which they are computed.
    ///
    /// # Errors
    /// None after a successful [`Graph::new`]: the plan is kept.
    pub fn left_out(&self) -> Result<Vec<String>, GraphError> {
        let sentence = |end: &End| {
            let End { node, operator, what } = end;
            format!("Node {node:?} ({operator}) and what comes after it are left out: {what} depends on the picture.")
        };
        Ok(self.plan(self.declared_batch)?.ends.iter().map(sentence).collect())
    }

    /// Where the weights are.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Names of the inputs, with their shapes at a batch of one.
    pub fn inputs(&self) -> Vec<(&str, Vec<usize>)> {
        self.inputs.iter().map(|input| (self.names[input.id].as_str(), self.input_shape(input, 1))).collect()
    }

    /// Names of the outputs; of a model part of which is left out, see [`Graph::left_out`], also of the last values before.
    pub fn outputs(&self) -> Vec<&str> {
        self.outputs.iter().map(|&id| self.names[id].as_str()).collect()
    }

    /// Number of floating-point weights.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Number of nodes in the file.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Every floating-point value that a node computes, in graph order: what probes may name.
    ///
    /// # Errors
    /// None after a successful [`Graph::new`]: the plan is kept.
    pub fn values(&self) -> Result<Vec<ValueSummary>, GraphError> {
        let plan = self.plan(self.declared_batch)?;
        let mut values = Vec::new();
        for step in &plan.steps {
            let node = &self.nodes[step.node];
            for &id in step.outputs.iter().flatten().filter(|&&id| plan.is_float(id)) {
                let mut shape = plan.shape(id).unwrap_or_default().to_vec();
                if let Some(first) = shape.first_mut().filter(|first| **first == self.declared_batch) {
                    *first = 1;
                }
                let (name, operator) = (self.names[id].clone(), node.operator.clone());
                values.push(ValueSummary { name, node: node_name(node), operator, shape });
            }
        }
        Ok(values)
    }

    /// The node that makes a value, with its operator and the names of its inputs; nothing for graph inputs.
    pub fn producer(&self, value: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.outputs.iter().any(|output| output == value))
    }

    /// The id of a value.
    pub(crate) fn id(&self, name: &str) -> Result<usize, GraphError> {
        self.names.ids.get(name).copied().ok_or_else(|| {
            let mut names: Vec<(f64, &String)> =
                self.names.list.iter().map(|candidate| (strsim::jaro_winkler(name, candidate), candidate)).collect();
            names.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
            let nearest = names.into_iter().take(3).map(|(_, name)| name.clone()).collect();
            GraphError::UnknownValue { name: name.to_owned(), nearest }
        })
    }

    /// Whether a value of this name exists.
    ///
    /// # Errors
    /// [`GraphError::UnknownValue`] with the nearest names when it does not.
    pub fn check_value(&self, name: &str) -> Result<(), GraphError> {
        self.id(name).map(|_| ())
    }

    pub(crate) fn input_shape(&self, input: &Input, batch: usize) -> Vec<usize> {
        let mut shape = input.shape.clone();
        if input.batched
            && let Some(first) = shape.first_mut()
        {
            *first = batch;
        }
        shape
    }

    /// Whether the first axis of an input is the batch.
    pub(crate) fn is_batched(&self, input: usize) -> bool {
        self.inputs[input].batched
    }

    /// The plan for a batch size in the settled or, before that, the likelier mode.
    pub(crate) fn plan(&self, batch: usize) -> Result<Arc<Plan>, GraphError> {
        let likely = if self.fixed_batch { BatchMode::Scaled } else { BatchMode::AsWritten };
        self.plan_in(batch, self.mode.get().copied().unwrap_or(likely))
    }

    pub(crate) fn plan_in(&self, batch: usize, mode: BatchMode) -> Result<Arc<Plan>, GraphError> {
        // At the file's own batch size there is nothing to scale.
        let mode = if batch == self.declared_batch { BatchMode::AsWritten } else { mode };
        let lock = || self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = lock().get(&(batch, mode)) {
            return Ok(Arc::clone(plan));
        }
        let declared = match mode {
            BatchMode::Scaled => Some(self.plan_in(self.declared_batch, BatchMode::AsWritten)?),
            BatchMode::AsWritten => None,
        };
        let plan = Arc::new(Plan::new(self, batch, declared.as_deref())?);
        lock().insert((batch, mode), Arc::clone(&plan));
        Ok(plan)
    }
}

pub(crate) fn is_float(element_type: ElementType) -> bool {
    use ElementType::{BFloat16, Float16, Float32, Float64};
    matches!(element_type, Float32 | Float64 | Float16 | BFloat16)
}

/// Takes out the Constant nodes that hold weights: they are uploaded once and not for each plan.
fn weights_in_nodes(nodes: &mut Vec<Node>) -> Vec<Tensor> {
    let is_weight = |node: &mut Node| {
        let value = node.attribute("value").and_then(AttributeValue::as_tensor);
        matches!(node.domain.as_str(), "" | "ai.onnx")
            && node.operator == "Constant"
            && value.is_some_and(|value| is_float(value.element_type) && value.len() > MAX_HOST_FLOATS)
    };
    let weight = |node: Node| {
        let name = node.outputs.into_iter().next()?;
        let value = node.attributes.into_iter().find(|attribute| attribute.name == "value")?.value;
        if let AttributeValue::Tensor(tensor) = value { Some(Tensor { name, ..tensor }) } else { None }
    };
    nodes.extract_if(.., is_weight).filter_map(weight).collect()
}

/// The names of values, each with a number, its id.
#[derive(Clone, Default)]
pub(crate) struct Names {
    pub(crate) list: Vec<String>,
    ids: HashMap<String, usize>,
}

impl Index<usize> for Names {
    type Output = String;

    fn index(&self, id: usize) -> &String {
        &self.list[id]
    }
}

impl Names {
    /// The id of a value, a new one for a new name.
    pub(crate) fn id(&mut self, name: &str) -> usize {
        if let Some(&id) = self.ids.get(name) {
            return id;
        }
        self.list.push(name.to_owned());
        self.ids.insert(name.to_owned(), self.list.len() - 1);
        self.list.len() - 1
    }
}

/// Refuses constants and inputs with more axes than a [`Value`] can have.
pub(crate) fn refuse_large_ranks(constants: &[Tensor], inputs: &[Input], names: &[String]) -> Result<(), GraphError> {
    let constants = constants.iter().map(|constant| (constant.name.as_str(), constant.shape.len()));
    let inputs = inputs.iter().map(|input| (names[input.id].as_str(), input.shape.len()));
    let refused: Vec<Unsupported> = constants
        .chain(inputs)
        .filter(|(_, rank)| *rank > MAX_RANK)
        .map(|(name, rank)| Unsupported { operator: format!("a value of rank {rank}"), nodes: vec![name.to_owned()] })
        .collect();
    if refused.is_empty() { Ok(()) } else { Err(GraphError::Unsupported(refused)) }
}

/// The inputs with all axes known, the declared batch size, and whether the file fixes it.
fn read_inputs(
    required: &[&ValueInfo],
    shapes: &InputShapes,
    names: &mut Names,
) -> Result<(Vec<Input>, usize, bool), GraphError> {
    let mut inputs = Vec::new();
    let mut batch: Option<Dimension> = None;
    for info in required {
        let declared = info.shape.clone().unwrap_or_default();
        let given = shapes.get(&info.name);
        let shape: Option<Vec<usize>> = match given {
            Some(given) => Some(given.clone()),
            // An open first axis is the batch.
            None => (info.shape.is_some())
                .then(|| {
                    declared
                        .iter()
                        .enumerate()
                        .map(|(axis, length)| length.known().or((axis == 0).then_some(1)))
                        .collect()
                })
                .flatten(),
        };
        let Some(shape) = shape else {
            return Err(GraphError::OpenShape { input: info.name.clone(), declared: info.to_string() });
        };
        if elements(&shape).is_none() {
            return Err(GraphError::TooLarge { input: info.name.clone(), shape, limit: MAX_ELEMENTS });
        }
        let first = declared.first().cloned().unwrap_or(Dimension::Unknown);
        // No batch is empty: an axis of nothing stays as it is.
        let batched = shape.len() > 1 && shape[0] > 0 && batch.as_ref().is_none_or(|batch| *batch == first);
        if batched && batch.is_none() {
            batch = Some(first);
        }
        let kind = match info.element_type {
            Some(ElementType::Bool) => Kind::Bool,
            Some(element_type) if !is_float(element_type) => Kind::Int,
            _ => Kind::Float,
        };
        inputs.push(Input { id: names.id(&info.name), kind, element_type: info.element_type, shape, batched });
    }
    let declared_batch = inputs.iter().find(|input| input.batched).map_or(1, |input| input.shape[0]);
    let fixed = matches!(batch, Some(Dimension::Known(_)));
    Ok((inputs, declared_batch.max(1), fixed))
}
