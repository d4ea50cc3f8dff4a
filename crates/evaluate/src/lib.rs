//! Metrics and sanity checks of explanations.
//!
//! Every metric is a [`Metric`] of one list, [`METRICS`], and describes itself: what its number says and does not say,
//! which direction is better, paper, parameters. What is asked is a [`Question`]: the context of an explanation, a map, and
//! for some metrics how the map was made, where it should lie, or what other methods found. What comes back is a
//! [`Score`](vitrine_protocol::Score).
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use burn::tensor::Device;
//! use vitrine_evaluate::{Question, evaluate, find};
//! use vitrine_explain::{Context, Head, HeatMap, Target, Unobserved};
//! use vitrine_graph::{Graph, InputShapes, Value};
//! use vitrine_onnx::{Graph as OnnxGraph, Model, Node, Tensor, ValueInfo};
//!
//! // Class 0 scores 3 a + b.
//! let model = Model::new(17, OnnxGraph {
//!     nodes: vec![Node::new("MatMul", &["x", "w"], &["y"])],
//!     initializers: vec![Tensor::from_f32("w", &[2, 2], &[3.0, 0.0, 1.0, 0.0])],
//!     inputs: vec![ValueInfo::float("x", &[1, 2])],
//!     outputs: vec![ValueInfo::float("y", &[1, 2])],
//!     ..OnnxGraph::default()
//! });
//! let device = Device::flex();
//! let graph = Graph::new(model, &device, &InputShapes::new())?;
//! let input = Value::from_f32(&[1.0, 1.0], &[1, 2], &device);
//! let target = Target::logit(&Head::of(&graph)?, 0)?;
//! let context = Context {
//!     graph: &graph,
//!     input_name: "x",
//!     input: &input,
//!     pixels: None,
//!     target: &target,
//!     layers: &[],
//!     tokens: None,
//!     parameters: &BTreeMap::from([("scale".into(), "target".into()), ("infill".into(), "zero".into())]),
//!     seed: 0,
//!     batch: 16,
//!     infill_files: &BTreeMap::new(),
//!     observer: &Unobserved,
//! };
//! let map = HeatMap { height: 1, width: 2, values: vec![3.0, 1.0] };
//! let question = Question { context, map: &map, attribution: None, method: None, mask: None, others: &[] };
//!
//! // The score falls from 4 to 1 and to 0: the area under it is (4 / 2 + 1 + 0 / 2) / 2.
//! let score = pollster::block_on(evaluate(find("deletion")?, &question))?;
//! assert_eq!(score.curves[0].ys, [4.0, 1.0, 0.0]);
//! assert!((score.value.unwrap() - 1.5).abs() < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The layout: a metric is one file in its group's folder and one line in the registry; what metrics have in common is an
//! engine beside the folders: `removal` (parts of the input removed in the map's order) and `subsets` (random sets of them),
//! both on `altered` (any sets of parts), `again` (the explanation made again after a change), `randomised` (the model with random weights), `similarity` (two maps beside
//! each other) and `statistics`. Protocols that draw their own pictures, so that the truth is known, are in
//! [`ground_truth`]. Maps that say nothing, for
//! comparison, are [`CONTROLS`]. Everything runs on one thread, in batches, as methods do.

mod again;
pub mod agreement;
mod altered;
pub mod complexity;
mod controls;
mod error;
pub mod faithfulness;
pub mod ground_truth;
mod hog;
pub mod localisation;
mod metric;
mod neighbours;
pub mod randomisation;
mod randomised;
mod registry;
mod removal;
pub mod robustness;
mod similarity;
mod statistics;
mod subsets;
#[cfg(test)]
mod testing;

pub use altered::Scale;
pub use controls::{CONTROLS, find_method};
pub use error::EvaluateError;
pub use metric::{Found, Method, Metric, Question, evaluate};
pub use registry::{METRICS, find};
pub use removal::RemovalOptions;
pub use similarity::{Comparison, Similarity};
pub use statistics::Summary;
pub use subsets::SubsetOptions;
