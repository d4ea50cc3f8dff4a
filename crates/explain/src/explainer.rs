//! What every method is.

use vitrine_protocol::MethodInfo;

use crate::{Attribution, Context, ExplainError, LocalBoxFuture};

/// A method that explains one answer of a model.
pub trait Explainer {
    /// What the method says of itself.
    fn info(&self) -> MethodInfo;

    /// How many methods may lie within this one, one in the other: 0 but for wrappers such as smoothing, each of which goes
    /// around those of smaller depth.
    fn depth(&self) -> usize {
        0
    }

    /// What [`Explainer::explain`] will run, known beforehand.
    ///
    /// # Errors
    /// What `explain` would refuse about the parameters.
    fn cost(&self, context: &Context<'_>) -> Result<Cost, ExplainError>;

    /// Explains. Memory does not grow with the number of samples or steps, and a cancelled run ends within one batch.
    ///
    /// # Errors
    /// Parameters, a layer or an infill that do not fit; [`ExplainError::Cancelled`]; [`ExplainError::NotFinite`] when
    /// the model's numbers overflow; what running the model refuses.
    fn explain<'a>(&'a self, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Attribution, ExplainError>>;
}

/// The passes through the model that a method needs, counted per image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Forward passes.
    pub forward_passes: u64,
    /// Backward passes.
    pub backward_passes: u64,
}
