//! A node: one operator applied to named values.

use crate::{Graph, Tensor};

/// One operator applied to named values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// Name of the node; may be empty.
    pub name: String,
    /// The operator, for example `Conv`.
    pub operator: String,
    /// Operator domain; `""` for the standard operators.
    pub domain: String,
    /// Which of several functions of the same name is meant; empty for most.
    pub overload: String,
    /// Version of the operator set, where it is not the one that the model imports: [`crate::Model::inline_functions`]
    /// sets it for nodes of functions that import another. Files have no place for it.
    pub opset: Option<i64>,
    /// Names of the inputs; `""` where an optional one is left out.
    pub inputs: Vec<String>,
    /// Names of the outputs; `""` where an optional one is left out.
    pub outputs: Vec<String>,
    /// Attributes, in file order.
    pub attributes: Vec<Attribute>,
    /// What the author says about it.
    pub doc_string: String,
}

impl Node {
    /// A node of a standard operator, named after its first output.
    ///
    /// ```
    /// use vitrine_onnx::{AttributeValue, Node};
    ///
    /// let node = Node::new("Conv", &["x", "w"], &["y"]).with("pads", vec![1, 1, 1, 1]).with("group", 2);
    /// assert_eq!(node.name, "y");
    /// assert_eq!(node.attribute("group").and_then(AttributeValue::as_int), Some(2));
    /// ```
    pub fn new(operator: &str, inputs: &[&str], outputs: &[&str]) -> Node {
        let owned = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        Node {
            name: outputs.first().map(|name| name.to_string()).unwrap_or_default(),
            operator: operator.into(),
            inputs: owned(inputs),
            outputs: owned(outputs),
            ..Node::default()
        }
    }

    /// The same node under another name.
    pub fn named(mut self, name: impl Into<String>) -> Node {
        self.name = name.into();
        self
    }

    /// The same node with one more attribute.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<AttributeValue>) -> Node {
        self.attributes.push(Attribute { name: name.into(), value: value.into() });
        self
    }

    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&AttributeValue> {
        self.attributes.iter().find(|attribute| attribute.name == name).map(|attribute| &attribute.value)
    }

    /// What to call the node in a message: its name and operator, or its first output where it has no name.
    ///
    /// ```
    /// # use vitrine_onnx::Node;
    /// assert_eq!(Node::new("Conv", &["x"], &["y"]).named("stem").label(), "'stem' (Conv)");
    /// ```
    pub fn label(&self) -> String {
        let first_output = self.outputs.iter().find(|name| !name.is_empty());
        match (self.name.as_str(), first_output) {
            ("", Some(output)) => format!("that makes '{output}' ({})", self.operator),
            ("", None) => format!("without a name ({})", self.operator),
            (name, _) => format!("'{name}' ({})", self.operator),
        }
    }
}

/// A named setting of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Name of the attribute.
    pub name: String,
    /// Its value.
    pub value: AttributeValue,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeValue {
    /// A number.
    Float(f32),
    /// An integer.
    Int(i64),
    /// Text; bytes, because the format does not promise UTF-8.
    String(Vec<u8>),
    /// A tensor.
    Tensor(Tensor),
    /// The body of a control-flow node.
    Graph(Box<Graph>),
    /// Numbers.
    Floats(Vec<f32>),
    /// Integers.
    Ints(Vec<i64>),
    /// Texts.
    Strings(Vec<Vec<u8>>),
    /// Tensors.
    Tensors(Vec<Tensor>),
    /// Bodies of a control-flow node.
    Graphs(Vec<Graph>),
    /// Inside a function's body: the value that the caller gives for the function's attribute `name`.
    Reference {
        /// Name of the function's attribute.
        name: String,
        /// The number of the value's type in `AttributeProto.AttributeType`.
        type_code: i64,
    },
}

impl AttributeValue {
    /// The number of the value's type in `AttributeProto.AttributeType`.
    pub(crate) fn type_code(&self) -> i64 {
        match self {
            AttributeValue::Float(_) => 1,
            AttributeValue::Int(_) => 2,
            AttributeValue::String(_) => 3,
            AttributeValue::Tensor(_) => 4,
            AttributeValue::Graph(_) => 5,
            AttributeValue::Floats(_) => 6,
            AttributeValue::Ints(_) => 7,
            AttributeValue::Strings(_) => 8,
            AttributeValue::Tensors(_) => 9,
            AttributeValue::Graphs(_) => 10,
            AttributeValue::Reference { type_code, .. } => *type_code,
        }
    }

    /// The integer, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            AttributeValue::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The integers, if they are that.
    pub fn as_ints(&self) -> Option<&[i64]> {
        match self {
            AttributeValue::Ints(values) => Some(values),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_float(&self) -> Option<f32> {
        match self {
            AttributeValue::Float(value) => Some(*value),
            _ => None,
        }
    }

    /// The numbers, if they are that.
    pub fn as_floats(&self) -> Option<&[f32]> {
        match self {
            AttributeValue::Floats(values) => Some(values),
            _ => None,
        }
    }

    /// The text, if it is one and valid UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            AttributeValue::String(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The tensor, if it is one.
    pub fn as_tensor(&self) -> Option<&Tensor> {
        match self {
            AttributeValue::Tensor(tensor) => Some(tensor),
            _ => None,
        }
    }

    /// The graph, if it is one.
    pub fn as_graph(&self) -> Option<&Graph> {
        match self {
            AttributeValue::Graph(graph) => Some(graph),
            _ => None,
        }
    }
}

impl From<f32> for AttributeValue {
    fn from(value: f32) -> Self {
        AttributeValue::Float(value)
    }
}

impl From<i64> for AttributeValue {
    fn from(value: i64) -> Self {
        AttributeValue::Int(value)
    }
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        AttributeValue::String(text.into())
    }
}

impl From<Tensor> for AttributeValue {
    fn from(tensor: Tensor) -> Self {
        AttributeValue::Tensor(tensor)
    }
}

impl From<Graph> for AttributeValue {
    fn from(graph: Graph) -> Self {
        AttributeValue::Graph(Box::new(graph))
    }
}

impl From<Vec<f32>> for AttributeValue {
    fn from(values: Vec<f32>) -> Self {
        AttributeValue::Floats(values)
    }
}

impl From<Vec<i64>> for AttributeValue {
    fn from(values: Vec<i64>) -> Self {
        AttributeValue::Ints(values)
    }
}
