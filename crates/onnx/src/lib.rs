//! ONNX bytes to an owned [`Model`] and back: decode, validate, encode.
//!
//! The crate knows the file format, not what operators compute. It depends on no tensor library, and any bytes give
//! a model or an [`OnnxError`]: never a panic, and never more memory than a small multiple of the file.
//!
//! ```
//! use vitrine_onnx::{Graph, Model, Node, Tensor, ValueInfo};
//!
//! // y = relu(x + bias), written by hand, encoded, and read back.
//! let model = Model::new(13, Graph {
//!     name: "tiny".into(),
//!     nodes: vec![Node::new("Add", &["x", "bias"], &["sum"]), Node::new("Relu", &["sum"], &["y"])],
//!     initializers: vec![Tensor::from_f32("bias", &[3], &[-1.0, 0.0, 1.0])],
//!     inputs: vec![ValueInfo::float("x", &[1, 3])],
//!     outputs: vec![ValueInfo::float("y", &[1, 3])],
//!     ..Graph::default()
//! });
//! model.validate()?;
//!
//! let bytes = model.encode();
//! let read = Model::decode(&bytes)?;
//! assert_eq!(read, model);
//! assert_eq!(read.graph.initializers[0].to_f32()?, [-1.0, 0.0, 1.0]);
//!
//! // What is no ONNX file is named for what it is.
//! let error = Model::decode(b"<!DOCTYPE html><html>").unwrap_err();
//! assert!(error.to_string().contains("web page"), "{error}");
//! # Ok::<(), vitrine_onnx::OnnxError>(())
//! ```

#![deny(clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::indexing_slicing, reason = "a test may fail by panicking"))]

mod decode;
mod element_type;
mod encode;
mod error;
mod functions;
mod graph;
mod inline;
mod model;
mod node;
mod reader;
mod recognise;
mod tensor;
mod validate;
mod wire;

pub use element_type::ElementType;
pub use error::OnnxError;
pub use graph::{Dimension, Graph, ValueInfo};
pub use inline::Names;
pub use model::{Function, Model, Opset};
pub use node::{Attribute, AttributeValue, Node};
pub use reader::Reader;
pub use recognise::Lookalike;
pub use tensor::Tensor;
