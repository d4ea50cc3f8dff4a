//! Methods that make an input instead of explaining one: what a class, a neuron or a direction inside the model looks for.

mod activation_maximisation;
mod class_model_visualisation;
mod maco;

pub use activation_maximisation::{ActivationMaximisation, ActivationMaximisationOptions, Aim, Parts};
pub use class_model_visualisation::{ClassModelVisualisation, ClassModelVisualisationOptions};
pub use maco::{Maco, MacoOptions};
