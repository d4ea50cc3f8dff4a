//! Methods that look at many masked copies of the input, by forward passes alone.

mod banzhaf;
mod causal_effect_map;
mod coar;
mod feature_ablation;
mod hsic;
mod kernel_shap;
mod lime;
mod occlusion;
mod partition_shap;
mod permutation_shap;
mod rise;
mod rms_pda;
mod shapley_sampling;
mod smdl;
mod sobol;
mod visual_precision_search;
mod wcam;

pub use banzhaf::{Banzhaf, BanzhafOptions};
pub use causal_effect_map::{CausalEffectMap, CausalEffectMapOptions};
pub use coar::{Coar, CoarOptions};
pub use feature_ablation::FeatureAblation;
pub use hsic::{Hsic, HsicOptions};
pub use kernel_shap::{KernelShap, KernelShapOptions};
pub use lime::{Distance, Lime, LimeOptions, Sampling, Surrogate};
pub use occlusion::{Extent, Occlusion, OcclusionOptions, Overlap};
pub use partition_shap::{PartitionShap, PartitionShapOptions};
pub use permutation_shap::{PermutationShap, PermutationShapOptions};
pub use rise::{Normalisation, Rise, RiseEstimator, RiseOptions};
pub use rms_pda::{RmsPda, RmsPdaOptions};
pub use shapley_sampling::{ShapleySampling, ShapleySamplingOptions};
pub use smdl::{Smdl, SmdlOptions};
pub use sobol::{Estimator, Order, Sobol, SobolOptions};
pub use visual_precision_search::{VisualPrecisionSearch, VisualPrecisionSearchOptions};
pub use wcam::{Wcam, WcamOptions};
