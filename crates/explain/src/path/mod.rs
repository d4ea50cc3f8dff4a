//! Methods that collect gradients on the way from a baseline to the input.

mod bee;
mod blur_ig;
mod conductance;
mod credible_path;
mod cross_domain_ig;
mod dix;
mod expected_gradients;
mod guided_ig;
mod idgi;
mod iia;
mod integrated_gradients;
mod internal_influence;
mod layer_ig;
mod neuron_conductance;
mod neuron_ig;
mod samp;
mod xrai;

pub use bee::{Bee, BeeOptions, Metric};
pub use blur_ig::{BlurIg, BlurIgOptions, Spacing};
pub use conductance::{Conductance, ConductanceOptions, StepGradient};
pub use credible_path::{CrediblePath, CrediblePathOptions};
pub use cross_domain_ig::{CrossDomainIg, CrossDomainIgOptions, Domain};
pub use dix::{Dix, DixOptions};
pub use expected_gradients::{ExpectedGradients, ExpectedGradientsOptions, References};
pub use guided_ig::{GuidedIg, GuidedIgOptions};
pub use idgi::{Idgi, IdgiOptions, Way};
pub use iia::{Iia, IiaOptions};
pub use integrated_gradients::{IntegratedGradients, IntegratedGradientsOptions};
pub use internal_influence::{InternalInfluence, InternalInfluenceOptions};
pub use layer_ig::{LayerIg, LayerIgOptions};
pub use neuron_conductance::{NeuronConductance, NeuronConductanceOptions};
pub use neuron_ig::{NeuronIg, NeuronIgOptions};
pub use samp::{Direction, Samp, SampOptions};
pub use xrai::{Xrai, XraiOptions};
