//! Why a command failed, and with which exit status.

use std::path::PathBuf;

use vitrine_engine::EngineError;
use vitrine_explain::ExplainError;
use vitrine_graph::GraphError;
use vitrine_image::ImageError;
use vitrine_protocol::ProblemKind;

/// Exit status for the caller's faults.
pub(crate) const CALLER: u8 = 2;

/// Exit status for ours.
const OURS: u8 = 1;

/// A failed command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("{} cannot be read: {source}.", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{} cannot be written: {source}.", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: ImageError },
    #[error("{0}")]
    Usage(String),
    #[error("The result cannot be written: {0}.")]
    Encode(String),
}

impl Failure {
    pub(crate) fn status(&self) -> u8 {
        match self {
            Failure::Engine(error) if error.kind() != ProblemKind::Input => OURS,
            Failure::Encode(_) => OURS,
            _ => CALLER,
        }
    }
}

impl From<GraphError> for Failure {
    fn from(error: GraphError) -> Self {
        Failure::Engine(error.into())
    }
}

impl From<ExplainError> for Failure {
    fn from(error: ExplainError) -> Self {
        Failure::Engine(error.into())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Failure::Encode(error.to_string())
    }
}

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Self {
        Failure::Encode(error.to_string())
    }
}
