//! What the page's worker and the command line share: device, session, report.
//!
//! ```
//! use vitrine_engine::{ExplainOptions, Session, Silent};
//! use vitrine_protocol::{DeviceChoice, ExplainRequest};
//!
//! # pollster::block_on(async {
//! let mut session = Session::start(DeviceChoice::Cpu).await?;
//! session.load_builtin("critters").await?;
//! session.load_sample(0).await?;
//!
//! let request = ExplainRequest { method: "grad-cam".into(), target: "auto".into(), ..ExplainRequest::default() };
//! let explanation = session.explain(&request, &ExplainOptions::default(), &Silent).await?;
//! assert_eq!(explanation.attribution.map.values.len(), 64 * 64);
//! # Ok::<(), vitrine_engine::EngineError>(())
//! # })?;
//! # Ok::<(), vitrine_engine::EngineError>(())
//! ```

mod card;
mod device;
mod error;
mod listener;
mod model;
mod model_reader;
mod platform;
mod protocol;
pub mod self_check;
mod session;

pub use device::Place;
pub use error::EngineError;
pub use listener::{Listener, Silent};
pub use model::LoadedModel;
pub use model_reader::ModelReader;
pub use protocol::{ProtocolRequest, measure};
pub use session::{ByHand, ExplainOptions, Explanation, Session};
