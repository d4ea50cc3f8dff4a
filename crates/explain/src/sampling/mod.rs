//! Methods that look at many masked copies of the input, by forward passes alone.

mod banzhaf;
mod feature_ablation;
mod hsic;
mod kernel_shap;
mod lime;
mod occlusion;
mod rise;
mod shapley_sampling;
mod sobol;

pub use banzhaf::{Banzhaf, BanzhafOptions};
pub use feature_ablation::FeatureAblation;
pub use hsic::{Hsic, HsicOptions};
pub use kernel_shap::{KernelShap, KernelShapOptions};
pub use lime::{Distance, Lime, LimeOptions, Sampling, Surrogate};
pub use occlusion::{Extent, Occlusion, OcclusionOptions, Overlap};
pub use rise::{Normalisation, Rise, RiseEstimator, RiseOptions};
pub use shapley_sampling::{ShapleySampling, ShapleySamplingOptions};
pub use sobol::{Estimator, Order, Sobol, SobolOptions};
