//! The built-in model, for tests and benchmarks.

use vitrine_engine::{EngineError, Place, Session};
use vitrine_zoo::{Builtin, models};

/// The model's file. It is read here, natively and in a browser alike, so that the tests' build of the libraries is the
/// page's, in which models are files beside the program.
const ONNX: &[u8] = include_bytes!("../../crates/zoo/models/critters.onnx");

/// What is known of the model.
pub fn builtin() -> Option<&'static Builtin> {
    models().iter().find(|model| model.id == "critters")
}

/// A session with the built-in model and its first sample.
///
/// # Errors
/// None, unless the device fails.
pub async fn session(place: Place) -> Result<Session, EngineError> {
    let mut session = Session::on(place);
    session.load_model("critters", ONNX.into(), builtin().map(|model| model.card)).await?;
    session.load_sample(0).await?;
    Ok(session)
}
