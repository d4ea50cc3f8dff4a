//! What can be wrong with a file or a model, in sentences for the person who brought it.

use crate::{ElementType, Lookalike, Node};

/// Why bytes are no model, or a model is not well formed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// The file has no bytes.
    #[error("The file is empty; choose an ONNX model.")]
    Empty,
    /// The bytes are recognised as something else.
    #[error("This is not an ONNX model: it looks like {lookalike}; {}.", lookalike.advice())]
    NotOnnx {
        /// What they look like.
        lookalike: Lookalike,
    },
    /// The file ends in the middle of something.
    #[error(
        "The file is cut short: it ends after {found} bytes and at least {missing} more should follow; download or copy it again."
    )]
    Truncated {
        /// Bytes there are.
        found: usize,
        /// Bytes that are missing at least.
        missing: u64,
    },
    /// The bytes break the rules of the format.
    #[error("This is not an ONNX model, or it is damaged: {problem} at byte {offset}.")]
    Malformed {
        /// Where, from the start of the file.
        offset: usize,
        /// What is wrong there.
        problem: &'static str,
    },
    /// The bytes follow the rules of protobuf, but are no model.
    #[error("This is not an ONNX model: it has no graph; export the model to ONNX and choose that file.")]
    NoGraph,
    /// Memory would be out of proportion to the file, which is nearly all empty entries.
    #[error("The file is refused: decoding its {found} bytes would take more than {limit} bytes of memory.")]
    OutOfProportion {
        /// Bytes of the file.
        found: usize,
        /// Bytes of memory allowed for it.
        limit: usize,
    },
    /// Something that the format has and this crate does not read.
    #[error("The model cannot be read: {what}, which is not supported; export it without that.")]
    Unsupported {
        /// What it is and where, as the start of a sentence.
        what: String,
    },
    /// An element type that the standard does not have.
    #[error("'{tensor}' has elements of the unknown type {code}; the file is damaged or newer than this program.")]
    UnknownElementType {
        /// Name of the tensor or value.
        tensor: String,
        /// The type's number in the file.
        code: i64,
    },
    /// The elements of a tensor lie in another file.
    #[error(
        "The data of tensor '{tensor}' is not in the model but in the file '{file}'; save the model with all data in one file \
         (onnx.save_model with save_as_external_data=False)."
    )]
    ExternalData {
        /// Name of the tensor.
        tensor: String,
        /// The file that the model names.
        file: String,
    },
    /// The elements of a tensor are text or narrower than a byte.
    #[error("Tensor '{tensor}' holds {element_type} elements, which are not supported; convert it to float or int8.")]
    UnsupportedElements {
        /// Name of the tensor.
        tensor: String,
        /// What they are.
        element_type: ElementType,
    },
    /// A dimension is negative or beyond what this machine can address.
    #[error("'{tensor}' has the dimension {dimension}; a dimension is a number of elements.")]
    Dimension {
        /// Name of the tensor or value.
        tensor: String,
        /// The dimension in the file.
        dimension: i64,
    },
    /// The product of the dimensions is beyond what this machine can address.
    #[error("'{tensor}' has the shape {shape:?}, more elements than memory can hold.")]
    ShapeTooLarge {
        /// Name of the tensor or value.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A tensor has more or fewer bytes than its shape says.
    #[error(
        "Tensor '{tensor}' of shape {shape:?} and type {element_type} needs {expected} bytes of data and has {found}."
    )]
    DataLength {
        /// Name of the tensor.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
        /// What its elements are.
        element_type: ElementType,
        /// Bytes that shape and type ask for.
        expected: usize,
        /// Bytes there are.
        found: usize,
    },
    /// A tensor's values cannot be read as the wanted type.
    #[error("The values of tensor '{tensor}' are {from} and cannot be read as {to}.")]
    CannotConvert {
        /// Name of the tensor.
        tensor: String,
        /// What they are.
        from: ElementType,
        /// What was wanted.
        to: &'static str,
    },
    /// Something is wrong inside a node.
    #[error("In node {node}: {source}")]
    InNode {
        /// Name and operator of the node.
        node: String,
        /// What is wrong.
        source: Box<OnnxError>,
    },
    /// Something is wrong inside a function of the file.
    #[error("In function '{function}': {source}")]
    InFunction {
        /// Name of the function.
        function: String,
        /// What is wrong.
        source: Box<OnnxError>,
    },
    /// No version of the standard operators, or one that cannot be.
    #[error("The model declares {found} for the standard operator set; a version from 1 to {newest} is needed.")]
    Opset {
        /// What the model says.
        found: String,
        /// The highest version that is believed.
        newest: i64,
    },
    /// Two versions of one operator domain.
    #[error("The model declares the versions {first} and {second} for operator domain '{domain}'; there must be one.")]
    TwoOpsets {
        /// The domain.
        domain: String,
        /// The version declared first.
        first: i64,
        /// The version declared later.
        second: i64,
    },
    /// A name is empty that must not be.
    #[error("The graph has {what} without a name.")]
    NoName {
        /// Whose name it is.
        what: &'static str,
    },
    /// A graph without outputs computes nothing.
    #[error("The graph has no outputs.")]
    NoOutputs,
    /// A value is made by more than one node, constant or input.
    #[error("The value '{value}' is defined twice; every value must come from one place.")]
    DefinedTwice {
        /// Name of the value.
        value: String,
    },
    /// A node uses a value before the node that makes it.
    #[error("The value '{value}' is used before it is made; nodes must be in the order in which they run.")]
    UsedTooEarly {
        /// Name of the value.
        value: String,
    },
    /// A value comes from nowhere.
    #[error("The value '{value}' is used, but no input, constant or node makes it.")]
    Undefined {
        /// Name of the value.
        value: String,
    },
    /// An attribute stands twice in one node.
    #[error("The attribute '{attribute}' is given twice.")]
    AttributeTwice {
        /// Name of the attribute.
        attribute: String,
    },
    /// An attribute takes its value from a function's caller, but there is no function.
    #[error("The attribute '{attribute}' refers to an attribute of a function, but is not inside one.")]
    ReferenceOutsideFunction {
        /// Name of the attribute.
        attribute: String,
    },
    /// Two functions of the file answer to the same name.
    #[error("The function '{function}' is defined twice; each must have a name of its own.")]
    FunctionTwice {
        /// Domain and name of the function.
        function: String,
    },
    /// Functions that call themselves, directly or through others.
    #[error("The function '{}' calls itself ({}); written out, it would never end.", .calls.first().map_or("", |first| first), circle(.calls))]
    Recursion {
        /// The functions of the circle: each calls the next, and the last calls the first.
        calls: Vec<String>,
    },
    /// A call does not fit its function.
    #[error("It gives {found} {what} to the function '{function}', which has {expected}.")]
    Call {
        /// Domain and name of the function.
        function: String,
        /// Inputs or outputs.
        what: &'static str,
        /// How many the call has.
        found: usize,
        /// How many the function has.
        expected: usize,
    },
    /// A function's caller gives an attribute of another type than the body takes.
    #[error(
        "The attribute '{attribute}' of the function '{function}' has another type than the function's body takes."
    )]
    AttributeType {
        /// Name of the attribute.
        attribute: String,
        /// Domain and name of the function.
        function: String,
    },
    /// Functions that call functions many times over.
    #[error("The model is refused: written out, its functions would take more than {limit} bytes of memory.")]
    Expansion {
        /// Bytes of memory allowed for it.
        limit: usize,
    },
    /// Control-flow nodes within control-flow nodes, once functions are written out.
    #[error("The model is refused: written out, its functions nest more than {limit} graphs in one another.")]
    Nesting {
        /// How many levels are allowed.
        limit: usize,
    },
    /// A constant has another shape than an input of the same name declares.
    #[error("The constant '{tensor}' has the shape {found:?}, but is declared as {declared}.")]
    DeclaredOtherwise {
        /// Name of the constant.
        tensor: String,
        /// Its shape.
        found: Vec<usize>,
        /// The declared shape.
        declared: String,
    },
}

/// The calls of a circle, back to where it begins.
fn circle(calls: &[String]) -> String {
    calls.iter().chain(calls.first()).map(String::as_str).collect::<Vec<_>>().join(" -> ")
}

impl OnnxError {
    /// The same error with the node it is in; of nodes within nodes, the innermost says it best.
    pub(crate) fn in_node(self, node: &Node) -> OnnxError {
        // Which of a billion nodes was one too many says nothing.
        if matches!(self, OnnxError::InNode { .. } | OnnxError::Expansion { .. } | OnnxError::Nesting { .. }) {
            return self;
        }
        OnnxError::InNode { node: node.label(), source: Box::new(self) }
    }
}
