//! The same answers for an input that is moved.

use vitrine_onnx::Node;

use crate::{
    Graph, GraphError, Value,
    graph::{Initializer, Wiring},
};

impl Graph {
    /// The graph that answers to an input plus `offset` as this one does to the input: it takes the offset away first.
    /// `offset` has the shape of one input with the batch axis, or 1 in the place of an axis. All values keep their names;
    /// the input's own now holds the moved one.
    ///
    /// # Errors
    /// [`GraphError::UnknownValue`] for a name that is no value.
    pub fn with_offset(&self, input: &str, offset: Value) -> Result<Graph, GraphError> {
        let mut moved = self.clone();
        let id = self.id(input)?;
        let [offset_name, back_name] = ["offset", "moved back"].map(|what| format!("{input} ({what})"));
        let [offset_id, back_id] = [&offset_name, &back_name].map(|name| moved.names.id(name));
        for wiring in &mut moved.wiring {
            wiring.inputs.iter_mut().filter(|read| **read == Some(id)).for_each(|read| *read = Some(back_id));
        }
        moved.initializers.insert(offset_id, Initializer::on_device(offset));
        moved.nodes.insert(0, Node::new("Sub", &[input, &offset_name], &[&back_name]));
        moved.wiring.insert(0, Wiring { inputs: vec![Some(id), Some(offset_id)], outputs: vec![Some(back_id)] });
        Ok(moved)
    }
}
