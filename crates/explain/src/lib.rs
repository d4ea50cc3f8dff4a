//! Explainers: why a vision model answers as it does.
//!
//! Every method is an [`Explainer`] of one list, [`METHODS`], and describes itself: name, paper, parameters, promises.
//! What is asked is a [`Context`]: a model, an input, a [`Target`] (which scalar of the answer), parameters, a seed. What
//! comes back is an [`Attribution`], raw and signed.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use burn::tensor::Device;
//! use vitrine_explain::{Context, Head, Target, Unobserved, find};
//! use vitrine_graph::{Graph, InputShapes, Value};
//! use vitrine_onnx::{Graph as OnnxGraph, Model, Node, Tensor, ValueInfo};
//!
//! // Two classes: 3 a + b and a * 0 - b.
//! let model = Model::new(17, OnnxGraph {
//!     nodes: vec![Node::new("MatMul", &["x", "w"], &["y"])],
//!     initializers: vec![Tensor::from_f32("w", &[2, 2], &[3.0, 0.0, 1.0, -1.0])],
//!     inputs: vec![ValueInfo::float("x", &[1, 2])],
//!     outputs: vec![ValueInfo::float("y", &[1, 2])],
//!     ..OnnxGraph::default()
//! });
//! let device = Device::flex();
//! let graph = Graph::new(model, &device, &InputShapes::new())?;
//! let input = Value::from_f32(&[2.0, -1.0], &[1, 2], &device);
//!
//! # pollster::block_on(async {
//! let head = Head::of(&graph)?;
//! let scores = head.scores(&graph, "x", &input).await?;
//! let target = Target::parse("auto", &head, &[], &scores)?;
//! let context = Context {
//!     graph: &graph,
//!     input_name: "x",
//!     input: &input,
//!     pixels: None,
//!     target: &target,
//!     layers: &[],
//!     tokens: None,
//!     parameters: &BTreeMap::from([("baseline".into(), "zero".into())]),
//!     seed: 0,
//!     batch: 16,
//!     infill_files: &BTreeMap::new(),
//!     observer: &Unobserved,
//! };
//! let found = find("integrated-gradients")?.explain(&context).await?;
//! assert_eq!(target.to_string(), "logit of 0");
//! assert!((found.values[0] - 6.0).abs() < 1e-5 && (found.values[1] + 1.0).abs() < 1e-5, "{found:?}");
//! # Ok::<(), vitrine_explain::ExplainError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The layout: a method is one file in its family's folder ([`gradient`], [`path`], [`cam`], [`propagation`],
//! [`sampling`], [`optimisation`], [`visualisation`]) and one line in the registry; what a family has in common is an engine beside the
//! folders (`integrator`, `tap`, `sampler`, `mask_optimiser`, `ascent`). Everything runs on one thread, natively and in a browser tab;
//! values are read from the device by awaiting.

mod ascent;
mod attention;
mod attribution;
mod backward;
mod blur_path;
mod boxes;
mod budget;
mod by_hand;
pub mod cam;
mod channels;
mod completeness;
mod context;
mod design;
mod details;
mod effects;
mod error;
mod explainer;
mod filler;
mod frame;
mod game;
pub mod gradient;
mod greedy;
mod haar;
mod head;
mod heads;
mod hierarchy;
mod infill;
mod integrator;
mod layers;
mod lift;
mod linear;
mod mask_grid;
mod mask_optimiser;
mod masks;
mod neuron;
mod node_kind;
mod noise;
mod observer;
pub mod optimisation;
mod optimiser;
mod options;
mod orders;
pub mod path;
mod principal;
mod products;
pub mod propagation;
mod quadrature;
mod random;
mod regions;
mod registry;
mod regression;
mod relevance;
mod sampler;
pub mod sampling;
mod shearlets;
mod spectrum;
mod tap;
mod target;
#[cfg(test)]
mod testing;
mod views;
pub mod visualisation;
mod waves;
mod wrapper;

/// What metrics of explanations stand on as methods do: many altered inputs run batch by batch with progress and
/// cancelling, random numbers that the seed decides, regions, and options that describe themselves.
pub mod toolkit {
    pub use crate::{
        attribution::{check_finite, picture_size},
        filler::Filler,
        frame::frame,
        infill::paths_in,
        observer::{Progress, Stage},
        options::{OptionValue, Read, integer, key, no_options, number, read, take},
        random::{Purpose, Random},
        regions::Regions,
        sampler::{Masked, UNMASKED},
    };
}

pub use attention::{Attention, attention, sequence, token_grid};
pub use attribution::{Attribution, HeatMap, Visualisation};
pub use backward::Activations;
pub use boxes::Detected;
pub use budget::{Budget, TimeLimit};
pub use by_hand::{Hidden, hide, label_map};
pub use context::Context;
pub use design::Sequence;
pub use error::ExplainError;
pub use explainer::{Cost, Explainer};
pub use game::GameOptions;
pub use head::{Head, Scores};
pub use infill::{Infill, infill_paths};
pub use layers::{Places, SpatialLayer, default_layer, spatial_layers};
pub use lift::LiftRule;
pub use mask_optimiser::Game;
pub use observer::{LocalBoxFuture, Observer, Unobserved};
pub use quadrature::Rule;
pub use regions::{PARTS, RegionsSpec};
pub use registry::{METHODS, find};
pub use tap::Fusion;
pub use target::Target;
