//! The plain data that methods, command line, worker and page share.
//!
//! Nothing here computes: a method describes itself in a [`MethodInfo`], a model in a [`ModelCard`], a finished
//! explanation in a [`Report`], and page and worker talk in [`Request`]s and [`Event`]s. The crate depends on neither
//! burn nor the browser, so the page stays small.
//!
//! ```
//! use vitrine_protocol::{ParameterKind, ParameterValue};
//!
//! let steps = ParameterKind::Integer { min: 1, max: 1000 };
//! assert_eq!(steps.parse("50"), Ok(ParameterValue::Integer(50)));
//! assert!(steps.parse("0").is_err(), "below the range");
//! ```

mod card;
mod ground_truth;
mod message;
mod method;
mod metric;
mod report;

pub use card::{BoxFormat, BoxUnit, CandidateAxis, Channels, Detections, ImageInput, Layout, ModelCard, Task, Tokens};
pub use ground_truth::{ProtocolInfo, Shows};
pub use message::{
    DetectedBox, Device, DeviceChoice, DeviceKind, EvaluateRequest, Event, ExplainRequest, File, ImageSource, Layer,
    Map, ModelSource, ModelSummary, PROTOCOL_VERSION, Parts, Picture, Prediction, Problem, ProblemKind, Request,
    Sample, Tried,
};
pub use method::{
    Choice, Family, MethodInfo, Need, Parameter, ParameterError, ParameterKind, ParameterValue, Promise, Reference,
};
pub use metric::{Altered, Better, Curve, MadeAgain, MetricGroup, MetricInfo, MetricNeed, Score};
pub use report::{ModelIdentity, REPORT_SCHEMA, Report, Seconds};
