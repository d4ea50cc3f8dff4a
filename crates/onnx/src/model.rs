//! A whole file: the graph, the operator sets it was written for, and who wrote it.

use crate::{Graph, Node, OnnxError, Reader, ValueInfo, encode, inline, validate};

/// An ONNX model, owned and decoded.
///
/// What says nothing about the values a model computes is dropped on decoding: documentation and metadata of single
/// nodes, values and tensors, training information, quantisation annotations and device placements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// Version of the file format, not of the operators.
    pub ir_version: i64,
    /// One entry for each operator domain that nodes use.
    pub opsets: Vec<Opset>,
    /// The program that wrote the file.
    pub producer_name: String,
    /// That program's version.
    pub producer_version: String,
    /// Reverse-DNS name space of the model.
    pub domain: String,
    /// Version of the model itself.
    pub model_version: i64,
    /// What the author says about it.
    pub doc_string: String,
    /// Key and value pairs, in file order.
    pub metadata: Vec<(String, String)>,
    /// The computation.
    pub graph: Graph,
    /// Operators defined by the file itself.
    pub functions: Vec<Function>,
}

/// Which version of a domain's operators nodes mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opset {
    /// Operator domain; `""` and `"ai.onnx"` are the standard operators.
    pub domain: String,
    /// Version of the set.
    pub version: i64,
}

/// An operator that the file defines in terms of others.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Function {
    /// Operator name that nodes call it by.
    pub name: String,
    /// Operator domain that nodes call it by.
    pub domain: String,
    /// Tells functions of the same name and domain apart; empty for most.
    pub overload: String,
    /// Names of the inputs inside the body.
    pub inputs: Vec<String>,
    /// Names of the outputs inside the body.
    pub outputs: Vec<String>,
    /// Names of the attributes a caller sets and that have no default.
    pub attributes: Vec<String>,
    /// Attributes with their defaults.
    pub defaults: Vec<crate::Attribute>,
    /// The body, in topological order.
    pub nodes: Vec<Node>,
    /// Operator sets of the body.
    pub opsets: Vec<Opset>,
    /// What the file declares about the values of the body.
    pub value_infos: Vec<ValueInfo>,
    /// What the author says about it.
    pub doc_string: String,
}

impl Model {
    /// A model of standard operators at this opset version, written by this crate.
    pub fn new(opset: i64, graph: Graph) -> Model {
        Model {
            // Read by onnxruntime 1.10 and later; nothing newer is needed by what we write.
            ir_version: 8,
            opsets: vec![Opset { domain: String::new(), version: opset }],
            producer_name: "vitrine".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            graph,
            ..Model::default()
        }
    }

    /// Reads an ONNX file's bytes. [`Reader`] spares holding them all beside the model.
    ///
    /// The result is well formed as a file; [`Model::validate`] says whether it is well formed as a graph.
    ///
    /// # Errors
    ///
    /// What the bytes are instead, where they are cut or damaged, or which tensor is kept in a form that cannot be
    /// read: see [`OnnxError`].
    pub fn decode(bytes: &[u8]) -> Result<Model, OnnxError> {
        let mut reader = Reader::new(bytes.len());
        reader.push(bytes);
        reader.finish()
    }

    /// The model as an ONNX file's bytes; [`Model::decode`] gives the same model back.
    pub fn encode(&self) -> Vec<u8> {
        encode::model(self)
    }

    /// Checks what every reader relies on: each value is made once, before it is used; the standard operator set has
    /// a version; each tensor has as much data as its shape says; declared shapes are sane.
    ///
    /// # Errors
    ///
    /// The first violation, naming the node, value or tensor.
    pub fn validate(&self) -> Result<(), OnnxError> {
        validate::model(self)
    }

    /// The same computation without functions: each call is replaced by the nodes of the function's body.
    ///
    /// Values and nodes of a body are named after the call, as `call/value`. The model should be valid.
    ///
    /// # Errors
    ///
    /// Functions that call themselves, that would take memory out of all proportion when written out, or that take an
    /// attribute of another type than a call gives.
    pub fn inline_functions(self) -> Result<Model, OnnxError> {
        inline::functions(self)
    }

    /// Version of a domain's operator set; `""` and `"ai.onnx"` are one domain.
    pub fn opset(&self, domain: &str) -> Option<i64> {
        version_of(&self.opsets, domain)
    }
}

impl Function {
    /// What to call the function in a message: domain, name and overload.
    pub fn label(&self) -> String {
        let domain = if self.domain.is_empty() { String::new() } else { format!("{}.", self.domain) };
        let overload = if self.overload.is_empty() { String::new() } else { format!(":{}", self.overload) };
        format!("{domain}{}{overload}", self.name)
    }

    /// Version of a domain's operator set in the body; `""` and `"ai.onnx"` are one domain.
    pub fn opset(&self, domain: &str) -> Option<i64> {
        version_of(&self.opsets, domain)
    }
}

/// The one name of a domain that has two.
pub(crate) fn canonical(domain: &str) -> &str {
    if domain == "ai.onnx" { "" } else { domain }
}

pub(crate) fn version_of(opsets: &[Opset], domain: &str) -> Option<i64> {
    opsets.iter().find(|opset| canonical(&opset.domain) == canonical(domain)).map(|opset| opset.version)
}
