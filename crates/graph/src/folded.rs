//! Batch normalisation as part of the layer before it.

use std::collections::HashMap;

use vitrine_onnx::{AttributeValue, Node};

use crate::{Graph, GraphError, Value, graph::Initializer, plan::Plan};

impl Graph {
    /// The same function without the batch normalisations that directly follow a convolution or a fully connected layer
    /// (Conv, ConvTranspose, Gemm) which nothing else reads: their scale and offset become part of the layer's weights
    /// and bias. The layer's value takes the normalisation's name; all other names stay.
    ///
    /// Rules of relevance propagation are defined for folded layers; methods that show each bias for itself want
    /// normalisations as they are. Weights that do not change are shared.
    ///
    /// # Errors
    /// None after a successful [`Graph::new`].
    pub fn folded(&self) -> Result<Graph, GraphError> {
        let plan = self.plan(self.declared_batch)?;
        let mut folded = self.clone();
        // Positions of the nodes that go.
        let mut gone = Vec::new();
        let mut makers = HashMap::new();
        for (position, wiring) in self.wiring.iter().enumerate() {
            makers.extend(wiring.outputs.iter().flatten().map(|&id| (id, position)));
        }
        for (position, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.operator == "BatchNormalization")
        {
            let ids: Vec<usize> = self.wiring[position].inputs.iter().flatten().copied().collect();
            let &[normalised, scale, bias, mean, variance] = ids.as_slice() else { continue };
            let readers = self.wiring.iter().flat_map(|wiring| &wiring.inputs).flatten();
            let is_read_once = readers.filter(|&&id| id == normalised).count() == 1;
            let (Some(&layer), true) = (makers.get(&normalised), is_read_once && !self.outputs.contains(&normalised))
            else {
                continue;
            };
            let constant = |id: usize| plan.constant(self, id);
            let statistics = [scale, bias, mean, variance].map(constant);
            let [Some(scale), Some(bias), Some(mean), Some(variance)] = statistics else { continue };
            let epsilon = node.attribute("epsilon").and_then(AttributeValue::as_float).unwrap_or(1e-5);
            let factor = scale.div(&variance.map(|variance| (variance + epsilon).sqrt())?)?;
            let offset = bias.sub(&mean.mul(&factor)?)?;
            if folded.scale_layer(&plan, layer, &factor, &offset)? {
                folded.rename_output(layer, position);
                gone.push(position);
            }
        }
        let stays = |position: &usize| gone.binary_search(position).is_err();
        let keep = |count: usize| (0..count).filter(stays);
        folded.nodes = keep(self.nodes.len()).map(|position| folded.nodes[position].clone()).collect();
        folded.wiring = keep(self.wiring.len()).map(|position| folded.wiring[position].clone()).collect();
        Ok(folded)
    }

    /// Multiplies the outputs of a layer by a factor each and adds an offset; says whether it is a layer that can.
    fn scale_layer(&mut self, plan: &Plan, layer: usize, factor: &Value, offset: &Value) -> Result<bool, GraphError> {
        let (node, wiring) = (self.nodes[layer].clone(), self.wiring[layer].clone());
        let constant = |at: usize| {
            let id = wiring.inputs.get(at).copied().flatten();
            id.map(|id| plan.constant(self, id))
        };
        let (weight, bias) = match (constant(1), constant(2)) {
            (Some(Some(weight)), None) => (weight, None),
            (Some(Some(weight)), Some(Some(bias))) => (weight, Some(bias)),
            // Computed from the picture.
            _ => return Ok(false),
        };
        let Some(scaled) = scale_weight(&node, &weight, factor)? else { return Ok(false) };
        let float = |name: &str| node.attribute(name).and_then(AttributeValue::as_float);
        let beta = float("beta").unwrap_or(1.0);
        let bias = match bias {
            Some(bias) => bias.map(|bias| bias * beta)?.mul(factor)?.add(offset)?,
            None => offset.clone(),
        };
        let name = node.outputs.first().cloned().unwrap_or_default();
        for (at, what, value) in [(1, "weight", scaled), (2, "bias", bias)] {
            let name = format!("{name}/folded_{what}");
            let id = self.names.id(&name);
            self.initializers.insert(id, Initializer::on_device(value));
            let (node, wiring) = (&mut self.nodes[layer], &mut self.wiring[layer]);
            set(&mut node.inputs, at, name);
            set(&mut wiring.inputs, at, Some(id));
        }
        self.nodes[layer].attributes.retain(|attribute| attribute.name != "beta");
        Ok(true)
    }

    /// Lets a node make the first output of another one in the place of its own.
    fn rename_output(&mut self, node: usize, like: usize) {
        let name = self.nodes[like].outputs.first().cloned().unwrap_or_default();
        let id = self.wiring[like].outputs.first().copied().flatten();
        set(&mut self.nodes[node].outputs, 0, name);
        set(&mut self.wiring[node].outputs, 0, id);
    }
}

/// The weights of a layer whose outputs are to be multiplied; nothing where it is no such layer.
fn scale_weight(node: &Node, weight: &Value, factor: &Value) -> Result<Option<Value>, GraphError> {
    let shape = weight.shape();
    let int = |name: &str, otherwise: i64| node.attribute(name).and_then(AttributeValue::as_int).unwrap_or(otherwise);
    let channels = factor.shape().iter().product::<usize>();
    let along = |axis: usize, rank: usize| -> Vec<usize> {
        (0..rank).map(|at| if at == axis { channels } else { 1 }).collect()
    };
    match (node.operator.as_str(), shape) {
        ("Conv", [outputs, ..]) if *outputs == channels => {
            Ok(Some(weight.mul(&factor.reshape(&along(0, shape.len()))?)?))
        }
        ("Gemm", [_, _]) => {
            let axis = if int("transB", 0) == 0 { 1 } else { 0 };
            let fits = shape.get(axis) == Some(&channels);
            if fits { Ok(Some(weight.mul(&factor.reshape(&along(axis, 2))?)?)) } else { Ok(None) }
        }
        ("ConvTranspose", [inputs, per_group, kernel @ ..]) => {
            let groups = usize::try_from(int("group", 1)).unwrap_or(1).max(1);
            if per_group * groups != channels || inputs % groups != 0 {
                return Ok(None);
            }
            // Outputs are counted group by group, and each group has inputs of its own.
            let area: usize = kernel.iter().product();
            let grouped = weight.reshape(&[groups, inputs / groups, *per_group, area])?;
            let scaled = grouped.mul(&factor.reshape(&[groups, 1, *per_group, 1])?)?;
            Ok(Some(scaled.reshape(shape)?))
        }
        _ => Ok(None),
    }
}

/// Puts an entry into a list that may be too short for it.
fn set<T: Default>(list: &mut Vec<T>, at: usize, entry: T) {
    if list.len() <= at {
        list.resize_with(at + 1, T::default);
    }
    list[at] = entry;
}
