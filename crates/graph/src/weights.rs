//! The weights of layers, and the same graph with others in their place.

use std::collections::BTreeMap;

use crate::{
    Graph, GraphError, Value,
    graph::{Initializer, is_float},
};

/// Operators that multiply what they get by weights.
const LAYERS: [&str; 4] = ["Conv", "ConvTranspose", "Gemm", "MatMul"];

impl Graph {
    /// Names of the weights that layers multiply by (those of Conv, ConvTranspose, Gemm and MatMul that the file holds, with
    /// two axes or more), in the order in which the layers run.
    pub fn layer_weights(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        let layers = self.nodes.iter().zip(&self.wiring).filter(|(node, _)| LAYERS.contains(&node.operator.as_str()));
        for id in layers.flat_map(|(_, wiring)| wiring.inputs.iter().flatten()) {
            let is_weight = self.initializers.get(id).is_some_and(|initializer| {
                is_float(initializer.element_type) && initializer.value(&self.device).shape().len() > 1
            });
            let name = self.names[*id].as_str();
            if is_weight && !found.contains(&name) {
                found.push(name);
            }
        }
        found
    }

    /// The weight of this name.
    ///
    /// # Errors
    /// [`GraphError::UnknownValue`] for a name that is no weight.
    pub fn weight(&self, name: &str) -> Result<Value, GraphError> {
        let unknown = || GraphError::UnknownValue { name: name.to_owned(), nearest: Vec::new() };
        Ok(self.initializers.get(&self.id(name)?).ok_or_else(unknown)?.value(&self.device))
    }

    /// The same graph with other weights of the same shapes; those that are not named are shared.
    ///
    /// # Errors
    /// [`GraphError::UnknownValue`] for a name that is no weight, [`GraphError::FeedShape`] for another shape.
    pub fn with_weights(&self, weights: &BTreeMap<String, Value>) -> Result<Graph, GraphError> {
        let mut changed = self.clone();
        for (name, value) in weights {
            let (expected, found) = (self.weight(name)?.shape().to_vec(), value.shape().to_vec());
            if expected != found {
                return Err(GraphError::FeedShape { name: name.clone(), expected, found });
            }
            changed.initializers.insert(self.id(name)?, Initializer::on_device(value.clone()));
        }
        Ok(changed)
    }
}
