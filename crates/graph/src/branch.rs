//! If nodes whose condition is known while planning: the branch that is taken stands in the node's place.

use vitrine_onnx::{AttributeValue, Names};

use crate::{
    Graph, GraphError,
    graph::{Initializer, Wiring, refuse_large_ranks},
    limits::check_weights,
    plan::{Plan, node_name},
};

/// A condition on which the graph was made as it is.
#[derive(Clone)]
pub(crate) struct Choice {
    /// The condition's value.
    pub(crate) condition: usize,
    /// What it is.
    pub(crate) holds: bool,
    /// The If node's name.
    pub(crate) node: String,
}

impl Graph {
    /// Puts branches in the place of If nodes, those within them too, until none is left.
    ///
    /// # Errors
    /// [`GraphError::Unsupported`] for an If whose condition comes only when the model runs, and what the branches refuse.
    pub(crate) fn take_branches(&mut self) -> Result<(), GraphError> {
        while self.nodes.iter().any(|node| node.operator == "If") {
            // The shape arithmetic behind a condition may itself come after another If: one round for each.
            let plan = Plan::new(self, self.declared_batch, None)?;
            if plan.choices.is_empty() {
                return Ok(());
            }
            let mut taken = Names::default();
            self.names.list.iter().for_each(|name| taken.take(name));
            let mut choices = plan.choices.into_iter().peekable();
            let steps = std::mem::take(&mut self.nodes).into_iter().zip(std::mem::take(&mut self.wiring));
            for (index, (node, wiring)) in steps.enumerate() {
                let Some((_, holds)) = choices.next_if(|(chosen, _)| *chosen == index) else {
                    self.nodes.push(node);
                    self.wiring.push(wiring);
                    continue;
                };
                let name = if holds { "then_branch" } else { "else_branch" };
                let Some(branch) = node.attribute(name).and_then(AttributeValue::as_graph) else {
                    let reason = format!("its {name} is missing");
                    return Err(GraphError::Node { node: node_name(&node), operator: node.operator, reason });
                };
                check_weights(branch)?;
                refuse_large_ranks(&branch.initializers, &[], &[])?;
                let (nodes, constants) = branch.in_place_of(&node, &mut taken)?;
                for constant in constants {
                    let (id, initializer) = (self.names.id(&constant.name), Initializer::new(constant, &self.device)?);
                    self.initializers.insert(id, initializer);
                }
                for node in nodes {
                    let mut wire = |list: &[String]| {
                        list.iter().map(|name| (!name.is_empty()).then(|| self.names.id(name))).collect()
                    };
                    let wiring = Wiring { inputs: wire(&node.inputs), outputs: wire(&node.outputs) };
                    self.wiring.push(wiring);
                    self.nodes.push(node);
                }
                if let Some(Some(condition)) = wiring.inputs.first() {
                    self.choices.push(Choice { condition: *condition, holds, node: node_name(&node) });
                }
            }
        }
        Ok(())
    }
}
