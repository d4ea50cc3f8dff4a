//! The ONNX project's backend node tests: `conformance/README.md` says where they come from and how they are run.

mod attempt;
mod case;
mod status;

pub use attempt::{Form, Outcome, attempt, outcome, refusal, refused_file};
pub use case::{Case, Index, Sample};
pub use status::{Row, status};
