//! Runs an ONNX model node by node on a burn device, with probes and gradients.
//!
//! ```
//! use burn::tensor::Device;
//! use vitrine_graph::{Graph, InputShapes, Probe, Run, Value};
//! use vitrine_onnx::{Graph as OnnxGraph, Model, Node, Tensor, ValueInfo};
//!
//! // y = relu(2 x), as an ONNX model.
//! let model = Model::new(17, OnnxGraph {
//!     nodes: vec![Node::new("Mul", &["x", "two"], &["h"]), Node::new("Relu", &["h"], &["y"])],
//!     initializers: vec![Tensor::from_f32("two", &[1], &[2.0])],
//!     inputs: vec![ValueInfo::float("x", &[1, 3])],
//!     outputs: vec![ValueInfo::float("y", &[1, 3])],
//!     ..OnnxGraph::default()
//! });
//! let device = Device::flex();
//! let graph = Graph::new(model, &device, &InputShapes::new())?;
//!
//! let x = Value::from_f32(&[-1.0, 0.5, 3.0], &[1, 3], &device);
//! let trace = graph.run(&Run::of(["y"]).feed("x", x).probe("x", Probe::Gradient).probe("h", Probe::Record))?;
//! let gradient = &trace.gradients(trace.value("y")?)?["x"];
//!
//! # pollster::block_on(async {
//! assert_eq!(trace.value("h")?.to_vec().await?, [-2.0, 1.0, 6.0]);
//! assert_eq!(gradient.to_vec().await?, [0.0, 2.0, 2.0]);
//! # Ok::<(), vitrine_graph::GraphError>(())
//! # })?;
//! # Ok::<(), vitrine_graph::GraphError>(())
//! ```
//!
//! There are no hooks: what a caller wants to see or change is a list of [`Probe`]s of one [`Run`], and what it saw is
//! in the [`Trace`]. Planning resolves shapes and constants on the host, so that running only calls burn.

mod batching;
mod block;
mod branch;
mod cost;
mod error;
mod fold;
mod folded;
mod graph;
mod host;
mod limits;
mod offset;
mod operator;
mod plan;
mod propagate;
mod run;
mod unit;
mod value;
mod weights;

pub use batching::Batching;
pub use block::Block;
pub use cost::Cost;
pub use error::{GraphError, Unsupported};
pub use graph::{Graph, InputShapes, ValueSummary};
pub use propagate::{Recording, Rule};
pub use run::{Probe, Run, Trace};
pub use unit::{Tape, Unit};
pub use value::{MAX_RANK, Value, broadcast};
