//! Methods by the target's gradient at one point, and what can be done to any map: smoothing and filtering.

mod deconvnet;
mod full_grad;
mod guided_backprop;
mod input_x_gradient;
mod low_pass;
mod norm_grad;
mod saliency;
mod smooth_grad;

pub use deconvnet::{Deconvnet, DeconvnetOptions};
pub use full_grad::FullGrad;
pub use guided_backprop::{GuidedBackprop, GuidedBackpropOptions};
pub use input_x_gradient::InputXGradient;
pub use low_pass::{LowPass, LowPassOptions};
pub use norm_grad::{Identity, NormGrad, NormGradOptions};
pub use saliency::{Channels, Saliency, SaliencyOptions, Sign};
pub use smooth_grad::{Combination, SmoothGrad, SmoothGradOptions};
