//! Methods that collect gradients on the way from a baseline to the input.

mod integrated_gradients;

pub use integrated_gradients::{IntegratedGradients, IntegratedGradientsOptions};
