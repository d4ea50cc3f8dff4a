//! Methods that send something backwards through the network by rules of their own, see
//! [`Graph::propagate`](vitrine_graph::Graph::propagate).

mod lrp;

pub use lrp::{Composite, Lrp, LrpOptions};
