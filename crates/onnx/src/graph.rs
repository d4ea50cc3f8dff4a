//! A graph: nodes in the order they run, constants, and the values that go in and out.

use std::fmt;

use crate::{ElementType, Names, Node, OnnxError, Tensor, inline};

/// A computation: the main one of a model, or the body of a control-flow node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// Name of the graph.
    pub name: String,
    /// Nodes in topological order.
    pub nodes: Vec<Node>,
    /// Constants, by the names that nodes use.
    pub initializers: Vec<Tensor>,
    /// Inputs; old files list initializers here too, as inputs with a default.
    pub inputs: Vec<ValueInfo>,
    /// Outputs.
    pub outputs: Vec<ValueInfo>,
    /// What the file declares about the values in between.
    pub value_infos: Vec<ValueInfo>,
    /// What the author says about it.
    pub doc_string: String,
}

impl Graph {
    /// The constant of this name.
    pub fn initializer(&self, name: &str) -> Option<&Tensor> {
        self.initializers.iter().find(|tensor| tensor.name == name)
    }

    /// The nodes and constants of this body of a control-flow node, to stand in the node's place.
    ///
    /// The body's outputs take the names of the node's; other values keep theirs unless it is among `taken`, which
    /// grows by what is given out.
    ///
    /// # Errors
    ///
    /// [`OnnxError::InNode`] when the node has more outputs than the body.
    pub fn in_place_of(&self, node: &Node, taken: &mut Names) -> Result<(Vec<Node>, Vec<Tensor>), OnnxError> {
        inline::body(self, node, taken)
    }

    /// The inputs a caller must give: those without an initializer of the same name.
    pub fn required_inputs(&self) -> impl Iterator<Item = &ValueInfo> {
        self.inputs.iter().filter(|input| self.initializer(&input.name).is_none())
    }
}

/// Name, element type and shape of a value, as far as the file declares them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueInfo {
    /// Name of the value.
    pub name: String,
    /// Element type; `None` where none is declared, or where the value is no tensor (a sequence, map or optional).
    pub element_type: Option<ElementType>,
    /// One entry for each axis; `None` where not even the rank is declared.
    pub shape: Option<Vec<Dimension>>,
}

impl ValueInfo {
    /// A float32 value of this shape: numbers for known dimensions, text for symbols.
    ///
    /// ```
    /// use vitrine_onnx::{Dimension, ValueInfo};
    ///
    /// assert_eq!(ValueInfo::float("x", &[1, 3]).shape, Some(vec![Dimension::Known(1), Dimension::Known(3)]));
    /// let batched = ValueInfo::float("x", &["batch".into(), Dimension::Known(3)]);
    /// assert_eq!(batched.shape.unwrap()[0], Dimension::Symbol("batch".into()));
    /// ```
    pub fn float<D: Clone + Into<Dimension>>(name: impl Into<String>, shape: &[D]) -> ValueInfo {
        ValueInfo::new(name, ElementType::Float32, shape)
    }

    /// A value of this element type and shape.
    pub fn new<D: Clone + Into<Dimension>>(
        name: impl Into<String>,
        element_type: ElementType,
        shape: &[D],
    ) -> ValueInfo {
        let shape = shape.iter().cloned().map(Into::into).collect();
        ValueInfo { name: name.into(), element_type: Some(element_type), shape: Some(shape) }
    }
}

impl fmt::Display for ValueInfo {
    /// The declared type, for example `float[batch, 3, ?, 64]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.element_type.map_or("?", ElementType::name))?;
        let Some(shape) = &self.shape else { return Ok(()) };
        let axes: Vec<String> = shape.iter().map(Dimension::to_string).collect();
        write!(f, "[{}]", axes.join(", "))
    }
}

/// The declared length of one axis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Dimension {
    /// This many elements.
    Known(usize),
    /// Any number, the same wherever the symbol stands.
    Symbol(String),
    /// Any number.
    #[default]
    Unknown,
}

impl Dimension {
    /// The number of elements, where it is known.
    pub fn known(&self) -> Option<usize> {
        match self {
            Dimension::Known(length) => Some(*length),
            Dimension::Symbol(_) | Dimension::Unknown => None,
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Dimension::Known(length) => length.fmt(f),
            Dimension::Symbol(symbol) => symbol.fmt(f),
            Dimension::Unknown => f.write_str("?"),
        }
    }
}

impl From<usize> for Dimension {
    fn from(length: usize) -> Self {
        Dimension::Known(length)
    }
}

impl From<&str> for Dimension {
    fn from(symbol: &str) -> Self {
        Dimension::Symbol(symbol.into())
    }
}
