//! Methods by the target's gradient at one point, and what can be done to any map: smoothing and filtering.

mod deconvnet;
mod guided_backprop;
mod input_x_gradient;
mod saliency;

pub use deconvnet::{Deconvnet, DeconvnetOptions};
pub use guided_backprop::{GuidedBackprop, GuidedBackpropOptions};
pub use input_x_gradient::InputXGradient;
pub use saliency::{Channels, Saliency, SaliencyOptions, Sign};
