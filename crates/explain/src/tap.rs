//! A layer's values and the target's gradients there, in one forward and one backward pass: what CAMs stand on.

use vitrine_graph::{GraphError, Probe, Run, Value};

use crate::{Context, ExplainError, attribution::check_finite};

/// A layer, seen from the target.
pub(crate) struct Tap {
    /// The layer's values, `[1, channels, height, width]`.
    pub(crate) activations: Value,
    /// The target's gradients with respect to them, of the same shape.
    pub(crate) gradients: Value,
    /// The target at the input.
    pub(crate) prediction: f32,
}

/// Taps a layer.
///
/// # Errors
/// [`ExplainError::NoInfluence`] when the target does not depend on the layer.
pub(crate) async fn tap(context: &Context<'_>, layer: &str) -> Result<Tap, ExplainError> {
    let logits = context.target.head().logits();
    let run = Run::of([logits])
        .feed(context.input_name, context.input.clone())
        .probe(layer, Probe::Record)
        .probe(layer, Probe::Gradient);
    let no_influence = || ExplainError::NoInfluence { layer: layer.to_owned(), target: context.target.to_string() };
    let trace = context.graph.run(&run).map_err(|error| match error {
        GraphError::NoGradient(_) | GraphError::NotRecorded(_) => no_influence(),
        error => error.into(),
    })?;
    let objective = context.target.objective(trace.value(logits)?)?;
    let mut gradients = match trace.gradients(&objective) {
        Ok(gradients) => gradients,
        Err(GraphError::NoGradient(_)) => return Err(no_influence()),
        Err(error) => return Err(error.into()),
    };
    let prediction = objective.to_vec().await?.first().copied().unwrap_or(f32::NAN);
    check_finite(&[prediction], "The target at the input", "check the input's values and the model card")?;
    let gradients = gradients.remove(layer).ok_or_else(no_influence)?;
    Ok(Tap { activations: trace.value(layer)?.detached(), gradients, prediction })
}
