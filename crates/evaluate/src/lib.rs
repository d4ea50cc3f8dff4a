//! Metrics and sanity checks of explanations.
//!
//! Every metric is a [`Metric`] of one list, [`METRICS`], and describes itself: what its number says and does not say,
//! which direction is better, paper, parameters. What is asked is a [`Question`]: the context of an explanation, a map, and
//! for some metrics how the map was made, where it should lie, or what other methods found. What comes back is a
//! [`Score`](vitrine_protocol::Score).
//!
//! The layout: a metric is one file in its group's folder and one line in the registry; what metrics have in common is an
//! engine beside the folders: `removal` (parts of the input removed in the map's order) and `subsets` (random sets of them),
//! both on `altered` (any sets of parts), `again` (the explanation made again after a change), `similarity` (two maps beside
//! each other) and `statistics`. Everything runs on one thread, in batches, as methods do.

mod again;
pub mod agreement;
mod altered;
pub mod complexity;
mod error;
pub mod faithfulness;
pub mod localisation;
mod metric;
mod neighbours;
pub mod randomisation;
mod registry;
mod removal;
pub mod robustness;
mod similarity;
mod statistics;
mod subsets;
#[cfg(test)]
mod testing;

pub use altered::Scale;
pub use error::EvaluateError;
pub use metric::{Found, Method, Metric, Question, evaluate};
pub use registry::{METRICS, find};
pub use removal::RemovalOptions;
pub use similarity::{Comparison, Similarity};
pub use subsets::SubsetOptions;
