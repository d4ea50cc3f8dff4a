//! What can go wrong between a decoded model and its values.

use std::fmt;

use vitrine_onnx::OnnxError;

/// Why a model cannot be planned or run.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// The file itself is at fault.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// Operators, or forms of them, that this crate does not execute: all of them, so that one look suffices.
    #[error("The model uses {} that Vitrine does not run yet: {}.", plural(.0.len(), "operator"), list(.0))]
    Unsupported(Vec<Unsupported>),
    /// A node contradicts its operator's definition or its inputs' shapes.
    #[error("Node {node:?} ({operator}) cannot be run: {reason}.")]
    Node {
        /// The node's name, or its first output where it has none.
        node: String,
        /// The ONNX operator.
        operator: String,
        /// What is wrong, without a full stop.
        reason: String,
    },
    /// The graph's inputs leave a size open that nobody has given.
    #[error("Input {input:?} is declared as {declared}; give the sizes that are not numbers.")]
    OpenShape {
        /// The input's name.
        input: String,
        /// Its declared type and shape.
        declared: String,
    },
    /// Weights of which some are no numbers.
    #[error(
        "The weights {weights:?} hold {count} {found} values, so that every answer and every map would be NaN; \
         export the model again from a sound checkpoint."
    )]
    NotFinite {
        /// The tensor's name.
        weights: String,
        /// NaN or infinite.
        found: &'static str,
        /// How many there are.
        count: usize,
    },
    /// An input larger than any device holds.
    #[error("Input {input:?} has shape {shape:?}, more than the {limit} elements that a value may have.")]
    TooLarge {
        /// The input's name.
        input: String,
        /// Its shape.
        shape: Vec<usize>,
        /// How many elements there may be.
        limit: usize,
    },
    /// A value of another shape was fed.
    #[error("Value {name:?} was given with shape {found:?}, but the model expects {expected:?}.")]
    FeedShape {
        /// The value's name.
        name: String,
        /// Shape that was given.
        found: Vec<usize>,
        /// Shape that is expected.
        expected: Vec<usize>,
    },
    /// A graph input was not fed.
    #[error("The model's input {0:?} was not given.")]
    MissingInput(String),
    /// No value of this name exists.
    #[error("The model has no value named {name:?}{}.", nearest_names(.nearest))]
    UnknownValue {
        /// What was asked for.
        name: String,
        /// The most similar names that exist.
        nearest: Vec<String>,
    },
    /// A value was asked for that the run did not keep.
    #[error("Value {0:?} was not recorded in this run.")]
    NotRecorded(String),
    /// A value was asked for that comes after a node whose outputs have no shape before the model runs.
    #[error(
        "Value {name:?} comes after node {node:?} ({operator}), and {what} depends on the picture: ask for a value before it."
    )]
    LeftOut {
        /// The value's name.
        name: String,
        /// The node at which planning ended.
        node: String,
        /// Its operator.
        operator: String,
        /// What is not known before the model runs.
        what: &'static str,
    },
    /// The objective does not depend on the value.
    #[error("{0:?} does not influence the chosen target, so it has no gradient.")]
    NoGradient(String),
    /// Arithmetic on values whose shapes do not fit; a fault of the caller.
    #[error("Shapes {left:?} and {right:?} do not fit in {operation}.")]
    Shapes {
        /// What was attempted.
        operation: &'static str,
        /// First shape.
        left: Vec<usize>,
        /// Second shape.
        right: Vec<usize>,
    },
    /// A value of another element type was needed.
    #[error("{operation} needs {expected} values.")]
    Kind {
        /// What was attempted.
        operation: &'static str,
        /// The element type it takes.
        expected: &'static str,
    },
    /// Reading from the device failed: it was lost, or a kernel was refused.
    #[error("The device failed while computing: {0}")]
    Device(String),
}

/// One operator of [`GraphError::Unsupported`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The operator, with its domain unless it is ONNX's own.
    pub operator: String,
    /// The nodes that use it.
    pub nodes: Vec<String>,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 5;
        let shown: Vec<String> = self.nodes.iter().take(SHOWN).map(|node| format!("{node:?}")).collect();
        write!(formatter, "{} (in {}", self.operator, shown.join(", "))?;
        match self.nodes.len().checked_sub(SHOWN) {
            Some(more) if more > 0 => write!(formatter, " and {more} more)"),
            _ => formatter.write_str(")"),
        }
    }
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn list(items: &[Unsupported]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn nearest_names(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    format!("; the nearest names are {}", quoted.join(", "))
}
