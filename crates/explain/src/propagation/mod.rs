//! Methods that send something backwards through the network by rules of their own, see
//! [`Graph::propagate`](vitrine_graph::Graph::propagate).

mod deep_lift;
mod deep_shap;
mod excitation_backprop;
mod lrp;
mod salient_relevance;

pub use deep_lift::{DeepLift, DeepLiftOptions};
pub use deep_shap::{DeepShap, DeepShapOptions};
pub use excitation_backprop::{ExcitationBackprop, ExcitationBackpropOptions};
pub use lrp::{Composite, Lrp, LrpOptions};
pub use salient_relevance::{SalientRelevance, SalientRelevanceOptions};
